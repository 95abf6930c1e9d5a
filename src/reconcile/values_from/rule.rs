//! Where a value comes from, and where it belongs.

use std::fmt;

use crate::release::K8sVersion;
use crate::values::KeyPath;

/// What stands in a URL for the Kubernetes version.
pub const PLACEHOLDER: &str = "{k8s_version}";

/// Where a value comes from, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuesFrom {
    /// Where the list of a Kubernetes version is.
    pub url: ListUrl,
    /// Which item is meant: the one that has this text in this field.
    pub find: (String, String),
    /// The field of the item that holds the value.
    pub take: String,
    /// The map in the files.
    pub to: KeyPath,
    /// The flavor of the images whose Kubernetes versions are asked for.
    pub k8s_flavor: String,
}

/// The URL of the list of any Kubernetes version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUrl(String);

/// Text that cannot be such a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("needs `{PLACEHOLDER}` once, and no other braces, as in https://HOST/v{PLACEHOLDER}/charts.yaml")]
pub struct InvalidListUrl;

impl ListUrl {
    /// Takes a URL with one placeholder.
    ///
    /// # Errors
    /// It has none or several, or other braces.
    pub fn new(text: &str) -> Result<Self, InvalidListUrl> {
        let (before, after) = text.split_once(PLACEHOLDER).ok_or(InvalidListUrl)?;
        let has_braces = [before, after].iter().any(|part| part.contains(['{', '}']));
        if has_braces { Err(InvalidListUrl) } else { Ok(Self(text.to_owned())) }
    }

    /// The URL as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the list of a version. Its `+` is escaped: some servers read a plain one as a space.
    pub fn of(&self, version: &K8sVersion) -> String {
        self.0.replace(PLACEHOLDER, &version.to_string().replace('+', "%2B"))
    }
}

impl fmt::Display for ValuesFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, text) = &self.find;
        write!(f, "`{}` of the item whose `{field}` is `{text}`", self.take)
    }
}
