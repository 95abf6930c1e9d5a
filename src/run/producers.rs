//! What the targets of a run read from: one shelf for each producer, however many targets name it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, Shared};

use super::job::{FollowedProducer, Reads};
use crate::merge_request::Outcome;
use crate::observe::lists::ListReader;
use crate::observe::releases::ReleaseCache;
use crate::release::Prefix;

/// What all targets of a producer read from, once it is ready; of one that cannot be made ready, how its jobs end.
pub type ReadyShelf<'a> = Shared<BoxFuture<'a, Result<Arc<ReleaseCache>, Outcome>>>;

/// The shelves of the producers, each opened once.
pub struct Producers<'a> {
    configured: BTreeMap<String, ReadyShelf<'a>>,
    only_named: Mutex<BTreeMap<Prefix, ReadyShelf<'a>>>,
    open: Box<dyn Fn(&Prefix) -> ReadyShelf<'a> + Send + Sync + 'a>,
    /// What reads the lists of values that follow Kubernetes versions.
    pub(super) lists: Arc<ListReader>,
}

impl<'a> Producers<'a> {
    /// The producers of the configuration by name, how a registry is opened that only values files name, and what reads
    /// lists.
    pub fn new(
        configured: BTreeMap<String, ReadyShelf<'a>>,
        open: impl Fn(&Prefix) -> ReadyShelf<'a> + Send + Sync + 'a,
        lists: Arc<ListReader>,
    ) -> Self {
        Self { configured, only_named: Mutex::default(), open: Box::new(open), lists }
    }

    /// What is read of a producer; `None` where the configuration does not have it.
    pub(super) fn shelf(&self, followed: &FollowedProducer) -> Option<ReadyShelf<'a>> {
        let prefix = match &followed.reads {
            Reads::Configured(name) => return self.configured.get(name).cloned(),
            Reads::OnlyNamed(prefix) => prefix,
        };
        let mut opened = self.only_named.lock().unwrap_or_else(PoisonError::into_inner);
        Some(opened.entry(prefix.clone()).or_insert_with(|| (self.open)(prefix)).clone())
    }
}
