//! Names that may exist, for a producer that no source lists: they are probed, never believed.

use std::collections::BTreeSet;

use super::facets::{Facets, K8sMinor, Scheme};
use super::{ImageKey, Naming};

/// How many patches beyond the listed one are probed, in each listed line.
const PATCHES: u64 = 12;
/// How many minors beyond the newest listed one are probed, in each listed family.
const MINORS: u64 = 2;

/// The names that the next releases may give to the listed lines and families, in each scheme from the listed one on.
pub fn guesses(listed: &BTreeSet<ImageKey>, naming: &Naming) -> BTreeSet<ImageKey> {
    let known = listed.iter().filter(|key| naming.facets(key.as_str()).is_some());
    known
        .filter_map(|key| Facets::parse_name(key.as_str()))
        .flat_map(|(facets, scheme)| next(&facets, scheme))
        .collect()
}

fn next(facets: &Facets, scheme: Scheme) -> Vec<ImageKey> {
    let K8sMinor(major, minor) = facets.k8s_version.minor;
    let first = facets.k8s_version.patch.unwrap_or(0);
    let mut names = Vec::new();
    for next in minor..=minor + MINORS {
        names.push(name(facets, Scheme::DashesMinor, &[major, next]));
        if scheme == Scheme::DashesMinor {
            continue;
        }
        let from = if next == minor { first } else { 0 };
        for patch in from..=from + PATCHES {
            names.push(name(facets, Scheme::DashesPatch, &[major, next, patch]));
            if scheme == Scheme::DotsPatch {
                names.push(name(facets, Scheme::DotsPatch, &[major, next, patch]));
            }
        }
    }
    names.into_iter().filter_map(|name| name.parse().ok()).collect()
}

fn name(facets: &Facets, scheme: Scheme, version: &[u64]) -> String {
    let dot = if scheme == Scheme::DotsPatch { "." } else { "-" };
    let version = version.iter().map(u64::to_string).collect::<Vec<_>>().join(dot);
    let os_release = match scheme {
        Scheme::DotsPatch => facets.os_release.to_string(),
        _ => facets.os_release.replace('.', "-"),
    };
    format!("{}-{os_release}-{}-{}-{version}", facets.os, facets.flavor, facets.k8s_flavor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(name: &str) -> Vec<String> {
        let listed = BTreeSet::from([name.parse().unwrap()]);
        guesses(&listed, &Naming::default()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_next_patches_and_minors_are_guessed_in_each_naming_scheme() {
        let names = guess("opensuse-15-6-plain-rke2-1-31-8");
        for expected in ["1-31-8", "1-31-20", "1-32-0", "1-33-12", "1-31", "1-33"] {
            assert!(names.contains(&format!("opensuse-15-6-plain-rke2-{expected}")), "{expected}");
        }
        assert!(!names.contains(&"opensuse-15-6-plain-rke2-1-31-21".to_owned()));
        assert!(
            guess("opensuse-15.5-plain-rke2-1.26.9").contains(&"opensuse-15-5-plain-rke2-1-26-9".to_owned())
        );
    }

    #[test]
    fn a_name_without_a_patch_gives_only_minors() {
        assert_eq!(
            guess("ubuntu-noble-plain-rke2-1-32"),
            ["ubuntu-noble-plain-rke2-1-32", "ubuntu-noble-plain-rke2-1-33", "ubuntu-noble-plain-rke2-1-34"]
        );
    }

    #[test]
    fn a_name_of_no_scheme_gives_nothing() {
        assert!(guess("diskimage-builder-plain").is_empty());
    }
}
