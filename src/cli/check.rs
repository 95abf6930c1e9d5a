//! `dibump check`: is a file in step with the release that it names, and with `--fix` what is safe to put right.

mod deployment;
mod fix;
mod generations;
mod lists;
mod release;

use std::collections::BTreeMap;

use super::Context;
use super::args::{CheckArgs as Args, CheckFormat, TargetFileArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::producers::{AskedFile, Asking, ReleasesFrom};
use super::{lookup, references};
use crate::check::{
    CheckInputs, CheckedFile, Finding, FindingPlace, Id, KnownValue, LackedImage, NamedRelease, OtherRelease,
    Reference, Report, Severities, Severity, Skipped, check,
};
use crate::config::Config;
use crate::plan::{Current, Survey, SurveyError, Surveyed};
use crate::release::{Naming, Version};
use crate::report::check::{CheckedFiles, Fixed, code_quality, json, junit, markdown, sarif, text};
use crate::values::{Document, ValuesError};
use deployment::DeploymentFiles;
use release::KnownRelease;

/// What was found in all files.
struct Outcome {
    report: Report,
    fixed: Vec<Fixed>,
    texts: BTreeMap<String, String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    if !args.deployment.is_empty() {
        let DeploymentFiles { local, others, version } =
            DeploymentFiles::read(&args.files, &args.deployment, config.as_ref())?;
        let severities = severities(args, &local);
        let checker = Checker {
            context,
            args,
            config: config.as_ref(),
            severities: &severities,
            references: References { documents: others, skipped: Vec::new() },
            deployment: args.deployment.iter().map(|path| path.display().to_string()).collect(),
            from: args.files.from.clone().or(version),
        };
        let asking = Asking { context, args: &args.files, config: config.as_ref(), flags: &[] };
        let only = checker.check(vec![asking.only(local)?])?.pop();
        return only.map_or(Ok(Exit::Done), |outcome| report(context, args, &outcome));
    }
    let locals = locals(context, args, config.as_ref())?;
    if locals.len() > 1 && !args.files.references.is_empty() {
        return Err(Failure::usage("--references applies to one values file; name the file"));
    }
    let mut outcome: Option<Outcome> = None;
    // Targets of one file list their images beside each other, whatever merge requests they have.
    for mut locals in local::together(locals, |_, _| true) {
        locals.iter_mut().try_for_each(Local::read_again)?;
        let asking = Asking { context, args: &args.files, config: config.as_ref(), flags: &[] };
        let Some(local) = locals.first() else { continue };
        let severities = severities(args, local);
        let checker = Checker {
            context,
            args,
            config: config.as_ref(),
            severities: &severities,
            references: References::of(&locals, &args.files.references)?,
            deployment: Vec::new(),
            from: args.files.from.clone(),
        };
        for found in checker.check(asking.all(locals)?)? {
            match &mut outcome {
                None => outcome = Some(found),
                Some(all) => all.extend(found),
            }
        }
    }
    outcome.map_or(Ok(Exit::Done), |outcome| report(context, args, &outcome))
}

/// The files that were named, in their order, or those of the configuration's targets.
fn locals<'a>(context: &Context, args: &Args, config: Option<&'a Config>) -> Result<Vec<Local<'a>>, Failure> {
    let mut locals = local::locals(context, &args.files, config)?;
    for path in &args.more {
        let files = TargetFileArgs { values: Some(path.clone()), ..args.files.clone() };
        locals.extend(local::locals(context, &files, config)?);
    }
    Ok(locals)
}

/// Those of the configuration, and of the flags.
fn severities(args: &Args, local: &Local<'_>) -> Severities {
    let severities = local.target.severities.clone();
    args.severity.iter().fold(severities, |severities, (id, severity)| severities.with(*id, *severity))
}

fn report(context: &Context, args: &Args, outcome: &Outcome) -> Result<Exit, Failure> {
    let checked = CheckedFiles { report: &outcome.report, fixed: &outcome.fixed, texts: &outcome.texts };
    for output in &args.output {
        let text = rendered(output.format.unwrap_or(args.format), &checked)?;
        crate::disk::write_whole(&output.path, anstream::adapter::strip_str(&text).to_string().as_bytes())?;
    }
    context.output.print(&rendered(args.format, &checked)?)?;
    Ok(exit(args, &outcome.report))
}

/// An error is worse than what could not be told: that one will not go away.
fn exit(args: &Args, report: &Report) -> Exit {
    match report.unknown.is_empty() {
        _ if report.count(Severity::Error) > 0 && !args.exit_zero => Exit::Found,
        false => Exit::Retry,
        true => Exit::Done,
    }
}

