//! What an answer that cannot be used, or none at all, means for the port.

use std::sync::Arc;

use super::refusal::words;
use crate::ending::Ends as _;
use crate::http::{Response, TransportError, redacted};
use crate::registry::RegistryError;

/// The error for a status that an endpoint cannot use.
pub(super) fn unexpected(response: &Response) -> RegistryError {
    if response.retry_helps() {
        return unavailable(response);
    }
    not_understood(response, format!("answered {}", words(response)))
}

/// The error for an answer that is whole and cannot be used.
pub(super) fn not_understood(response: &Response, reason: String) -> RegistryError {
    RegistryError::NotUnderstood { subject: redacted(&response.url), reason }
}

/// The error for an answer of which only a part would be kept.
pub(super) fn cut(response: &Response, reason: String) -> RegistryError {
    RegistryError::Invalid { subject: redacted(&response.url), reason }
}

/// The error for JSON that is not `expected`. Text that ends too early was cut on the way.
pub(super) fn unreadable(response: &Response, expected: &str, error: &serde_json::Error) -> RegistryError {
    let (subject, reason) = (redacted(&response.url), format!("not {expected}: {error}"));
    match error.is_eof() {
        true => RegistryError::Invalid { subject, reason },
        false => RegistryError::NotUnderstood { subject, reason },
    }
}

/// The error for a request without an answer.
pub(super) fn unanswered(error: TransportError, subject: String) -> RegistryError {
    match &error {
        _ if error.retry_helps() => RegistryError::Unavailable { subject, source: Arc::new(error) },
        _ if error.is_unreachable() => unusable(&error),
        TransportError::TooLarge { cap, .. } => {
            RegistryError::Invalid { subject, reason: format!("an answer of more than {cap} bytes") }
        }
        _ => RegistryError::NotUnderstood { subject, reason: error.to_string() },
    }
}

/// Whether an error says that the host as a whole cannot be reached, so that asking again for another repository
/// is of no use.
pub(super) fn is_about_the_host(error: &RegistryError) -> bool {
    match error {
        RegistryError::Refused { .. } | RegistryError::Unusable { .. } => true,
        RegistryError::Unavailable { source, .. } => {
            source.downcast_ref::<TransportError>().is_some_and(TransportError::is_unreachable)
        }
        RegistryError::Denied { .. }
        | RegistryError::Invalid { .. }
        | RegistryError::NotUnderstood { .. }
        | RegistryError::Broken { .. } => false,
    }
}

/// The error of a host that cannot be spoken to in this way, or is not a registry.
pub(super) fn unusable(error: &TransportError) -> RegistryError {
    RegistryError::Unusable { reason: error.to_string(), hint: error.hint() }
}

/// The error of a host that may answer another time.
pub(super) fn unavailable(response: &Response) -> RegistryError {
    let source = Arc::new(response.status_error());
    RegistryError::Unavailable { subject: redacted(&response.url), source }
}
