//! Kubernetes versions inside of a text: `v1.31.7+rke2r1`, wherever they stand as a word of their own.

use std::ops::Range;

use crate::release::{K8sMinor, K8sVersion};

/// A Kubernetes version as it is written in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionToken<'a> {
    /// Its bytes in the text.
    pub(super) range: Range<usize>,
    /// All of it.
    pub(super) text: &'a str,
    pub(super) minor: K8sMinor,
    pub(super) patch: u64,
    /// What stands before the number: `v` or nothing.
    prefix: &'a str,
    /// The separator and the revision: `+` and `rke2r1`.
    suffix: Option<(char, &'a str)>,
}

/// An exact version: the patch, and the revision where the flavor has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exact {
    pub(super) minor: K8sMinor,
    pub(super) patch: u64,
    /// `rke2r1`, checked.
    pub(super) revision: Option<String>,
}

impl Exact {
    /// The version of an image of a flavor; `None` without a patch. Only rke2 has revisions, and only such are taken.
    pub(super) fn of(version: &K8sVersion, is_rke2: bool) -> Option<Self> {
        let revision = version.revision.clone().filter(|revision| is_rke2 && is_revision(revision));
        Some(Self { minor: version.minor, patch: version.patch?, revision })
    }
}

impl Exact {
    /// The same as a version.
    pub(super) fn version(&self) -> K8sVersion {
        K8sVersion { minor: self.minor, patch: Some(self.patch), revision: self.revision.clone() }
    }

    /// Whether an image has this version, as far as both say.
    pub(super) fn agrees_with(&self, version: &K8sVersion) -> bool {
        self.version().agrees_with(version)
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.minor, self.patch)?;
        self.revision.as_ref().map_or(Ok(()), |revision| write!(f, "+{revision}"))
    }
}

impl<'a> VersionToken<'a> {
    /// All versions of a text, in its order. `>=1.31.7`, `1.31.7-rc1` and `a-1.31.7` are none.
    pub(super) fn all(text: &'a str) -> Vec<Self> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(begin) = text.get(at..).and_then(|rest| rest.find(is_part)).map(|found| at + found) {
            let word = text[begin..].split(|c| !is_part(c)).next().unwrap_or_default();
            let constrains = text[..begin].ends_with(['<', '>', '=', '~', '^', '!']);
            tokens.extend(Self::whole(word).filter(|_| !constrains).map(|token| token.moved_by(begin)));
            at = begin + word.len();
        }
        tokens
    }

    /// A text that is one version.
    pub(super) fn whole(text: &'a str) -> Option<Self> {
        let (prefix, rest) = text.strip_prefix('v').map_or(("", text), |rest| ("v", rest));
        let (numbers, suffix) = match rest.find(['+', '-']) {
            Some(at) => (&rest[..at], Some((rest[at..].chars().next()?, &rest[at + 1..]))),
            None => (rest, None),
        };
        let mut parts = numbers.split('.').map(number);
        let (minor, patch) = (K8sMinor(parts.next()??, parts.next()??), parts.next()??);
        let known = parts.next().is_none() && suffix.is_none_or(|(_, revision)| is_revision(revision));
        known.then_some(Self { range: 0..text.len(), text, minor, patch, prefix, suffix })
    }

    pub(super) fn moved_by(self, offset: usize) -> Self {
        Self { range: self.range.start + offset..self.range.end + offset, ..self }
    }

    /// The version that it says.
    pub(super) fn version(&self) -> K8sVersion {
        let revision = self.suffix.map(|(_, revision)| revision.to_owned());
        K8sVersion { minor: self.minor, patch: Some(self.patch), revision }
    }

    /// Whether it is a version of rke2; the other flavors' versions have no revision.
    pub(super) fn is_rke2(&self) -> bool {
        self.suffix.is_some()
    }

    /// The same way of writing with another version; `None` where that lacks the revision that is written here.
    pub(super) fn rewritten(&self, version: &Exact) -> Option<String> {
        let number = format!("{}{}.{}", self.prefix, version.minor, version.patch);
        match (self.suffix, &version.revision) {
            (None, _) => Some(number),
            (Some((separator, _)), Some(revision)) => Some(format!("{number}{separator}{revision}")),
            (Some(_), None) => None,
        }
    }
}

/// `rke2r1`: what comes from an annotation and is anything else is never written into a file.
fn is_revision(text: &str) -> bool {
    text.strip_prefix("rke2r").is_some_and(|number| self::number(number).is_some())
}

/// Digits as they are written back: without leading zeros.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// What a word that may be a version consists of.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | '/' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_words_of_their_own() {
        let template = r#"{{ .Values.x | eq "cabpr" | ternary "v1.31.7+rke2r1" "v1.31.7" }}"#;
        for (text, found) in [
            (template, vec!["v1.31.7+rke2r1", "v1.31.7"]),
            ("1.31.7-rke2r12", vec!["1.31.7-rke2r12"]),
            ("image:v1.31.7, (1.30.1)", vec!["v1.31.7", "1.30.1"]),
            (">=1.31.7 <1.32.0 =1.30.1 ~1.2.3", vec![]),
            (
                "1.31 1.31.7-rc1 1.31.7+k3s1 a1.31.7 a-1.31.7 x/1.31.7 1.31.7.1 1.31.07 v1.31.7_ é1.31.7",
                vec![],
            ),
        ] {
            let tokens = VersionToken::all(text);
            assert_eq!(tokens.iter().map(|token| token.text).collect::<Vec<_>>(), found, "{text}");
            assert!(tokens.iter().all(|token| text[token.range.clone()] == *token.text), "{text}");
        }
    }

    #[test]
    fn the_way_of_writing_stays() {
        let exact = |text: &str, is_rke2| Exact::of(&text.parse().unwrap(), is_rke2).unwrap();
        for (written, version, is_rke2, expected) in [
            ("v1.31.7+rke2r1", "1.31.8-rke2r2", true, Some("v1.31.8+rke2r2")),
            ("1.31.7-rke2r1", "1.31.8+rke2r1", true, Some("1.31.8-rke2r1")),
            ("v1.31.7", "1.31.8-rke2r1", false, Some("v1.31.8")),
            ("v1.31.7+rke2r1", "1.31.8", true, None),
            ("v1.31.7+rke2r1", r#"1.31.8+rke2r1" }}"#, true, None),
        ] {
            let rewritten = VersionToken::whole(written).unwrap().rewritten(&exact(version, is_rke2));
            assert_eq!(rewritten.as_deref(), expected, "{written} {version}");
        }
    }
}