fn rendered(format: CheckFormat, checked: &CheckedFiles<'_>) -> Result<String, Failure> {
    match format {
        CheckFormat::Text => Ok(text(checked)),
        CheckFormat::Json => crate::report::json::text(&json::report(checked)).map_err(Failure::person),
        CheckFormat::CodeQuality => {
            crate::report::json::text(&code_quality::report(checked)).map_err(Failure::person)
        }
        CheckFormat::Sarif => crate::report::json::text(&sarif::report(checked)).map_err(Failure::person),
        CheckFormat::Junit => Ok(junit::report(checked)),
        CheckFormat::Markdown => Ok(markdown::report(checked)),
    }
}

/// Other files that speak of the images of a values file.
struct References {
    documents: Vec<(String, Document)>,
    /// Those that cannot be read as YAML, as templates of a chart.
    skipped: Vec<Skipped>,
}

impl References {
    /// The files that the globs name. Of a flag, a glob that names none is a mistake.
    fn of(locals: &[Local<'_>], flags: &[String]) -> Result<Self, Failure> {
        let mut found = Self { documents: Vec::new(), skipped: Vec::new() };
        let mut files = BTreeMap::new();
        for local in locals {
            let matched = references::matched(&local.target.references, &local.files)?;
            files.extend(matched.into_iter().map(|file| (file.path.clone(), file)));
        }
        for (path, file) in files {
            let path = path.display().to_string();
            match Document::parse(file.bytes) {
                Ok(document) => found.documents.push((path, document)),
                Err(error) => found.skipped.push(Skipped {
                    place: FindingPlace::of_file(path),
                    id: Id::UnknownImageKey,
                    why: format!("it cannot be read as YAML ({error})"),
                }),
            }
        }
        match flags {
            [] => Ok(found),
            _ if !found.documents.is_empty() || !found.skipped.is_empty() => Ok(found),
            flags => Err(Failure::usage(format!(
                "--references {}: no such file below this folder",
                flags.join(" --references ")
            ))),
        }
    }
}

struct Checker<'a> {
    context: &'a Context,
    args: &'a Args,
    config: Option<&'a Config>,
    severities: &'a Severities,
    references: References,
    /// The files that are one deployment, if they are.
    deployment: Vec<String>,
    /// The release, where somebody says it instead of the first file.
    from: Option<Version>,
}

/// What is known of one producer of the files.
struct Seen {
    survey: Survey,
    naming: Naming,
    known: KnownRelease,
}

impl Seen {
    fn other(&self) -> Option<OtherRelease<'_>> {
        Some(OtherRelease { ownership: &self.survey.ownership, release: self.known.release.as_ref()? })
    }
}

