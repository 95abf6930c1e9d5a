//! Whether listed images are what their keys and the release say, by the annotations of their manifests.

use super::mapping::key_place;
use super::notes::{Notes, PendingFinding};
use super::{CheckedFile, Id};
use crate::reconcile::{Is, Standing};
use crate::release::{Naming, Release};

/// Judges each listed image that exists.
pub(super) fn judge(
    file: &CheckedFile<'_>,
    wanted: &Release,
    standing: &Standing<'_>,
    naming: &Naming,
    notes: &mut Notes,
) {
    let living = standing.entries.iter().filter(|stand| stand.is == Is::Living && stand.repeats.is_none());
    for stand in living {
        let Some(artifact) = wanted.artifacts.get(stand.entry.key.as_str()) else { continue };
        if artifact.digest.is_none() && artifact.annotations.is_empty() {
            notes.undecided.insert(Id::WrongImage);
        }
        if let Some(contradiction) = artifact.identity(&wanted.version, naming).contradiction() {
            let key = &stand.entry.key;
            notes.find(PendingFinding {
                id: Id::WrongImage,
                place: key_place(file, stand),
                subject: key.clone(),
                message: format!("`{key}` is {contradiction}"),
                help: Some("do not boot this image; contact the operator of the registry".to_owned()),
                fix: None,
            });
        }
    }
}
