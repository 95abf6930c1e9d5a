//! Where Kubernetes versions stand in a file: where rules name them, and where `check` judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::token::VersionToken;
use super::{Pattern, VersionPlace, VersionRule, VersionsNote};
use crate::release::{K8sMinor, K8sVersion};
use crate::sylva::{INFRA_PROVIDER, INFRASTRUCTURES, K8S_VERSION, K8S_VERSION_MAP};
use crate::values::{Document, Field, KeyPath, Text, TextsAt};

/// A cluster's own version.
const CLUSTER_VERSION: [&str; 2] = ["cluster", K8S_VERSION];

/// A version as it stands in a file.
#[derive(Debug, Clone)]
pub(super) struct FoundVersion<'d> {
    /// The scalar that holds it.
    pub(super) text: Text<'d>,
    /// The version; its range is of the file.
    pub(super) token: VersionToken<'d>,
    /// The keys that lead to it; empty where a pattern found it.
    pub(super) path: Vec<&'d str>,
    /// The flavors that rules say it may be of; empty where no rule names it.
    pub(super) flavors: BTreeSet<&'d str>,
}

/// The first byte of a version and the one behind it.
type Span = (usize, usize);

/// What stands at the places of rules.
#[derive(Debug, Default)]
pub(super) struct NamedPlaces<'d> {
    pub(super) found: BTreeMap<Span, FoundVersion<'d>>,
    /// What the rules do not find, or cannot be taken for a version.
    pub(super) notes: Vec<VersionsNote>,
    /// Rules of which nothing is in the file.
    pub(super) not_found: Vec<VersionsNote>,
}

/// What rules name in a file, each version once.
pub(super) fn of_rules<'d>(rules: &'d [VersionRule], document: &'d Document, path: &str) -> NamedPlaces<'d> {
    let mut named = NamedPlaces::default();
    for rule in rules {
        match &rule.place {
            VersionPlace::Path(at) => named.path(rule, at, document, path),
            VersionPlace::Pattern(pattern) => named.pattern(rule, pattern, document, path),
        }
    }
    named
}

impl<'d> NamedPlaces<'d> {
    fn path(&mut self, rule: &'d VersionRule, at: &'d KeyPath, document: &'d Document, path: &str) {
        let keys: Vec<&str> = at.0.iter().map(String::as_str).collect();
        match document.texts_at(at) {
            Ok(Some(TextsAt::One(text))) => self.text(rule, &text, None, &keys, document),
            Ok(Some(TextsAt::Entries(entries))) => {
                for (key, text) in entries {
                    let keys: Vec<&str> = keys.iter().copied().chain([key]).collect();
                    if let Some(minor) = minor(key) {
                        self.text(rule, &text, Some(minor), &keys, document);
                    }
                }
            }
            Ok(None) => {
                let why = "it is not there".to_owned();
                self.not_found.push(VersionsNote::NotFound { place: rule.place.clone(), why });
            }
            Err(error) => {
                let why = format!("{path}:{error}");
                self.notes.push(VersionsNote::NotFound { place: rule.place.clone(), why });
            }
        }
    }

    fn text(
        &mut self,
        rule: &'d VersionRule,
        text: &Text<'d>,
        minor: Option<K8sMinor>,
        keys: &[&'d str],
        document: &'d Document,
    ) {
        for token in tokens(text, document).into_iter().filter(|token| minor.is_none_or(|m| m == token.minor))
        {
            self.add(rule, text.clone(), token, keys);
        }
    }

    fn pattern(&mut self, rule: &'d VersionRule, pattern: &Pattern, document: &'d Document, path: &str) {
        let found = pattern.versions(document.text());
        if found.is_empty() {
            let why = "it matches nothing".to_owned();
            self.not_found.push(VersionsNote::NotFound { place: rule.place.clone(), why });
        }
        for range in found {
            let written = document.text().get(range.clone()).unwrap_or_default();
            let why = match (VersionToken::whole(written), document.value_around(&range)) {
                (Some(token), Some(text)) => {
                    self.add(rule, text, token.moved_by(range.start), &[]);
                    continue;
                }
                (None, _) => "it is not an exact version",
                (_, None) => "it does not stand in a value",
            };
            let at = document.position(range.start);
            self.notes.push(VersionsNote::stays(path, at, written, why.to_owned()));
        }
    }

    fn add(&mut self, rule: &'d VersionRule, text: Text<'d>, token: VersionToken<'d>, keys: &[&'d str]) {
        let Range { start, end } = token.range;
        let new = || FoundVersion { text, token, path: keys.to_vec(), flavors: BTreeSet::new() };
        let found = self.found.entry((start, end)).or_insert_with(new);
        found.flavors.insert(rule.k8s_flavor.as_str());
    }
}

