//! The signatures of listed images. What could not be checked is never the same as what is bad.

use super::mapping::key_place;
use super::notes::{Note, Notes};
use super::{File, Id, Inputs};
use crate::reconcile::{Is, Stand, Standing};
use crate::signature::Verdict;

/// Judges the verdict of each listed image that was asked for.
pub(super) fn judge(inputs: &Inputs<'_>, standing: &Standing<'_>, notes: &mut Notes) {
    if inputs.signatures.is_empty() {
        notes.undecided.extend([Id::UnsignedImage, Id::BadSignature, Id::UncheckedSignature]);
    }
    let living = standing.entries.iter().filter(|stand| stand.is == Is::Living && stand.repeats.is_none());
    for stand in living {
        let verdict = stand.entry.key.parse().ok().and_then(|key| inputs.signatures.get(&key));
        if let Some(verdict) = verdict {
            judge_image(&inputs.primary, stand, verdict, inputs, notes);
        }
    }
}

fn judge_image(
    file: &File<'_>,
    stand: &Stand<'_>,
    verdict: &Verdict,
    inputs: &Inputs<'_>,
    notes: &mut Notes,
) {
    let key = &stand.entry.key;
    let (id, message) = match verdict {
        Verdict::Verified(_) => return,
        Verdict::Unsigned => (Id::UnsignedImage, format!("`{key}` is not signed")),
        Verdict::Bad(rejections) => {
            let why = rejections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            (Id::BadSignature, format!("no signature of `{key}` counts: {why}"))
        }
        Verdict::Unknown { reason } => {
            notes.undecided.extend([Id::UnsignedImage, Id::BadSignature]);
            if inputs.severities.of(Id::UncheckedSignature).is_some() {
                notes.unknown.push(format!("whether {key} is signed: {reason}"));
            }
            (Id::UncheckedSignature, format!("whether `{key}` is signed could not be checked: {reason}"))
        }
    };
    let place = key_place(file, stand);
    notes.find(Note { id, place, subject: key.clone(), message, help: None, fix: None });
}
