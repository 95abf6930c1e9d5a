//! The planned files as `check` sees them: what the update adds to their findings, and what it resolves.
//!
//! Judged from what the plan was made of, so that it costs no request; `dibump check` of the written files says the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::references::FollowedFile;
use super::written::Written;
use super::{Current, Plan, PlanError, SurveyError, Surveyed};
use crate::check::{
    self, CheckInputs, CheckedFile, Finding, FindingsDifference, Id, KnownValue, NamedRelease, OtherRelease,
    Reference, Report, Severity, Skipped,
};
use crate::release::hold::Hold;
use crate::release::policy::OnNewFindings;
use crate::release::{ImageKey, Release, Version};
use crate::signature::Verdict;
use crate::values::Document;

/// What `check` says of the planned files, beside what it says of them as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// What the update adds and what it resolves.
    pub difference: FindingsDifference,
    /// What could not be judged, a sentence each.
    pub not_checked: Vec<String>,
}

impl Findings {
    /// Adds what another plan of the same files does to them.
    pub(super) fn extend(&mut self, other: Self) {
        self.difference.new.extend(other.difference.new);
        self.difference.resolved.extend(other.difference.resolved);
        self.not_checked.extend(other.not_checked);
    }

    /// The errors that the update adds.
    pub fn new_errors(&self) -> impl Iterator<Item = &Finding> {
        self.difference.new.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// The warnings that the update adds.
    pub fn new_warnings(&self) -> impl Iterator<Item = &Finding> {
        self.difference.new.iter().filter(|finding| finding.severity == Severity::Warn)
    }
}

/// A file of the target as it is and as it will be; `None` where it stays.
type Own<'a> = (&'a Surveyed, Option<Surveyed>);

/// Compares what `check` says of the files before and after, for all producers together. `after` are the documents of the
/// target's files where they change, and `others` those that may name image keys.
pub(super) fn judge(
    written: &mut [Written<'_>],
    after: &[Option<Arc<Document>>],
    others: &[FollowedFile],
    known_values: &[KnownValue],
) -> Result<(), PlanError> {
    let Some(first) = written.iter().position(|written| written.plan.is_change()) else { return Ok(()) };
    let (mut before, mut then) = (Report::default(), Report::default());
    for place in 0..written.len() {
        let judge = Judge { written, place, known_values };
        let own = judge.own(after)?;
        before.extend(judge.before(&own, others));
        then.extend(judge.after(&own, others));
    }
    let difference = FindingsDifference::between(&before, &then);
    written[first].plan.findings = Findings { difference, not_checked: not_checked(then) };
    hold_for_findings(written, first);
    Ok(())
}

/// The gate *new-findings*. No older release is tried for it: what is wrong are the files.
fn hold_for_findings(written: &mut [Written<'_>], first: usize) {
    let errors: Vec<String> = written[first].plan.findings.new_errors().map(told).collect();
    let mut moving = written.iter_mut().filter(|written| written.plan.is_change());
    let is_overridden =
        |Written { input, plan, .. }: &Written<'_>| input.to.is_some() || input.policy.accepts(plan.to());
    let holds = |written: &Written<'_>| {
        written.input.policy.on_new_findings == OnNewFindings::Hold && !is_overridden(written)
    };
    if !errors.is_empty() && moving.by_ref().any(|written| holds(written)) {
        for Written { plan, .. } in written.iter_mut().filter(|written| written.plan.is_change()) {
            let version = plan.to().clone();
            plan.hold(&version, Hold::NewFindings { errors: errors.clone() });
        }
    }
}

impl Plan {
    /// Whether the update adds errors for which a person must look at it.
    pub fn has_errors_to_judge(&self, on_new_findings: OnNewFindings) -> bool {
        on_new_findings != OnNewFindings::Ignore && self.findings.new_errors().next().is_some()
    }
}

/// A finding in a sentence.
pub fn told(finding: &Finding) -> String {
    format!("{}:{}: {}", finding.place.path, finding.place.at, finding.message)
}

/// What could not be judged. Of signatures the plan speaks itself.
fn not_checked(after: Report) -> Vec<String> {
    let skipped = after.skipped.into_iter().filter(|skipped| skipped.id != Id::UncheckedSignature);
    let told = |Skipped { place, id, why }| format!("{}:{}: {id}: {why}", place.path, place.at);
    after.unknown.into_iter().chain(skipped.map(told)).collect()
}

/// What is known beside the releases.
struct Known<'a> {
    signatures: &'a BTreeMap<ImageKey, Verdict>,
    values: &'a [KnownValue],
}

