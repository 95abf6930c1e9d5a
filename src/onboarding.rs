//! What a checkout needs to be kept in step: its files in, a first configuration out.
//!
//! Pure. What a file means is what everything else here takes it for: version and mapping as a plan reads them, producers
//! as [`fn@crate::plan::producers`] finds them, names of keys as references follow them.

mod candidates;
mod companions;
mod origin;
mod pipeline;
mod renovate;
mod targets;

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Draft, ForgeKind};
use crate::release::Prefix;
use candidates::Reading;
pub use origin::Remote;
pub use pipeline::{NewFile, Program, pipeline};
use targets::Targets;

/// What is there.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// The paths of all files that the repository has.
    pub paths: BTreeSet<String>,
    /// The bytes of those that may matter ([`matters`]).
    pub files: BTreeMap<String, Vec<u8>>,
    /// Where it comes from.
    pub origin: Option<Remote>,
}

/// What a person says beside.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Only values files at or below these paths; none for all.
    pub within: Vec<String>,
    /// The registry of every producer.
    pub registry: Option<Prefix>,
    /// The registries of versions whose producer the files do not name, by [`UnknownProducer::place`].
    pub assumed: BTreeMap<String, Prefix>,
    /// Whether registries speak HTTP without TLS.
    pub plain_http: bool,
    /// The path of the project.
    pub project: Option<String>,
}

/// A first configuration, and what it leaves open.
#[derive(Debug, Clone, Default)]
pub struct Onboarding {
    /// The configuration.
    pub draft: Draft,
    /// Versions whose producer could not be told.
    pub unknown: Vec<UnknownProducer>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// A version whose producer could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownProducer {
    /// File, line and column of the version.
    pub place: String,
    /// What it probably is.
    pub likely: Option<Prefix>,
    /// Why it could not be told, where something stood in the way.
    pub why: Option<String>,
}

/// Whether a file may be a values file, or say something of one.
pub fn matters(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml") || renovate::FILES.contains(&path)
}

/// The configuration that a checkout needs.
pub fn propose(checkout: &Checkout, wishes: &Wishes) -> Onboarding {
    let (managed, mut notes) = renovate::managed(checkout);
    let reading = Reading::of(checkout, &managed);
    let mut targets = Targets::new(checkout, &reading, wishes);
    reading.files.iter().filter(|file| wishes.covers(file.path)).for_each(|file| targets.add(file));
    let found = targets.found;
    notes.extend(reading.notes);
    notes.extend(found.notes);
    let project = wishes.project.clone().or(checkout.origin.as_ref().map(|origin| origin.project.clone()));
    let draft = Draft {
        producers: found.producers,
        kind: checkout.forge(),
        url: checkout.origin.as_ref().and_then(|origin| origin.named_url().map(str::to_owned)),
        project: project.unwrap_or_default(),
        targets: found.targets,
    };
    Onboarding { draft, unknown: found.unknown, notes }
}

impl Checkout {
    /// By the host of the origin, else by whose pipelines are there.
    fn forge(&self) -> ForgeKind {
        let has_workflows = || self.paths.iter().any(|path| path.starts_with(".github/workflows/"));
        let by_files = || match has_workflows() && !self.paths.contains(pipeline::GITLAB) {
            true => ForgeKind::Github,
            false => ForgeKind::Gitlab,
        };
        self.origin.as_ref().and_then(Remote::kind).unwrap_or_else(by_files)
    }
}

impl Wishes {
    fn covers(&self, path: &str) -> bool {
        let is_in = |within: &String| {
            let within = within.trim_end_matches('/');
            matches!(within, "" | ".")
                || path.strip_prefix(within).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.within.is_empty() || self.within.iter().any(is_in)
    }
}
