//! What an image contains: from annotations, or parsed from its name where annotations are missing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;

/// Prefix of diskimage-builder's manifest annotations.
pub const ANNOTATION_PREFIX: &str = "sylvaproject.org/diskimage/";

/// The annotations that say what an image contains, with their prefix.
pub(super) mod annotations {
    pub(in crate::release) const OS: &str = "sylvaproject.org/diskimage/os";
    pub(in crate::release) const OS_RELEASE: &str = "sylvaproject.org/diskimage/os-release";
    pub(in crate::release) const FLAVOR: &str = "sylvaproject.org/diskimage/flavor";
    pub(in crate::release) const K8S_FLAVOR: &str = "sylvaproject.org/diskimage/k8s-flavor";
    pub(in crate::release) const K8S_VERSION: &str = "sylvaproject.org/diskimage/k8s-version";
}

/// A Kubernetes minor version, `1.31`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct K8sMinor(pub u64, pub u64);

/// A Kubernetes version as far as it is known. A name of the newest scheme has no patch; only annotations have a revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct K8sVersion {
    /// The minor version.
    pub minor: K8sMinor,
    /// The patch version, where it is known.
    pub patch: Option<u64>,
    /// The distribution's revision (`rke2r1`), where it is known.
    pub revision: Option<String>,
}

/// Operating system, flavor and Kubernetes flavor: what stays when anything is updated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Family {
    /// `ubuntu`, `opensuse`, `leapmicro`, …
    pub os: SmolStr,
    /// `plain` or `hardened`.
    pub flavor: SmolStr,
    /// `rke2`, `kubeadm` or `ck8s`.
    pub k8s_flavor: SmolStr,
}

/// A family at one Kubernetes minor: what a key stands for while patches and OS releases come and go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// The family.
    pub family: Family,
    /// The Kubernetes minor.
    pub minor: K8sMinor,
}

/// A line without words of its own, to sort and to look up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OfLine<'f> {
    os: &'f str,
    flavor: &'f str,
    k8s_flavor: &'f str,
    minor: K8sMinor,
}

/// A family without words of its own: os, flavor and k8s flavor.
pub(crate) type OfFamily<'f> = (&'f str, &'f str, &'f str);

impl<'f> OfLine<'f> {
    /// What stays when Kubernetes is updated.
    pub(crate) fn family(&self) -> OfFamily<'f> {
        (self.os, self.flavor, self.k8s_flavor)
    }
}

/// What an image contains. Its words are short and copied often, so that they need no memory of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facets {
    /// `ubuntu`, `opensuse`, …
    pub os: SmolStr,
    /// `noble`, `15.6`, …; dots and dashes compare alike, see [`Facets::same_os_release`].
    pub os_release: SmolStr,
    /// `plain` or `hardened`.
    pub flavor: SmolStr,
    /// `rke2`, `kubeadm` or `ck8s`.
    pub k8s_flavor: SmolStr,
    /// The Kubernetes version.
    pub k8s_version: K8sVersion,
}

/// The known ways of naming an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// `ubuntu-jammy-plain-rke2-1.26.9`, before 0.1.8.
    DotsPatch,
    /// `ubuntu-noble-plain-rke2-1-31-8`, 0.1.8 to 0.4.
    DashesPatch,
    /// `ubuntu-noble-plain-rke2-1-32`, from 0.5.
    DashesMinor,
}

/// A user's own pattern for names: named groups `os`, `os_release`, `flavor`, `k8s_flavor`, `k8s_version`.
#[derive(Debug, Clone)]
pub struct NamePattern(regex::Regex);

/// How names are read: the user's pattern first, where there is one, then the known schemes.
#[derive(Debug, Clone, Default)]
pub struct Naming {
    /// `names.pattern` of the configuration.
    pub pattern: Option<NamePattern>,
}

impl Naming {
    /// The facets that a name gives.
    pub fn facets(&self, name: &str) -> Option<Facets> {
        self.pattern.as_ref().and_then(|pattern| pattern.facets(name)).or_else(|| Facets::from_name(name))
    }
}

impl Facets {
    /// The facets that annotations give; `None` unless os, flavor, k8s flavor and version are all there.
    pub fn from_annotations(annotations: &BTreeMap<String, String>) -> Option<Self> {
        if annotations.is_empty() {
            return None;
        }
        let word = |name| annotations.get(name).filter(|text| !text.is_empty()).map(SmolStr::from);
        Some(Self {
            os: word(annotations::OS)?,
            os_release: word(annotations::OS_RELEASE).unwrap_or_default(),
            flavor: word(annotations::FLAVOR)?,
            k8s_flavor: word(annotations::K8S_FLAVOR)?,
            k8s_version: annotations.get(annotations::K8S_VERSION)?.parse().ok()?,
        })
    }

