//! Source `release-notes`: the producer's GitLab releases and the list "Produced images" in their text.
//!
//! The list is made by the producer's promote jobs, an entry a job: `Image: "oci://PREFIX/NAME:TAGS"`. TAGS is what
//! `git tag --points-at HEAD` printed: several tags with line breaks or spaces between them, inside the quotes.

use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;
use gitlab::api::projects::releases::ProjectReleases;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::client::{Client, built};
use super::error::{Failure, InvalidGitLab, catalogue_error};
use super::{GitLabToken, ProjectId};
use crate::catalogue::{Candidates, Catalogue, CatalogueError, ReleaseNote};
use crate::http::Transport;
use crate::registry::Prefix;
use crate::release::{ImageKey, Version};

/// The releases of one producer.
#[derive(Debug)]
pub struct ReleaseNotes {
    client: Client,
    project: ProjectId,
    prefix: Prefix,
}

/// One entry of `GET /projects/:id/releases`.
#[derive(Debug, Deserialize)]
struct WireRelease {
    /// Absent for whoever may not see the code (`lib/api/entities/release.rb`).
    tag_name: Option<String>,
    description: Option<String>,
    released_at: Option<String>,
    commit: Option<WireCommit>,
}

/// The commit that a release's tag names.
#[derive(Debug, Default, Deserialize)]
struct WireCommit {
    committed_date: Option<String>,
}

impl ReleaseNotes {
    /// The releases of `project`; names count that stand directly below `prefix`. `api` is
    /// `https://host[/root]/api/v4`.
    ///
    /// # Errors
    /// If `api` is no http(s) URL, or the token cannot stand in a header.
    pub fn new(
        transport: Transport,
        api: &Url,
        token: Option<GitLabToken>,
        project: ProjectId,
        prefix: Prefix,
    ) -> Result<Self, InvalidGitLab> {
        Ok(Self { client: Client::new(transport, api, token)?, project, prefix })
    }

    async fn read(&self) -> Result<Vec<ReleaseNote>, Failure> {
        let endpoint = built(ProjectReleases::builder().project(&self.project).build())?;
        let releases: Vec<WireRelease> = self.client.all(&endpoint).await?;
        if !releases.is_empty() && releases.iter().all(|release| release.tag_name.is_none()) {
            return Err(Failure::Hidden(
                "the tags of its releases are not shown to this token (role Guest?)",
            ));
        }
        Ok(releases.into_iter().filter_map(|release| note(release, &self.prefix)).collect())
    }

    /// A page of the project for people; `None` where only its number is known, which names no page.
    fn page(&self, below: &[&str]) -> Option<String> {
        let ProjectId::Path(project) = &self.project else { return None };
        let mut url = self.client.site()?;
        url.path_segments_mut().ok()?.extend(project.split('/')).push("-").extend(below);
        Some(url.to_string())
    }
}

#[async_trait]
impl Catalogue for ReleaseNotes {
    fn name(&self) -> &'static str {
        "release-notes"
    }

    fn asked(&self) -> String {
        format!("releases of {} at {}", self.project, self.client.host())
    }

    async fn candidates(&self) -> Result<Candidates, CatalogueError> {
        let notes = self.read().await.map_err(|f| catalogue_error(f, self.asked(), &self.client.caller()))?;
        Ok(Candidates::Releases(notes))
    }

    fn release_page(&self, version: &Version) -> Option<String> {
        self.page(&["releases", version.as_str()])
    }

    fn comparison_page(&self, from: &Version, to: &Version) -> Option<String> {
        self.page(&["compare", &format!("{from}...{to}")])
    }
}

/// `None` for what is no release: snapshots, pre-releases, tags that are no version.
fn note(release: WireRelease, prefix: &Prefix) -> Option<ReleaseNote> {
    let tag = release.tag_name?;
    if let Some(told) = Version::passed_over([tag.as_str()]) {
        tracing::warn!("release notes: {told}");
    }
    let version: Version = tag.parse().ok()?;
    if version.is_prerelease() {
        return None;
    }
    let description = release.description.unwrap_or_default();
    let names = produced_images(&description, prefix, &version);
    let description = without_list(&description);
    // A release can be dated back, and a tag can be moved: the later of both counts.
    let dates = [release.released_at, release.commit.and_then(|commit| commit.committed_date)];
    let released_at = dates.into_iter().flatten().filter_map(|date| date.parse::<Timestamp>().ok()).max();
    Some(ReleaseNote { version, names, released_at, description })
}

