//! Kubernetes versions elsewhere in a values file that must be those of the images: `_internal.k8s_version_map`.
//!
//! Pure. What is set comes from the images of the wanted release: from those that the mapping lists, and for a flavor
//! that it does not list at some minor, from those that the release publishes. In doubt everything stays and is told.

mod pattern;
mod rule;
mod token;

use std::collections::BTreeSet;
use std::fmt;

use crate::release::{Facets, K8sMinor, Release};
use crate::values::{Change, Document, KeyPath, Position, Replacement, Text, TextsAt};

pub use pattern::{InvalidPattern, Pattern};
pub use rule::{InvalidRule, Place, Rule};
use token::{Exact, Token};

/// The flavor whose versions have a revision.
const RKE2: &str = "rke2";
/// Where the versions usually stand.
const USUAL: [&str; 2] = ["_internal.k8s_version_map", "k8s_version_map"];

/// What becomes of the Kubernetes versions of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coupled {
    /// The changes.
    pub changes: Vec<Change>,
    /// What they set, rule by rule, in the order of the file.
    pub set: Vec<SetVersion>,
    /// What a reader should know.
    pub notes: Vec<Note>,
}

/// A Kubernetes version that becomes that of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetVersion {
    /// The Kubernetes minor.
    pub minor: K8sMinor,
    /// The flavor of Kubernetes.
    pub k8s_flavor: String,
    /// As it is written.
    pub from: String,
    /// As it will be.
    pub to: String,
    /// Where it stands.
    pub at: Position,
}

/// What a reader should know of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// There is nothing at the rule's place, or it cannot be read.
    NotFound {
        /// The place.
        place: Place,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// The mapping has no entry for a minor of the listed images.
    LacksMinor {
        /// The place.
        place: Place,
        /// The minor.
        minor: K8sMinor,
    },
    /// A version stays.
    Stays {
        /// The version.
        version: String,
        /// Where it stands.
        at: Position,
        /// Why, as a sentence fragment.
        why: String,
    },
    /// No rule is set, and versions at a usual place are not those of the images.
    Suggests {
        /// The place.
        place: Place,
        /// What rules would set.
        set: Vec<SetVersion>,
    },
}

/// What Kubernetes versions are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The wanted release.
    pub release: &'a Release,
    /// The keys that the mapping will list.
    pub listed: &'a BTreeSet<&'a str>,
}

/// Couples a file with the images of a release by rules; without rules it only looks whether one would be of use.
pub fn couple(rules: &[Rule], document: &Document, wanted: Wanted<'_>) -> Coupled {
    if rules.is_empty() {
        return Coupled { notes: suggestions(document, wanted), ..Coupled::default() };
    }
    coupled(rules, document, wanted)
}

fn coupled(rules: &[Rule], document: &Document, wanted: Wanted<'_>) -> Coupled {
    let mut result = Coupled::default();
    for rule in rules {
        Pass { rule, document, wanted, result: &mut result }.go();
    }
    result
}

fn suggestions(document: &Document, wanted: Wanted<'_>) -> Vec<Note> {
    let suggestion = |place: &str| {
        let path: KeyPath = place.parse().ok()?;
        let place = Place::Path(path);
        let rule = |flavor: &str| Rule { place: place.clone(), k8s_flavor: flavor.to_owned() };
        let set = coupled(&[rule(RKE2), rule("kubeadm")], document, wanted).set;
        (!set.is_empty()).then_some(Note::Suggests { place, set })
    };
    USUAL.into_iter().filter_map(suggestion).collect()
}

/// One rule over one file.
struct Pass<'a> {
    rule: &'a Rule,
    document: &'a Document,
    wanted: Wanted<'a>,
    result: &'a mut Coupled,
}