/// The versions that `check` judges: those of a `k8s_version_map`, and a cluster's own where its machines boot images.
pub(super) fn judged(document: &Document) -> Vec<FoundVersion<'_>> {
    let fields = document.fields_where(|path| is_judged(path) || path.ends_with(&INFRA_PROVIDER));
    let without_images = WithoutImages::of(&fields);
    let is_here = |field: &&Field<'_>| {
        let (path, aliased) = (&field.path, document.position(field.span.start) != field.at);
        let cluster = path.split_last().map(|(_, cluster)| cluster).unwrap_or_default();
        is_judged(path) && !aliased && (is_in_map(path) || !without_images.has(cluster))
    };
    let here = fields.iter().filter(is_here).filter(|field| field.text.is_some());
    here.flat_map(|field| of_field(field, document)).collect()
}

fn of_field<'d>(field: &Field<'d>, document: &'d Document) -> Vec<FoundVersion<'d>> {
    let Some(text) = document.value_around(&field.span) else { return Vec::new() };
    let of_key = field.path.last().copied().and_then(minor).filter(|_| is_in_map(&field.path));
    let tokens = tokens(&text, document).into_iter().filter(|token| of_key.is_none_or(|m| m == token.minor));
    let found = |token| FoundVersion {
        text: text.clone(),
        token,
        path: field.path.clone(),
        flavors: BTreeSet::new(),
    };
    tokens.map(found).collect()
}

/// The minors that the entries of each `k8s_version_map` of a file are for, by its path.
pub(super) fn maps(document: &Document) -> Vec<(KeyPath, BTreeSet<K8sMinor>)> {
    let fields = document.fields_where(|path| {
        path.ends_with(&[K8S_VERSION_MAP])
            || path.split_last().is_some_and(|(_, above)| above.ends_with(&[K8S_VERSION_MAP]))
    });
    let mut minors: BTreeMap<&[&str], BTreeSet<K8sMinor>> = BTreeMap::new();
    for (key, above) in fields.iter().filter_map(|field| field.path.split_last()) {
        minors.entry(above).or_default().extend(minor(key));
    }
    let maps = fields.iter().filter(|field| field.path.ends_with(&[K8S_VERSION_MAP]) && field.text.is_none());
    let of_map =
        |map: &Field<'_>| Some((KeyPath::default().below(&map.path), minors.get(&*map.path)?.clone()));
    maps.filter_map(of_map).filter(|(_, minors)| !minors.is_empty()).collect()
}

/// All versions of a scalar.
pub(super) fn tokens<'d>(text: &Text<'_>, document: &'d Document) -> Vec<VersionToken<'d>> {
    let written = document.text().get(text.span.clone()).unwrap_or_default();
    VersionToken::all(written).into_iter().map(|token| token.moved_by(text.span.start)).collect()
}

/// Whether a path leads to a Kubernetes version that must be that of an image.
pub fn is_judged(path: &[&str]) -> bool {
    path.ends_with(&CLUSTER_VERSION) || is_in_map(path)
}

/// Whether a path leads into a mapping of Kubernetes minors to versions.
pub fn is_in_map(path: &[&str]) -> bool {
    path.split_last().is_some_and(|(_, above)| above.contains(&K8S_VERSION_MAP))
}

/// Clusters whose machines boot no OS image of a registry, by the keys that lead to them.
pub struct WithoutImages<'a>(BTreeSet<&'a [&'a str]>);

impl<'a> WithoutImages<'a> {
    /// What the fields of a file say of them.
    pub fn of(fields: impl IntoIterator<Item = &'a Field<'a>>) -> Self {
        let says_so = |field: &'a Field<'a>| {
            let cluster = field.path.strip_suffix(&INFRA_PROVIDER)?;
            let infrastructure = field.text.filter(|text| !text.is_empty() && !text.contains("{{"))?;
            (!INFRASTRUCTURES.contains(&infrastructure)).then_some(cluster)
        };
        Self(fields.into_iter().filter_map(says_so).collect())
    }

    /// Whether a cluster is one of them.
    pub fn has(&self, cluster: &[&str]) -> bool {
        self.0.contains(cluster)
    }
}

/// The minor that a key of a map is for.
pub(super) fn minor(key: &str) -> Option<K8sMinor> {
    key.parse().ok().map(|version: K8sVersion| version.minor)
}
