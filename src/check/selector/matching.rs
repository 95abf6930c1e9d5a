//! Which images a selector chooses, as far as that can be told.

use std::collections::BTreeMap;

use regex::Regex;

use crate::check::images::{Image, Shelf};

/// What an attribute that an image does not have counts as.
const UNSET: &str = "//unset";

/// One condition of a selector.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// The whole attribute matches.
    Matches(Box<Regex>),
    /// Only Helm knows.
    Unknown,
}

/// What a selector chooses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// One image, as it should be.
    One,
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

impl Condition {
    /// A value of a selector: a regular expression over the whole attribute. Ours and Go's have nearly the same
    /// syntax; what ours cannot read is not claimed to be wrong.
    pub(super) fn new(value: &str) -> Self {
        Regex::new(&format!("^({value})$")).map_or(Self::Unknown, |regex| Self::Matches(Box::new(regex)))
    }

    fn fits(&self, attribute: &str) -> Fits {
        match self {
            Self::Unknown => Fits::Maybe,
            Self::Matches(regex) if regex.is_match(attribute) => Fits::Yes,
            Self::Matches(_) => Fits::No,
        }
    }
}

/// What the conditions choose.
pub(super) fn choose(conditions: &BTreeMap<&str, &Condition>, shelf: &Shelf) -> Outcome {
    let fits: Vec<(&Image, Fits)> =
        shelf.images.iter().map(|image| (image, all(conditions, image))).collect();
    let keys = |least: Fits| {
        fits.iter().filter(|(_, fits)| *fits >= least).map(|(image, _)| image.key.clone()).collect::<Vec<_>>()
    };
    match (keys(Fits::Yes), keys(Fits::Maybe)) {
        (sure, _) if sure.len() > 1 => Outcome::Several(sure),
        _ if shelf.is_open => Outcome::Unknown("a template may list further images"),
        (_, possible) if possible.is_empty() => Outcome::None { hint: hint(conditions) },
        (sure, possible) if sure.len() == 1 && possible.len() == 1 => Outcome::One,
        _ => Outcome::Unknown("what it depends on is not known here"),
    }
}

/// Whether an image meets every condition: as sure as the least sure one.
fn all(conditions: &BTreeMap<&str, &Condition>, image: &Image) -> Fits {
    conditions.iter().map(|(key, condition)| one(key, condition, image)).min().unwrap_or(Fits::Yes)
}

fn one(key: &str, condition: &Condition, image: &Image) -> Fits {
    if key == "_os_images_key_" {
        return image.names.iter().map(|name| condition.fits(name)).max().unwrap_or(Fits::No);
    }
    match (&image.attributes, &image.facets) {
        (Some(attributes), _) => condition.fits(attributes.get(key).map_or(UNSET, String::as_str)),
        // Where no manifest was read, the name still says what the image is not.
        (None, Some(facets)) => {
            let of_name = match key {
                "os" => &facets.os,
                "flavor" => &facets.flavor,
                "k8s-flavor" => &facets.k8s_flavor,
                _ => return Fits::Maybe,
            };
            condition.fits(of_name).min(Fits::Maybe)
        }
        (None, None) => Fits::Maybe,
    }
}

/// A plus sign means repetition to a regular expression, and stands in most Kubernetes versions.
fn hint(conditions: &BTreeMap<&str, &Condition>) -> Option<String> {
    let Some(Condition::Matches(regex)) = conditions.get("k8s-version") else { return None };
    let unescaped = regex.as_str().replace("\\+", "").contains("+rke2");
    unescaped.then(|| "a `+` is written `\\+` in a selector".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(key: &str, attributes: &[(&str, &str)]) -> Image {
        let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Image {
            key: key.to_owned(),
            names: vec![key.to_owned(), format!("sylva--{key}")],
            attributes: Some(attributes.collect()),
            k8s_flavor: None,
            k8s_version: None,
            facets: None,
        }
    }

    fn shelf() -> Shelf {
        let images = vec![
            image("one", &[("os", "ubuntu"), ("k8s-version", "1.31.8+rke2r1"), ("hardened", "true")]),
            image("two", &[("os", "ubuntu"), ("k8s-version", "1.30.11+rke2r1"), ("hardened", "false")]),
        ];
        Shelf { images, keys: BTreeMap::new(), is_open: false }
    }

    fn chosen(conditions: &[(&str, &str)], shelf: &Shelf) -> Outcome {
        let conditions: Vec<(&str, Condition)> =
            conditions.iter().map(|(key, value)| (*key, Condition::new(value))).collect();
        choose(&conditions.iter().map(|(key, condition)| (*key, condition)).collect(), shelf)
    }

    #[test]
    fn a_selector_chooses_as_helm_does() {
        let shelf = shelf();
        let both = || Outcome::Several(vec!["one".into(), "two".into()]);
        let none = |hint: Option<&str>| Outcome::None { hint: hint.map(str::to_owned) };
        assert_eq!(chosen(&[("os", "ubuntu"), ("hardened", "true")], &shelf), Outcome::One);
        assert_eq!(chosen(&[("os", "ubuntu")], &shelf), both());
        assert_eq!(chosen(&[], &shelf), both());
        assert_eq!(chosen(&[("os", "ubunt")], &shelf), none(None), "the whole attribute");
        assert_eq!(chosen(&[("os", "suse|ubuntu"), ("hardened", "true")], &shelf), Outcome::One);
        assert_eq!(chosen(&[("commit-tag", "//unset"), ("hardened", "true")], &shelf), Outcome::One);
        assert_eq!(chosen(&[("_os_images_key_", "sylva--one")], &shelf), Outcome::One);
        assert_eq!(chosen(&[("k8s-version", "1.31.8\\+rke2r1")], &shelf), Outcome::One);
        let hint = "a `+` is written `\\+` in a selector";
        assert_eq!(chosen(&[("k8s-version", "1.31.8+rke2r1")], &shelf), none(Some(hint)));
    }

    #[test]
    fn what_is_not_known_makes_none_and_several_unknown() {
        let unknown = |outcome| assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        let mut shelf = shelf();
        unknown(chosen(&[("os", "ubuntu"), ("hardened", "(")], &shelf));
        assert_eq!(chosen(&[("os", "suse"), ("hardened", "(")], &shelf), Outcome::None { hint: None });
        shelf.images[1].attributes = None;
        unknown(chosen(&[("hardened", "true")], &shelf));
        shelf.images[1].facets = crate::release::Facets::from_name("opensuse-15-6-plain-rke2-1-31-8");
        assert_eq!(chosen(&[("os", "ubuntu")], &shelf), Outcome::One, "its name says that it is no ubuntu");
        shelf.is_open = true;
        unknown(chosen(&[("os", "suse.*")], &shelf));
    }
}