    /// The facets that a name of a known scheme gives.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::parse_name(name).map(|(facets, _)| facets)
    }

    /// The facets and the scheme of a name, read from its end: the OS release may itself hold dashes.
    pub fn parse_name(name: &str) -> Option<(Self, Scheme)> {
        let name = strip_revision(name);
        let (rest, version, scheme) = split_k8s_version(name)?;
        let (os, rest) = rest.split_once('-')?;
        let (rest, k8s_flavor) = rest.rsplit_once('-')?;
        let (os_release, flavor) = rest.rsplit_once('-')?;
        if os_release.is_empty() || ![os, flavor, k8s_flavor].into_iter().all(is_word) {
            return None;
        }
        let [os, os_release, flavor, k8s_flavor] = [os, os_release, flavor, k8s_flavor].map(SmolStr::new);
        Some((Self { os, os_release, flavor, k8s_flavor, k8s_version: version }, scheme))
    }

    /// Os, flavor and k8s flavor.
    pub fn family(&self) -> Family {
        Family { os: self.os.clone(), flavor: self.flavor.clone(), k8s_flavor: self.k8s_flavor.clone() }
    }

    /// Family and k8s minor.
    pub fn line(&self) -> Series {
        Series { family: self.family(), minor: self.k8s_version.minor }
    }

    /// Its words as they are compared with those of others: by family first, then by minor, as lines are.
    pub(crate) fn of_line(&self) -> OfLine<'_> {
        let minor = self.k8s_version.minor;
        OfLine { os: &self.os, flavor: &self.flavor, k8s_flavor: &self.k8s_flavor, minor }
    }

    /// Whether both have the same OS release; `15.6` (annotation) and `15-6` (name) are the same.
    pub fn same_os_release(&self, other: &Self) -> bool {
        self.comparable_os_release() == other.comparable_os_release()
    }

    /// The OS release in the one way of writing it in which it is compared.
    pub(super) fn comparable_os_release(&self) -> Cow<'_, str> {
        match self.os_release.contains('.') {
            true => self.os_release.replace('.', "-").into(),
            false => self.os_release.as_str().into(),
        }
    }
}

impl NamePattern {
    /// Compiles a pattern and checks that it names the groups that a line needs.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let regex = regex::Regex::new(&format!("^(?:{pattern})$")).map_err(|e| e.to_string())?;
        for group in ["os", "flavor", "k8s_flavor", "k8s_version"] {
            if !regex.capture_names().any(|name| name == Some(group)) {
                return Err(format!("the pattern lacks the group (?<{group}>…)"));
            }
        }
        Ok(Self(regex))
    }

    /// The facets that the pattern finds in `name`.
    pub fn facets(&self, name: &str) -> Option<Facets> {
        let captures = self.0.captures(name)?;
        let get = |group: &str| captures.name(group).map(|m| SmolStr::new(m.as_str()));
        Some(Facets {
            os: get("os")?,
            os_release: get("os_release").unwrap_or_default(),
            flavor: get("flavor")?,
            k8s_flavor: get("k8s_flavor")?,
            k8s_version: get("k8s_version")?.parse().ok()?,
        })
    }
}

/// Cuts the `-rke2r1` that names of 0.0.x may carry.
fn strip_revision(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((rest, tail)) if is_revision(tail) => rest,
        _ => name,
    }
}

/// `rke2r1`, `k3s1`: letters first, a digit last, and not a bare flavor such as `rke2`.
fn is_revision(text: &str) -> bool {
    text.strip_prefix("rke2r").is_some_and(is_number)
}

/// Splits `…-1.31.8`, `…-1-31-8` or `…-1-31` off the end.
fn split_k8s_version(name: &str) -> Option<(&str, K8sVersion, Scheme)> {
    let (rest, last) = name.rsplit_once('-')?;
    // No scheme writes `v1.26.9`, which a version itself may be read from.
    if last.contains('.') {
        let last = Some(last).filter(|last| last.starts_with(|c: char| c.is_ascii_digit()))?;
        let version: K8sVersion = last.parse().ok()?;
        return version.patch.is_some().then_some((rest, version, Scheme::DotsPatch));
    }
    let (rest, last) = last_number(name)?;
    let (rest, before) = last_number(rest)?;
    let version = |minor, patch| K8sVersion { minor, patch, revision: None };
    match last_number(rest) {
        None => Some((rest, version(K8sMinor(before, last), None), Scheme::DashesMinor)),
        // A name with four numbers at its end is of no scheme.
        Some((rest, _)) if last_number(rest).is_some() => None,
        Some((rest, first)) => {
            Some((rest, version(K8sMinor(first, before), Some(last)), Scheme::DashesPatch))
        }
    }
}

/// Cuts `-31` off the end.
fn last_number(name: &str) -> Option<(&str, u64)> {
    let (rest, word) = name.rsplit_once('-').filter(|(_, word)| is_number(word))?;
    Some((rest, word.parse().ok()?))
}

/// Digits without a leading zero, which would not print back.
fn number(text: &str) -> Result<u64, ()> {
    if is_number(text) { text.parse().map_err(drop) } else { Err(()) }
}

fn is_number(text: &str) -> bool {
    let leads_with_zero = text.len() > 1 && text.starts_with('0');
    !text.is_empty() && !leads_with_zero && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
}

