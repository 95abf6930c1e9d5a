//! `dibump config`: is the configuration right, what does it mean, and does the world agree.

use super::args::{ConfigCommand, Reach};
use super::exit::Exit;
use super::failure::Failure;
use super::run::forge;
use super::{Context, lookup};
use crate::config::{self, Config};
use crate::observe::releases::Snapshot;
use crate::report::online::{Check, Finding, Level, text};

pub(super) fn run(context: &Context, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Schema => {
            context.output.json(&config::schema());
            Ok(Exit::Done)
        }
        ConfigCommand::Show => {
            context.output.print(&config::show(&required(context)?));
            Ok(Exit::Done)
        }
        ConfigCommand::Validate { online } => validate(context, *online),
    }
}

fn validate(context: &Context, online: bool) -> Result<Exit, Failure> {
    let config = required(context)?;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (targets, producers) =
        (count(config.targets.len(), "target"), count(config.producers.len(), "producer"));
    context.output.print(&format!("the configuration is valid: {targets}, {producers}\n"));
    if !online {
        return Ok(Exit::Done);
    }
    let checks = context.block_on(checks(context, &config))?;
    context.output.print(&text(&checks));
    let worst = checks.iter().flat_map(|check| &check.findings).map(|finding| finding.level).max();
    Ok(match worst {
        Some(Level::Wrong) => Exit::Person,
        Some(Level::Unknown) => Exit::Retry,
        _ => Exit::Done,
    })
}

/// Asks forge and registry, reading only: who are we, what may we do, is everything there.
async fn checks(context: &Context, config: &Config) -> Result<Vec<Check>, Failure> {
    let transport = lookup::transport(context, &Reach::default(), &config.network)?;
    let mut checks = Vec::new();
    for settings in &config.producers {
        let subject = format!("producer {}", settings.name);
        let store = lookup::store(&Reach::default(), Some(config), &settings.naming);
        let findings =
            match lookup::producer(&context.environment, Some(config), settings, &transport, store).await {
                Err(failure) => vec![Finding::of_failure(&failure.error, failure.exit == Exit::Retry)],
                Ok(producer) => match Snapshot::open(&producer, Default::default()).await {
                    Err(error) => vec![Finding::of_error(&error, !error.is_refusal())],
                    Ok(snapshot) => vec![Finding::releases(snapshot.known(), snapshot.skipped())],
                },
            };
        checks.push(Check { subject, findings });
    }
    for target in &config.targets {
        let forge = forge(context, config, &target.project, &transport)?;
        let findings = match forge.access().await {
            Ok(access) => Finding::access(&access, context.environment.now),
            Err(error) => vec![Finding::of_forge(&error)],
        };
        checks.push(Check { subject: format!("project {}", target.project), findings });
    }
    Ok(checks)
}

fn required(context: &Context) -> Result<Config, Failure> {
    context.config()?.ok_or_else(|| {
        Failure::person(anyhow::anyhow!("there is no configuration file (dibump.yaml)"))
            .hint("config/example.yaml shows every key; --config names another file")
    })
}
