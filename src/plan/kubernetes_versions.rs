//! Kubernetes versions in the files of the project: they follow the images that the files list.

use super::{PlanInput, Survey};
use crate::reconcile::Reconciliation;
use crate::reconcile::kubernetes_versions::{
    Coupled, ImagesBothSides, ImagesSide, VersionsFile, VersionsNote, couple,
};
use crate::release::{Naming, Release};

/// What becomes of the versions in each of the target's own files.
pub(super) fn own(
    input: &PlanInput<'_>,
    current: Option<&Release>,
    wanted: &Release,
    done: &[Reconciliation],
) -> Vec<Coupled> {
    let Some(images) = images(input.survey, input.naming, current, wanted, done) else {
        return done.iter().map(|_| Coupled::default()).collect();
    };
    let file = |(i, file): (usize, &super::Surveyed)| {
        let file = VersionsFile { path: &file.path, document: &file.document, holds_version: i == 0 };
        couple(input.kubernetes_versions, file, &images)
    };
    let mut coupled: Vec<Coupled> = input.survey.files().enumerate().map(file).collect();
    // A rule need not find something in every file.
    let nowhere = |note: &VersionsNote| coupled.iter().all(|file| file.not_found.contains(note));
    let not_found = coupled.first().map(|file| file.not_found.clone()).unwrap_or_default();
    let not_found: Vec<VersionsNote> = not_found.into_iter().filter(nowhere).collect();
    if let Some(primary) = coupled.first_mut() {
        primary.notes.extend(not_found.iter().cloned());
        primary.not_found = not_found;
    }
    coupled
}

/// The images before and after. `None` where Kubernetes versions may not follow, as keys may not: where the release is
/// known in part and stays, or leaves a listed key dead.
pub(super) fn images<'a>(
    survey: &Survey,
    naming: &Naming,
    current: Option<&'a Release>,
    wanted: &'a Release,
    done: &'a [Reconciliation],
) -> Option<ImagesBothSides<'a>> {
    let moves = survey.version() != &wanted.version;
    if done.iter().any(|mapping| !mapping.version_may_move) || !(moves || wanted.is_complete()) {
        return None;
    }
    let before = done.iter().flat_map(Reconciliation::listed_before);
    let after = done.iter().flat_map(Reconciliation::listed_after);
    let foreign = done.iter().flat_map(|mapping| &mapping.foreign);
    let others = foreign.filter(|foreign| survey.follows_a_version(&foreign.registry));
    let others: Vec<&str> = others.map(|foreign| foreign.key.as_str()).collect();
    let before = ImagesSide::new(current, before, others.iter().copied(), naming);
    Some(ImagesBothSides::new(before, ImagesSide::new(Some(wanted), after, others, naming)))
}
