//! From a configuration to jobs and producers over the real adapters, as the command line makes them; only that the
//! token is given and that no environment is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dibump::apply::Patience;
use dibump::config::{Config, Target as Configured, TargetFile};
use dibump::forge::Forge;
use dibump::gitlab::{GitLab, ProjectId, Token, api_url};
use dibump::http::{Secret, Settings, Transport};
use dibump::observe::releases::Producer;
use dibump::oci::{Credentials, OciCatalog, OciRegistry};
use dibump::plan::{FileSpec, Target};
use dibump::run::{Due, Job, Limits, Options, Report, run};
use dibump::store::NoStore;
use jiff::Timestamp;

/// What a demo's run may fail with before it starts.
pub type Failure = Box<dyn std::error::Error>;

/// Runs all targets of a configuration, as `dibump run` does.
pub async fn run_all(config: &Config, token: &str) -> Result<Vec<Report>, Failure> {
    let transport = Transport::new(Settings { proxy_from_environment: false, ..Settings::default() })?;
    let mut producers = BTreeMap::new();
    for settings in &config.producers {
        let host = settings.registry.host();
        let registry =
            OciRegistry::new(transport.clone(), host, settings.plain_http, Credentials::Anonymous)?;
        let producer = Producer {
            prefix: settings.registry.clone(),
            plain_http: settings.plain_http,
            naming: settings.naming.clone(),
            sources: vec![Arc::new(OciCatalog::new(registry.clone(), settings.registry.clone()))],
            registry: Arc::new(registry),
            probe: false,
            keys: None,
            store: Arc::new(NoStore),
        };
        producers.insert(settings.name.clone(), Ok(producer));
    }
    let mut jobs = Vec::new();
    for target in &config.targets {
        jobs.extend(jobs_of(config, target, token, &transport).await?);
    }
    let patience = Patience { first: Duration::from_millis(50), total: Duration::from_secs(5) };
    let options = Options { now: Timestamp::now(), patience, limits: Limits::default() };
    let mut reports = Vec::new();
    run(&jobs, &producers, options, |_, report| reports.push(report)).await;
    Ok(reports)
}

async fn jobs_of(
    config: &Config,
    configured: &Configured,
    token: &str,
    transport: &Transport,
) -> Result<Vec<Job>, Failure> {
    let api = config.forge.url.as_ref().and_then(api_url).ok_or("the configuration names no GitLab")?;
    let token = Some(Token::Private(Secret::new(token)));
    let project = ProjectId::Path(configured.project.clone());
    let forge: Arc<dyn Forge> = Arc::new(GitLab::new(transport.clone(), &api, token, project)?);
    let mut jobs = Vec::new();
    for branch in &configured.branches {
        jobs.push(Job {
            project: configured.project.clone(),
            forge: Arc::clone(&forge),
            producer: configured.producer.clone(),
            branch: branch.name.clone(),
            target: target(configured),
            policy: branch.policy.clone(),
            settings: configured.merge_request.clone(),
            upkeep: configured.upkeep,
            templates: configured.templates.clone(),
            dry_run: false,
            due: Due::Now,
            found: None,
        });
    }
    Ok(jobs)
}

fn target(configured: &Configured) -> Target {
    let spec = |file: &TargetFile| FileSpec {
        path: file.path.clone(),
        overlay: false,
        version_key: file.version_key.clone(),
        images_key: file.images_key.clone(),
    };
    Target {
        files: vec![spec(&configured.file)],
        images: configured.images,
        registry_key: configured.file.registry_key.clone(),
        kubernetes_versions: configured.kubernetes_versions.clone(),
        references: configured.references.clone(),
    }
}
