//! The JSON form of releases: what `releases` and `artifacts` print, and `--observed` and `discovery: file` read.
//!
//! Its schema is `config/releases.schema.json`, generated from the structs below.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::catalogue::{Candidates, Catalogue, CatalogueError, ReleaseNote};
use crate::ending::{Ending, Ends, sentence};
use crate::release::data::{Candidate, ReleaseData};
use crate::release::{Artifact, Coverage, ImageKey, Naming, Prefix, Release, Version};
use crate::signature::Verdict;

/// The shape's name and version, in the field `schema`.
pub const SCHEMA: &str = "dibump.releases/1";

/// A file of releases.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "dibump releases")]
pub struct ReleasesFile {
    /// `dibump.releases/1`.
    pub schema: String,
    /// The registry prefix that was asked, `oci://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The releases, in any order.
    pub releases: Vec<ReleaseEntry>,
}

/// One release.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseEntry {
    /// The version, which is the tag of each artifact.
    pub version: String,
    /// How far the artifacts are known; `complete` unless it says otherwise.
    #[serde(default)]
    pub state: State,
    /// Why the release is not completely known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the producer announced it, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub released_at: Option<Timestamp>,
    /// What the policy said of it when this was printed: `proposed`, `superseded`, `excluded`, `held` or `unknown`. It
    /// is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// The verdict in words. It is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// The artifacts that were proven to exist.
    #[serde(default)]
    pub artifacts: Vec<ArtifactEntry>,
    /// What carries the version too and is not a disk image: its name fits no scheme, and it has no annotations of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<ArtifactEntry>,
    /// Names that were proven not to exist; only of interest when the state is `partial`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
}

/// How far a release is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Every artifact is listed.
    #[default]
    Complete,
    /// Every listed artifact exists, others may.
    Partial,
    /// Nothing is known.
    Unknown,
}

/// One artifact.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactEntry {
    /// The image key: the last path segment of the repository.
    pub name: String,
    /// The manifest's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What a pull transfers: the bytes of all layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What was found of its signature when this was printed: `verified`, `unsigned`, `bad` or `unknown`. It is not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The manifest's annotations. Where they are missing, the name is parsed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Why a file of releases could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReleasesFileError {
    /// The file could not be read.
    #[error("couldn't read {}", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
    /// The file is not JSON of this shape.
    #[error("{} is not a file of releases (as `dibump releases --format json` prints it)", .0.display())]
    Json(PathBuf, #[source] serde_json::Error),
    /// A value in it is wrong.
    #[error("{}: {reason}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        reason: String,
    },
}

impl Ends for ReleasesFileError {
    fn ending(&self) -> Ending {
        match self {
            Self::Io(..) | Self::Json(..) | Self::Value { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("write it with `dibump releases --format json`, or correct the path".to_owned())
    }
}

/// The most bytes of a file of releases. It may be a pipe: that is how another command hands them on.
const MOST_BYTES: u64 = 256 << 20;

/// What a file of releases says.
#[derive(Debug, Clone)]
pub struct ObservedReleases {
    /// The prefix that was asked, where the file names it.
    pub registry: Option<Prefix>,
    /// The releases.
    pub known: ReleaseData,
}

/// Reads a file of releases. What is numbers and not a release version is named and passed over.
pub fn read(path: &Path, naming: &Naming) -> Result<ObservedReleases, ReleasesFileError> {
    let failed = |error| ReleasesFileError::Io(path.to_owned(), error);
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(failed(std::io::Error::other(format!("more than {MOST_BYTES} bytes"))));
    }
    let file: ReleasesFile =
        serde_json::from_slice(&text).map_err(|e| ReleasesFileError::Json(path.to_owned(), e))?;
    if let Some(told) = Version::passed_over(file.versions()) {
        tracing::warn!(path = %path.display(), "{told}");
    }
    file.observed(naming).map_err(|reason| ReleasesFileError::Value { path: path.to_owned(), reason })
}

impl ReleasesFile {
    /// The file's form of what is known.
    pub fn new(registry: Option<String>, known: &ReleaseData) -> Self {
        let entry = |release: &Release| {
            let announced = known.candidates.get(&release.version).and_then(|c| c.released_at);
            ReleaseEntry::new(release, announced)
        };
        let releases = known.releases.values().rev().map(entry).collect();
        Self { schema: SCHEMA.to_owned(), registry, releases }
    }

