//! Addresses of servers, in the configuration and in flags.

use url::Url;

/// Text that cannot be used as the address of a server. It is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// It is not a URL, or not one of HTTP.
    #[error("is not an address (expected https://HOST)")]
    NoAddress,
    /// It has a user or a password.
    #[error("holds credentials; name an environment variable instead")]
    Credentials,
}

/// Reads the address of a server.
pub fn address(text: &str) -> Result<Url, InvalidAddress> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    let url = url.ok_or(InvalidAddress::NoAddress)?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err(InvalidAddress::Credentials),
    }
}
