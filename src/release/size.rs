//! A number of bytes, as people read it.

use std::fmt;
use std::str::FromStr;

/// Bytes; shown in the largest unit of which there is at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Text that is not a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes, as in 64GiB, 500MiB or 1048576")]
pub struct InvalidSize;

impl FromStr for Size {
    type Err = InvalidSize;

    /// A whole number and a unit (`B` to `TiB`); bytes without one.
    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let power = match unit.trim_start() {
            "" | "B" => 0,
            unit => 1 + UNITS.iter().position(|known| *known == unit).ok_or(InvalidSize)?,
        };
        let number: u64 = number.parse().map_err(|_| InvalidSize)?;
        number.checked_mul(1 << (10 * power)).map(Self).ok_or(InvalidSize)
    }
}

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
    use super::{InvalidSize, Size};

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("64GiB", 64 << 30),
            ("3 MiB", 3 << 20),
            ("7B", 7),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "GiB", "1.5GiB", "-1", "1GB", "1gib", "99999999999999TiB", "1 2"] {
            assert_eq!(wrong.parse::<Size>(), Err(InvalidSize), "{wrong}");
        }
    }

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
