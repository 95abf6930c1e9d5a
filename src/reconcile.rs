//! The mapping as it should be: from the keys that a file lists and the artifacts of a release to changes and a report.
//!
//! Pure. Nothing here reads the bytes of a file or decides which release is wanted; `values` turns changes into bytes.
//! One pass asks whose each entry is ([`ownership`]) and what it stands for (`listing`), which policy holds
//! ([`images`]), what becomes of each key (`pairing`), what is added (`addition`) and where (`placement`), and says
//! so in a report ([`outcome`]). An overlay of the mapping follows what the mapping did ([`overlay()`]), and so do names
//! of image keys wherever they stand in the target's files ([`references`]); Kubernetes versions follow the images
//! ([`kubernetes_versions`]), and what the lists of others say of these ([`values_from`]).
//! [`standing()`] says how the entries stand to their release, for one who only judges.

mod addition;
mod defaults;
pub mod images;
pub mod kubernetes_versions;
mod listing;
mod os_release;
pub mod outcome;
pub mod overlay;
pub mod ownership;
mod pairing;
mod placement;
mod policy;
pub mod references;
pub mod refusal;
pub mod standing;
pub mod values_from;
mod writing;

use crate::release::{Coverage, Naming, Release};
use crate::values::Mapping;

pub use defaults::DefaultEnabled;
pub use images::{Because, Images, InvalidImages};
pub use outcome::{
    Added, Dead, Departure, Foreign, Listed, MovedDefault, Note, OsChange, Reconciliation, Removed, Renamed,
    Suggested, Unlisted,
};
pub use overlay::overlay;
pub use ownership::Ownership;
pub use refusal::Refusal;
pub use standing::{Is, Stand, Standing, overlay_standing, standing};

use defaults::Outdated;
use listing::Listing;
use pairing::EntryAction;

/// What a reconciliation is made of.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The mapping as the file has it.
    pub mapping: &'a Mapping,
    /// Which of its entries are this producer's.
    pub ownership: &'a Ownership,
    /// The release that the file names, as far as it is known; `None` where the file names no release.
    pub current: Option<&'a Release>,
    /// The release to go to; the same as `current` when only the keys are to be put right.
    pub wanted: &'a Release,
    /// The policy as the target has it.
    pub images: Images,
    /// What becomes of `default_enabled` where something newer comes in.
    pub default_enabled: DefaultEnabled,
    /// How names are read where no artifact tells what a key is.
    pub naming: &'a Naming,
}

/// Decides what becomes of each entry of the mapping, and what is added.
///
/// The same input gives the same output. Nothing changes where the wanted release is unknown, where it is known in
/// part and the version stays, and where it is known in part and a listed key would be left dead; in the last case
/// [`Reconciliation::version_may_move`] is false.
pub fn reconcile(inputs: Inputs<'_>) -> Result<Reconciliation, Refusal> {
    let listing = Listing::read(&inputs)?;
    let (policy, because) = policy::decide(&inputs, &listing);
    let blank = writing::blank(&listing, inputs.wanted.version.clone(), policy, because);
    if let Some(note) = nothing_to_decide(&inputs) {
        let is_unknown = matches!(inputs.wanted.coverage, Coverage::Unknown { .. });
        return Ok(writing::unchanged(blank, &listing, is_unknown, note));
    }
    if inputs.wanted.is_complete() {
        refuse_strangers(&inputs, &listing)?;
    }
    let fates = pairing::fates(&inputs, &listing);
    if fates.contains(&EntryAction::Dead) {
        return Ok(writing::held(blank, &listing, &pairing::stuck(&inputs, &listing, &fates)));
    }
    refuse_desertion(&inputs, &listing, &fates)?;
    let additions = addition::additions(&inputs, &listing, &fates, policy);
    let os_changes = os_release::os_changes(&inputs, &listing, &fates);
    let mut notes = additions.notes;
    let outdated = defaults::outdated(&listing, &fates, &additions.added);
    if inputs.default_enabled == DefaultEnabled::Stay {
        notes.extend(outdated.iter().map(Outdated::note));
    }
    let report = Reconciliation { suggested: additions.suggested, os_changes, notes, ..blank };
    let removes = inputs.wanted.is_complete();
    let mut done = writing::write(report, &listing, &fates, &additions.added, inputs.ownership, removes)?;
    if inputs.default_enabled == DefaultEnabled::Follow {
        defaults::follow(outdated, &inputs.mapping.path, &mut done);
    }
    Ok(done)
}

/// Why nothing can be decided: the release is unknown, or it is known in part and only the keys were to be put right.
fn nothing_to_decide(inputs: &Inputs<'_>) -> Option<Note> {
    let version = &inputs.wanted.version;
    let stays = inputs.current.is_some_and(|current| current.version == *version);
    match &inputs.wanted.coverage {
        Coverage::Complete => None,
        Coverage::Partial { .. } if !stays => None,
        Coverage::Partial { reason } | Coverage::Unknown { reason } => {
            Some(Note::NothingChanges { version: version.clone(), reason: reason.clone() })
        }
    }
}

/// A key that may be somebody else's and that the release does not publish can neither be removed nor be kept.
fn refuse_strangers(inputs: &Inputs<'_>, listing: &Listing<'_>) -> Result<(), Refusal> {
    let keys: Vec<Listed> =
        listing.items.iter().filter(|item| item.is_dead_stranger()).map(listing::Item::listed).collect();
    if keys.is_empty() {
        return Ok(());
    }
    Err(Refusal::KeysOfUnknownRegistry { keys, version: inputs.wanted.version.clone() })
}

/// No release without artifacts takes our entries away, even if others' would be left.
fn refuse_desertion(
    inputs: &Inputs<'_>,
    listing: &Listing<'_>,
    fates: &[EntryAction],
) -> Result<(), Refusal> {
    if inputs.wanted.is_empty() && !fates.is_empty() {
        let listed = listing.mapping.entries.len();
        return Err(Refusal::EmptiesTheMapping { version: inputs.wanted.version.clone(), listed });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