/// The names in the list, or `None` where there is no list, or none of our prefix in it: then somebody else is
/// asked, because an empty list would say that the release is empty.
fn produced_images(notes: &str, prefix: &Prefix, version: &Version) -> Option<BTreeSet<ImageKey>> {
    let list = &notes[section(notes)?];
    let below = format!("{}/{}/", prefix.host(), prefix.path());
    let names: BTreeSet<ImageKey> =
        references(list).filter_map(|reference| name(reference, &below, version)).collect();
    (!names.is_empty()).then_some(names)
}

/// The notes as people want to read them: the list of images is long, and a merge request has its own.
fn without_list(notes: &str) -> String {
    let Some(list) = section(notes) else { return notes.to_owned() };
    let before = notes[..list.start].trim_end();
    let before = before.rfind('\n').map_or("", |heading| &before[..heading]);
    format!("{}\n\n{}", before.trim_end(), notes[list.end..].trim_start()).trim().to_owned()
}

/// What stands below the heading "Produced images", up to the next heading of the same rank or a higher one.
fn section(notes: &str) -> Option<Range<usize>> {
    let mut rank = None;
    let (mut start, mut position) = (0, 0);
    for line in notes.split_inclusive('\n') {
        let hashes = line.len() - line.trim_start_matches('#').len();
        match rank {
            None if hashes > 0 && line.to_lowercase().contains("produced images") => {
                rank = Some(hashes);
                start = position + line.len();
            }
            Some(rank) if (1..=rank).contains(&hashes) => return Some(start..position),
            _ => {}
        }
        position += line.len();
    }
    rank.map(|_| start..notes.len())
}

/// Whatever follows `Image:`, in quotes or up to the next space.
fn references(list: &str) -> impl Iterator<Item = &str> {
    list.split("Image:").skip(1).filter_map(|rest| {
        let rest = rest.trim_start();
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').map(|(reference, _)| reference),
            None => rest.split(|c: char| c.is_whitespace() || c == '<').next(),
        }
    })
}

