//! Indexes: one tag for several images. Which of them is meant is said by a platform, or by there being only one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

/// An entry of an index.
#[derive(Deserialize)]
pub(super) struct IndexEntry {
    pub(super) digest: String,
    pub(super) platform: Option<Platform>,
    annotations: Option<BTreeMap<String, String>>,
}

/// What an image is for, as its index says (image-spec, image-index.md, "platform").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl IndexEntry {
    /// What BuildKit pushes beside an image (docs/attestations/attestation-storage.md) is none.
    pub(super) fn is_image(&self) -> bool {
        let annotation = self.annotations.as_ref().and_then(|all| all.get("vnd.docker.reference.type"));
        annotation.is_none_or(|kind| kind != "attestation-manifest")
    }
}

/// The one image of an index that is for the platform of the images around it.
///
/// # Errors
/// There is no such image, or more than one: the reason. Nothing tells then which of them a machine would boot.
pub(super) fn of_platform<'i>(
    images: &[&'i IndexEntry],
    around: &BTreeSet<Platform>,
) -> Result<&'i IndexEntry, String> {
    let is_for = |image: &&&IndexEntry| image.platform.as_ref().is_some_and(|own| around.contains(own));
    let fitting: Vec<&&IndexEntry> = images.iter().filter(is_for).collect();
    match (fitting.as_slice(), around.len()) {
        ([image], 1) => Ok(**image),
        _ => Err(undecided(images, around)),
    }
}

fn undecided(images: &[&IndexEntry], around: &BTreeSet<Platform>) -> String {
    let own = images.iter().map(|image| match &image.platform {
        Some(platform) => platform.to_string(),
        None => "no platform".to_owned(),
    });
    let own = own.collect::<Vec<_>>().join(", ");
    let others = match around.is_empty() {
        true => "the other images do not say for which platform they are".to_owned(),
        false => {
            let around: Vec<String> = around.iter().map(Platform::to_string).collect();
            format!("the other images are for {}", around.join(", "))
        }
    };
    format!("an index of {} images ({own}), and {others}", images.len())
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(platform: Option<&str>) -> IndexEntry {
        let digest = platform.unwrap_or("none").to_owned();
        IndexEntry { digest, platform: platform.map(this), annotations: None }
    }

    fn this(text: &str) -> Platform {
        let mut parts = text.split('/').map(str::to_owned);
        let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
        Platform { os, architecture, variant: parts.next() }
    }

    #[test]
    fn the_platform_of_the_images_around_chooses_and_nothing_else() {
        let both = &[Some("linux/amd64"), Some("linux/arm64/v8")][..];
        for (images, around, expected) in [
            (both, &["linux/amd64"][..], Ok("linux/amd64")),
            (both, &["linux/arm64/v8"], Ok("linux/arm64/v8")),
            (both, &["linux/arm64"], Err("the other images are for linux/arm64")),
            (both, &["linux/amd64", "linux/arm64/v8"], Err("the other images are for linux/amd64, ")),
            (both, &[], Err("an index of 2 images (linux/amd64, linux/arm64/v8), and the other images do")),
            (&[None, None], &["linux/amd64"], Err("(no platform, no platform)")),
            (&[Some("linux/amd64"), Some("linux/amd64")], &["linux/amd64"], Err("an index of 2 images")),
        ] {
            let entries: Vec<IndexEntry> = images.iter().map(|platform| entry(*platform)).collect();
            let images: Vec<&IndexEntry> = entries.iter().collect();
            let found = of_platform(&images, &around.iter().map(|text| this(text)).collect());
            let found = found.map(|image| image.digest.as_str());
            match (&found, expected) {
                (Ok(digest), Ok(expected)) => assert_eq!(*digest, expected),
                (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
                _ => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn an_attestation_is_no_image() {
        let read = |annotations| -> IndexEntry {
            serde_json::from_value(json!({"digest": "sha256:0", "annotations": annotations})).unwrap()
        };
        assert!(!read(json!({"vnd.docker.reference.type": "attestation-manifest"})).is_image());
        assert!(
            read(json!({"vnd.docker.reference.type": "else"})).is_image() && read(json!(null)).is_image()
        );
    }
}
