//! What changes between two releases, for programs. The shape is `config/release-diff.schema.json`; a change of it
//! changes the number in `schema`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::release::diff::{ImageChange, ReleaseDifference, total_size};
use crate::release::{Artifact, Coverage, Family, Release};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.release-diff/1";

/// Two releases beside each other.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump release diff")]
pub struct ReleaseDiff {
    /// `dibump.release-diff/1`.
    pub schema: &'static str,
    /// The release before.
    pub from: Side,
    /// The release after.
    pub to: Side,
    /// The families, those images last whose family nothing tells.
    pub families: Vec<FamilyDiff>,
}

/// One of the two releases.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Side {
    /// Its version.
    pub version: String,
    /// `complete`, `partial` (what is listed is proven, other images may exist) or `unknown`.
    pub state: &'static str,
    /// Why it is not completely known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many images were proven.
    pub images: usize,
    /// The bytes of all of them, where each is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The images of one family.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FamilyDiff {
    /// The family; absent where neither annotation nor name tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilyName>,
    /// What becomes of each image, newest Kubernetes first.
    pub images: Vec<ImageDiff>,
}

/// A family.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FamilyName {
    /// The operating system.
    pub os: String,
    /// `plain` or `hardened`.
    pub flavor: String,
    /// `rke2`, `kubeadm` or `ck8s`.
    pub k8s_flavor: String,
}

/// What becomes of one image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImageDiff {
    /// `renamed` (another name of its line takes its place), `rebuilt` (the same name with another digest), `same`,
    /// `kept` (the same name; a digest is not known), `added`, `removed`, or, where a release is partly known,
    /// `perhaps-added` and `perhaps-removed`.
    pub change: &'static str,
    /// The image of the release before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Image>,
    /// The image of the release after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Image>,
}

/// An image of one release.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// The release of its operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_release: Option<String>,
    /// Its Kubernetes version, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k8s_version: Option<String>,
    /// The manifest's digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What a pull transfers: the bytes of all layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The JSON form of a difference.
pub fn report(difference: &ReleaseDifference<'_>) -> ReleaseDiff {
    let family = |(family, changes): &(Option<Family>, Vec<ImageChange<'_>>)| FamilyDiff {
        family: family.as_ref().map(name),
        images: changes.iter().map(image_diff).collect(),
    };
    ReleaseDiff {
        schema: SCHEMA,
        from: side(difference.from),
        to: side(difference.to),
        families: difference.families.iter().map(family).collect(),
    }
}

fn side(release: &Release) -> Side {
    let (state, reason) = match &release.coverage {
        Coverage::Complete => ("complete", None),
        Coverage::Partial { reason } => ("partial", Some(reason.clone())),
        Coverage::Unknown { reason } => ("unknown", Some(reason.clone())),
    };
    Side {
        version: release.version.to_string(),
        state,
        reason,
        images: release.artifacts.len(),
        size: total_size(release.artifacts.values()),
    }
}

fn name(family: &Family) -> FamilyName {
    let [os, flavor, k8s_flavor] =
        [&family.os, &family.flavor, &family.k8s_flavor].map(|word| word.to_string());
    FamilyName { os, flavor, k8s_flavor }
}

fn image_diff(change: &ImageChange<'_>) -> ImageDiff {
    ImageDiff { change: change.word(), before: change.before().map(image), after: change.after().map(image) }
}

fn image(artifact: &Artifact) -> Image {
    let facets = artifact.facets.as_ref();
    Image {
        name: artifact.key.to_string(),
        os_release: facets.map(|facets| facets.os_release.to_string()).filter(|text| !text.is_empty()),
        k8s_version: facets.map(|facets| facets.k8s_version.to_string()),
        digest: artifact.digest.as_ref().map(ToString::to_string),
        size: artifact.size,
    }
}
