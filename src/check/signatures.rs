//! The signatures of listed images. What could not be checked is never the same as what is bad.

use super::mapping::{key_place, mapping_place};
use super::notes::{Notes, PendingFinding};
use super::{CheckInputs, CheckedFile, Id, Severities, Severity};
use crate::reconcile::{Is, Stand, Standing};
use crate::signature::{Rejection, Requirement, Unverified, Verdict};

/// Where signatures are only warned of, so are the findings, unless a setting says otherwise.
pub(super) fn severities(inputs: &CheckInputs<'_>) -> Severities {
    let severities = inputs.severities.clone();
    match inputs.requirement {
        Requirement::Warned(_) => {
            severities.or(Id::UnsignedImage, Severity::Warn).or(Id::BadSignature, Severity::Warn)
        }
        Requirement::Required(_) | Requirement::NotRequired(_) => severities,
    }
}

/// Judges the verdict of each listed image, and says where none was given.
pub(super) fn judge(inputs: &CheckInputs<'_>, standing: &Standing<'_>, notes: &mut Notes) {
    if inputs.signatures.is_empty() {
        notes.undecided.extend([Id::UnsignedImage, Id::BadSignature, Id::UncheckedSignature]);
    }
    if let Requirement::NotRequired(why) = inputs.requirement {
        judge_unverified(*why, inputs, notes);
    }
    let living = standing.entries.iter().filter(|stand| stand.is == Is::Living && stand.repeats.is_none());
    for stand in living {
        let verdict = inputs.signatures.get(stand.entry.key.as_str());
        if let Some(verdict) = verdict {
            judge_image(&inputs.primary, stand, verdict, inputs, notes);
        }
    }
}

/// Signatures that nobody looks at, where somebody may expect it.
fn judge_unverified(why: Unverified, inputs: &CheckInputs<'_>, notes: &mut Notes) {
    let Some(reason) = why.reason() else { return };
    let place = mapping_place(&inputs.primary);
    match why {
        Unverified::NoKeyToWarnBy => notes.find(PendingFinding {
            id: Id::UncheckedSignature,
            place,
            subject: "no-key".to_owned(),
            message: format!("no signature was checked: {reason}"),
            help: Some("name the keys under `cosign_public_keys:` or with --cosign-key".to_owned()),
            fix: None,
        }),
        _ => notes.skip(Id::UncheckedSignature, place, reason),
    }
}

fn judge_image(
    file: &CheckedFile<'_>,
    stand: &Stand<'_>,
    verdict: &Verdict,
    inputs: &CheckInputs<'_>,
    notes: &mut Notes,
) {
    let key = &stand.entry.key;
    let (id, message) = match verdict {
        Verdict::Verified(_) => return,
        // That is a finding of its own, whoever signed it.
        Verdict::Bad(rejections) if matches!(rejections.as_slice(), [Rejection::WrongImage(_)]) => return,
        Verdict::Unsigned => (Id::UnsignedImage, format!("`{key}` is not signed")),
        Verdict::Bad(rejections) => {
            let why = rejections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            (Id::BadSignature, format!("no signature of `{key}` counts: {why}"))
        }
        Verdict::Unknown { reason } => {
            notes.undecided.extend([Id::UnsignedImage, Id::BadSignature]);
            let counts = inputs.severities.of(Id::UncheckedSignature).is_some();
            if counts && matches!(inputs.requirement, Requirement::Required(_)) {
                notes.unknown.push(format!("whether {key} is signed: {reason}"));
            }
            (Id::UncheckedSignature, format!("whether `{key}` is signed could not be checked: {reason}"))
        }
    };
    let place = key_place(file, stand);
    notes.find(PendingFinding { id, place, subject: key.clone(), message, help: None, fix: None });
}
