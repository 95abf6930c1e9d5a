//! What is known of the enabled images: the values that the ConfigMap `os-images-info` hands to the charts.
//!
//! An image that is wrong is a [`Fault`], and hides no other; what could not be told is never taken for wrong.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::machine_image::{ApiVersion, Demands, MachineImage, UnusableImage, format};
use super::url::UrlTemplate;
use super::{Form, ImageOrigin, OsImage, attributes};
use crate::release::identity::Contradiction;
use crate::release::{Digest, ImageLayer};
use crate::signature::Verdict;
use crate::sylva::DIB_IMAGE;
use crate::template::kind;

/// What a registry has at the tag of an image. Everything else speaks of the digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// The digest of the manifest that was read.
    pub digest: Digest,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its layer, where it has exactly one.
    pub only_layer: Option<ImageLayer>,
    /// Why it is another image than the one that was asked for, by its annotations.
    pub contradiction: Option<Contradiction>,
    /// What is to be said of its signatures; `None` where nobody asked.
    pub verdict: Option<Verdict>,
}

impl FoundImage {
    /// Makes a fault of an image that is another one than the one that was asked for.
    pub fn demand_identity(found: &mut Result<Self, Fault>) {
        let contradiction = found.as_ref().ok().and_then(|found| found.contradiction.clone());
        if let Some(contradiction) = contradiction {
            *found = Err(Fault::WrongImage(contradiction));
        }
    }

    /// Makes a fault of an image that is not known to be signed.
    pub fn demand_signature(found: &mut Result<Self, Fault>) {
        let verdict = found.as_ref().ok().and_then(|found| found.verdict.clone());
        match verdict {
            None | Some(Verdict::Verified(_)) => {}
            Some(Verdict::Unknown { reason }) => *found = Err(Fault::Unknown(reason)),
            Some(verdict) => *found = Err(Fault::Signature(verdict)),
        }
    }
}

/// Why nothing is said of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The registry has no such artifact.
    Missing,
    /// It is another image or release, whoever signed it.
    WrongImage(Contradiction),
    /// It is not signed as expected.
    Signature(Verdict),
    /// What is known of it is of no use.
    Unfit(UnusableImage),
    /// Its manifest cannot be read, and never will.
    Broken(String),
    /// The registry refuses us; a person must give us credentials.
    Refused(String),
    /// The registry cannot be spoken to as it is configured; a person must act.
    Unusable(String),
    /// It could not be told; a retry may help.
    Unknown(String),
}

/// What is known of one image, by name.
pub type ImageInfo = BTreeMap<String, String>;

/// What is known of all images, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Which form the charts read.
    pub form: Form,
    /// The images.
    pub images: BTreeMap<String, ImageInfo>,
}

/// What becomes of an image of which nothing can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It is left out, unless that cannot be told: then nothing is written.
    Omit,
    /// What was said of it before stays.
    Keep,
    /// Nothing is written.
    Fail,
}

/// Images with what became of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// What is written; `None` where nothing may be.
    pub info: Option<Info>,
    /// Images that are wrong or unknown, and whether what was said of them before stays.
    pub faults: Vec<(String, Fault, bool)>,
}

impl Form {
    /// The key that holds the images in the values of the ConfigMap.
    pub fn info_key(self) -> &'static str {
        match self {
            Self::Proposal => "os_images_info",
            Self::SylvaCore | Self::Sylva16 => "os_images",
        }
    }
}

/// What the charts read of an image: in sylva-core's form the annotations, and those of its properties that they do not
/// give; in the proposal's, what a machine needs.
///
/// # Errors
/// What a machine could not boot is refused in both.
pub fn entry(
    image: &OsImage,
    found: Option<&FoundImage>,
    form: Form,
    url: &UrlTemplate,
    demands: &Demands,
) -> Result<ImageInfo, Fault> {
    let mut known = found.map(|found| attributes(&found.annotations)).unwrap_or_default();
    for (name, value) in image.properties(form) {
        match (name.as_str(), value) {
            // Only the chart's own job reads it.
            (DIB_IMAGE, _) => {}
            // What the manifest says is what was verified.
            (_, Value::String(text)) => drop(known.entry(name).or_insert(text)),
            (_, other) => return Err(Fault::Unfit(UnusableImage::NotText { name, found: kind(&other) })),
        }
    }
    if form != Form::Proposal && matches!(image.origin, ImageOrigin::Own(_)) {
        return Ok(known);
    }
    let url = match form {
        Form::Proposal => url.url(&image.key, &known)?,
        // The chart makes the URL; that of any server does to judge the rest.
        Form::SylvaCore | Form::Sylva16 => format(&known).map(|_| "https://os-image-server".to_owned())?,
    };
    let machine = MachineImage::new(&known, &url, demands)?;
    Ok(match form {
        Form::SylvaCore | Form::Sylva16 => known,
        Form::Proposal => machine
            .fields(ApiVersion::V1Beta1)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    })
}

/// All images together. `before` is what is written at present.
pub fn gather(
    form: Form,
    images: Vec<(String, Result<ImageInfo, Fault>)>,
    on_error: OnError,
    before: Option<&Info>,
) -> Gathered {
    let before = before.filter(|before| before.form == form && on_error == OnError::Keep);
    let mut gathered = Gathered { info: None, faults: Vec::new() };
    let mut info = Info { form, images: BTreeMap::new() };
    for (key, entry) in images {
        let kept = || before.and_then(|before| before.images.get(&key)).cloned();
        match entry.map_err(|fault| (fault, kept())) {
            Ok(entry) => drop(info.images.insert(key, entry)),
            Err((fault, Some(entry))) => {
                info.images.insert(key.clone(), entry);
                gathered.faults.push((key, fault, true));
            }
            Err((fault, None)) => gathered.faults.push((key, fault, false)),
        }
    }
    let forbids = |(_, fault, kept): &(String, Fault, bool)| {
        on_error == OnError::Fail || (!kept && fault.is_ignorance())
    };
    if !gathered.faults.iter().any(forbids) {
        gathered.info = Some(info);
    }
    gathered
}

impl Fault {
    /// Whether nothing was proven.
    pub fn is_ignorance(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unusable(_) | Self::Unknown(_))
    }
}

impl From<UnusableImage> for Fault {
    fn from(refusal: UnusableImage) -> Self {
        Self::Unfit(refusal)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    /// As it follows the image's key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is not in the registry"),
            Self::WrongImage(contradiction) => write!(f, "is {contradiction}"),
            Self::Signature(verdict) => write!(f, "is {verdict}"),
            Self::Unfit(refusal) => write!(f, "cannot be used: {refusal}"),
            Self::Broken(reason) => write!(f, "has a broken manifest: {reason}"),
            Self::Refused(reason) | Self::Unusable(reason) | Self::Unknown(reason) => {
                write!(f, "could not be read: {reason}")
            }
        }
    }
}
