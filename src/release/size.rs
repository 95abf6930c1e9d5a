//! A number of bytes, as people read it.

use std::fmt;

/// Bytes; shown in the largest unit of which there is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut tenths, mut unit) = (u128::from(self.0) * 10, "B");
        for larger in UNITS {
            if tenths < 10_240 {
                break;
            }
            (tenths, unit) = ((tenths + 512) / 1_024, larger);
        }
        match unit {
            "B" => f.pad(&format!("{} B", self.0)),
            _ => f.pad(&format!("{}.{} {unit}", tenths / 10, tenths % 10)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_shown_in_the_largest_fitting_unit() {
        let shown = [0, 1_023, 1_024, 1_536, 1_048_575, 2_067_967_998, 22_000_000_000, u64::MAX]
            .map(|n| Size(n).to_string());
        assert_eq!(
            shown,
            ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "1.9 GiB", "20.5 GiB", "16777216.0 TiB"]
        );
    }
}
