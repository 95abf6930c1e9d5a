//! The tag of an artifact. A release's tag is its version; a deployment may be pinned to any other.

use std::fmt;
use std::str::FromStr;

use super::Version;

/// An OCI tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// Text that can be no OCI tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a tag (letters, digits, `_`, `.` and `-`, at most 128)")]
pub struct InvalidTag(pub String);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Version> for Tag {
    fn from(version: &Version) -> Self {
        Self(version.as_str().to_owned())
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    /// Grammar: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec, "Pulling manifests").
    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let fits = |b: u8| is_word(b) || matches!(b, b'.' | b'-');
        let starts = text.bytes().next().is_some_and(is_word);
        if starts && text.len() <= 128 && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidTag(text.to_owned()))
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_grammar() {
        for good in ["0.4.12", "v1", "_x", "0.0.0-git-098dca5b", "A.b-c_d", &"a".repeat(128)] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        for bad in ["", ".a", "-a", "a b", "a+b", "a/b", "a:b", "ä", &"a".repeat(129)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
        let version: Version = "0.4.12".parse().unwrap();
        assert_eq!(Tag::from(&version).to_string(), "0.4.12");
    }
}