impl K8sVersion {
    /// Whether two versions are the same as far as both say: a version without a revision fits any, and so does a name
    /// of the newest scheme, which has no patch.
    pub fn agrees_with(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        self.minor == other.minor && same(&self.patch, &other.patch) && same(&self.revision, &other.revision)
    }
}

impl FromStr for K8sVersion {
    type Err = ();

    /// Accepts `1.31`, `1.31.8`, `v1.31.8`, `1.31.8+rke2r1` and `1.31.8-rke2r1`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.bytes().position(|byte| matches!(byte, b'+' | b'-'));
        let revision = end.map(|end| text[end + 1..].to_owned());
        let mut numbers = text[..end.unwrap_or(text.len())].split('.').map(number);
        let minor = K8sMinor(numbers.next().ok_or(())??, numbers.next().ok_or(())??);
        let patch = numbers.next().transpose()?;
        if numbers.next().is_some() { Err(()) } else { Ok(Self { minor, patch, revision }) }
    }
}

impl fmt::Display for K8sMinor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl fmt::Display for K8sVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.minor)?;
        if let Some(patch) = self.patch {
            write!(f, ".{patch}")?;
        }
        if let Some(revision) = &self.revision {
            write!(f, "+{revision}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {} {}", self.os, self.flavor, self.k8s_flavor))
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.family, self.minor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Option<String> {
        let (f, scheme) = Facets::parse_name(name)?;
        Some(format!("{} {} {} {} {} {scheme:?}", f.os, f.os_release, f.flavor, f.k8s_flavor, f.k8s_version))
    }

    #[test]
    fn names_of_every_known_scheme_give_their_facets() {
        let table = [
            ("ubuntu-jammy-plain-rke2-1.26.9", "ubuntu jammy plain rke2 1.26.9 DotsPatch"),
            ("opensuse-15.5-plain-rke2-1.26.9-rke2r1", "opensuse 15.5 plain rke2 1.26.9 DotsPatch"),
            ("opensuse-15-6-hardened-rke2-1-31-8", "opensuse 15-6 hardened rke2 1.31.8 DashesPatch"),
            ("ubuntu-noble-plain-ck8s-1-31-6", "ubuntu noble plain ck8s 1.31.6 DashesPatch"),
            ("ubuntu-noble-hardened-rke2-1-30", "ubuntu noble hardened rke2 1.30 DashesMinor"),
            ("leapmicro-6-0-plain-rke2-1-35", "leapmicro 6-0 plain rke2 1.35 DashesMinor"),
        ];
        for (name, facets) in table {
            assert_eq!(parse(name).as_deref(), Some(facets), "{name}");
        }
    }

    #[test]
    fn names_of_no_known_scheme_give_nothing() {
        for name in [
            "diskimage-builder-hardened",
            "ubuntu-noble-plain-rke2-1-30-9-0.4.4",
            "ubuntu",
            "",
            "ubuntu-plain-rke2-1-30",
            "ubuntu-jammy-plain-rke2-v1.26.9",
            "1-31",
            "1-31-8",
            "ubuntu-noble-plain-rke2-1-030-9",
            "ubuntu-noble-plain-rke2-1.030.9",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn annotations_win_over_names() {
        let annotations: BTreeMap<String, String> = [
            ("os", "ubuntu"),
            ("os-release", "noble"),
            ("flavor", "plain"),
            ("k8s-flavor", "rke2"),
            ("k8s-version", "1.31.8+rke2r1"),
        ]
        .map(|(k, v)| (format!("{ANNOTATION_PREFIX}{k}"), v.to_owned()))
        .into();
        let facets = Facets::from_annotations(&annotations).unwrap();
        assert_eq!(facets.k8s_version.to_string(), "1.31.8+rke2r1");
        assert_eq!(facets.line().to_string(), "ubuntu plain rke2 1.31");
    }

    #[test]
    fn kubernetes_versions_agree_in_what_both_say() {
        let table = [
            ("v1.31.8+rke2r1", "1.31.8+rke2r1", true),
            ("1.31.8-rke2r1", "1.31.8+rke2r1", true),
            ("v1.31.8", "1.31.8+rke2r1", true),
            ("v1.31.8+rke2r1", "1.31.8", true),
            ("v1.31.8+rke2r2", "1.31.8+rke2r1", false),
            ("v1.31.7", "1.31.8", false),
            ("1.31.7", "1.31", true),
            ("1.31", "1.31.8+rke2r1", true),
            ("1.30", "1.31", false),
        ];
        for (one, other, expected) in table {
            let (one, other): (K8sVersion, K8sVersion) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(one.agrees_with(&other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_pattern_without_its_groups_is_refused() {
        assert_eq!(NamePattern::new("(?<os>.+)").unwrap_err(), "the pattern lacks the group (?<flavor>…)");
        let pattern =
            NamePattern::new(r"(?<os>\w+)_(?<flavor>\w+)_(?<k8s_flavor>\w+)_(?<k8s_version>.+)").unwrap();
        assert_eq!(
            pattern.facets("talos_plain_talos_1.31").unwrap().line().to_string(),
            "talos plain talos 1.31"
        );
    }
}
