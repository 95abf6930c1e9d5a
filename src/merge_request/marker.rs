//! The hidden marker, and the fence around the bot's part of a merge request's description.
//!
//! What stands between `<!-- dibump:begin -->` and `<!-- dibump:end -->` is the bot's, the rest is people's. The marker
//! is the bot's memory of what it wrote. It decides nothing that could lose somebody's work: anybody who may edit the
//! description can write one.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::branch::{Branch, CommitId};
use super::patch::PatchId;
use crate::release::Version;

const BEGIN: &str = "<!-- dibump:begin -->";
const END: &str = "<!-- dibump:end -->";
const MARKER_BEGIN: &str = "<!-- dibump {";
const MARKER_END: &str = "} -->";
const FORMAT: u32 = 1;
/// What a reader sees where the text was cut.
const CUT: &str = "\n\n_The rest was cut to the length that the forge allows._";

/// What the bot wrote, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The producer.
    pub producer: String,
    /// The branch that the merge request was opened for.
    pub target: Branch,
    /// The release.
    pub version: Version,
    /// What the branch changes.
    pub patch: PatchId,
    /// The branch's head when the marker was written.
    pub commit: CommitId,
    /// The title that the bot wrote; another one is a person's.
    pub title: TitleHash,
    /// Why the bot closed the merge request; without it a person did.
    pub closed: Option<String>,
}

/// A title's fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleHash(String);

/// A description around its fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fenced<'a> {
    before: &'a str,
    inside: &'a str,
    after: &'a str,
}

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
    closed: Option<String>,
}

impl Marker {
    /// The marker of a description. One that is malformed, or that stands there twice, is as good as deleted.
    pub fn read(description: &str) -> Option<Self> {
        let part = Fenced::of(description).map_or(description, |fenced| fenced.inside);
        let (_, rest) = part.split_once(MARKER_BEGIN)?;
        let (json, rest) = rest.split_once(MARKER_END)?;
        if rest.contains(MARKER_BEGIN) {
            return None;
        }
        let written: Written = serde_json::from_str(&format!("{{{json}}}")).ok()?;
        Self::understood(written)
    }

    fn understood(written: Written) -> Option<Self> {
        (written.v == FORMAT).then_some(())?;
        Some(Self {
            producer: written.producer,
            target: Branch(written.target),
            version: written.version.parse().ok()?,
            patch: written.patch.parse().ok()?,
            commit: CommitId(written.commit),
            title: TitleHash(written.title),
            closed: written.closed,
        })
    }

    fn write(&self) -> String {
        let written = Written {
            v: FORMAT,
            producer: self.producer.clone(),
            target: self.target.0.clone(),
            version: self.version.to_string(),
            patch: self.patch.to_string(),
            commit: self.commit.0.clone(),
            title: self.title.0.clone(),
            closed: self.closed.clone(),
        };
        let json = serde_json::to_string(&written).unwrap_or_default();
        format!("<!-- dibump {} -->", hidden(&json))
    }
}

