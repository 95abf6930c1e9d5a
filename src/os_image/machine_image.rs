//! The image of a Metal3 machine: `spec.template.spec.image` of a `Metal3MachineTemplate`.
//!
//! What Metal3 refuses, and what it would take although it cannot boot, is refused here, with the reason (CAPM3,
//! `api/v1beta1/common_types.go` and `api/v1beta2/common_types.go`; ironic, `common/checksum_utils.py`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::release::Digest;

/// The longest URL that v1beta2 takes.
const LONGEST_URL: usize = 512;
/// CAPM3 forbids the checksum of an `oci://` image from this version on, and demands it before.
const OCI_WITHOUT_CHECKSUM: Capm3 = Capm3(1, 14);

/// An image as Metal3 gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineImage {
    url: String,
    checksum: Option<Checksum>,
    format: DiskFormat,
}

/// What the bytes are compared with before they are booted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Checksum {
    /// Hexadecimal digits, or in raw mode the URL of a file that has them.
    value: String,
    /// Ironic tells by the length where it is not said.
    algorithm: Option<Algorithm>,
}

/// The version of the API group `infrastructure.cluster.x-k8s.io`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApiVersion {
    /// All of CAPM3 up to 1.12, and still served: the field is `format`.
    #[default]
    V1Beta1,
    /// Since CAPM3 1.13: the field is `diskFormat`.
    V1Beta2,
}

/// A version of CAPM3, major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Capm3(pub u64, pub u64);

/// What Metal3 can write to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskFormat {
    /// As it is.
    Raw,
    /// QEMU's.
    Qcow2,
    /// VirtualBox's.
    Vdi,
    /// VMware's.
    Vmdk,
    /// Booted, and never written.
    LiveIso,
}

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ironic refuses it unless told otherwise.
    Md5,
    /// 64 digits.
    Sha256,
    /// 128 digits.
    Sha512,
}

/// What a deployment asks of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// Whether the URL must be https.
    pub https: bool,
    /// The CAPM3 that will read the image.
    pub capm3: Capm3,
}

/// The fields of raw mode: an image that nobody looks up (sylva-capi-cluster, `machine_image_*`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Raw {
    /// `machine_image_url`.
    pub url: Option<String>,
    /// `machine_image_format`.
    pub format: Option<String>,
    /// `machine_image_checksum`.
    pub checksum: Option<String>,
    /// `machine_image_checksum_type`.
    pub checksum_type: Option<String>,
}

