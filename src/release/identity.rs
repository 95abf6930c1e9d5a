//! Whether an image is the one that was asked for, by what its manifest says of itself.
//!
//! A signature binds a manifest's bytes, annotations included, and neither the name nor the tag under which a registry
//! hands them out. Per fact the annotations agree with what was asked for, contradict it, or are silent. One contradiction
//! is enough to refuse an image, whoever signed it.

use std::collections::BTreeMap;
use std::fmt;

use super::facets::{ANNOTATION_PREFIX, annotations as names};
use super::{Facets, ImageKey, K8sVersion, Naming, Version};

/// How much of what a stranger wrote a message has room for.
const ROOM: usize = 100;

/// What an image is asked for as.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The last path segment of its repository.
    pub name: &'a ImageKey,
    /// Its tag, which of a release is the version.
    pub tag: &'a str,
    /// How its name is read.
    pub naming: &'a Naming,
}

/// Something that name or tag say of an image, and an annotation may confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The operating system.
    Os,
    /// Its release; dots and dashes compare alike.
    OsRelease,
    /// `plain` or `hardened`.
    Flavor,
    /// Whether it is hardened, which the flavor says too.
    Hardened,
    /// The Kubernetes flavor.
    K8sFlavor,
    /// The Kubernetes version, as far as the name has it; revisions are not compared.
    K8sVersion,
    /// The release.
    Tag,
}

/// What the annotations say of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Says {
    /// The same as what was asked for.
    Agree,
    /// Something else.
    Contradict(Contradiction),
    /// Nothing, or nothing that can be compared.
    Silent,
}

/// An annotation that speaks of another image or release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Of what it speaks.
    pub fact: Fact,
    /// What it says, cut short.
    pub says: String,
    /// What was asked for.
    pub asked: String,
}

/// What the annotations of an image say of it, all facts together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageIdentity {
    contradiction: Option<Contradiction>,
    /// Whether they prove that the image has the name that was asked for.
    pub proves_name: bool,
    /// Whether they prove that it is of the release that was asked for.
    pub proves_release: bool,
}

impl ImageIdentity {
    /// Compares annotations with what was asked for.
    pub fn of(asked: &Asked<'_>, annotations: &BTreeMap<String, String>) -> Self {
        if annotations.is_empty() {
            return Self { contradiction: None, proves_name: false, proves_release: false };
        }
        let compared = Compared::new(asked, annotations);
        let says = Fact::ALL.map(|fact| (fact, compared.says(fact)));
        let agrees = |wanted: Fact| says.iter().any(|(fact, says)| *fact == wanted && *says == Says::Agree);
        let has_os_release = compared.named.as_ref().is_some_and(|named| !named.os_release.is_empty());
        Self {
            // The flavor says whether an image is hardened; the annotation of its own is younger.
            proves_name: [Fact::Os, Fact::Flavor, Fact::K8sFlavor, Fact::K8sVersion].into_iter().all(agrees)
                && (!has_os_release || agrees(Fact::OsRelease)),
            proves_release: agrees(Fact::Tag),
            contradiction: says.into_iter().find_map(|(_, says)| match says {
                Says::Contradict(contradiction) => Some(contradiction),
                Says::Agree | Says::Silent => None,
            }),
        }
    }

    /// Why it is another image than the one that was asked for, if it is.
    pub fn contradiction(&self) -> Option<&Contradiction> {
        self.contradiction.as_ref()
    }
}

/// What annotations say of an image that was asked for.
struct Compared<'a> {
    asked_tag: &'a str,
    /// What the name says, as far as it can be read.
    named: Option<Facets>,
    annotations: &'a BTreeMap<String, String>,
    /// Whether the words of the name are those of the annotations, wherever either has its dashes: an operating system or a
    /// flavor with a dash in its name is cut elsewhere where the name is read.
    same_words: bool,
}

impl<'a> Compared<'a> {
    fn new(asked: &Asked<'a>, annotations: &'a BTreeMap<String, String>) -> Self {
        let mut new = Self { asked_tag: asked.tag, named: asked.facets(), annotations, same_words: false };
        new.same_words = new.named.as_ref().is_some_and(|named| {
            let written: Option<Vec<&str>> = Fact::WORDS.iter().map(|word| new.written(*word)).collect();
            written.is_some_and(|written| {
                let named = Fact::WORDS.map(|word| named_word(named, word));
                is_same(&named, &written)
            })
        });
        new
    }

    fn written(&self, fact: Fact) -> Option<&'a str> {
        let written = self.annotations.get(fact.full_annotation())?.trim();
        (!written.is_empty()).then_some(written)
    }

    /// What the annotations say of one fact.
    fn says(&self, fact: Fact) -> Says {
        let Some(written) = self.written(fact) else { return Says::Silent };
        if fact == Fact::Tag {
            return tag(self.asked_tag, written);
        }
        let Some(named) = &self.named else { return Says::Silent };
        match fact {
            Fact::K8sVersion => k8s_version(&named.k8s_version, written),
            Fact::Hardened => match named.flavor.as_str() {
                "hardened" => compared(fact, "true", written),
                "plain" => compared(fact, "false", written),
                _ => Says::Silent,
            },
            _ if self.same_words => Says::Agree,
            Fact::OsRelease if named.os_release.is_empty() => Says::Silent,
            _ => compared(fact, named_word(named, fact), written),
        }
    }
}

