//! Why a signature does not count.

use std::fmt;

use crate::release::Digest;
use crate::release::identity::Contradiction;

/// Why a signature does not count, in the words of a maintainer. Its text may quote what a stranger wrote, cut short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Bytes that cannot be read, or that two readers would read differently.
    #[error("{what} is not readable: {why}")]
    Malformed {
        /// What was read.
        what: Part,
        /// What is wrong with it.
        why: String,
    },
    /// A cap was exceeded.
    #[error("{what} is too large ({size} bytes, at most {cap} are read)")]
    TooLarge {
        /// What is too large.
        what: Part,
        /// Its size in bytes.
        size: u64,
        /// The most that is read, in bytes.
        cap: u64,
    },
    /// More layers than anybody signs an image with.
    #[error("the signature manifest has {layers} layers (at most {cap} are read)")]
    TooManyLayers {
        /// How many it has.
        layers: usize,
        /// The most that are read.
        cap: usize,
    },
    /// What stands at the signature's tag is no image manifest.
    #[error("the signature manifest is a `{0}`, not an image manifest")]
    ManifestType(String),
    /// A layer that is something else than a signature.
    #[error("a layer of the type `{0}` is not a signature")]
    LayerType(String),
    /// A signature layer without its annotation.
    #[error("a signature layer carries no signature")]
    NoSignature,
    /// A blob by another digest than ours, which would not be checked.
    #[error("{what} has the digest `{digest}`, not a sha256 digest")]
    NotSha256 {
        /// What has the digest.
        what: Part,
        /// The digest as it is written.
        digest: String,
    },
    /// The registry has the manifest and not its blob.
    #[error("its blob {0} is not in the registry (was it copied without?)")]
    BlobMissing(Digest),
    /// The registry's blob is not what the manifest describes.
    #[error("its blob {0} is not what its descriptor says")]
    BlobChanged(Digest),
    /// Text that is not standard base64 with padding.
    #[error("{0} is not base64")]
    NotBase64(Part),
    /// A signature that is not exactly one ASN.1 DER value, as raw r and s are.
    #[error("the signature is not DER")]
    NotDer,
    /// None of the keys made it, or what it signed was changed since.
    #[error("signed by another key, or changed since")]
    OtherKey,
    /// It counts by a certificate.
    #[error("keyless: it counts by a certificate only, not by a public key")]
    Keyless,
    /// A genuine signature of something else than an image.
    #[error("its type is `{found}`, not `{expected}`")]
    ClaimType {
        /// What it says to be.
        found: String,
        /// What the claim of an image says.
        expected: &'static str,
    },
    /// A genuine signature of another image: a replay, or a tag that was moved.
    #[error("it signs another image, {0}")]
    OtherImage(String),
    /// A referrer that says to be a bundle, and has not the one layer of a bundle.
    #[error("the bundle's manifest has {0} layers, not one")]
    BundleLayers(usize),
    /// A bundle of another version than 0.3, whose checks differ.
    #[error("bundle of the version `{0}`, not 0.3")]
    BundleVersion(String),
    /// A bundle without an envelope.
    #[error("the bundle signs a message, not an image")]
    MessageSignature,
    /// An envelope must have one signature.
    #[error("the bundle has {0} signatures, not one")]
    Signatures(usize),
    /// An envelope with something else in it than a statement.
    #[error("the bundle holds a `{0}`, not a statement")]
    PayloadType(String),
    /// A statement of another version.
    #[error("statement of the type `{0}`")]
    StatementType(String),
    /// A genuine attestation, by which nobody signed the image: a list of packages, a provenance.
    #[error("statement of the predicate type `{0}`, which is an attestation, not a signature")]
    Predicate(String),
    /// A genuine signature of an image that is another one than its name or tag say: a substitution, or a rollback.
    #[error("{0}")]
    WrongImage(Contradiction),
    /// A genuine signature of an image that does not say what it is, where that is required.
    #[error("{} not proven", if *name { "its name is" } else { "its release is" })]
    Unproven {
        /// Whether the name is not proven; else it is the release.
        name: bool,
    },
    /// A statement about nothing that has a sha256 digest.
    #[error("the statement has no subject with a sha256 digest")]
    NoSubject,
}

/// What a rejection speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The manifest beside the image.
    Manifest,
    /// The signature's bytes.
    Signature,
    /// What was signed.
    Payload,
    /// The image that the payload speaks of.
    Image,
    /// The sigstore bundle.
    Bundle,
}

impl Rejection {
    /// What a stranger wrote, as far as a line has room for it.
    pub(super) fn quoted(text: &str) -> String {
        const ROOM: usize = 100;
        match text.char_indices().nth(ROOM) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.to_owned(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Manifest => "the signature manifest",
            Self::Signature => "the signature",
            Self::Payload => "the payload",
            Self::Image => "the image that it signs",
            Self::Bundle => "the bundle",
        })
    }
}
