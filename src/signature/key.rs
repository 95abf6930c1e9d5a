//! Public keys that sign images: ECDSA on P-256, the one kind that `cosign generate-key-pair` makes.

use std::fmt;
use std::num::NonZeroUsize;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey, UnparsedPublicKey};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{Part, Rejection};
use crate::release::Digest;

/// A public key in its DER form (SubjectPublicKeyInfo), by which it is compared: never by its text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; DER_LENGTH]);

/// A public key's SHA-256 over its DER form (SubjectPublicKeyInfo), which tells keys apart whatever their PEM looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Digest);

/// One key or more, each once. Any of them may have signed, so that keys can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    first: PublicKey,
    others: Vec<PublicKey>,
}

/// Text that is no usable public key. It is never quoted: it might be a private one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Nothing but white space.
    #[error("the public key is empty")]
    Empty,
    /// No PEM block.
    #[error("not a PEM text (expected `-----BEGIN PUBLIC KEY-----`)")]
    NotPem,
    /// Several PEM blocks.
    #[error("{0} PEM blocks in one text; write each key by itself")]
    Several(usize),
    /// Somebody pasted the wrong half.
    #[error("a private key, which must not be here; take the public half (`cosign public-key`)")]
    Private,
    /// A certificate holds a key, and says when and for whom it counts, which nobody would check here.
    #[error("a certificate, not a public key")]
    Certificate,
    /// Another kind of PEM block.
    #[error("a PEM block `{0}`, not `PUBLIC KEY`")]
    OtherBlock(String),
    /// A PEM block that cannot be decoded.
    #[error("a PEM block that is not readable: {0}")]
    BrokenPem(String),
    /// A key of another algorithm or curve.
    #[error("a key of the kind {0}; only ECDSA P-256 is supported")]
    Unsupported(&'static str),
    /// A P-256 key in a form that is not cosign's, or a point that is not on the curve.
    #[error("not a valid P-256 key (expected an uncompressed point on the curve)")]
    NotOnCurve,
    /// No known kind of key.
    #[error("not a known kind of key; only ECDSA P-256 is supported")]
    Unknown,
}

/// The DER form of every P-256 key with an uncompressed point has this length and this head (RFC 5480).
const DER_LENGTH: usize = HEAD.len() + 64;
const HEAD: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// Object identifiers in DER by which a key is known (RFC 3279, 5480, 8410; SEC 2). Curves go before what they have in common.
const KINDS: [(&str, &[u8]); 10] = [
    ("ECDSA P-384", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]),
    ("ECDSA P-521", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]),
    ("ECDSA P-224", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x21]),
    ("ECDSA secp256k1", &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]),
    ("RSA", &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]),
    ("RSA-PSS", &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a]),
    ("Ed25519", &[0x06, 0x03, 0x2b, 0x65, 0x70]),
    ("Ed448", &[0x06, 0x03, 0x2b, 0x65, 0x71]),
    (P256, &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
    ("ECDSA on another curve", &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
];
const P256: &str = "ECDSA P-256";
/// The kind of a key stands in the first bytes of its DER form, before the key itself.
const KIND_WITHIN: usize = 26;

impl PublicKey {
    /// Reads a PEM text (`-----BEGIN PUBLIC KEY-----`), with any white space around it.
    ///
    /// # Errors
    /// It is not exactly one ECDSA P-256 public key; the error says what it is instead.
    pub fn from_pem(text: &str) -> Result<Self, InvalidKey> {
        let block = one_block(text)?;
        match block.tag() {
            "PUBLIC KEY" => Self::from_der(block.contents()),
            "RSA PUBLIC KEY" => Err(InvalidKey::Unsupported("RSA")),
            "CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(InvalidKey::Certificate),
            other => Err(InvalidKey::OtherBlock(Rejection::quoted(other))),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let key = <[u8; DER_LENGTH]>::try_from(der).map_err(|_| kind(der))?;
        if !key.starts_with(&HEAD) {
            return Err(kind(der));
        }
        ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).map_err(|_| InvalidKey::NotOnCurve)?;
        Ok(Self(key))
    }

    /// What to call it.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Digest::of(&self.0))
    }

    /// ECDSA with SHA-256. Either of the two values of s counts, as for Go and cosign.
    fn made(&self, signature: &[u8], message: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, signature).is_ok()
    }
}

/// The one block of a text.
fn one_block(text: &str) -> Result<pem::Pem, InvalidKey> {
    if text.trim().is_empty() {
        return Err(InvalidKey::Empty);
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(InvalidKey::Private);
    }
    match text.matches("-----BEGIN ").count() {
        0 => Err(InvalidKey::NotPem),
        1 => pem::parse(text).map_err(broken),
        several => Err(InvalidKey::Several(several)),
    }
}

/// The error's own text may quote the block.
fn broken(error: pem::PemError) -> InvalidKey {
    let why = match error {
        pem::PemError::MalformedFraming | pem::PemError::MissingEndTag => "it has no end",
        pem::PemError::MismatchedTags(..) => "its end does not match its beginning",
        pem::PemError::InvalidData(_) => "it is not base64",
        _ => "it has no proper head",
    };
    InvalidKey::BrokenPem(why.to_owned())
}

/// Why DER that is not a P-256 key as we take it is refused.
fn kind(der: &[u8]) -> InvalidKey {
    let head = der.get(..KIND_WITHIN).unwrap_or(der);
    let has = |oid: &[u8]| head.windows(oid.len()).any(|window| window == oid);
    match KINDS.iter().find(|(_, oid)| has(oid)) {
        Some((P256, _)) => InvalidKey::NotOnCurve,
        Some((name, _)) => InvalidKey::Unsupported(name),
        None => InvalidKey::Unknown,
    }
}

impl Keys {
    /// The keys, each once, in their order; `None` if there is none.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let mut all = Self { first: keys.next()?, others: Vec::new() };
        for key in keys {
            if !all.iter().any(|known| *known == key) {
                all.others.push(key);
            }
        }
        Some(all)
    }

    /// The keys in their order.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many they are.
    pub fn len(&self) -> NonZeroUsize {
        NonZeroUsize::MIN.saturating_add(self.others.len())
    }

    /// The first of the keys that made this signature, which is given in base64.
    pub(super) fn signer_of(&self, message: &[u8], signature: &str) -> Result<&PublicKey, Rejection> {
        let signature = BASE64_STANDARD.decode(signature);
        let signature = signature.map_err(|_| Rejection::NotBase64(Part::Signature))?;
        if !is_der(&signature) {
            return Err(Rejection::NotDer);
        }
        self.iter().find(|key| key.made(&signature, message)).ok_or(Rejection::OtherKey)
    }
}

/// Whether these bytes are a `SEQUENCE` of two `INTEGER`s and nothing else (RFC 3279, ECDSA-Sig-Value). For P-256 all
/// lengths have one byte.
fn is_der(signature: &[u8]) -> bool {
    let numbers = || {
        let (sequence, after) = value(0x30, signature)?;
        let (_, second) = value(0x02, sequence)?;
        let (_, rest) = value(0x02, second)?;
        Some(after.is_empty() && rest.is_empty())
    };
    numbers().unwrap_or_default()
}

/// The value with this tag at the beginning of `bytes`, and what follows it.
fn value(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [first, length @ 0..=0x7f, rest @ ..] if *first == tag => rest.split_at_checked(usize::from(*length)),
        _ => None,
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_str())
    }
}
