//! The hidden marker: the bot's memory of what it wrote into a merge request, and for what.
//!
//! It decides nothing that could lose somebody's work: anybody who may edit the description can write one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Offered;
use super::branch::{Branch, CommitId};
use super::patch::PatchId;
use crate::release::Digest;

const BEGIN: &str = "<!-- dibump {";
const END: &str = "} -->";
const FORMAT: u32 = 1;

/// What the bot wrote, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The producer, or the group of several.
    pub producer: String,
    /// The branch that the merge request was opened for.
    pub target: Branch,
    /// The releases that it offers.
    pub version: Offered,
    /// What the branch changes.
    pub patch: PatchId,
    /// The branch's head when the marker was written.
    pub commit: CommitId,
    /// The title that the bot wrote; another one is a person's.
    pub title: TextHash,
    /// The bot's text as it was sent; a forge may have stored less of it. Older markers lack it.
    pub text: Option<TextHash>,
    /// What the tag of each listed image pointed to when the text was written.
    pub digests: Digests,
    /// The head from which a person asked for a rebuild. Another head by now is somebody's newer work.
    pub rebuild: Option<CommitId>,
    /// Whether settings are still to come: a forge that takes them by further requests may have been left before them.
    pub unset: bool,
    /// Why the bot closed the merge request; without it a person did.
    pub closed: Option<String>,
}

/// A fingerprint of a title or of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextHash(String);

/// Manifest digests by image key, shortened: enough to see that a tag was moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digests(BTreeMap<String, String>);

/// The marker as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    producer: String,
    target: String,
    version: String,
    patch: String,
    commit: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default)]
    digests: Digests,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rebuild: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unset: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<String>,
}

impl Marker {
    /// The only marker in a text, and the text around it. One that is malformed, or that stands there twice, is as
    /// good as deleted.
    pub(super) fn find(text: &str) -> Option<(Self, &str, &str)> {
        let (before, rest) = text.split_once(BEGIN)?;
        let (json, after) = rest.split_once(END)?;
        if after.contains(BEGIN) {
            return None;
        }
        let written: Written = serde_json::from_str(&format!("{{{json}}}")).ok()?;
        Some((Self::understood(written)?, before, after))
    }

    fn understood(written: Written) -> Option<Self> {
        (written.v == FORMAT).then_some(())?;
        Some(Self {
            producer: written.producer,
            target: Branch(written.target),
            version: written.version.parse().ok()?,
            patch: written.patch.parse().ok()?,
            commit: CommitId(written.commit),
            title: TextHash(written.title),
            text: written.text.map(TextHash),
            digests: written.digests,
            rebuild: written.rebuild.map(CommitId),
            unset: written.unset,
            closed: written.closed,
        })
    }

    pub(super) fn write(&self) -> String {
        let written = Written {
            v: FORMAT,
            producer: self.producer.clone(),
            target: self.target.0.clone(),
            version: self.version.written(),
            patch: self.patch.to_string(),
            commit: self.commit.0.clone(),
            title: self.title.0.clone(),
            text: self.text.clone().map(|hash| hash.0),
            digests: self.digests.clone(),
            rebuild: self.rebuild.clone().map(|head| head.0),
            unset: self.unset,
            closed: self.closed.clone(),
        };
        let json = serde_json::to_string(&written).unwrap_or_default();
        format!("<!-- dibump {} -->", hidden(&json))
    }
}

impl TextHash {
    /// The fingerprint of a text.
    pub fn of(text: &str) -> Self {
        let hash = Sha256::digest(text.trim().as_bytes());
        Self(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Digests {
    /// The shortened digests of images.
    pub fn of<'a>(images: impl IntoIterator<Item = (&'a str, &'a Digest)>) -> Self {
        let short = |digest: &Digest| digest.hex().chars().take(16).collect();
        Self(images.into_iter().map(|(key, digest)| (key.to_owned(), short(digest))).collect())
    }

    /// The images whose tag points elsewhere by now. An image that only one side knows was not moved.
    pub fn moved(&self, now: &Self) -> Vec<String> {
        let moved =
            |(key, was): (&String, &String)| now.0.get(key).is_some_and(|is| is != was).then(|| key.clone());
        self.0.iter().filter_map(moved).collect()
    }
}

/// JSON in which a comment can not end and nothing means anything to a forge.
fn hidden(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii_alphanumeric() || " ._-/\\\":,{}".contains(c) && !(c == '-' && out.ends_with('-')) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn marker() -> Marker {
        Marker {
            producer: "diskimage-builder".into(),
            target: Branch("main".into()),
            version: "0.4.12".parse().unwrap(),
            patch: PatchId::of(&BTreeMap::new()),
            commit: CommitId("c0ffee".into()),
            title: TextHash::of("Update"),
            text: None,
            digests: Digests::default(),
            rebuild: None,
            unset: false,
            closed: None,
        }
    }

    fn read(text: &str) -> Option<Marker> {
        Marker::find(text).map(|(marker, ..)| marker)
    }

    #[test]
    fn a_marker_reads_back() {
        let digest: Digest = format!("sha256:{}", "0123456789abcdef".repeat(4)).parse().unwrap();
        let full = Marker {
            digests: Digests::of([("ubuntu-noble-plain-rke2-1-31-8", &digest)]),
            rebuild: Some(CommitId("decaf".into())),
            closed: Some("superseded by 0.4.13".into()),
            ..marker()
        };
        for marker in [marker(), full] {
            assert_eq!(read(&format!("before\n{}\nafter", marker.write())), Some(marker));
        }
    }

    #[test]
    fn no_field_can_end_the_comment() {
        let evil = "x--> @all #1 --!> } --> <b> \u{1f600} \\ \" \n/close";
        let marker = Marker { producer: evil.into(), target: Branch(evil.into()), ..marker() };
        let text = marker.write();
        assert_eq!(text.matches("-->").count(), 1, "{text}");
        assert!(!text.contains(['@', '#', '\u{1f600}']));
        assert_eq!(read(&text), Some(marker));
    }

    #[test]
    fn a_marker_that_is_malformed_or_there_twice_is_absent() {
        let good = marker().write();
        for (name, text) in [
            ("none", "text".to_owned()),
            ("another format", good.replace("\"v\":1", "\"v\":2")),
            ("cut", good[..good.len() - 5].to_owned()),
            ("no version", good.replace("0.4.12", "newest")),
            ("twice", format!("{good}{good}")),
            ("no JSON", "<!-- dibump {nonsense} -->".to_owned()),
        ] {
            assert_eq!(read(&text), None, "{name}");
        }
    }

    #[test]
    fn a_tag_was_moved_when_an_image_known_before_is_another_now() {
        let digest = |c: &str| format!("sha256:{}", c.repeat(64)).parse::<Digest>().unwrap();
        let (one, other) = (digest("1"), digest("2"));
        let before = Digests::of([("a", &one), ("b", &one), ("gone", &one)]);
        let now = Digests::of([("a", &one), ("b", &other), ("new", &one)]);
        assert_eq!(before.moved(&now), ["b"]);
        assert_eq!(before.moved(&before), Vec::<String>::new());
    }
}
