//! The planned files as `check` sees them: what the update adds to their findings, and what it resolves.
//!
//! Judged from what the plan was made of, so that it costs no request; `dibump check` of the written files says the same.

use std::collections::BTreeMap;

use super::references::FollowedFile;
use super::{Current, Plan, PlanError, PlanInput, SurveyError, Surveyed};
use crate::check::{
    self, CheckInputs, CheckedFile, Finding, FindingsDifference, Id, NamedRelease, Reference, Report,
    Severity, Skipped,
};
use crate::release::data::ReleaseData;
use crate::release::hold::Hold;
use crate::release::policy::OnNewFindings;
use crate::release::{ImageKey, Release};
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

impl Plan {
    /// Compares what `check` says of the files before and after. `own` are the documents of the target's files after,
    /// where they change, and `others` those that may name image keys.
    pub(super) fn judge(
        &mut self,
        input: &PlanInput<'_>,
        known: &ReleaseData,
        own: Vec<Option<Document>>,
        others: &[FollowedFile],
    ) -> Result<(), PlanError> {
        if !self.is_change() {
            return Ok(());
        }
        let reread = |(file, after): (_, Option<Document>)| reread(file, after).map(|after| (file, after));
        let own = input.survey.files().zip(own).map(reread).collect::<Result<Vec<Own<'_>>, _>>()?;
        let judge = Judge { plan: self, input, known };
        let (before, after) = (judge.before(&own, others), judge.after(&own, others));
        let difference = FindingsDifference::between(&before, &after);
        self.findings = Findings { difference, not_checked: not_checked(after) };
        self.hold_for_findings(input);
        Ok(())
    }

    /// The gate *new-findings*. No older release is tried for it: what is wrong are the files.
    fn hold_for_findings(&mut self, input: &PlanInput<'_>) {
        let errors: Vec<String> = self.findings.new_errors().map(told).collect();
        let version = self.to().clone();
        let is_overridden = input.to.is_some() || input.policy.accept.contains(&version);
        if input.policy.on_new_findings == OnNewFindings::Hold && !errors.is_empty() && !is_overridden {
            self.hold(&version, Hold::NewFindings { errors });
        }
    }

    /// Whether the update adds errors for which a person must look at it.
    pub fn has_errors_to_judge(&self, on_new_findings: OnNewFindings) -> bool {
        on_new_findings != OnNewFindings::Ignore && self.findings.new_errors().next().is_some()
    }
}

/// A finding in a sentence.
pub fn told(finding: &Finding) -> String {
    format!("{}:{}: {}", finding.place.path, finding.place.at, finding.message)
}

fn reread(file: &Surveyed, after: Option<Document>) -> Result<Option<Surveyed>, SurveyError> {
    after.map(|document| file.reread(document)).transpose()
}

/// What could not be judged. Of signatures the plan speaks itself.
fn not_checked(after: Report) -> Vec<String> {
    let skipped = after.skipped.into_iter().filter(|skipped| skipped.id != Id::UncheckedSignature);
    let told = |Skipped { place, id, why }| format!("{}:{}: {id}: {why}", place.path, place.at);
    after.unknown.into_iter().chain(skipped.map(told)).collect()
}

struct Judge<'a> {
    plan: &'a Plan,
    input: &'a PlanInput<'a>,
    known: &'a ReleaseData,
}

impl Judge<'_> {
    fn before(&self, own: &[Own<'_>], others: &[FollowedFile]) -> Report {
        let (survey, nothing) = (self.input.survey, BTreeMap::new());
        let unread = Release::unknown(survey.version().clone(), "it was not read");
        let release = self.known.releases.get(survey.version()).unwrap_or(&unread);
        let named = match &survey.current {
            Current::Release(_) => NamedRelease::Release(release),
            Current::Pinned(version) => NamedRelease::Pinned(version),
        };
        let files: Vec<CheckedFile<'_>> = own.iter().map(|(before, _)| before.as_file()).collect();
        let others = others.iter().map(|file| Reference { path: &file.path, document: &file.before });
        let others: Vec<Reference<'_>> = others.collect();
        self.report(&files, &others, named, &nothing)
    }

    fn after(&self, own: &[Own<'_>], others: &[FollowedFile]) -> Report {
        let Some(release) = self.known.releases.get(self.plan.to()) else { return Report::default() };
        let nothing = BTreeMap::new();
        let signatures = self.plan.signatures.checked().map_or(&nothing, |checked| &checked.verdicts);
        let after = own.iter().map(|(before, after)| after.as_ref().unwrap_or(before));
        let files: Vec<CheckedFile<'_>> = after.map(Surveyed::as_file).collect();
        let others = others.iter().map(|file| Reference { path: &file.path, document: file.after() });
        let others: Vec<Reference<'_>> = others.collect();
        self.report(&files, &others, NamedRelease::Release(release), signatures)
    }

    fn report(
        &self,
        files: &[CheckedFile<'_>],
        references: &[Reference<'_>],
        named: NamedRelease<'_>,
        signatures: &BTreeMap<ImageKey, Verdict>,
    ) -> Report {
        let Some((primary, overlays)) = files.split_first() else { return Report::default() };
        let (NamedRelease::Release(Release { version, .. }) | NamedRelease::Pinned(version)) = named;
        let previous = self.known.version_before(version);
        check::check(&CheckInputs {
            primary: *primary,
            overlays,
            references,
            deployment: &[],
            named,
            previous: previous.and_then(|version| self.known.releases.get(version)),
            ownership: &self.input.survey.ownership,
            others: &[],
            images: self.input.images,
            naming: self.input.naming,
            signatures,
            requirement: self.input.signatures,
            severities: self.input.severities,
        })
    }
}
