//! Cosign signatures under static public keys: bytes in, verdict out.
//!
//! What a registry holds is [`Evidence`]: manifests and blobs as they were received, believed in nothing. [`verify`] is
//! the only way to a [`Verified`]. Nothing here fetches; what could not be fetched is [`Verdict::Unknown`], and only the
//! one who fetched can say so.
//!
//! Formats: cosign, `specs/SIGNATURE_SPEC.md` and `specs/BUNDLE_SPEC.md`. Where cosign is lenient (the type of a claim,
//! JSON keys written twice, their case), this is strict.

mod bundle;
mod classic;
mod identity;
mod json;
mod key;
mod manifest;
mod rejection;
pub mod requirement;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use identity::Lacks;
pub use key::{Fingerprint, InvalidKey, Keys, PublicKey};
pub use manifest::{MAX_BUNDLE, MAX_LAYERS, MAX_MANIFEST, MAX_PAYLOAD, WantedBlob};
pub use rejection::{Part, Rejection};
pub use requirement::{Requirement, RequirementError, Unverified, requirement};

use crate::release::Digest;
use manifest::SignatureManifest;

/// Where a signature stands beside its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// The tag `sha256-<hex>.sig`, a layer for each signature (cosign, SIGNATURE_SPEC.md).
    Classic,
    /// A referrer of the image with one sigstore bundle (cosign 3, BUNDLE_SPEC.md).
    Bundle,
}

/// A signature manifest and the blobs that it names, as a registry gave them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// How it was found.
    pub layout: Layout,
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// The blobs that [`wanted_blobs`] asked for, by the digest that the manifest gives. One that the registry does not
    /// have is missing.
    pub blobs: BTreeMap<Digest, Vec<u8>>,
}

/// What is to be said of the signatures of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// One of the keys signed this very manifest.
    Verified(Verified),
    /// There is no signature: no signature manifest, one without layers, or referrers that are something else.
    Unsigned,
    /// There are signatures, and none of them counts; why not, one by one.
    Bad(Vec<Rejection>),
    /// It could not be checked: a time-out, a refusal, a cut answer. Never the same as unsigned or bad.
    Unknown {
        /// What failed, as a sentence fragment.
        reason: String,
    },
}

/// A proof that one of the keys signed an image. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    key: Fingerprint,
    layout: Layout,
    reference: Option<String>,
    lacks: Lacks,
}

/// The blobs that are needed to judge the signatures of a manifest; none where a referrer is not a signature at all.
///
/// A blob above its cap, or without a sha256 digest, is not asked for: [`verify`] refuses its signature anyway. The same
/// holds for an error, which [`verify`] reports again for evidence with this manifest and no blobs.
///
/// # Errors
/// The manifest is no image manifest, too large, or has too many layers.
pub fn wanted_blobs(layout: Layout, manifest: &[u8]) -> Result<Vec<WantedBlob>, Rejection> {
    let manifest = SignatureManifest::read(manifest)?;
    let wanted: BTreeSet<WantedBlob> = match layout {
        Layout::Classic => classic::layers(&manifest).flatten().map(|layer| layer.payload).collect(),
        Layout::Bundle => bundle::blob(&manifest).into_iter().flatten().collect(),
    };
    Ok(wanted.into_iter().collect())
}

/// Whether one of the keys signed the manifest `subject`, by what the registry has beside it.
///
/// One signature that passes everything is enough. Classic signatures are tried first and evidence is put in order, so
/// that the answer does not depend on a registry's. Never [`Verdict::Unknown`].
pub fn verify(subject: &Digest, evidence: &[Evidence], keys: &Keys) -> Verdict {
    let mut ordered: Vec<&Evidence> = evidence.iter().collect();
    ordered.sort_by_key(|evidence| (evidence.layout, &evidence.manifest));
    let mut rejections = Vec::new();
    for evidence in ordered {
        for judged in judge(subject, evidence, keys) {
            match judged {
                Ok(verified) => return Verdict::Verified(verified),
                Err(rejection) => rejections.push(rejection),
            }
        }
    }
    if rejections.is_empty() { Verdict::Unsigned } else { Verdict::Bad(rejections) }
}

/// Each signature of a manifest; none where it is not a signature manifest or has no layers, which signs nothing.
fn judge(subject: &Digest, evidence: &Evidence, keys: &Keys) -> Vec<Result<Verified, Rejection>> {
    let manifest = match SignatureManifest::read(&evidence.manifest) {
        Ok(manifest) => manifest,
        Err(rejection) => return vec![Err(rejection)],
    };
    match evidence.layout {
        Layout::Classic => {
            let layers = classic::layers(&manifest);
            layers.map(|layer| classic::verify(&layer?, evidence, subject, keys)).collect()
        }
        Layout::Bundle => {
            let blob = bundle::blob(&manifest).into_iter();
            blob.map(|blob| bundle::verify(&blob?, evidence, subject, keys)).collect()
        }
    }
}

impl Evidence {
    /// The blob, if it is what its descriptor says.
    fn blob(&self, wanted: &WantedBlob) -> Result<&[u8], Rejection> {
        let digest = &wanted.digest;
        let blob = self.blobs.get(digest).ok_or_else(|| Rejection::BlobMissing(digest.clone()))?;
        let is_described = blob.len() as u64 == wanted.size && Digest::of(blob) == *digest;
        if is_described { Ok(blob) } else { Err(Rejection::BlobChanged(digest.clone())) }
    }
}

impl Verdict {
    /// Whether a signature counts.
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified(_))
    }

    /// What a signature that counts does not prove of the image.
    pub fn lacks(&self) -> Option<&Lacks> {
        match self {
            Self::Verified(verified) => Some(&verified.lacks),
            Self::Unsigned | Self::Bad(_) | Self::Unknown { .. } => None,
        }
    }

    /// The verdict in one word, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Verified(_) => "verified",
            Self::Unsigned => "unsigned",
            Self::Bad(_) => "bad",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    /// What the image is, as it follows "is".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(verified) => write!(f, "signed by key {}{}", verified.key.short(), verified.lacks),
            Self::Unsigned => f.write_str("not signed"),
            Self::Bad(rejections) if let [Rejection::WrongImage(contradiction)] = rejections.as_slice() => {
                contradiction.fmt(f)
            }
            Self::Bad(rejections) => {
                f.write_str("wrongly signed")?;
                let mut reasons: Vec<String> = rejections.iter().map(ToString::to_string).collect();
                reasons.dedup();
                if reasons.is_empty() { Ok(()) } else { write!(f, " ({})", reasons.join("; ")) }
            }
            Self::Unknown { reason } => write!(f, "not checked ({reason})"),
        }
    }
}

impl Verified {
    /// The key that signed.
    pub fn key(&self) -> &Fingerprint {
        &self.key
    }

    /// Where the signature stands.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The repository that the signer had before it (`docker-reference`), where the signature says so. A mirror or a
    /// promotion changes it (cosign, SIGNATURE_SPEC.md: identity is informational).
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Classic => "sha256-….sig",
            Self::Bundle => "sigstore bundle",
        })
    }
}