fn named_word(named: &Facets, fact: Fact) -> &str {
    match fact {
        Fact::Os => &named.os,
        Fact::OsRelease => &named.os_release,
        Fact::Flavor => &named.flavor,
        _ => &named.k8s_flavor,
    }
}

/// The words with dashes between them. Names have dashes where annotations have dots.
fn dashed<'w>(words: &'w [&str]) -> impl Iterator<Item = u8> + 'w {
    let word = |(i, word): (usize, &&'w str)| {
        let dash = (i > 0).then_some(b'-');
        dash.into_iter().chain(word.bytes().map(|byte| if byte == b'.' { b'-' } else { byte }))
    };
    words.iter().enumerate().flat_map(word)
}

fn is_same(named: &[&str], written: &[&str]) -> bool {
    named == written || dashed(named).eq(dashed(written))
}

fn compared(fact: Fact, asked: &str, written: &str) -> Says {
    if is_same(&[asked], &[written]) { Says::Agree } else { Says::contradict(fact, asked, written) }
}

fn k8s_version(asked: &K8sVersion, written: &str) -> Says {
    let other = || Says::contradict(Fact::K8sVersion, &asked.to_string(), written);
    let Ok(version) = written.parse::<K8sVersion>() else { return other() };
    match (asked.patch, version.patch) {
        _ if version.minor != asked.minor => other(),
        (Some(asked), Some(patch)) if asked != patch => other(),
        (Some(_), None) => Says::Silent,
        _ => Says::Agree,
    }
}

/// One commit may carry several tags, and the annotation then holds all of them. A tag that is no version asks for no
/// release, and entries that are no releases contradict none.
fn tag(asked: &str, written: &str) -> Says {
    fn bare(tag: &str) -> &str {
        tag.strip_prefix('v').unwrap_or(tag)
    }
    let asked = bare(asked);
    if asked.is_empty() {
        return Says::Silent;
    }
    let entries = written.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty());
    let mut entries = entries.map(bare);
    let is_release = |entry: &&str| entry.parse::<Version>().is_ok_and(|version| !version.is_prerelease());
    match entries.clone().find(is_release) {
        _ if entries.any(|entry| entry == asked) => Says::Agree,
        Some(release) if asked.parse::<Version>().is_ok() => Says::contradict(Fact::Tag, asked, release),
        _ => Says::Silent,
    }
}

impl Asked<'_> {
    /// What the name says of the image. Those of diskimage-builder 0.4.4 end with their own tag.
    fn facets(&self) -> Option<Facets> {
        let name = self.name.as_str();
        let without_tag = || name.strip_suffix(self.tag)?.strip_suffix('-');
        self.naming.facets(name).or_else(|| self.naming.facets(without_tag()?))
    }
}

impl Fact {
    /// All of them; of several contradictions the first is told.
    pub const ALL: [Self; 7] = [
        Self::Os,
        Self::OsRelease,
        Self::Flavor,
        Self::Hardened,
        Self::K8sFlavor,
        Self::K8sVersion,
        Self::Tag,
    ];

    /// The words of a name, in its order.
    const WORDS: [Self; 4] = [Self::Os, Self::OsRelease, Self::Flavor, Self::K8sFlavor];

    /// The annotation, behind the prefix of diskimage-builder's.
    pub fn annotation(self) -> &'static str {
        let full = self.full_annotation();
        full.strip_prefix(ANNOTATION_PREFIX).unwrap_or(full)
    }

    /// The annotation.
    fn full_annotation(self) -> &'static str {
        match self {
            Self::Os => names::OS,
            Self::OsRelease => names::OS_RELEASE,
            Self::Flavor => names::FLAVOR,
            Self::Hardened => "sylvaproject.org/diskimage/hardened",
            Self::K8sFlavor => names::K8S_FLAVOR,
            Self::K8sVersion => names::K8S_VERSION,
            Self::Tag => "sylvaproject.org/diskimage/commit-tag",
        }
    }
}

impl Says {
    fn contradict(fact: Fact, asked: &str, written: &str) -> Self {
        let says = written.chars().take(ROOM).collect();
        Self::Contradict(Contradiction { fact, says, asked: asked.to_owned() })
    }
}

impl fmt::Display for Contradiction {
    /// What the image is, as it follows "is".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.fact == Fact::Tag { "release" } else { "image" };
        let Self { fact, says, asked } = self;
        write!(f, "another {what}: its {} is `{says}`, not `{asked}`", fact.annotation())
    }
}

#[cfg(test)]
mod tests;