impl TitleHash {
    /// The fingerprint of a title.
    pub fn of(title: &str) -> Self {
        let hash = Sha256::digest(title.trim().as_bytes());
        Self(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// A new description: the bot's part alone. `limit` counts characters.
pub fn describe(text: &str, marker: &Marker, limit: usize) -> String {
    Fenced { before: "", inside: "", after: "\n" }.with(text, marker, limit)
}

/// An existing description with a new bot's part, what stands outside of the fence being left byte for byte.
///
/// `None` where there is nothing to write: the fence or the marker is gone (a person took it away), or it says this
/// already. That only the marker's commit differs is no reason: a person may have rebased the branch.
pub fn redescribe(description: &str, text: &str, marker: &Marker, limit: usize) -> Option<String> {
    let fenced = Fenced::of(description)?;
    let old = Marker::read(description)?;
    let written = fenced.with(text, &Marker { commit: old.commit, ..marker.clone() }, limit);
    if comparable(&written) == comparable(description) {
        return None;
    }
    Some(fenced.with(text, marker, limit))
}

impl<'a> Fenced<'a> {
    /// `None` unless there is exactly one fence: of two, nobody knows which is the bot's.
    fn of(description: &'a str) -> Option<Self> {
        let (before, rest) = description.split_once(BEGIN)?;
        let (inside, after) = rest.split_once(END)?;
        let again = [before, inside, after].iter().any(|part| part.contains(BEGIN) || part.contains(END));
        (!again).then_some(Self { before, inside, after })
    }

    fn with(self, text: &str, marker: &Marker, limit: usize) -> String {
        let (before, after, marker) = (self.before, self.after, marker.write());
        let frame =
            [before, BEGIN, END, after, &marker].iter().map(|part| part.chars().count()).sum::<usize>();
        let text = fit(text.trim(), limit.saturating_sub(frame + 5));
        format!("{before}{BEGIN}\n{text}\n\n{marker}\n{END}{after}")
    }
}

/// Cuts whole lines off the end, since what matters most comes first.
fn fit(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(CUT.chars().count())).collect();
    let kept = kept.rsplit_once('\n').map_or("", |(lines, _)| lines);
    format!("{}{CUT}", kept.trim_end())
}

/// Forges and browsers change line ends, and the white space around a description.
fn comparable(text: &str) -> String {
    text.replace('\r', "").trim().to_owned()
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
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LIMIT: usize = 10_000;

    fn marker() -> Marker {
        Marker {
            producer: "diskimage-builder".into(),
            target: Branch("main".into()),
            version: "0.4.12".parse().unwrap(),
            patch: PatchId::of(&BTreeMap::new()),
            commit: CommitId("c0ffee".into()),
            title: TitleHash::of("Update"),
            closed: None,
        }
    }

    #[test]
    fn a_description_reads_back() {
        let closed = Marker { closed: Some("superseded".into()), ..marker() };
        for marker in [marker(), closed] {
            assert_eq!(Marker::read(&describe("Some text.", &marker, LIMIT)), Some(marker));
        }
    }

    #[test]
    fn no_field_can_end_the_comment() {
        let evil = "x--> @all #1 --!> } --> <b> \u{1f600} \\ \" \n/close";
        let marker = Marker { producer: evil.into(), target: Branch(evil.into()), ..marker() };
        let description = describe("text", &marker, LIMIT);
        assert_eq!(description.matches("-->").count(), 3, "{description}");
        assert!(!description.contains(['@', '#', '\u{1f600}']));
        assert_eq!(Marker::read(&description), Some(marker));
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
            assert_eq!(Marker::read(&text), None, "{name}");
        }
    }

    #[test]
    fn a_marker_outside_of_the_fence_does_not_count() {
        let forged = Marker { version: "9.9.9".parse().unwrap(), ..marker() }.write();
        let description = format!("{forged}\n{}\n{forged}", describe("text", &marker(), LIMIT));
        assert_eq!(Marker::read(&description), Some(marker()));
    }

    #[test]
    fn peoples_text_around_the_fence_stays_byte_for_byte() {
        let description = format!("Hello \r\n\t{}After\r\n", describe("old", &marker(), LIMIT));
        let new = redescribe(&description, "new", &marker(), LIMIT).unwrap();
        assert_eq!(new, description.replace("old", "new"));
    }

    #[test]
    fn the_same_text_is_not_written_again() {
        let description = describe("text\n\nmore", &marker(), LIMIT);
        assert_eq!(redescribe(&description, "text\n\nmore", &marker(), LIMIT), None);
        let from_a_browser = description.replace('\n', "\r\n");
        assert_eq!(redescribe(&from_a_browser, "text\n\nmore", &marker(), LIMIT), None);
        let rebased = Marker { commit: CommitId("other".into()), ..marker() };
        assert_eq!(redescribe(&description, "text\n\nmore", &rebased, LIMIT), None);
        let newer = Marker { version: "0.4.13".parse().unwrap(), ..rebased };
        assert_eq!(
            Marker::read(&redescribe(&description, "text\n\nmore", &newer, LIMIT).unwrap()),
            Some(newer)
        );
    }

    #[test]
    fn a_fence_or_marker_that_a_person_took_away_is_not_written_again() {
        let description = describe("text", &marker(), LIMIT);
        let without_fence = description.replace(END, "");
        let without_marker = description.replace(&marker().write(), "");
        let twice = format!("{description}{description}");
        for gone in [without_fence, without_marker, twice, String::new()] {
            assert_eq!(redescribe(&gone, "new", &marker(), LIMIT), None, "{gone}");
        }
    }

    #[test]
    fn the_text_is_cut_before_the_marker() {
        let text = "first line\n".repeat(500);
        let description = describe(&text, &marker(), 1_000);
        assert!(description.chars().count() <= 1_000, "{}", description.chars().count());
        assert!(description.contains("first line\n") && description.contains("was cut"));
        assert_eq!(Marker::read(&description), Some(marker()));
        assert_eq!(redescribe(&description, &text, &marker(), 1_000), None);
    }
}
