//! The GitLab adapter over a GitLab that keeps state.

mod answers;
mod catalogues;
mod honest;
mod python;
mod reading;
mod writing;

use std::time::Duration;

use dibump::forge::{Branch, CommitId, Forge as _, ForgeError};
use dibump::gitlab::{GitLab, GitLabToken, ProjectId};
use dibump::http::{BoundSecret, Origin, Secret, Transport, TransportSettings};

use crate::fake::gitlab::{FakeGitLab, State};
use crate::world::PATIENCE;

const PROJECT: u64 = 42;
const PATH: &str = "sylva/sylva-core";
const TOKEN: &str = "glpat-very-secret";
const VALUES: &str = "charts/units/values.yaml";
const BEFORE: &[u8] = b"version: 0.4.11\r\nimages:\r\n  a: {}\r\n";
const SOURCE: &str = "dibump/main/diskimage-builder-0.x";

/// A public project with a values file, and a developer's token for it.
async fn gitlab() -> FakeGitLab {
    let fake = FakeGitLab::start().await;
    fake.state().add_project(PROJECT, PATH, &[(VALUES, BEFORE), ("README.md", b"hello\n")]);
    fake.state().add_bot(PROJECT, "project_42_bot", TOKEN);
    fake.state().project(PROJECT).protected[0].merge = 30;
    fake
}

fn transport() -> Transport {
    let settings = TransportSettings {
        retries: 1,
        backoff: Duration::from_millis(1),
        max_retry_after: Duration::ZERO,
        request_timeout: PATIENCE,
        give_up_after: PATIENCE,
        proxy_from_environment: false,
        ..TransportSettings::default()
    };
    Transport::new(settings).unwrap()
}

fn client_of(fake: &FakeGitLab, token: Option<GitLabToken>, project: ProjectId) -> GitLab {
    GitLab::new(transport(), &fake.api().parse().unwrap(), token, project).unwrap()
}

/// The adapter as a run uses it in a scheduled job: the project by number.
fn client(fake: &FakeGitLab) -> GitLab {
    client_of(fake, Some(private(fake, TOKEN)), ProjectId::Number(PROJECT))
}

fn private(fake: &FakeGitLab, token: &str) -> GitLabToken {
    GitLabToken::Private(secret(fake, token))
}

/// A secret that belongs to this GitLab.
fn secret(fake: &FakeGitLab, text: &str) -> BoundSecret {
    Secret::new(text).bound_to(Origin::of(&fake.api().parse().unwrap()).unwrap())
}

fn branch(name: &str) -> Branch {
    Branch(name.to_owned())
}

fn head(state: &mut State, name: &str) -> CommitId {
    CommitId(state.project(PROJECT).repository.branches[name].clone())
}

/// An error with its causes and its `Debug`: everything that may reach a log.
fn everything(error: &ForgeError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner} {inner:?}");
        cause = inner.source();
    }
    text
}
