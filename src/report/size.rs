//! How sizes differ, as people read them.

use crate::release::Size;

/// A size, and by how much it differs from the one before: `1.9 GiB +12.0 MiB`.
pub fn changed(before: Option<u64>, after: Option<u64>) -> String {
    match (before, after) {
        (Some(old), Some(new)) if new > old => format!("{} +{}", Size(new), Size(new - old)),
        (Some(old), Some(new)) if new < old => format!("{} -{}", Size(new), Size(old - new)),
        (_, Some(bytes)) | (Some(bytes), None) => Size(bytes).to_string(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
