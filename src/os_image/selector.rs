//! Which images a selector chooses, as far as that can be told.
//!
//! The algorithm is that of the Helm library of Sylva (`_os_images.tpl`): a selector's values are regular expressions over
//! the whole attribute, a missing attribute is `//unset`, and a cluster's Kubernetes version and flavor are added.

use std::collections::BTreeMap;

use regex::Regex;

use crate::budget::regex;
use crate::release::Facets;
use crate::sylva::IMAGE_REGISTRY_KEY;

/// What a selector may ask for (Helm library of Sylva 0.9.0).
pub const KEYS: [&str; 10] = [
    "os",
    "os-release",
    "flavor",
    "hardened",
    "k8s-flavor",
    "k8s-version",
    "commit-tag",
    IMAGE_REGISTRY_KEY,
    IMAGE_KEY,
    EXTRA_KEYS,
];
/// Allows any key.
pub const EXTRA_KEYS: &str = "_use_extra_keys_";
/// Asks for the key of the image itself.
const IMAGE_KEY: &str = "_os_images_key_";

const NOT_KNOWN: &str = "not all attributes of the images are known here";

/// What an attribute that an image does not have counts as.
const UNSET: &str = "//unset";

/// An image that a selector may choose.
#[derive(Debug, Clone)]
pub struct Selectable {
    /// Its key.
    pub key: String,
    /// Its keys in `os_images`: since late 2025 the registry's name and `--` stand before it (sylva-core !6005).
    pub names: Vec<String>,
    /// What a selector sees; `None` where nothing was read of it.
    pub attributes: Option<BTreeMap<String, String>>,
    /// Whether it has no others: a manifest was read, and not what somebody noted of it.
    pub is_whole: bool,
    /// What its manifest or its name says.
    pub facets: Option<Facets>,
}

/// One condition of a selector.
#[derive(Debug, Clone)]
pub enum SelectorTerm {
    /// The whole attribute matches.
    Matches(Box<Regex>),
    /// Only Helm knows.
    Unknown,
}

/// What a selector chooses.
#[derive(Debug, PartialEq, Eq)]
pub enum Selected {
    /// One image, as it should be: its key.
    One(String),
    /// None, whatever is not known.
    None {
        /// What may be the reason.
        hint: Option<String>,
    },
    /// Several.
    Several(Vec<String>),
    /// It cannot be told.
    Unknown(&'static str),
}

/// Whether an image fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fits {
    No,
    Maybe,
    Yes,
}

impl SelectorTerm {
    /// A value of a selector: a regular expression over the whole attribute. Ours and Go's have nearly the same
    /// syntax; what ours cannot read is not claimed to be wrong.
    pub fn new(value: &str) -> Self {
        regex(&format!("^({value})$")).map_or(Self::Unknown, |regex| Self::Matches(Box::new(regex)))
    }

    fn fits(&self, attribute: &str) -> Fits {
        match self {
            Self::Unknown => Fits::Maybe,
            Self::Matches(regex) if regex.is_match(attribute) => Fits::Yes,
            Self::Matches(_) => Fits::No,
        }
    }
}

/// What the conditions choose; `is_open` where there may be images besides these.
pub fn choose(conditions: &BTreeMap<&str, &SelectorTerm>, images: &[&Selectable], is_open: bool) -> Selected {
    let fits: Vec<(&Selectable, Fits)> =
        images.iter().map(|image| (*image, all(conditions, image))).collect();
    let keys = |least: Fits| {
        fits.iter().filter(|(_, fits)| *fits >= least).map(|(image, _)| image.key.clone()).collect::<Vec<_>>()
    };
    match (keys(Fits::Yes), keys(Fits::Maybe)) {
        (sure, _) if sure.len() > 1 => Selected::Several(sure),
        _ if is_open => Selected::Unknown("a template may list further images"),
        (_, possible) if possible.is_empty() => Selected::None { hint: hint(conditions) },
        (mut sure, possible) if possible.len() == 1 && sure.len() == 1 => Selected::One(sure.remove(0)),
        _ => Selected::Unknown(NOT_KNOWN),
    }
}

