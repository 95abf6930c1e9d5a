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
    BrokenPem(&'static str),
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
    InvalidKey::BrokenPem(why)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// P-256 keys, made by openssl as all keys here.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhPprddWrKykUKbzRi015ADYY3M9l2EOz8Njp\
                       ZO/0RFZ03jH3WeYICGymh/wiyk6IvNDZAFTBmRV3UX+luvtpCQ==";
    const OTHER: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcuuLszwy0u7y394KY6GW1BgjfaU6aK7e\
                         95MV+ikZnRfR5EHtqEk1tScNhMqQJMpuFs3QH1TVBr6TIWVLx5cUtg==";

    fn pem(label: &str, base64: &str) -> String {
        format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
    }

    fn key(base64: &str) -> PublicKey {
        PublicKey::from_pem(&pem("PUBLIC KEY", base64)).expect("a key")
    }

    fn error(text: &str) -> InvalidKey {
        PublicKey::from_pem(text).expect_err(text)
    }

    #[test]
    fn a_key_is_the_same_however_its_text_is_laid_out() {
        let text = pem("PUBLIC KEY", KEY);
        let (first, second) = KEY.split_at(64);
        let wrapped = pem("PUBLIC KEY", &format!("{first}\n{second}"));
        for same in [
            text.replace('\n', "\r\n"),
            format!("\n\n  {}\n\n", text.trim_end()),
            wrapped.clone(),
            wrapped.replace('\n', "\r\n"),
            wrapped.replace('\n', "\n    "),
        ] {
            assert_eq!(PublicKey::from_pem(&same), Ok(key(KEY)), "{same}");
        }
        assert_ne!(key(OTHER), key(KEY));
        assert_ne!(key(OTHER).fingerprint(), key(KEY).fingerprint());
    }

    #[test]
    fn a_fingerprint_is_the_digest_of_the_der_form() {
        let der = BASE64_STANDARD.decode(KEY).expect("base64");
        assert_eq!(key(KEY).fingerprint().to_string(), Digest::of(&der).to_string());
    }

    #[test]
    fn other_kinds_of_keys_are_refused_by_name() {
        for (kind, base64) in [
            (
                "ECDSA P-384",
                "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAERzCGvZRMRrHJMXuusGrURoYRmGdW7LY0XB6aAbFYun73\
                 UNRQjp2k+yzlsoDXJTZ5/yFIz0P7eSkgMAtcHlPLCBbvy/L6N8w83xeC9x5OsL4R8j/bfh+B/DtG\
                 wttAC9X7",
            ),
            (
                "ECDSA P-521",
                "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAsNgjz70XwRxgH8C5EQ2ZOiC1aI9gCGQtjCbtYXaw\
                 GrBa+gBPn4BjZuKkfvUgtUuoa0Tp1r6K6rcSkYoYkciKyt4A4TrrBhgeDyDYACVd2GETXs45GzAh\
                 O2BsCHXI5YGZ9Jp399eMx73GjPkzSQ03fTbpYs3hRRQbWBEem3H11oEJ4kk=",
            ),
            (
                "ECDSA P-224",
                "ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAEwKLmKPyx7BbylpMAL1QMDCzPrmOLER+wS2Gd/Al5q7E0\
                 w3mKnuoU9FVDcAROn58YZvtK5jlitxo=",
            ),
            (
                "ECDSA secp256k1",
                "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE3r/or2sbUWauzsJerqmuzJmULUEUqLYmqe7TDKTt7zyO\
                 bU1WAqfwPrLadDKvCAJHi1+An2sWt4A8MTNIHmzXzQ==",
            ),
            (
                "ECDSA on another curve",
                "MFowFAYHKoZIzj0CAQYJKyQDAwIIAQEHA0IABBDqXtHl0+l13U3Gfca9rwlDGRoj10jZSr0bmfIA\
                 XgdedjpQ+bvGA5KasRiwNDNvGd5DIjfMqoNpRFuGQPVOTEM=",
            ),
            (
                "RSA",
                "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDOqpVkCwrhZiHZ5DgYX/BtuKzhyvZGRqwcPIxo\
                 IoPMEwjyiqAbpgdZUm++Xl0l+kxcsF0Dm+QeUnr9dKAIDQ23CxNO37bM9dsydkZNehkgTKWdmVdl\
                 hoOwGOUviAUllm8orfTlw0rzWnAJ6O4h1AYBXfNKiHzqK5NmbfvmecFvYQIDAQAB",
            ),
            (
                "RSA-PSS",
                "MIGdMAsGCSqGSIb3DQEBCgOBjQAwgYkCgYEAsCqJXerd3NTfpVXRIpFDPywu7t0rRh7q8aadKwuw\
                 wWyiJE8UeUmt2SKwAVq6UrBm9llorpgTT7w4oEALlPY4t1uxgha/bTEMrO2490RTI707zuzBw2CO\
                 9stuvEEjnxhXmsvux4gF4qdZPRjE+huTL2SZtklk5ecXkdT/BXRU7Y8CAwEAAQ==",
            ),
            ("Ed25519", "MCowBQYDK2VwAyEA93gI9yXg+GoyfJuyw+tf5LFSIhQwnnH3WIPf7VUcTOM="),
            (
                "Ed448",
                "MEMwBQYDK2VxAzoApCLGSfI/5oa6DSkkkR51CXUspqlEUANkKbredP8FPYT3irJaFjudfhUO1cUH\
                 eXnuMOmM0ORj4isA",
            ),
        ] {
            assert_eq!(error(&pem("PUBLIC KEY", base64)), InvalidKey::Unsupported(kind));
        }
        assert_eq!(error(&pem("RSA PUBLIC KEY", "MAA=")), InvalidKey::Unsupported("RSA"));
        let x25519 = "MCowBQYDK2VuAyEAxx41bASU9oTLFZjOYc7BgXCtnYy8bjyck5G4EPmYknQ=";
        assert_eq!(error(&pem("PUBLIC KEY", x25519)), InvalidKey::Unknown);
    }

    #[test]
    fn a_point_that_is_not_as_cosign_writes_it_or_not_on_the_curve_is_refused() {
        let compressed = "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADJ5Ut5VKDGl2O5utoQpct8Dyp141/fIEuaO521tFzXZ0=";
        assert_eq!(error(&pem("PUBLIC KEY", compressed)), InvalidKey::NotOnCurve);
        let mut der = BASE64_STANDARD.decode(KEY).expect("base64");
        der[90] ^= 1;
        assert_eq!(error(&pem("PUBLIC KEY", &BASE64_STANDARD.encode(&der))), InvalidKey::NotOnCurve);
        der[90] ^= 1;
        der.push(0);
        assert_eq!(error(&pem("PUBLIC KEY", &BASE64_STANDARD.encode(&der))), InvalidKey::NotOnCurve);
        assert_eq!(error(&pem("PUBLIC KEY", "")), InvalidKey::Unknown);
    }

    #[test]
    fn what_is_no_public_key_is_called_what_it_is_and_never_quoted() {
        let good = pem("PUBLIC KEY", KEY);
        for (text, expected) in [
            (String::new(), InvalidKey::Empty),
            (" \r\n\t".into(), InvalidKey::Empty),
            (KEY.into(), InvalidKey::NotPem),
            ("ssh-ed25519 AAAA somebody".into(), InvalidKey::NotPem),
            (format!("{good}{good}"), InvalidKey::Several(2)),
            (format!("{good}-----BEGIN PUBLIC KEY-----"), InvalidKey::Several(2)),
            (pem("PRIVATE KEY", "c2VjcmV0"), InvalidKey::Private),
            (pem("ENCRYPTED SIGSTORE PRIVATE KEY", "c2VjcmV0"), InvalidKey::Private),
            (format!("{good}{}", pem("EC PRIVATE KEY", "c2VjcmV0")), InvalidKey::Private),
            (pem("CERTIFICATE", "MAA="), InvalidKey::Certificate),
            (pem("PKCS7", "MAA="), InvalidKey::OtherBlock("PKCS7".into())),
            (pem("PUBLIC KEY", "c2Vjc@V0"), InvalidKey::BrokenPem("it is not base64")),
            ("-----BEGIN PUBLIC KEY-----\nc2VjcmV0\n".into(), InvalidKey::BrokenPem("it has no end")),
            (
                good.replace("END PUBLIC", "END OTHER"),
                InvalidKey::BrokenPem("its end does not match its beginning"),
            ),
        ] {
            let error = error(&text);
            assert_eq!(error, expected, "{text}");
            assert!(!error.to_string().contains("c2V"), "{error}");
        }
    }

    #[test]
    fn keys_are_one_or_more_and_each_once() {
        assert_eq!(Keys::new([]), None);
        let keys = Keys::new([key(KEY), key(OTHER), key(KEY)]).expect("keys");
        assert_eq!(keys.len().get(), 2);
        assert_eq!(keys.iter().collect::<Vec<_>>(), [&key(KEY), &key(OTHER)]);
    }

    #[test]
    fn a_signature_is_one_der_sequence_of_two_integers() {
        assert!(is_der(&[0x30, 6, 2, 1, 5, 2, 1, 7]));
        for other in [
            &[][..],
            &[0x30],
            &[0x30, 6, 2, 1, 5, 2, 1, 7, 0],
            &[0x30, 7, 2, 1, 5, 2, 1, 7, 0],
            &[0x30, 7, 2, 1, 5, 2, 1, 7],
            &[0x30, 3, 2, 1, 5],
            &[0x31, 6, 2, 1, 5, 2, 1, 7],
            &[0x30, 0x81, 6, 2, 1, 5, 2, 1, 7],
            &[7; 64],
        ] {
            assert!(!is_der(other), "{other:02x?}");
        }
    }
}
