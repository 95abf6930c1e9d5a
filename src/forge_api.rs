//! What the APIs of GitLab and GitHub have in common: long lists, waits, the words of an answer, and no answer at all.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::catalogue::CatalogueError;
use crate::ending::Ends as _;
use crate::forge::ForgeError;
use crate::http::{Entries, TransportError};
use crate::release::one_line;

/// The largest page of both.
pub(crate) const PER_PAGE: usize = 100;

/// A longer list than this is a loop: GitLab refuses offsets above 50,000.
pub(crate) const MAX_PAGES: usize = 600;

/// The most bytes of one list, all its pages together: release notes are long, and all of them are kept.
pub(crate) const MAX_LIST_BYTES: usize = 64 << 20;

/// The entries of a page. Some servers give more than were asked for; this many none gives.
pub(crate) type ForgePage<T> = Entries<T, { 100 * PER_PAGE }>;

/// More of an error's text than this does not fit a message.
const MAX_WORDS: usize = 300;

/// Waits that we believe: none is shorter, and the longest window of a rate limit is an hour on both.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3600)];

/// A wait that makes sense.
pub(crate) fn believable(wait: Duration) -> Duration {
    let [shortest, longest] = WAITS;
    wait.clamp(shortest, longest)
}

/// An answer's text as one line. Of a page only the title is worth showing.
pub(crate) fn plain(text: &str) -> String {
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let text = match title {
        Some((title, _)) => title,
        None if text.trim_start().starts_with('<') => "a page of HTML",
        None => text,
    };
    let line = one_line(text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The query of a list's page of this number, where no header says how the list goes on.
pub(crate) fn with_page(query: &str, page: &str) -> String {
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page="));
    others.chain([format!("page={page}").as_str()]).collect::<Vec<_>>().join("&")
}

/// No answer of the forge's own, as the forge's port says it.
pub(crate) fn unanswered(error: TransportError, action: String, host: String) -> ForgeError {
    match error {
        error if error.retry_helps() => {
            ForgeError::Unavailable { action, host, retry_after: None, source: Arc::new(error) }
        }
        // Something stands in front of the forge, a firewall or a sign-in page, and lets us through another time.
        TransportError::WebPage { status, .. } if status != 404 => {
            let (reason, hint) = (error.to_string(), error.hint());
            ForgeError::Postponed { action, reason, retry_after: None, hint }
        }
        error => ForgeError::Unusable { action, reason: error.to_string(), hint: error.hint() },
    }
}

/// No answer of the forge's own, as the port of candidates says it. `subject` is what was asked.
pub(crate) fn not_listed(error: TransportError, subject: String) -> CatalogueError {
    match error {
        error if error.retry_helps() => CatalogueError::Unavailable { subject, source: Arc::new(error) },
        // Whatever answers so has no such API.
        TransportError::WebPage { status, .. } if status.is_client_error() => {
            CatalogueError::NotOffered { subject, reason: error.to_string() }
        }
        error => CatalogueError::Unusable { reason: error.to_string(), hint: error.hint() },
    }
}

/// A host as messages name it, with the port where it is not the scheme's own.
pub(crate) fn host(api: &Url) -> String {
    let host = api.host_str().unwrap_or_default();
    api.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