/// Why an image is not handed to Metal3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnusableImage {
    /// Nothing to compare the bytes with.
    #[error("it has no sha256, so a wrong image could not be detected")]
    NoChecksum,
    /// A checksum that is none.
    #[error("its sha256 is `{0}` (expected 64 lower-case hexadecimal digits)")]
    NotSha256(String),
    /// Nothing says how to write it.
    #[error("it has no image-format")]
    NoFormat,
    /// A format that Metal3 does not know.
    #[error("its format is `{0}` (expected raw, qcow2, vdi, vmdk or live-iso)")]
    UnknownFormat(String),
    /// No name of a file.
    #[error("it has no filename, which the URL is made of")]
    NoFilename,
    /// A name that leads elsewhere.
    #[error("its filename is {0:?}, which cannot be the last part of a URL")]
    Filename(String),
    /// A property that is no text.
    #[error("its {name} is {found} (expected text; write it in quotes)")]
    NotText {
        /// The property.
        name: String,
        /// What it is.
        found: &'static str,
    },
    /// A template that gives no URL.
    #[error("the URL template fails: {0}")]
    UrlTemplate(String),
    /// No URL.
    #[error("`{url}` is not a URL ({reason})")]
    NotAUrl {
        /// The text.
        url: String,
        /// Why not.
        reason: String,
    },
    /// A scheme from which nothing can be read.
    #[error("the URL begins with `{0}:` (expected http, https, or in raw mode oci or file)")]
    Scheme(String),
    /// Too long for the API.
    #[error("the URL has {0} characters (at most {LONGEST_URL})")]
    UrlTooLong(usize),
    /// A password in a place that everybody reads.
    #[error("the URL has a user name or a password in it")]
    UserInfo,
    /// Anybody between could change the image's name.
    #[error("the URL uses http, and https is required")]
    Insecure,
    /// The blob of such an artifact is an archive.
    #[error("its oci:// URL leads to an archive, not to the image itself")]
    OciArtifact,
    /// Raw mode without its URL.
    #[error("machine_image_{0} is set, and machine_image_url is not")]
    NoUrl(&'static str),
    /// A kind of checksum that Metal3 does not know.
    #[error("the checksum type is `{0}` (expected md5, sha256 or sha512)")]
    UnknownAlgorithm(String),
    /// A checksum of another kind.
    #[error("the checksum has {found} digits, and {algorithm} has {expected}")]
    Length {
        /// How it should be made.
        algorithm: Algorithm,
        /// How many digits it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A checksum that is neither digits nor a URL.
    #[error("the checksum is `{0}` (expected hexadecimal digits, or the URL of a file that has them)")]
    NotAChecksum(String),
    /// CAPM3 compares the digest itself.
    #[error("an oci:// image takes no checksum since CAPM3 {OCI_WITHOUT_CHECKSUM}")]
    OciWithChecksum,
    /// CAPM3 did not compare the digest yet.
    #[error("an oci:// image needs a checksum before CAPM3 {OCI_WITHOUT_CHECKSUM}")]
    OciWithoutChecksum,
}

impl MachineImage {
    /// The image of an artifact by what is known of it, below the URL at which it is served.
    ///
    /// # Errors
    /// What Metal3 would refuse, or take and not boot.
    pub fn new(
        attributes: &BTreeMap<String, String>,
        url: &str,
        demands: &Demands,
    ) -> Result<Self, UnusableImage> {
        if parsed(url, demands)?.scheme() == "oci" {
            return Err(UnusableImage::OciArtifact);
        }
        let value = sha256(attributes)?.hex().to_owned();
        let checksum = Checksum { value, algorithm: Some(Algorithm::Sha256) };
        Ok(Self { url: url.to_owned(), checksum: Some(checksum), format: format(attributes)? })
    }

    /// The image of raw mode: handed on as it is, where it is something that Metal3 takes.
    ///
    /// # Errors
    /// What Metal3 would refuse, or take and not boot.
    pub fn raw(raw: &Raw, demands: &Demands) -> Result<Self, UnusableImage> {
        let Some(url) = &raw.url else { return Err(UnusableImage::NoUrl(raw.first_field())) };
        let is_oci = parsed(url, demands)?.scheme() == "oci";
        let format: DiskFormat = raw.format.as_deref().ok_or(UnusableImage::NoFormat)?.parse()?;
        let algorithm = raw.checksum_type.as_deref().map(str::parse).transpose()?;
        // Of a live image nobody looks at the checksum; dummies are common.
        let of_live = |_: &&String| format == DiskFormat::LiveIso && !is_oci;
        let checksum = raw.checksum.as_ref().filter(|value| !of_live(value));
        let checksum = checksum.map(|value| Checksum::read(value, algorithm)).transpose()?;
        match (is_oci, &checksum) {
            (true, Some(_)) if demands.capm3 >= OCI_WITHOUT_CHECKSUM => Err(UnusableImage::OciWithChecksum),
            (true, None) if demands.capm3 < OCI_WITHOUT_CHECKSUM => Err(UnusableImage::OciWithoutChecksum),
            (false, None) if format != DiskFormat::LiveIso => Err(UnusableImage::NoChecksum),
            _ => Ok(Self { url: url.clone(), checksum, format }),
        }
    }

    /// The fields as the API names them, in its order.
    pub fn fields(&self, version: ApiVersion) -> Vec<(&'static str, String)> {
        let mut fields = vec![("url", self.url.clone())];
        if let Some(checksum) = &self.checksum {
            fields.push(("checksum", checksum.value.clone()));
            fields.extend(checksum.algorithm.map(|algorithm| ("checksumType", algorithm.to_string())));
        }
        let name = if version == ApiVersion::V1Beta2 { "diskFormat" } else { "format" };
        fields.push((name, self.format.to_string()));
        fields
    }

    /// The image of an entry that has these fields already (`os_images_info`), checked again: a ConfigMap may have been
    /// written by anybody.
    ///
    /// # Errors
    /// What Metal3 would refuse, or take and not boot.
    pub fn of_fields(fields: &BTreeMap<String, String>, demands: &Demands) -> Result<Self, UnusableImage> {
        let field = |name: &str| fields.get(name).cloned();
        let (url, checksum_type) = (field("url").unwrap_or_default(), field("checksumType"));
        let algorithm = checksum_type.ok_or(UnusableImage::NoChecksum)?;
        if algorithm != "sha256" {
            return Err(UnusableImage::UnknownAlgorithm(algorithm));
        }
        let renamed = [("checksum", "sha256"), ("format", "image-format")];
        let attributes = renamed.iter().filter_map(|(from, to)| Some(((*to).to_owned(), field(from)?)));
        Self::new(&attributes.collect(), &url, demands)
    }

    /// Whether Ironic will only take its checksum where it was told to.
    pub fn is_md5(&self) -> bool {
        self.checksum.as_ref().is_some_and(|checksum| {
            checksum.algorithm == Some(Algorithm::Md5)
                || (checksum.algorithm.is_none() && checksum.value.len() == Algorithm::Md5.digits())
        })
    }
}

impl Raw {
    /// Whether none of its fields is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn first_field(&self) -> &'static str {
        match (&self.format, &self.checksum) {
            (Some(_), _) => "format",
            (None, Some(_)) => "checksum",
            (None, None) => "checksum_type",
        }
    }
}

