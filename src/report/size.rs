//! Sizes as people read them.

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// Bytes in the largest unit that gives at least one, with one decimal: `1.9 GiB`.
pub fn size(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // A tenth of a unit is all that is shown, so the rounding of a float is not seen.
    let (mut amount, mut unit) = (bytes as f64 / 1024.0, 1);
    while amount >= 1023.95 && unit + 1 < UNITS.len() {
        (amount, unit) = (amount / 1024.0, unit + 1);
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A size, and by how much it differs from the one before: `1.9 GiB +12.0 MiB`.
pub fn changed(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(old), Some(new)) if new > old => format!("{} +{}", size(new), size(new - old)),
        (Some(old), Some(new)) if new < old => format!("{} -{}", size(new), size(old - new)),
        (_, Some(bytes)) | (Some(bytes), None) => size(bytes),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_one_decimal_and_never_a_thousand_of_a_unit() {
        let sizes = [0, 1023, 1024, 1_048_575, 1_048_576, 1_992_294_400, 1 << 40, u64::MAX].map(size);
        let wanted =
            ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 MiB", "1.9 GiB", "1.0 TiB", "16777216.0 TiB"];
        assert_eq!(sizes, wanted);
    }

    #[test]
    fn a_change_of_size_says_by_how_much() {
        assert_eq!(changed(Some(1024), Some(3072)), "3.0 KiB +2.0 KiB");
        assert_eq!(changed(Some(3072), Some(1024)), "1.0 KiB -2.0 KiB");
        assert_eq!(changed(Some(1024), Some(1024)), "1.0 KiB");
        assert_eq!(changed(None, Some(1024)), "1.0 KiB");
        assert_eq!(changed(Some(1024), None), "1.0 KiB");
        assert_eq!(changed(None, None), "");
    }
}
