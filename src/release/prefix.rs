//! Where a producer publishes: the registry prefix, and the repositories below it.

use std::fmt;
use std::str::FromStr;

use super::{ImageKey, address_without_user_info};

/// Where a producer publishes: host and path, without the image key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    host: String,
    path: String,
}

/// Where images wait below the prefix until they are promoted.
pub const SNAPSHOTS: &str = "snapshots/";

/// One repository: a prefix and an image key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    /// Host, with the port if there is one.
    pub host: String,
    /// Path below the host, image key included.
    pub path: String,
}

/// Text that names no registry prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a registry prefix (expected oci://HOST[:PORT]/PATH, as in oci://registry.example/group/diskimage-builder)",
    address_without_user_info(.0)
)]
pub struct InvalidPrefix(pub String);

impl Prefix {
    /// Host, with the port if there is one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let name = self.host.rsplit_once(':').map_or(self.host.as_str(), |(name, _)| name);
        let numbers: Vec<&str> = name.split('.').collect();
        let is_ipv4 = numbers.len() == 4 && numbers.iter().all(|number| number.parse::<u8>().is_ok());
        matches!(name, "localhost" | "[::1]") || is_ipv4 && numbers[0] == "127"
    }

    /// Path below the host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The repository of an image key.
    pub fn repository(&self, key: &ImageKey) -> Repository {
        Repository { host: self.host.clone(), path: format!("{}/{key}", self.path) }
    }

    /// The repository from which an image key is promoted.
    pub fn snapshot(&self, key: &ImageKey) -> Repository {
        Repository { host: self.host.clone(), path: format!("{}/{SNAPSHOTS}{key}", self.path) }
    }

    /// The last path segment, which is the producer's name unless the configuration says otherwise.
    pub fn producer(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    /// The one place where `oci://` is stripped.
    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let invalid = || InvalidPrefix(text.to_owned());
        let rest = text.strip_prefix("oci://").unwrap_or(text).trim_end_matches('/');
        let (host, path) = rest.split_once('/').ok_or_else(invalid)?;
        let host_fits = !host.is_empty() && (host.contains(['.', ':']) || host == "localhost");
        let path_fits = path.split('/').all(|segment| segment.parse::<ImageKey>().is_ok());
        if !host_fits || !path_fits || host.contains(['@', '?', '#']) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.path)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)
    }
}
