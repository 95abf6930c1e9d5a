//! `dibump check`: is a file in step with the release that it names, and with `--fix` what is safe to put right.

mod deployment;
mod fix;
mod release;

use std::collections::BTreeMap;

use super::Context;
use super::args::{Check as Args, CheckFormat, Files};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::{lookup, references};
use crate::check::{
    File, Finding, Id, Inputs, Named, Place, Reference, Report, Severities, Severity, Skipped, check,
};
use crate::config::Config;
use crate::plan::{Current, Survey, SurveyError, Surveyed, survey};
use crate::release::{Naming, Version};
use crate::report::check::{Checked, Fixed, code_quality, json, junit, markdown, sarif, text};
use crate::values::{Document, ValuesError};
use deployment::Deployment;
use release::Known;

/// What was found in all files.
struct Outcome {
    report: Report,
    fixed: Vec<Fixed>,
    texts: BTreeMap<String, String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    if !args.deployment.is_empty() {
        let Deployment { local, others, version } =
            Deployment::read(&args.files, &args.deployment, config.as_ref())?;
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
        return report(context, args, &checker.check(local)?);
    }
    let locals = locals(context, args, config.as_ref())?;
    if locals.len() > 1 && !args.files.references.is_empty() {
        return Err(Failure::usage("--references speaks of the images of one values file; name the file"));
    }
    let mut outcome: Option<Outcome> = None;
    for mut local in locals {
        local.read_again()?;
        let severities = severities(args, &local);
        let one = Checker {
            context,
            args,
            config: config.as_ref(),
            severities: &severities,
            references: References::of(&local, &args.files.references)?,
            deployment: Vec::new(),
            from: args.files.from.clone(),
        };
        let found = one.check(local)?;
        match &mut outcome {
            None => outcome = Some(found),
            Some(all) => all.extend(found),
        }
    }
    outcome.map_or(Ok(Exit::Done), |outcome| report(context, args, &outcome))
}

/// The files that were named, in their order, or those of the configuration's targets.
fn locals<'a>(context: &Context, args: &Args, config: Option<&'a Config>) -> Result<Vec<Local<'a>>, Failure> {
    let mut locals = local::locals(context, &args.files, config)?;
    for path in &args.more {
        let files = Files { values: Some(path.clone()), ..args.files.clone() };
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
    let checked = Checked { report: &outcome.report, fixed: &outcome.fixed, texts: &outcome.texts };
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

fn rendered(format: CheckFormat, checked: &Checked<'_>) -> Result<String, Failure> {
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
    fn of(local: &Local<'_>, flags: &[String]) -> Result<Self, Failure> {
        let mut found = Self { documents: Vec::new(), skipped: Vec::new() };
        for file in references::matched(&local.target.references, &local.files)? {
            let path = file.path.display().to_string();
            match Document::parse(file.bytes) {
                Ok(document) => found.documents.push((path, document)),
                Err(error) => found.skipped.push(Skipped {
                    place: Place::of_file(path),
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

impl Checker<'_> {
    fn check(&self, mut local: Local<'_>) -> Result<Outcome, Failure> {
        let naming = self.naming(&local)?;
        let survey = match self.survey(&local)? {
            Ok(survey) => survey,
            Err(finding) => return Ok(self.only(&local, *finding)),
        };
        let known = release::look_up(self.context, self.args, self.config, &local, &survey)?;
        let report = self.judge(&local, &survey, &known, &naming);
        if !self.args.fix {
            return Ok(self.outcome(report, Vec::new(), &survey));
        }
        let fixed = fix::apply(self.context, &mut local, &survey, &report)?;
        // What is fixed is seen by looking again, not by leaving it out.
        let survey = match self.survey(&local)? {
            Ok(survey) => survey,
            Err(finding) => return Ok(self.only(&local, *finding)),
        };
        let report = self.judge(&local, &survey, &known, &naming);
        Ok(self.outcome(report, fixed, &survey))
    }

    /// What the files say; a key on the way to version or mapping that contradicts itself is a finding, and the only one.
    fn survey(&self, local: &Local<'_>) -> Result<Result<Survey, Box<Finding>>, Failure> {
        match survey(&local.target, local.contents(), self.from.as_ref(), local.policy.prereleases) {
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

    fn judge(&self, local: &Local<'_>, survey: &Survey, known: &Known, naming: &Naming) -> Report {
        let overlays: Vec<File<'_>> = survey.overlays.iter().map(Surveyed::as_file).collect();
        let references: Vec<Reference<'_>> =
            self.references.documents.iter().map(|(path, document)| Reference { path, document }).collect();
        let named = match (&survey.current, &known.release) {
            (Current::Release(_), Some(release)) => Named::Release(release),
            (Current::Release(version) | Current::Pinned(version), _) => Named::Pinned(version),
        };
        check(&Inputs {
            primary: survey.primary.as_file(),
            overlays: &overlays,
            references: &references,
            deployment: &self.deployment,
            named,
            previous: known.previous.as_ref(),
            ownership: &survey.ownership,
            others: &[],
            images: local.images(survey),
            naming,
            signatures: &known.signatures,
            requirement: &known.requirement,
            severities: self.severities,
        })
    }

    fn naming(&self, local: &Local<'_>) -> Result<Naming, Failure> {
        let lookup = &self.args.files.lookup;
        match lookup.observed {
            Some(_) => lookup::naming(lookup.names_pattern.as_deref()),
            None => Ok(lookup::settings(lookup, self.config, local.producer)?.naming),
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