impl Checker<'_> {
    /// What is to be said for each producer. All of them are looked up first: their images are listed beside each other.
    fn check(&self, asked: Vec<AskedFile<'_>>) -> Result<Vec<Outcome>, Failure> {
        let seen = asked.iter().map(|asked| self.see(asked)).collect::<Result<Vec<_>, _>>()?;
        let lists = lists::read(self.context, self.config, &asked, &seen, &self.args.files.lookup.reach)?;
        let check =
            |(index, asked): (usize, AskedFile<'_>)| self.check_one(asked, &seen, &lists.known, index);
        let outcomes = asked.into_iter().enumerate().map(check).collect::<Result<Vec<_>, _>>();
        let mut outcomes = outcomes?;
        // They are of all producers: said once.
        outcomes.iter_mut().take(1).for_each(|first| first.report.unknown.extend(lists.unread.clone()));
        Ok(outcomes)
    }

    /// What the files say, and what is known of the release that they name.
    fn see(&self, asked: &AskedFile<'_>) -> Result<Result<Seen, Box<Finding>>, Failure> {
        let survey = match self.survey(asked)? {
            Ok(survey) => survey,
            Err(finding) => return Ok(Err(finding)),
        };
        let known = release::look_up(self.context, self.config, asked, &survey, &self.args.files.lookup)?;
        let naming = self.naming(&asked.source)?;
        Ok(Ok(Seen { survey, naming, known }))
    }

    fn check_one(
        &self,
        mut asked: AskedFile<'_>,
        seen: &[Result<Seen, Box<Finding>>],
        values: &[KnownValue],
        index: usize,
    ) -> Result<Outcome, Failure> {
        let own = match &seen[index] {
            Ok(own) => own,
            Err(finding) => return Ok(self.only(&asked.local, (**finding).clone())),
        };
        let others = seen.iter().enumerate().filter(|(other, _)| *other != index);
        let others: Vec<OtherRelease<'_>> =
            others.filter_map(|(_, seen)| seen.as_ref().ok()?.other()).collect();
        // What was fixed for another producer is there by now.
        asked.local.read_again()?;
        let judge = |asked: &AskedFile<'_>| {
            let judged = |survey: Survey| {
                let report = |lacking: &[LackedImage]| {
                    self.judge(&asked.local, &survey, own, &others, values, lacking)
                };
                let first = report(&[]);
                let reach = (self.context, self.config, &self.args.files.lookup.reach);
                // What is chosen of generations is asked of them, and judged once more.
                let found = generations::ask(reach, asked, &survey, &first.chosen)?;
                let mut last = if found.lacking.is_empty() { first } else { report(&found.lacking) };
                last.unknown.extend(found.unread);
                Ok::<_, Failure>((last, survey))
            };
            match self.survey(asked)? {
                Ok(survey) => judged(survey).map(Ok),
                Err(finding) => Ok::<_, Failure>(Err(finding)),
            }
        };
        let (report, survey) = match judge(&asked)? {
            Ok(judged) => judged,
            Err(finding) => return Ok(self.only(&asked.local, *finding)),
        };
        if !self.args.fix {
            return Ok(self.outcome(report, Vec::new(), &survey));
        }
        let fixed = fix::apply(self.context, &mut asked.local, &survey, &report)?;
        // What is fixed is seen by looking again, not by leaving it out.
        match judge(&asked)? {
            Ok((report, survey)) => Ok(self.outcome(report, fixed, &survey)),
            Err(finding) => Ok(self.only(&asked.local, *finding)),
        }
    }

    /// What the files say; a key on the way to version or mapping that contradicts itself is a finding, and the only one.
    fn survey(&self, asked: &AskedFile<'_>) -> Result<Result<Survey, Box<Finding>>, Failure> {
        match asked.survey(self.from.as_ref()) {
            Ok(survey) => Ok(Ok(survey)),
            Err(SurveyError::Values {
                path,
                error: ValuesError::WrittenTwice { path: key, first, second },
            }) if self.severities.of(Id::DuplicateKey).is_some() => {
                let severity = self.severities.of(Id::DuplicateKey).unwrap_or(Severity::Error);
                Ok(Err(Box::new(Finding::contradiction(&path, &key, first, second, severity))))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn judge(
        &self,
        local: &Local<'_>,
        survey: &Survey,
        Seen { known, naming, .. }: &Seen,
        others: &[OtherRelease<'_>],
        values: &[KnownValue],
        lacking: &[LackedImage],
    ) -> Report {
        let overlays: Vec<CheckedFile<'_>> = survey.overlays.iter().map(Surveyed::as_file).collect();
        let references: Vec<Reference<'_>> =
            self.references.documents.iter().map(|(path, document)| Reference { path, document }).collect();
        let named = match (&survey.current, &known.release) {
            (Current::Release(_), Some(release)) => NamedRelease::Release(release),
            (Current::Release(version) | Current::Pinned(version), _) => NamedRelease::Pinned(version),
        };
        check(&CheckInputs {
            primary: survey.primary.as_file(),
            overlays: &overlays,
            references: &references,
            deployment: &self.deployment,
            named,
            previous: known.previous.as_ref(),
            ownership: &survey.ownership,
            others,
            images: local.images(survey),
            naming,
            signatures: &known.signatures,
            requirement: &known.requirement,
            values,
            lacking,
            severities: self.severities,
        })
    }

    fn naming(&self, source: &ReleasesFrom) -> Result<Naming, Failure> {
        match source {
            ReleasesFrom::File(..) => lookup::naming(self.args.files.lookup.names_pattern.as_deref()),
            ReleasesFrom::Registry(settings) => Ok(settings.naming.clone()),
        }
    }

    fn outcome(&self, mut report: Report, fixed: Vec<Fixed>, survey: &Survey) -> Outcome {
        report.skipped.extend(self.references.skipped.iter().cloned());
        let files = std::iter::once(&survey.primary).chain(&survey.overlays);
        let files = files.map(|file| (file.path.clone(), file.document.text().to_owned()));
        let references = self
            .references
            .documents
            .iter()
            .map(|(path, document)| (path.clone(), document.text().to_owned()));
        Outcome { report, fixed, texts: references.chain(files).collect() }
    }

    fn only(&self, local: &Local<'_>, finding: Finding) -> Outcome {
        let text = |(path, bytes): (String, Vec<u8>)| (path, String::from_utf8_lossy(&bytes).into_owned());
        let texts = local.contents().into_iter().map(text).collect();
        Outcome { report: Report::only(finding), fixed: Vec::new(), texts }
    }
}

impl Outcome {
    /// Targets may share the files that refer to images: what is said of them is said once.
    fn extend(&mut self, other: Self) {
        self.report.extend(other.report);
        self.fixed.extend(other.fixed);
        self.texts.extend(other.texts);
    }
}