/// The images that the conditions match.
///
/// # Errors
/// Whether one matches cannot be told.
pub fn matching<'a>(
    conditions: &BTreeMap<&str, &SelectorTerm>,
    images: &[&'a Selectable],
) -> Result<Vec<&'a Selectable>, &'static str> {
    let fits: Vec<(&Selectable, Fits)> =
        images.iter().map(|image| (*image, all(conditions, image))).collect();
    match fits.iter().any(|(_, fits)| *fits == Fits::Maybe) {
        true => Err(NOT_KNOWN),
        false => {
            Ok(fits.into_iter().filter(|(_, fits)| *fits == Fits::Yes).map(|(image, _)| image).collect())
        }
    }
}

/// What a selector asks for, with what every selector of its cluster gets.
///
/// # Errors
/// A condition that is no regular expression.
pub fn complete(
    selector: &BTreeMap<String, String>,
    k8s_version: Option<&str>,
    bootstrap_provider: Option<&str>,
) -> Result<BTreeMap<String, SelectorTerm>, String> {
    let defaults = defaults(k8s_version, bootstrap_provider).into_iter();
    // What nobody says asks for nothing.
    let said = defaults.filter(|(_, condition)| !matches!(condition, SelectorTerm::Unknown));
    let mut conditions: BTreeMap<String, SelectorTerm> = said.map(|(key, it)| (key.to_owned(), it)).collect();
    conditions.extend(read(selector)?);
    Ok(conditions)
}

/// What a selector asks for by itself.
///
/// # Errors
/// A condition that is no regular expression.
pub fn read(selector: &BTreeMap<String, String>) -> Result<BTreeMap<String, SelectorTerm>, String> {
    let condition = |(key, text): (&String, &String)| match SelectorTerm::new(text) {
        SelectorTerm::Unknown => Err(format!("`{key}={text}` is not a regular expression")),
        condition => Ok((key.clone(), condition)),
    };
    selector.iter().map(condition).collect()
}

/// The Kubernetes version and flavor of a cluster, which every selector gets unless it has its own.
pub fn defaults(
    k8s_version: Option<&str>,
    bootstrap_provider: Option<&str>,
) -> BTreeMap<&'static str, SelectorTerm> {
    let version = k8s_version.map(|text| text.strip_prefix('v').unwrap_or(text).replace('+', "\\+"));
    let flavor = bootstrap_provider.and_then(k8s_flavor);
    let condition = |text: Option<&str>| text.map_or(SelectorTerm::Unknown, SelectorTerm::new);
    BTreeMap::from([("k8s-version", condition(version.as_deref())), ("k8s-flavor", condition(flavor))])
}

/// The flavor of Kubernetes that a bootstrap provider of Cluster API sets up.
fn k8s_flavor(bootstrap_provider: &str) -> Option<&'static str> {
    match bootstrap_provider {
        "cabpk" => Some("kubeadm"),
        "cabpr" => Some("rke2"),
        "cabpck" => Some("ck8s"),
        "cabpoa" => Some("openshift"),
        _ => None,
    }
}

/// Whether an image meets every condition: as sure as the least sure one.
fn all(conditions: &BTreeMap<&str, &SelectorTerm>, image: &Selectable) -> Fits {
    conditions.iter().map(|(key, condition)| one(key, condition, image)).min().unwrap_or(Fits::Yes)
}

fn one(key: &str, condition: &SelectorTerm, image: &Selectable) -> Fits {
    if key == IMAGE_KEY {
        return image.names.iter().map(|name| condition.fits(name)).max().unwrap_or(Fits::No);
    }
    match image.attributes.as_ref().map(|attributes| attributes.get(key)) {
        Some(Some(attribute)) => condition.fits(attribute),
        Some(None) if image.is_whole => condition.fits(UNSET),
        // Where no manifest was read, the name still says what the image is not.
        _ => image
            .facets
            .as_ref()
            .and_then(|facets| of_name(facets, key))
            .map_or(Fits::Maybe, |of_name| condition.fits(of_name).min(Fits::Maybe)),
    }
}

/// An attribute as far as a name says it.
fn of_name<'a>(facets: &'a Facets, key: &str) -> Option<&'a str> {
    match key {
        "os" => Some(&facets.os),
        "flavor" => Some(&facets.flavor),
        "k8s-flavor" => Some(&facets.k8s_flavor),
        "hardened" => Some(if facets.flavor == "hardened" { "true" } else { "false" }),
        _ => None,
    }
}

