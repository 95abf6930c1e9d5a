//! What became of the images that were to be pulled.

use schemars::JsonSchema;
use serde::Serialize;

use super::{RED, paint, printable};
use crate::image_store::unwanted::{UnwantedFate, UnwantedImage};
use crate::pull::Pulled;
use crate::release::Size;

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.pull/1";

/// What became of all images.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump pull")]
pub struct PullReport {
    /// `dibump.pull/1`.
    pub schema: &'static str,
    /// The images that are wanted, by their keys.
    pub images: Vec<PulledReport>,
    /// The images that are stored and not wanted any more.
    pub unwanted: Vec<UnwantedReport>,
    /// What the cluster made of the ConfigMap of what is served, with `--apply`: `created`, `changed` or `unchanged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<&'static str>,
}

/// What became of an image that is not wanted any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UnwantedReport {
    /// The keys under which it was known.
    pub keys: Vec<String>,
    /// Its sha256.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
    /// `removed` or `kept`.
    pub result: &'static str,
    /// Why it is kept: `used` (a machine uses it), `recent` (until `--grace` is over) or `spared` (nothing is removed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_because: Option<&'static str>,
    /// Since when it is not wanted.
    pub unwanted_since: String,
    /// When it may be removed, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_until: Option<String>,
}

/// What became of an image.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PulledReport {
    /// Its key.
    pub key: String,
    /// Where it comes from.
    pub uri: String,
    /// `stored`, `present` or `failed`.
    pub result: &'static str,
    /// Its bytes, where it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The sha256 that it must have, where its manifest was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Why it is not there, as it follows the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl PullReport {
    /// The report of these images.
    pub fn new(
        images: Vec<PulledReport>,
        unwanted: Vec<UnwantedReport>,
        applied: Option<&'static str>,
    ) -> Self {
        Self { schema: SCHEMA, images, unwanted, applied }
    }

    /// The lines of what was stored and removed.
    pub fn news(&self) -> String {
        let images = self.images.iter().filter(|image| image.result == "stored").map(PulledReport::line);
        let unwanted = self.unwanted.iter().filter(|image| image.result == "removed");
        images.chain(unwanted.map(UnwantedReport::line)).collect()
    }

    /// A line for each image.
    pub fn text(&self) -> String {
        let unwanted = self.unwanted.iter().map(UnwantedReport::line);
        self.images.iter().map(PulledReport::line).chain(unwanted).collect()
    }
}

impl UnwantedReport {
    /// What became of an image.
    pub fn new(sha256: &str, image: &UnwantedImage, fate: UnwantedFate) -> Self {
        let (kept_because, until) = match fate {
            UnwantedFate::Removed => (None, None),
            UnwantedFate::Used => (Some("used"), None),
            UnwantedFate::Recent { until } => (Some("recent"), Some(until)),
            UnwantedFate::Spared => (Some("spared"), None),
        };
        let mut keys: Vec<String> = image.known_as.iter().map(|known| known.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            keys,
            sha256: sha256.to_owned(),
            size: image.size,
            result: if kept_because.is_some() { "kept" } else { "removed" },
            kept_because,
            // Parts of a second help no reader.
            unwanted_since: format!("{:.0}", image.since),
            kept_until: until.map(|until| format!("{until:.0}")),
        }
    }

    fn line(&self) -> String {
        let name = match self.keys.as_slice() {
            [] => format!("sha256 {:.12}", self.sha256),
            keys => printable(&keys.join(", ")).to_string(),
        };
        let why = match (self.kept_because, &self.kept_until) {
            (Some("used"), _) => "a machine uses it".to_owned(),
            (_, Some(until)) => format!("until {until}"),
            (Some(_), None) => "nothing is removed".to_owned(),
            (None, None) => format!("since {}", self.unwanted_since),
        };
        format!("{name}: not wanted any more, {}, {} ({why})\n", self.result, Size(self.size))
    }
}

impl PulledReport {
    fn line(&self) -> String {
        let result = match self.result {
            "failed" => paint(RED, self.result),
            other => other.to_owned(),
        };
        let size = self.size.map(|size| format!(", {}", Size(size))).unwrap_or_default();
        format!("{}: {result}{size}\n", printable(&self.key))
    }

    /// What became of an image; an error is `reason`.
    pub fn new(key: &str, uri: &str, sha256: Option<&str>, outcome: Result<Pulled, String>) -> Self {
        let (result, size, reason) = match outcome {
            Ok(Pulled::Stored { size }) => ("stored", Some(size), None),
            Ok(Pulled::Present { size }) => ("present", Some(size), None),
            Err(reason) => ("failed", None, Some(reason)),
        };
        let sha256 = sha256.map(str::to_owned);
        Self { key: key.to_owned(), uri: uri.to_owned(), result, size, sha256, reason }
    }
}