/// One producer of the files, among the others.
struct Judge<'a> {
    written: &'a [Written<'a>],
    place: usize,
    /// What lists say of the Kubernetes versions that the update brings.
    known_values: &'a [KnownValue],
}

impl Judge<'_> {
    fn this(&self) -> &Written<'_> {
        &self.written[self.place]
    }

    fn own(&self, after: &[Option<Arc<Document>>]) -> Result<Vec<Own<'_>>, SurveyError> {
        let reread = |(file, after): (_, &Option<Arc<Document>>)| {
            let after = after.as_ref().map(|document| Surveyed::reread(file, Arc::clone(document)));
            Ok((file, after.transpose()?))
        };
        self.this().input.survey.files().zip(after).map(reread).collect()
    }

    fn before(&self, own: &[Own<'_>], others: &[FollowedFile]) -> Report {
        let Written { input, known, plan } = self.this();
        let nothing = BTreeMap::new();
        let unread = Release::unknown(plan.from.clone(), "it was not read");
        let named = match &input.survey.current {
            Current::Release(version) => {
                NamedRelease::Release(known.releases.get(version).unwrap_or(&unread))
            }
            Current::Pinned(version) => NamedRelease::Pinned(version),
        };
        let files: Vec<CheckedFile<'_>> = own.iter().map(|(before, _)| before.as_file()).collect();
        let others = others.iter().map(|file| Reference { path: &file.path, document: &file.before });
        let others: Vec<Reference<'_>> = others.collect();
        let known = Known { signatures: &nothing, values: &[] };
        self.report(&files, &others, named, known, |plan| &plan.from)
    }

    fn after(&self, own: &[Own<'_>], others: &[FollowedFile]) -> Report {
        let Written { known, plan, .. } = self.this();
        let Some(release) = known.releases.get(plan.to()) else { return Report::default() };
        let nothing = BTreeMap::new();
        let signatures = plan.signatures.checked().map_or(&nothing, |checked| &checked.verdicts);
        let after = own.iter().map(|(before, after)| after.as_ref().unwrap_or(before));
        let files: Vec<CheckedFile<'_>> = after.map(Surveyed::as_file).collect();
        let others = others.iter().map(|file| Reference { path: &file.path, document: file.after() });
        let others: Vec<Reference<'_>> = others.collect();
        let known = Known { signatures, values: self.known_values };
        self.report(&files, &others, NamedRelease::Release(release), known, Plan::to)
    }

    /// `at` is the release of each of the other producers.
    fn report(
        &self,
        files: &[CheckedFile<'_>],
        references: &[Reference<'_>],
        named: NamedRelease<'_>,
        beside: Known<'_>,
        at: impl Fn(&Plan) -> &Version,
    ) -> Report {
        let Some((primary, overlays)) = files.split_first() else { return Report::default() };
        let Written { input, known, .. } = self.this();
        let (NamedRelease::Release(Release { version, .. }) | NamedRelease::Pinned(version)) = named;
        let previous = known.version_before(version);
        let mut others = Vec::new();
        for (place, Written { input, known, plan }) in self.written.iter().enumerate() {
            let release = known.releases.get(at(plan)).filter(|_| place != self.place);
            others
                .extend(release.map(|release| OtherRelease { ownership: &input.survey.ownership, release }));
        }
        check::check(&CheckInputs {
            primary: *primary,
            overlays,
            references,
            deployment: &[],
            named,
            previous: previous.and_then(|version| known.releases.get(version)),
            ownership: &input.survey.ownership,
            others: &others,
            images: input.images,
            naming: input.naming,
            signatures: beside.signatures,
            requirement: input.signatures,
            values: beside.values,
            // A generation stays where it is: what it lacks is no news of this update.
            lacking: &[],
            severities: input.severities,
        })
    }
}
