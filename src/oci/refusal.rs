//! A registry's own words for why it says no.

use serde::Deserialize;

use crate::http::Response;
use crate::release::one_line;

/// More of a server's words than this is no help.
const LONGEST: usize = 300;

/// The error body of the distribution specification ("Error Codes").
#[derive(Deserialize)]
struct Envelope {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// The status, and what the body says where it speaks the registries' language:
/// `403 Forbidden: DENIED: access forbidden`.
pub(super) fn words(response: &Response) -> String {
    let mut text = response.status.to_string();
    for entry in envelope(response).into_iter().flatten() {
        for part in [entry.code, entry.message] {
            if !part.is_empty() {
                text = format!("{text}: {part}");
            }
        }
    }
    one_line(&text).chars().take(LONGEST).collect()
}

/// Whether the body is an error in the registries' language.
pub(super) fn speaks_registry(response: &Response) -> bool {
    envelope(response).is_some_and(|errors| !errors.is_empty())
}

fn envelope(response: &Response) -> Option<Vec<Entry>> {
    response.json::<Envelope>().ok().map(|envelope| envelope.errors)
}