    /// The same with what the policy says of each release: a word, and the verdict in words.
    #[must_use]
    pub fn judged(mut self, verdicts: &[(Version, &'static str, String)]) -> Self {
        for entry in &mut self.releases {
            let of_entry = |(version, ..): &&(Version, _, _)| version.as_str() == entry.version;
            if let Some((_, word, explanation)) = verdicts.iter().find(of_entry) {
                entry.verdict = Some((*word).to_owned());
                entry.explanation = Some(explanation.clone());
            }
        }
        self
    }

    /// The same with the verdict on the signature of each artifact of these releases.
    #[must_use]
    pub fn signed(mut self, signed: &BTreeMap<Version, BTreeMap<ImageKey, Verdict>>) -> Self {
        for (version, verdicts) in signed {
            let release = self.releases.iter_mut().filter(|entry| entry.version == version.as_str());
            for artifact in release.flat_map(|entry| &mut entry.artifacts) {
                let verdict = verdicts.iter().find(|(key, _)| key.as_str() == artifact.name);
                artifact.signature = verdict.map(|(_, verdict)| verdict.word().to_owned());
            }
        }
        self
    }

    fn versions(&self) -> impl Iterator<Item = &str> {
        self.releases.iter().map(|entry| entry.version.as_str())
    }

    fn observed(self, naming: &Naming) -> Result<ObservedReleases, String> {
        let registry = self.registry.as_ref().map(|registry| registry.parse::<Prefix>());
        let registry = registry.transpose().map_err(|error| format!("registry: {error}"));
        let known = self.known(naming)?;
        Ok(ObservedReleases { registry: registry?, known })
    }

    fn known(self, naming: &Naming) -> Result<ReleaseData, String> {
        if self.schema != SCHEMA {
            return Err(format!("the schema is `{}`, this version of dibump reads `{SCHEMA}`", self.schema));
        }
        let mut known = ReleaseData::default();
        for (i, entry) in self.releases.into_iter().enumerate() {
            if Version::passed_over([entry.version.as_str()]).is_some() {
                continue;
            }
            let released_at = entry.released_at;
            let release = entry.release(naming).map_err(|reason| format!("releases[{i}]: {reason}"))?;
            let version = release.version.clone();
            let candidate = Candidate { version: version.clone(), released_at, first_seen: None };
            if known.candidates.insert(version.clone(), candidate).is_some() {
                return Err(format!("releases[{i}]: {version} is there twice"));
            }
            known.releases.insert(version, release);
        }
        Ok(known)
    }
}

impl ReleaseEntry {
    /// The JSON form of a release.
    pub fn new(release: &Release, released_at: Option<Timestamp>) -> Self {
        let (state, reason) = match &release.coverage {
            Coverage::Complete => (State::Complete, None),
            Coverage::Partial { reason } => (State::Partial, Some(reason.clone())),
            Coverage::Unknown { reason } => (State::Unknown, Some(reason.clone())),
        };
        let artifact = |artifact: &Artifact| ArtifactEntry {
            name: artifact.key.to_string(),
            digest: artifact.digest.as_ref().map(ToString::to_string),
            size: artifact.size,
            signature: None,
            annotations: (*artifact.annotations).clone(),
        };
        Self {
            version: release.version.to_string(),
            state,
            reason,
            released_at,
            verdict: None,
            explanation: None,
            artifacts: release.artifacts.values().map(artifact).collect(),
            others: release.others.values().map(artifact).collect(),
            absent: release.absent.iter().map(ToString::to_string).collect(),
        }
    }

    /// The release that the entry describes.
    pub fn release(self, naming: &Naming) -> Result<Release, String> {
        let version = self.version.parse().map_err(|e| format!("{e}"))?;
        let reason = self.reason.unwrap_or_else(|| "the file says so".to_owned());
        let coverage = match self.state {
            State::Complete => Coverage::Complete,
            State::Partial => Coverage::Partial { reason },
            State::Unknown => Coverage::Unknown { reason },
        };
        let artifacts: Vec<Artifact> = self
            .artifacts
            .into_iter()
            .chain(self.others)
            .map(|a| a.artifact(naming))
            .collect::<Result<_, _>>()?;
        let absent = self.absent.iter().map(|name| name.parse().map_err(|e| format!("{e}")));
        let absent = absent.collect::<Result<_, String>>()?;
        Ok(Release { absent, ..Release::with_coverage(version, coverage, artifacts).images_only(naming) })
    }
}

impl ArtifactEntry {
    fn artifact(self, naming: &Naming) -> Result<Artifact, String> {
        let key = self.name.parse().map_err(|e| format!("{e}"))?;
        let digest = self.digest.map(|d| d.parse()).transpose().map_err(|e| format!("{e}"))?;
        Ok(Artifact::described(key, digest, self.annotations, naming).sized(self.size))
    }
}

/// Discovery `file`: candidates that were looked up elsewhere. Existence is still the registry's answer.
pub struct FileCatalogue {
    /// The file.
    pub path: PathBuf,
    /// How its names are read.
    pub naming: Naming,
}

#[async_trait]
impl Catalogue for FileCatalogue {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn candidates(&self) -> Result<Candidates, CatalogueError> {
        let ObservedReleases { known, .. } = read(&self.path, &self.naming)
            .map_err(|error| CatalogueError::Broken { reason: sentence(&error), hint: error.hint() })?;
        let note = |release: &Release| ReleaseNote {
            version: release.version.clone(),
            names: release.is_complete().then(|| release.artifacts.keys().cloned().collect()),
            released_at: known.candidates.get(&release.version).and_then(|c| c.released_at),
            description: String::new(),
        };
        Ok(Candidates::Releases(known.releases.values().map(note).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: serde_json::Value) -> Result<ReleaseData, String> {
        serde_json::from_value::<ReleasesFile>(json).unwrap().known(&Naming::default())
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let json = serde_json::json!({"schema": SCHEMA, "releases": [
            {"version": "0.4.12", "artifacts": [
                {"name": "ubuntu-noble-plain-rke2-1-31-8", "digest": format!("sha256:{}", "a".repeat(64)),
                 "size": 1_992_294_400, "annotations": {"sylvaproject.org/diskimage/os": "ubuntu"}}]},
            {"version": "0.4.13", "state": "partial", "reason": "why", "absent": ["a-b"], "artifacts": []},
        ]});
        let known = parse(json).unwrap();
        assert_eq!(known.releases.len(), 2);
        let sizes = known.releases.values().flat_map(|release| release.artifacts.values().map(|a| a.size));
        assert_eq!(sizes.collect::<Vec<_>>(), [Some(1_992_294_400)]);
        let again = serde_json::to_value(ReleasesFile::new(None, &known)).unwrap();
        assert_eq!(parse(again).unwrap().releases, known.releases);
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        let wrong =
            |releases| parse(serde_json::json!({"schema": SCHEMA, "releases": releases})).unwrap_err();
        let bad_version = wrong(serde_json::json!([{"version": "mohan/add-NFS-packages"}]));
        assert!(bad_version.starts_with("releases[0]: `mohan/add-NFS-packages` is not"), "{bad_version}");
        let twice = wrong(serde_json::json!([{"version": "0.4.1"}, {"version": "0.4.1"}]));
        assert_eq!(twice, "releases[1]: 0.4.1 is there twice");
        let other = parse(serde_json::json!({"schema": "dibump.releases/2", "releases": []})).unwrap_err();
        assert!(other.contains("dibump.releases/2"), "{other}");
    }
}
