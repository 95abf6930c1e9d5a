//! For which Kubernetes versions an entry is, where its value is the answer to that: `true`, or sylva-core's template
//! `{{ include "k8s-version-match" (tuple ">=1.29.0,<1.30.0" .Values._internal.k8s_version) }}`, several of them joined by
//! `or`.
//!
//! A template that does anything else is not understood: it may choose anything.

use semver::{Comparator, Op, Version, VersionReq};

use crate::release::K8sVersion;

/// The template of sylva-core that compares versions.
const MATCH: &str = "k8s-version-match";
/// Words of such a template that change nothing in what it compares.
const WORDS: [&str; 5] = ["include", "tuple", "or", ".", ".Values._internal.k8s_version"];

/// For which Kubernetes versions an entry is: those of any of these ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges(Vec<VersionReq>);

impl Ranges {
    /// What a value says; `None` where it is something else.
    pub(super) fn of(value: &str) -> Option<Self> {
        match value.trim() {
            "true" => return Some(Self(vec![VersionReq::STAR])),
            "false" => return Some(Self(Vec::new())),
            _ => {}
        }
        let inside = value.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        let inside = inside.strip_prefix('-').unwrap_or(inside);
        let inside = inside.strip_suffix('-').unwrap_or(inside);
        let mut ranges = Vec::new();
        let mut matches = 0;
        for (i, part) in inside.split('"').enumerate() {
            if i % 2 == 1 {
                match part {
                    MATCH => matches += 1,
                    range => ranges.push(parse(range)?),
                }
                continue;
            }
            let mut words = part.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
            if words.any(|word| !word.is_empty() && !WORDS.contains(&word)) {
                return None;
            }
        }
        (inside.matches('"').count() % 2 == 0 && matches > 0 && matches == ranges.len())
            .then_some(Self(ranges))
    }

    /// Whether a version is one of them. Its revision does not count.
    pub(super) fn have(&self, version: &K8sVersion) -> bool {
        let Some(patch) = version.patch else { return false };
        let version = Version::new(version.minor.0, version.minor.1, patch);
        self.0.iter().any(|range| range.matches(&version))
    }
}

/// A range of comparisons: without one, libraries differ in what a version means.
fn parse(text: &str) -> Option<VersionReq> {
    let range: VersionReq = text.parse().ok()?;
    let compares = |comparator: &Comparator| {
        matches!(comparator.op, Op::Greater | Op::GreaterEq | Op::Less | Op::LessEq | Op::Exact)
            && comparator.pre.is_empty()
    };
    (!range.comparators.is_empty() && range.comparators.iter().all(compares)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_for_the_versions_that_its_template_compares() {
        let of_sylva = |range: &str| {
            format!(
                r#"{{{{ include "k8s-version-match" (tuple "{range}" .Values._internal.k8s_version) }}}}"#
            )
        };
        let both = r#"{{ or (include "k8s-version-match" (tuple . ">=1.26.15,<1.27.0"))
            (include "k8s-version-match" (tuple . ">=1.28.0,<1.28.8")) }}"#;
        for (value, has, lacks) in [
            ("true".to_owned(), "1.31.8+rke2r1", ""),
            ("false".to_owned(), "", "1.31.8"),
            (of_sylva(">=1.29.0"), "1.29.0+rke2r1", "1.28.15+rke2r1"),
            (of_sylva(">=1.29.0, <1.30.0"), "1.29.15", "1.30.0+rke2r1"),
            (of_sylva("<1.26"), "1.25.14+rke2r1", "1.26.0"),
            (of_sylva("<=1.27.6"), "1.27.6", "1.27.10"),
            (both.to_owned(), "1.28.7", "1.27.3"),
        ] {
            let ranges = Ranges::of(&value).unwrap();
            let have = |text: &str| ranges.have(&text.parse().unwrap());
            assert!(has.is_empty() || have(has), "{value}: {has}");
            assert!(lacks.is_empty() || !have(lacks), "{value}: {lacks}");
        }
        for value in [
            "{{ not .Values._internal.k8s_post_1_26_6 }}",
            r#"{{ not (include "k8s-version-match" (tuple ">=1.29.0" .)) }}"#,
            r#"{{ include "k8s-version-match" (tuple "1.29.0" .) }}"#,
            r#"{{ include "k8s-version-match" (tuple "^1.29.0" .) }}"#,
            r#"{{ include "other" (tuple ">=1.29.0" .) }}"#,
            r#"{{ include "k8s-version-match" (tuple .Values.range .) }}"#,
            "v3.29.300",
            "",
        ] {
            assert_eq!(Ranges::of(value), None, "{value}");
        }
    }
}