/// A plus sign means repetition to a regular expression, and stands in most Kubernetes versions.
fn hint(conditions: &BTreeMap<&str, &SelectorTerm>) -> Option<String> {
    let Some(SelectorTerm::Matches(regex)) = conditions.get("k8s-version") else { return None };
    let unescaped = regex.as_str().replace("\\+", "").contains("+rke2");
    unescaped.then(|| "a `+` is written `\\+` in a selector".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(key: &str, attributes: &[(&str, &str)]) -> Selectable {
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Selectable {
            key: key.to_owned(),
            names: vec![key.to_owned(), format!("sylva--{key}")],
            attributes: Some(attributes.collect()),
            is_whole: true,
            facets: None,
        }
    }

    fn images() -> [Selectable; 2] {
        [
            image("one", &[("os", "ubuntu"), ("k8s-version", "1.31.8+rke2r1"), ("hardened", "true")]),
            image("two", &[("os", "ubuntu"), ("k8s-version", "1.30.11+rke2r1"), ("hardened", "false")]),
        ]
    }

    fn chosen(conditions: &[(&str, &str)], images: &[Selectable]) -> Selected {
        let conditions: Vec<(&str, SelectorTerm)> =
            conditions.iter().map(|(key, value)| (*key, SelectorTerm::new(value))).collect();
        let conditions = conditions.iter().map(|(key, condition)| (*key, condition)).collect();
        choose(&conditions, &images.iter().collect::<Vec<_>>(), false)
    }

    #[test]
    fn a_selector_chooses_as_helm_does() {
        let images = images();
        let one = || Selected::One("one".to_owned());
        let both = || Selected::Several(vec!["one".into(), "two".into()]);
        let none = |hint: Option<&str>| Selected::None { hint: hint.map(str::to_owned) };
        assert_eq!(chosen(&[("os", "ubuntu"), ("hardened", "true")], &images), one());
        assert_eq!(chosen(&[("os", "ubuntu")], &images), both());
        assert_eq!(chosen(&[], &images), both());
        assert_eq!(chosen(&[("os", "ubunt")], &images), none(None), "the whole attribute");
        assert_eq!(chosen(&[("os", "suse|ubuntu"), ("hardened", "true")], &images), one());
        assert_eq!(chosen(&[("commit-tag", "//unset"), ("hardened", "true")], &images), one());
        assert_eq!(chosen(&[("_os_images_key_", "sylva--one")], &images), one());
        assert_eq!(chosen(&[("k8s-version", "1.31.8\\+rke2r1")], &images), one());
        let hint = "a `+` is written `\\+` in a selector";
        assert_eq!(chosen(&[("k8s-version", "1.31.8+rke2r1")], &images), none(Some(hint)));
    }

    #[test]
    fn what_is_not_known_makes_none_and_several_unknown() {
        let unknown = |outcome| assert!(matches!(outcome, Selected::Unknown(_)), "{outcome:?}");
        let mut images = images();
        unknown(chosen(&[("os", "ubuntu"), ("hardened", "(")], &images));
        assert_eq!(chosen(&[("os", "suse"), ("hardened", "(")], &images), Selected::None { hint: None });
        images[1].attributes = None;
        unknown(chosen(&[("hardened", "true")], &images));
        images[1].facets = crate::release::Facets::from_name("opensuse-15-6-plain-rke2-1-31-8");
        assert_eq!(
            chosen(&[("os", "ubuntu")], &images),
            Selected::One("one".to_owned()),
            "its name says that it is no ubuntu"
        );
        images[1].attributes = Some(BTreeMap::from([("os".to_owned(), "ubuntu".to_owned())]));
        images[1].is_whole = false;
        unknown(chosen(&[("os", "ubuntu"), ("os-release", "//unset")], &images));
        assert_eq!(chosen(&[("os", "ubunt"), ("hardened", "true")], &images), Selected::None { hint: None });
        let suse = SelectorTerm::new("suse.*");
        unknown(choose(&BTreeMap::from([("os", &suse)]), &[], true));
    }
}
