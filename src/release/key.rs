//! The image key: the last path segment of an artifact's repository, and a key of the values file's mapping.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A name that can be the last path segment of an OCI repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageKey(Arc<str>);

/// Text that can be no OCI repository name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an image key (lower-case letters and digits, separated by `.`, `_`, `__` or dashes)")]
pub struct InvalidImageKey(pub String);

impl ImageKey {
    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is looked up by key is found by its text.
impl Borrow<str> for ImageKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageKey {
    type Err = InvalidImageKey;

    /// Grammar of one path component: `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` (distribution-spec, "Pulling manifests").
    fn from_str(text: &str) -> Result<Self, InvalidImageKey> {
        match is_path_component(text.as_bytes()) && text.len() <= 255 {
            true => Ok(Self(text.into())),
            false => Err(InvalidImageKey(text.to_owned())),
        }
    }
}

fn is_path_component(mut rest: &[u8]) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    while rest.first().is_some_and(alphanumeric) {
        let Some(word) = rest.iter().position(|byte| !alphanumeric(byte)) else { return true };
        let behind = &rest[word..];
        let (separator, next) = behind.split_at(behind.iter().position(alphanumeric).unwrap_or(behind.len()));
        if !matches!(separator, b"." | b"_" | b"__") && separator.iter().any(|byte| *byte != b'-') {
            return false;
        }
        rest = next;
    }
    false
}

impl fmt::Display for ImageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_grammar_of_a_repository_name() {
        for good in
            ["ubuntu-noble-plain-rke2-1-31-8", "opensuse-15.5-plain-rke2-1.26.9", "a", "a__b", "sylva--x"]
        {
            assert!(good.parse::<ImageKey>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "a___b", "A", "a/b", "{{ .Values.x }}", "a b", "a-.b"] {
            assert!(bad.parse::<ImageKey>().is_err(), "{bad}");
        }
    }
}
