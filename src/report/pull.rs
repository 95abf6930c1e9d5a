//! What became of the images that were to be pulled.

use schemars::JsonSchema;
use serde::Serialize;

use super::{RED, paint, printable};
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
    pub fn new(images: Vec<PulledReport>) -> Self {
        Self { schema: SCHEMA, images }
    }

    /// A line for each image.
    pub fn text(&self) -> String {
        let line = |image: &PulledReport| {
            let result = match image.result {
                "failed" => paint(RED, image.result),
                other => other.to_owned(),
            };
            let size = image.size.map(|size| format!(", {}", Size(size))).unwrap_or_default();
            format!("{}: {result}{size}\n", printable(&image.key))
        };
        self.images.iter().map(line).collect()
    }
}

impl PulledReport {
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
