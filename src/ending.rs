//! How what goes wrong ends: the one table that every command and every target of a run reads.
//!
//! An [`Ending`] says what the reader should do next. Errors of core and ports are placed here; those of adapters,
//! application and edge beside their types. Each is placed by a `match` that names every variant, so that a new variant
//! does not compile before somebody has decided how it ends. `docs/exit-codes.md` is printed from it.

mod files;
mod images;
mod outcome;
mod servers;

use std::error::Error;

use crate::release::without_user_info;

/// What the reader of an error should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It could not be told: network, time-out, 5xx, rate limit, a cut answer. A retry may help.
    Unknown,
    /// It is unsafe as asked, and was not done.
    Refused,
    /// A person must act: configuration, input, credentials, and whatever will be the same tomorrow.
    Person,
    /// A mistake of ours.
    Bug,
}

/// An error that knows how it ends.
pub trait Ends: Error {
    /// How it ends.
    fn ending(&self) -> Ending;

    /// What to do next, where the message does not say it.
    fn hint(&self) -> Option<String> {
        None
    }

    /// What it says of each thing that is wrong, where it names several.
    fn several(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a person can do about a registry that refuses us.
pub const CREDENTIALS: &str = "credentials come from DIBUMP_REGISTRY_USERNAME and DIBUMP_REGISTRY_PASSWORD (for --registry, the only producer, or the \
     one whose `credentials:` names them), CI_REGISTRY_* or docker's config.json";

/// An error and its causes as one sentence, without user and password of a URL. What a message already says is not
/// repeated: some libraries put their source in their own message, and a cause may begin with the address that the message
/// before it ends with.
pub fn sentence(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| (*cause).source());
    let text = causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {}", after(&text, &cause)) }
    });
    without_user_info(&text).into_owned()
}

/// A cause behind a text that may have named its address last.
fn after(text: &str, cause: &str) -> String {
    let address = text.rsplit(' ').next().filter(|word| word.contains("://")).unwrap_or_default();
    match cause.strip_prefix(address).filter(|_| !address.is_empty()) {
        Some(rest) if rest.starts_with(' ') => format!("it{rest}"),
        Some(rest) => rest.strip_prefix(": ").map_or_else(|| cause.to_owned(), str::to_owned),
        None => cause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_is_one_sentence_that_repeats_nothing() {
        let cause = || std::io::Error::other("permission denied");
        let wrapped = anyhow::Error::new(cause()).context("couldn't read a.yaml").context("couldn't plan");
        assert_eq!(sentence(wrapped.as_ref()), "couldn't plan: couldn't read a.yaml: permission denied");
        let of_url = |cause: &'static str| {
            let wrapped =
                anyhow::Error::new(std::io::Error::other(cause)).context("couldn't reach http://a/b");
            sentence(wrapped.as_ref())
        };
        assert_eq!(of_url("http://a/b answered 503"), "couldn't reach http://a/b: it answered 503");
        assert_eq!(of_url("http://a/b: not a list"), "couldn't reach http://a/b: not a list");
        assert_eq!(of_url("http://a/bc answered 503"), "couldn't reach http://a/b: http://a/bc answered 503");
        let repeating = anyhow::Error::new(cause()).context("couldn't read a.yaml: permission denied");
        assert_eq!(sentence(repeating.as_ref()), "couldn't read a.yaml: permission denied");
    }
}
