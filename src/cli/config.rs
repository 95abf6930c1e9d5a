//! `dibump config`: is the configuration right, what does it mean, and does the world agree.

use std::path::Path;

use jiff::Timestamp;

use super::args::{ConfigCommand, Reach};
use super::exit::Exit;
use super::failure::Failure;
use super::{Context, found};
use crate::config::{self, Config};
use crate::disk;
use crate::observe::releases::Snapshot;
use crate::release::counted;
use crate::report::online::{OnlineCheck, OnlineFinding, OnlineLevel, text};
use crate::run::try_read;
use crate::wiring::{Session, TargetSelection, unclaimed};

/// A configuration file with every key.
const EXAMPLE: &str = include_str!("../../config/example.yaml");

pub(super) fn run(context: &Context, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Schema => {
            context.output.json(&config::schema())?;
            Ok(Exit::Done)
        }
        ConfigCommand::Example => {
            context.output.print(EXAMPLE)?;
            Ok(Exit::Done)
        }
        ConfigCommand::Show => {
            let mut config = context.required_config()?;
            config.cache_dir = config.cache_dir.or_else(|| context.environment.cache_dir());
            context.output.print(&config::show(&config))?;
            Ok(Exit::Done)
        }
        ConfigCommand::Validate { online } => validate(context, *online),
    }
}

fn validate(context: &Context, online: bool) -> Result<Exit, Failure> {
    let used = |path: &Path| disk::read_small(path).map_err(|error| Failure::from(error).sentence());
    let config = context.config_with(Some(&used))?.ok_or_else(found::none)?;
    if let Some(unclaimed) = unclaimed(&context.environment, &config) {
        return Err(unclaimed.into());
    }
    let (targets, producers) =
        (counted(config.targets.len(), "target"), counted(config.producers.len(), "producer"));
    context.output.print(&format!("the configuration is valid: {targets}, {producers}\n"))?;
    if !online {
        return Ok(Exit::Done);
    }
    let checks = context.online(Some(&config), &Reach::default(), async |session| {
        checks(session, &config, context.environment.now).await
    })?;
    context.output.print(&text(&checks))?;
    let worst = checks.iter().flat_map(|check| &check.findings).map(|finding| finding.level).max();
    Ok(match worst {
        Some(OnlineLevel::Wrong) => Exit::Person,
        Some(OnlineLevel::Unknown) => Exit::Retry,
        _ => Exit::Done,
    })
}

/// Asks forge and registry, reading only: who are we, what may we do, is everything there.
async fn checks(session: &Session<'_>, config: &Config, now: Timestamp) -> Result<Vec<OnlineCheck>, Failure> {
    let mut checks = Vec::new();
    for settings in &config.producers {
        let subject = format!("producer {}", settings.name);
        let findings = match session.producer(settings).await {
            Err(error) => vec![OnlineFinding::of_error(&error)],
            Ok(producer) => match Snapshot::open(&producer, Default::default()).await {
                Err(error) => vec![OnlineFinding::of_error(&error)],
                Ok(snapshot) => vec![OnlineFinding::releases(snapshot.known())],
            },
        };
        checks.push(OnlineCheck { subject, findings });
    }
    checks.extend(targets(session, now).await);
    Ok(checks)
}

/// The targets as a run finds them: queries, projects, branches and files.
async fn targets(session: &Session<'_>, now: Timestamp) -> Vec<OnlineCheck> {
    let fleet = match session.fleet(&TargetSelection::default()).await {
        Ok(fleet) => fleet,
        Err(error) => return vec![check("forge".to_owned(), OnlineFinding::of_error(&error))],
    };
    let mut checks: Vec<OnlineCheck> = Vec::new();
    checks.extend(
        fleet
            .searched
            .iter()
            .map(|(query, count)| check(format!("projects {query}"), OnlineFinding::searched(*count))),
    );
    checks.extend(fleet.failed.iter().map(|report| {
        check(format!("projects {}", report.project), OnlineFinding::of_outcome(&report.outcome))
    }));
    for job in &fleet.jobs {
        let (branch, read) = try_read(job).await;
        let subject = format!("project {}", job.project);
        let known = checks.iter().position(|check| check.subject == subject);
        let known = match known {
            Some(known) => known,
            None => {
                let source = match &read {
                    Ok((_, source)) => source.clone(),
                    Err(_) => job.branch_prefix.source(&branch, job.name(), 0),
                };
                let findings = match job.forge.access(&source).await {
                    Ok(access) => OnlineFinding::access(&access, &source, now),
                    Err(error) => vec![OnlineFinding::of_error(&error)],
                };
                checks.push(OnlineCheck { subject, findings });
                checks.len() - 1
            }
        };
        let files: Vec<&str> = job.target().files.iter().map(|file| file.path.as_str()).collect();
        checks[known].findings.push(OnlineFinding::target(
            &branch,
            &files,
            read.as_ref().map(|(at, _)| &at[..]),
        ));
    }
    checks
}

fn check(subject: String, finding: OnlineFinding) -> OnlineCheck {
    OnlineCheck { subject, findings: vec![finding] }
}