impl Pass<'_> {
    fn go(mut self) {
        match &self.rule.place {
            Place::Path(path) => match self.document.texts_at(path) {
                Ok(Some(TextsAt::One(text))) => self.text(&text, None),
                Ok(Some(TextsAt::Entries(entries))) => self.entries(&entries),
                Ok(None) => self.not_found("it is not there".to_owned()),
                Err(error) => self.not_found(error.to_string()),
            },
            Place::Pattern(pattern) => self.matches(pattern),
        }
    }

    fn entries(&mut self, entries: &[(&str, Text<'_>)]) {
        let minor = |key: &str| key.parse().ok().map(|version: crate::release::K8sVersion| version.minor);
        let mut there = BTreeSet::new();
        for (key, text) in entries {
            let Some(minor) = minor(key) else { continue };
            there.insert(minor);
            self.text(text, Some(minor));
        }
        for minor in self.listed_minors().difference(&there) {
            let note = Note::LacksMinor { place: self.rule.place.clone(), minor: *minor };
            if !self.result.notes.contains(&note) {
                self.result.notes.push(note);
            }
        }
    }

    /// Sets the versions of the rule's flavor in a scalar, all of them or of one minor.
    fn text(&mut self, text: &Text<'_>, minor: Option<K8sMinor>) {
        let written = self.document.text().get(text.span.clone()).unwrap_or_default();
        let ours = |token: &Token<'_>| self.is_ours(token) && minor.is_none_or(|minor| token.minor == minor);
        let tokens: Vec<Token<'_>> = Token::all(written).into_iter().filter(ours).collect();
        let tokens = tokens.into_iter().map(|token| token.moved_by(text.span.start)).collect();
        self.tokens(text, tokens);
    }

    fn matches(&mut self, pattern: &Pattern) {
        let found = pattern.versions(self.document.text());
        if found.is_empty() {
            self.not_found("it matches nothing".to_owned());
        }
        for range in found {
            let written = self.document.text().get(range.clone()).unwrap_or_default();
            let at = self.document.position(range.start);
            match (Token::whole(written), self.document.value_around(&range)) {
                (Some(token), Some(text)) if self.is_ours(&token) => {
                    self.tokens(&text, vec![token.moved_by(range.start)]);
                }
                (Some(_), Some(_)) => self.stays(written, at, "it is no version of this flavor".to_owned()),
                (None, _) => self.stays(written, at, "it is no exact version".to_owned()),
                (_, None) => self.stays(written, at, "it does not stand in a value".to_owned()),
            }
        }
    }

    /// Sets tokens of one scalar. Two that differ are not told apart: one of them may be another flavor's.
    fn tokens(&mut self, text: &Text<'_>, tokens: Vec<Token<'_>>) {
        let differ = |token: &Token<'_>| {
            tokens.iter().any(|other| other.minor == token.minor && other.text != token.text)
        };
        let mut parts = Vec::new();
        for token in &tokens {
            let at = self.document.position(token.range.start);
            if differ(token) {
                self.stays(token.text, at, "another version of this kind stands beside it".to_owned());
                continue;
            }
            match self.version(token) {
                Ok(None) => {}
                Ok(Some(to)) if to == token.text => {}
                Ok(Some(to)) => {
                    parts.push(Replacement { range: token.range.clone(), text: to.clone() });
                    let (from, k8s_flavor) = (token.text.to_owned(), self.rule.k8s_flavor.clone());
                    self.result.set.push(SetVersion { minor: token.minor, k8s_flavor, from, to, at });
                }
                Err(why) => self.stays(token.text, at, why),
            }
        }
        if !parts.is_empty() {
            self.result.changes.push(Change::ReplaceParts { text: text.id, parts });
        }
    }

    /// What a token should say; `None` where no image tells, and why it must stay where images contradict each other.
    fn version(&self, token: &Token<'_>) -> Result<Option<String>, String> {
        let images = self.images(token.minor);
        let exact = images.iter().map(|facets| Exact::of(&facets.k8s_version, token.is_rke2()));
        let Some(versions) = exact.collect::<Option<BTreeSet<Exact>>>() else {
            return Err(format!("no annotation tells the patch of the images of {}", self.subject(token)));
        };
        let mut versions = versions.into_iter();
        let Some(version) = versions.next() else { return Ok(None) };
        let others: Vec<String> = versions.map(|version| version.to_string()).collect();
        if !others.is_empty() {
            let subject = self.subject(token);
            return Err(format!("the images of {subject} are at {version} and {}", others.join(", ")));
        }
        match token.rewritten(&version) {
            None if version.patch != token.patch => {
                Err(format!("the images of {} are at {version}, of unknown revision", self.subject(token)))
            }
            to => Ok(to),
        }
    }

    fn subject(&self, token: &Token<'_>) -> String {
        format!("{} {}", self.rule.k8s_flavor, token.minor)
    }

    /// The images of the rule's flavor at a minor: the listed ones, and where none is listed, the published ones.
    fn images(&self, minor: K8sMinor) -> Vec<&Facets> {
        let fits =
            |facets: &&Facets| facets.k8s_flavor == self.rule.k8s_flavor && facets.k8s_version.minor == minor;
        let of = |listed_only: bool| -> Vec<&Facets> {
            let wanted = self.wanted.release.artifacts.values();
            let artifacts = wanted.filter(|a| !listed_only || self.wanted.listed.contains(a.key.as_str()));
            artifacts.filter_map(|artifact| artifact.facets.as_ref()).filter(fits).collect()
        };
        let listed = of(true);
        if listed.is_empty() { of(false) } else { listed }
    }

    /// The minors of the rule's flavor that the mapping lists.
    fn listed_minors(&self) -> BTreeSet<K8sMinor> {
        let listed = |key: &str| self.wanted.listed.contains(key);
        let artifacts = self.wanted.release.artifacts.values().filter(|a| listed(a.key.as_str()));
        let facets = artifacts.filter_map(|artifact| artifact.facets.as_ref());
        let ours = facets.filter(|facets| facets.k8s_flavor == self.rule.k8s_flavor);
        ours.map(|facets| facets.k8s_version.minor).collect()
    }

    fn is_ours(&self, token: &Token<'_>) -> bool {
        token.is_rke2() == (self.rule.k8s_flavor == RKE2)
    }

    fn not_found(&mut self, why: String) {
        self.result.notes.push(Note::NotFound { place: self.rule.place.clone(), why });
    }

    fn stays(&mut self, version: &str, at: Position, why: String) {
        self.result.notes.push(Note::Stays { version: version.to_owned(), at, why });
    }
}

impl fmt::Display for SetVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} → {}", self.k8s_flavor, self.minor, self.from, self.to)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { place, why } => write!(f, "no Kubernetes version is set at {place}: {why}"),
            Self::LacksMinor { place, minor } => {
                write!(f, "{place} has no {minor}, which listed images have; add it by hand")
            }
            Self::Stays { version, at, why } => write!(f, "{version} ({at}) stays: {why}"),
            Self::Suggests { place, set } => {
                let told: Vec<String> = set.iter().map(ToString::to_string).collect();
                let flavors: BTreeSet<&str> = set.iter().map(|set| set.k8s_flavor.as_str()).collect();
                let rules = flavors.iter().map(|flavor| format!("{{path: {place}, k8s_flavor: {flavor}}}"));
                let rules = rules.collect::<Vec<_>>().join(", ");
                let told = told.join(", ");
                write!(f, "{place} differs from the images ({told}); kubernetes_versions: [{rules}] sets it")
            }
        }
    }
}

#[cfg(test)]
mod tests;
