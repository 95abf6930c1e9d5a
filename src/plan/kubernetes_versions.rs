//! Kubernetes versions in the files of the project: they follow the images that the files list, of all producers.

use super::{PlanInput, Survey};
use crate::reconcile::kubernetes_versions::{
    Coupled, ImagesBothSides, ImagesSide, VersionsFile, VersionsNote, couple,
};
use crate::reconcile::{Ownership, Reconciliation};
use crate::release::data::ReleaseData;
use crate::release::{Naming, Release, Version};

/// The images of one producer that the files list, and the releases that they are of.
#[derive(Clone, Copy)]
pub(super) struct Listing<'a, Done> {
    survey: &'a Survey,
    naming: &'a Naming,
    /// The release that the files name.
    current: Option<&'a Release>,
    /// The release that they will name; none where nothing was decided.
    wanted: Option<&'a Release>,
    /// What becomes of the mappings.
    done: Done,
}

/// What becomes of the versions in each of the target's own files, by the images of one producer.
pub(super) fn own(
    input: &PlanInput<'_>,
    current: Option<&Release>,
    wanted: &Release,
    done: &[Reconciliation],
) -> Vec<Coupled> {
    let PlanInput { survey, naming, .. } = *input;
    match (Listing { survey, naming, current, wanted: Some(wanted), done: done.iter() }).images() {
        Some(images) => in_files(input, &images),
        None => done.iter().map(|_| Coupled::default()).collect(),
    }
}

/// The same by these images.
pub(super) fn in_files(input: &PlanInput<'_>, images: &ImagesBothSides<'_>) -> Vec<Coupled> {
    let file = |(i, file): (usize, &super::Surveyed)| {
        let file = VersionsFile { path: &file.path, document: &file.document, holds_version: i == 0 };
        couple(input.kubernetes_versions, file, images)
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

/// The images of all producers before and after. `None` where Kubernetes versions may not follow, as keys may not: where
/// the only release is known in part and stays, or leaves a listed key dead. Beside other producers it is what is listed.
pub(super) fn of_all<'a, Done>(
    listings: impl Iterator<Item = Listing<'a, Done>> + Clone,
) -> Option<ImagesBothSides<'a>>
where
    Done: Iterator<Item = &'a Reconciliation> + Clone,
{
    if listings.clone().count() == 1 {
        return listings.into_iter().find_map(|only| only.images());
    }
    let ownerships: Vec<&Ownership> = listings.clone().map(|listing| &listing.survey.ownership).collect();
    let each = listings.map(|listing| listing.beside_others(&ownerships));
    each.reduce(ImagesBothSides::beside)
}

impl<'a, Done: Iterator<Item = &'a Reconciliation> + Clone> Listing<'a, Done> {
    /// By what was decided from a release; nothing was where there is no file.
    pub(super) fn new(input: &PlanInput<'a>, known: &'a ReleaseData, from: &Version, done: Done) -> Self {
        let wanted = done.clone().next().map(|mapping| &mapping.version);
        Self {
            survey: input.survey,
            naming: input.naming,
            current: known.releases.get(from),
            wanted: wanted.and_then(|version| known.releases.get(version)),
            done,
        }
    }

    /// The images of the only producer, beside those of which nothing but names is known.
    fn images(self) -> Option<ImagesBothSides<'a>> {
        let Self { survey, naming, current, wanted, done } = self;
        let wanted = wanted?;
        let moves = survey.version() != &wanted.version;
        if done.clone().any(|mapping| !mapping.version_may_move) || !(moves || wanted.is_complete()) {
            return None;
        }
        let before = done.clone().flat_map(Reconciliation::listed_before);
        let after = done.clone().flat_map(Reconciliation::listed_after);
        let foreign = done.flat_map(|mapping| &mapping.foreign);
        let others = foreign.filter(|foreign| survey.follows_a_version(&foreign.registry));
        let others: Vec<&str> = others.map(|foreign| foreign.key.as_str()).collect();
        let before = ImagesSide::new(current, before, others.iter().copied(), naming);
        Some(ImagesBothSides::new(before, ImagesSide::new(Some(wanted), after, others, naming)))
    }

    /// The images of one of several producers; the first one has those that belong to none of them as well.
    fn beside_others(self, ownerships: &[&Ownership]) -> ImagesBothSides<'a> {
        let Self { survey, naming, current, wanted, done } = self;
        let is_first = ownerships.first().is_some_and(|first| std::ptr::eq(*first, &survey.ownership));
        let others = || {
            let others = survey.keys_of_others(ownerships).map(|(_, key)| key);
            if is_first { others.collect() } else { Vec::new() }
        };
        let (before, after): (Vec<&str>, Vec<&str>) = match wanted {
            Some(_) => (
                done.clone().flat_map(Reconciliation::listed_before).collect(),
                done.flat_map(Reconciliation::listed_after).collect(),
            ),
            None => (survey.own_keys().collect(), survey.own_keys().collect()),
        };
        let before = ImagesSide::new(current, before, others(), naming);
        ImagesBothSides::new(before, ImagesSide::new(wanted.or(current), after, others(), naming))
    }
}
