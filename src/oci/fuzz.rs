//! A door for the fuzz targets and for nothing else: what a registry writes into headers is read by private parsers.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use url::Url;

use super::{challenge, paging};
use crate::http::Response;
use crate::registry::RegistryError;

/// A challenge: its scheme, and the names and values of its parameters.
pub type FuzzedChallenge = (String, Vec<(String, String)>);

/// The challenges of a `WWW-Authenticate` header of these bytes; none where they can be no header.
pub fn challenges(value: &[u8]) -> Vec<FuzzedChallenge> {
    let headers = headers(header::WWW_AUTHENTICATE, value);
    challenge::challenges(&headers).into_iter().map(challenge::Challenge::into_parts).collect()
}

/// The page that a `Link` header of these bytes names behind the list at `list`.
///
/// # Errors
/// The header cannot be read.
pub fn next_page(list: &Url, value: &[u8]) -> Result<Option<Url>, RegistryError> {
    let response = Response {
        status: StatusCode::OK,
        headers: headers(header::LINK, value),
        body: Default::default(),
        url: list.clone(),
        retry_after: None,
    };
    paging::next_page(list, &response)
}

fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
    HeaderValue::from_bytes(value).map(|value| HeaderMap::from_iter([(name, value)])).unwrap_or_default()
}
