//! The GitHub adapter over a GitHub that keeps state.

mod answers;
mod apps;
mod auto_merge;
mod catalogue;
mod honest;
mod octokit;
mod openapi;
mod opening;
mod program;
mod reading;
mod writing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dibump::forge::{
    Branch, CommitId, Forge as _, ForgeError, MergeRequestSettings, NewCommit, NewMergeRequest,
};
use dibump::github::{Api, GitHub, Identity, Pacing};
use dibump::http::{Origin, Secret, Transport, TransportSettings};

use crate::fake::github::{FakeGitHub, State};
use crate::world::PATIENCE;

const PROJECT: u64 = 42;
const PATH: &str = "sylva/sylva-core";
const TOKEN: &str = "ghp_very-secret";
const VALUES: &str = "charts/units/values.yaml";
const BEFORE: &[u8] = b"version: 0.4.11\r\nimages:\r\n  a: {}\r\n";
const AFTER: &[u8] = b"\xef\xbb\xbfversion: 0.4.12\r\nimages:\r\n  b: {} # caf\xc3\xa9 & 100% \xff";
const SOURCE: &str = "dibump/main/diskimage-builder-0.x";

/// A public repository with a values file, and the token of somebody who may push.
async fn github() -> FakeGitHub {
    let fake = FakeGitHub::start().await;
    fake.state().add_project(PROJECT, PATH, &[(VALUES, BEFORE), ("README.md", b"hello\n")]);
    fake.state().add_bot(PROJECT, "sylva-bot", TOKEN);
    fake
}

/// A repository whose source branch was pushed by us.
async fn pushed() -> FakeGitHub {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    client(&fake).push(&commit(main, None)).await.unwrap();
    fake
}

/// One whose pull request was opened by us.
async fn opened() -> FakeGitHub {
    let fake = pushed().await;
    client(&fake).create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
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

fn api(fake: &FakeGitHub) -> Api {
    Api::new(&fake.api().parse().unwrap()).unwrap()
}

fn client_of(fake: &FakeGitHub, identity: Option<Identity>, path: &str) -> GitHub {
    let session = Pacing::with_pace(Duration::ZERO);
    GitHub::new(transport(), &api(fake), identity, path.parse().unwrap(), &session).unwrap()
}

/// The adapter as a run uses it.
fn client(fake: &FakeGitHub) -> GitHub {
    client_of(fake, Some(token(fake, TOKEN)), PATH)
}

fn token(fake: &FakeGitHub, text: &str) -> Identity {
    Identity::Token(Secret::new(text).bound_to(Origin::of(api(fake).rest()).unwrap()))
}

fn branch(name: &str) -> Branch {
    Branch(name.to_owned())
}

fn head(state: &mut State, name: &str) -> CommitId {
    CommitId(state.project(PROJECT).repository.branches[name].clone())
}

fn commit(parent: CommitId, expected_head: Option<CommitId>) -> NewCommit {
    NewCommit {
        branch: branch(SOURCE),
        parent,
        expected_head,
        message: "Update images to 0.4.12\n\nDibump-Patch: 0123".to_owned(),
        files: BTreeMap::from([(VALUES.to_owned(), AFTER.into())]),
        added: BTreeSet::new(),
    }
}

fn request(settings: MergeRequestSettings) -> NewMergeRequest {
    NewMergeRequest {
        source_branch: branch(SOURCE),
        target_branch: branch("main"),
        title: "Update images to 0.4.12".to_owned(),
        description: "a & b = c\n<!-- dibump -->".to_owned(),
        unset_description: match settings.has_people_or_labels() {
            true => "unset".to_owned(),
            false => "a & b = c\n<!-- dibump -->".to_owned(),
        },
        settings,
    }
}

fn refused(error: &ForgeError) -> (&str, &str) {
    match error {
        ForgeError::Refused { reason, hint: Some(hint), .. } => (reason, hint),
        other => panic!("{other:?}"),
    }
}

/// What a refusal says, and what is to be done.
fn refusal(error: &ForgeError) -> String {
    let (reason, hint) = refused(error);
    format!("{reason}\n{hint}\n")
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
