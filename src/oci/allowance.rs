//! What the answers of one registry may hold, all of a look-up together. Each answer has a cap of its own; without this
//! one, a thousand of them would fill any memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::registry::RegistryError;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Tags.
    Tags,
    /// Names of repositories.
    Names,
    /// The bytes of both.
    Bytes,
    /// Pages of lists, beside the first of each.
    Pages,
    /// The bytes of annotations, with what it costs to keep them.
    Annotations,
}

impl Allowed {
    const ALL: [Self; 5] = [Self::Tags, Self::Names, Self::Bytes, Self::Pages, Self::Annotations];

    /// How much there may be of it, and how a message calls it.
    const fn limit(self) -> (usize, &'static str) {
        match self {
            Self::Tags => (1_000_000, "tags"),
            Self::Names => (1_000_000, "repositories"),
            Self::Bytes => (32 << 20, "bytes of tags"),
            Self::Pages => (10_000, "pages of tags"),
            Self::Annotations => (64 << 20, "bytes of annotations"),
        }
    }
}

/// What is left of each.
#[derive(Debug)]
pub(super) struct Allowance {
    host: String,
    left: [AtomicUsize; Allowed::ALL.len()],
}

impl Allowance {
    pub(super) fn new(host: &str) -> Self {
        Self { host: host.to_owned(), left: Allowed::ALL.map(|of| AtomicUsize::new(of.limit().0)) }
    }

    /// Takes some.
    ///
    /// # Errors
    /// [`RegistryError::Invalid`] where so much is not left: what would be kept would be cut.
    pub(super) fn take(&self, of: Allowed, amount: usize) -> Result<(), RegistryError> {
        let left = &self.left[of as usize];
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount));
        taken.map(drop).map_err(|_| {
            let (limit, what) = of.limit();
            RegistryError::Invalid { subject: self.host.clone(), reason: too_many(limit, what) }
        })
    }
}

/// The reason for a list or a manifest that is not taken.
pub(super) fn too_many(limit: usize, what: &str) -> String {
    format!("more than {limit} {what}; what is cut counts as unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_stays_so_and_the_others_are_not_touched() {
        let allowance = Allowance::new("registry.example");
        let (most, _) = Allowed::Tags.limit();
        assert!(allowance.take(Allowed::Tags, most).is_ok());
        let error = allowance.take(Allowed::Tags, 1).unwrap_err();
        assert!(matches!(&error, RegistryError::Invalid { .. }), "{error:?}");
        assert!(error.to_string().contains("more than 1000000 tags"), "{error}");
        assert!(
            Allowed::ALL.iter().filter(|of| **of != Allowed::Tags).all(|of| allowance.take(*of, 1).is_ok())
        );
    }
}