impl Checksum {
    /// Digits are compared as text with lower-case ones (ironic-python-agent, `verify_image`).
    fn read(value: &str, algorithm: Option<Algorithm>) -> Result<Self, UnusableImage> {
        let is_hex = value.bytes().all(|b| b.is_ascii_hexdigit());
        let value = if is_hex { value.to_ascii_lowercase() } else { value.to_owned() };
        let checksum = Self { value, algorithm };
        checksum.check().map(|()| checksum)
    }

    fn check(&self) -> Result<(), UnusableImage> {
        if self.value.starts_with("http://") || self.value.starts_with("https://") {
            let not_a_url =
                |error| UnusableImage::NotAUrl { url: self.value.clone(), reason: format!("{error}") };
            return Url::parse(&self.value).map(drop).map_err(not_a_url);
        }
        let is_hex = !self.value.is_empty() && self.value.bytes().all(|b| b.is_ascii_hexdigit());
        let lengths = [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512].map(Algorithm::digits);
        match self.algorithm {
            _ if !is_hex => Err(UnusableImage::NotAChecksum(self.value.clone())),
            Some(algorithm) if algorithm.digits() != self.value.len() => {
                let (expected, found) = (algorithm.digits(), self.value.len());
                Err(UnusableImage::Length { algorithm, expected, found })
            }
            None if !lengths.contains(&self.value.len()) => {
                Err(UnusableImage::NotAChecksum(self.value.clone()))
            }
            _ => Ok(()),
        }
    }
}

/// The sha256 of the image itself that an artifact's annotation gives.
///
/// # Errors
/// There is none, or something else.
pub fn sha256(attributes: &BTreeMap<String, String>) -> Result<Digest, UnusableImage> {
    let sha256 = attributes.get("sha256").ok_or(UnusableImage::NoChecksum)?;
    format!("sha256:{sha256}").parse().map_err(|_| UnusableImage::NotSha256(sha256.clone()))
}

/// The format that an artifact's annotation gives.
pub fn format(attributes: &BTreeMap<String, String>) -> Result<DiskFormat, UnusableImage> {
    attributes.get("image-format").ok_or(UnusableImage::NoFormat)?.parse()
}

/// A URL that Metal3 takes: `url.ParseRequestURI` in its webhook, and what its machines can read.
fn parsed(url: &str, demands: &Demands) -> Result<Url, UnusableImage> {
    let not_a_url = |reason: String| UnusableImage::NotAUrl { url: url.to_owned(), reason };
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(not_a_url("it has white space in it".to_owned()));
    }
    let parsed = Url::parse(url).map_err(|error| not_a_url(error.to_string()))?;
    match parsed.scheme() {
        "http" if demands.https => return Err(UnusableImage::Insecure),
        "http" | "https" | "oci" if parsed.host_str().is_none_or(str::is_empty) => {
            return Err(not_a_url("it has no host".to_owned()));
        }
        "http" | "https" | "oci" | "file" => {}
        other => return Err(UnusableImage::Scheme(other.to_owned())),
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(UnusableImage::UserInfo);
    }
    match url.chars().count() {
        length if length > LONGEST_URL => Err(UnusableImage::UrlTooLong(length)),
        _ => Ok(parsed),
    }
}

impl ApiVersion {
    /// The CAPM3 that has it, where nothing else is said: the last one without the newer, and the last one known.
    pub fn usual_capm3(self) -> Capm3 {
        match self {
            Self::V1Beta1 => Capm3(1, 12),
            Self::V1Beta2 => Capm3(1, 14),
        }
    }
}

impl Algorithm {
    /// How many hexadecimal digits its checksums have.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnusableImage;

    fn from_str(text: &str) -> Result<Self, UnusableImage> {
        let all = [Self::Md5, Self::Sha256, Self::Sha512];
        let found = all.into_iter().find(|algorithm| algorithm.to_string() == text);
        found.ok_or_else(|| UnusableImage::UnknownAlgorithm(text.to_owned()))
    }
}

impl FromStr for DiskFormat {
    type Err = UnusableImage;

    fn from_str(text: &str) -> Result<Self, UnusableImage> {
        let all = [Self::Raw, Self::Qcow2, Self::Vdi, Self::Vmdk, Self::LiveIso];
        let found = all.into_iter().find(|format| format.to_string() == text);
        found.ok_or_else(|| UnusableImage::UnknownFormat(text.to_owned()))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        })
    }
}

impl fmt::Display for DiskFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vdi => "vdi",
            Self::Vmdk => "vmdk",
            Self::LiveIso => "live-iso",
        })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1Beta1 => "v1beta1",
            Self::V1Beta2 => "v1beta2",
        })
    }
}

impl FromStr for Capm3 {
    type Err = String;

    /// `1.14`, `v1.14` and `1.14.2`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a version of CAPM3 (expected something like 1.14)");
        let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor)), None | Some(Ok(_)), None) => Ok(Self(major, minor)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Capm3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests;