/// The name of `[oci://]PREFIX/NAME:TAGS`, if it is directly below the prefix (`snapshots/…` is not) and the
/// release's own tag is one of the tags.
fn name(reference: &str, below: &str, version: &Version) -> Option<ImageKey> {
    let path = reference.trim().trim_start_matches("oci://").strip_prefix(below)?;
    let (name, tags) = path.split_once(':')?;
    let carries = tags.split_whitespace().any(|tag| tag == version.as_str());
    if carries { name.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "oci://registry.example/sylva/diskimage-builder";

    fn names(notes: &str, version: &str) -> Option<Vec<String>> {
        let found = produced_images(notes, &PREFIX.parse().unwrap(), &version.parse().unwrap())?;
        Some(found.iter().map(ImageKey::to_string).collect())
    }

    fn entry(reference: &str) -> String {
        let sum = "9b3841bee16cc1eebd9835947b48d57dc478ab533c2450dfe4241681e08fb4af";
        format!(
            "<br /><br /> Image: \"{reference}\"\n<br /> \"sha256: {sum}\"\n<br /> OpenSCAP report: [x](y)\n"
        )
    }

    #[test]
    fn a_name_ends_at_the_colon_and_the_own_tag_stands_anywhere_in_the_list() {
        for (reference, version, expected) in [
            ("ubuntu-jammy-plain-rke2-1-27-13:0.2.7", "0.2.7", Some("ubuntu-jammy-plain-rke2-1-27-13")),
            (
                "opensuse-15-5-plain-kubeadm-1-26-9:0.2.3\nbn-suse-test",
                "0.2.3",
                Some("opensuse-15-5-plain-kubeadm-1-26-9"),
            ),
            (
                "ubuntu-noble-hardened-rke2-1-30:0.5.11\n0.5.9\n0.6.0",
                "0.6.0",
                Some("ubuntu-noble-hardened-rke2-1-30"),
            ),
            ("ubuntu-noble-plain-rke2-1-30:0.5.10 0.6.1", "0.6.1", Some("ubuntu-noble-plain-rke2-1-30")),
            (
                "opensuse-15.5-plain-rke2-1.26.9:mohan/add-NFS 0.1.7",
                "0.1.7",
                Some("opensuse-15.5-plain-rke2-1.26.9"),
            ),
            ("ubuntu-noble-plain-rke2-1-30:0.5.10 0.6.1", "0.5.1", None),
            ("ubuntu-noble-plain-rke2-1-30:", "0.5.1", None),
            ("ubuntu-noble-plain-rke2-1-30", "0.5.1", None),
            ("snapshots/ubuntu-noble-plain-rke2-1-30:0.5.1", "0.5.1", None),
            ("{{ name }}:0.5.1", "0.5.1", None),
        ] {
            let notes = format!("# 0.1\n## Produced images:\n{}", entry(&format!("{PREFIX}/{reference}")));
            assert_eq!(names(&notes, version), expected.map(|name| vec![name.to_owned()]), "{reference}");
        }
    }

    #[test]
    fn only_the_list_counts_and_only_our_prefix() {
        let own = entry(&format!("{PREFIX}/a-b:0.5.1"));
        let other = entry("oci://registry.example/sylva/kiwi-imagebuilder/c-d:0.5.1");
        let deeper = entry("oci://registry.example/sylva/diskimage-builder-2/e-f:0.5.1");
        let produced = |text: &str| format!("## Changes\n\n## Produced images:\n{text}");
        assert_eq!(names(&produced(&format!("{other}{own}{deeper}")), "0.5.1"), Some(vec!["a-b".to_owned()]));
        assert_eq!(names(&produced(&other), "0.5.1"), None);
        assert_eq!(names(&produced(""), "0.5.1"), None);
        assert_eq!(names(&own, "0.5.1"), None, "no heading, no list");
        let after = format!("{}## Thanks\n{}", produced(&own), entry(&format!("{PREFIX}/g-h:0.5.1")));
        assert_eq!(names(&after, "0.5.1"), Some(vec!["a-b".to_owned()]));
        let by_hand = produced(&format!("### more\nImage: {}/a-b:0.5.1<br/>", &PREFIX[6..]));
        assert_eq!(names(&by_hand, "0.5.1"), Some(vec!["a-b".to_owned()]));
        assert_eq!(names("## Produced images", "0.5.1"), None);
    }

    #[test]
    fn a_release_is_as_old_as_the_later_of_its_dates() {
        let release = WireRelease {
            tag_name: Some("0.4.12".to_owned()),
            description: Some(
                "## Changes\n- more\n\n## Produced images:\n<br/>\n## Thanks\nto all\n".to_owned(),
            ),
            released_at: Some("2026-05-04T03:02:01.000Z".to_owned()),
            commit: Some(WireCommit { committed_date: Some("2026-05-05T05:02:01.000+02:00".to_owned()) }),
        };
        let note = note(release, &PREFIX.parse().unwrap()).unwrap();
        assert_eq!(note.released_at.unwrap().to_string(), "2026-05-05T03:02:01Z");
        assert_eq!(note.description, "## Changes\n- more\n\n## Thanks\nto all");
    }

    #[test]
    fn snapshots_and_branches_are_no_releases() {
        let of = |tag: &str| {
            let release = WireRelease {
                tag_name: Some(tag.to_owned()),
                description: None,
                released_at: Some("x".to_owned()),
                commit: Some(WireCommit { committed_date: Some("y".to_owned()) }),
            };
            note(release, &PREFIX.parse().unwrap())
        };
        assert_eq!(of("0.0.0-git-098dca5b"), None);
        assert_eq!(of("bn-test-3"), None);
        assert_eq!(of("0.4.12").map(|note| (note.names, note.released_at)), Some((None, None)));
    }
}
