//! What the daemon answers: health, metrics, and a trigger behind a token. What comes in is capped and not trusted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::metrics::{CONTENT_TYPE, Metrics};
use crate::http::Secret;
use crate::serve::{Event, RunScope};

/// The largest body that is read. A webhook's is a few kilobytes.
const LARGEST: usize = 64 << 10;

/// What the handlers need.
pub(super) struct Door {
    pub(super) events: mpsc::Sender<Event>,
    /// Who may ask for a run; without it nobody may.
    pub(super) token: Option<Secret>,
    pub(super) metrics: Arc<Metrics>,
    /// Whether the daemon still does what it is there for.
    pub(super) health: Health,
    /// Whether it takes triggers: until it is told to stop.
    pub(super) is_ready: Arc<AtomicBool>,
    /// The projects that the configuration names.
    pub(super) projects: watch::Receiver<BTreeSet<String>>,
}

type Answer = (StatusCode, String);

/// How the daemon is, in a line; an error where a run is overdue.
pub(super) type Health = Box<dyn Fn() -> Result<String, String> + Send + Sync>;

/// The routes.
pub(super) fn router(door: Door) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/run", post(trigger))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Arc::new(door))
}

async fn health(State(door): State<Arc<Door>>) -> Answer {
    match (door.health)() {
        Ok(told) => (StatusCode::OK, told),
        Err(told) => (StatusCode::SERVICE_UNAVAILABLE, told),
    }
}

async fn ready(State(door): State<Arc<Door>>) -> Answer {
    match door.is_ready.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
    }
}

async fn metrics(State(door): State<Arc<Door>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], door.metrics.text())
}

/// What a caller may say in the address.
#[derive(Deserialize)]
struct Asked {
    project: Option<String>,
}

/// A caller that has the token. It comes before the body in the arguments of a handler, so that a stranger's is not read.
struct Allowed;

impl FromRequestParts<Arc<Door>> for Allowed {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, door: &Arc<Door>) -> Result<Self, Answer> {
        door.lets_in(&parts.headers).map(|()| Self)
    }
}

async fn trigger(
    _: Allowed,
    State(door): State<Arc<Door>>,
    Query(asked): Query<Asked>,
    body: Bytes,
) -> Answer {
    let scope = match door.scope(asked.project, &body) {
        Ok(scope) => scope,
        Err(unknown) => {
            return (StatusCode::NOT_FOUND, format!("the configuration names no project `{unknown}`\n"));
        }
    };
    let said = match &scope {
        RunScope::All => "all targets".to_owned(),
        RunScope::Projects(projects) => projects.iter().cloned().collect::<Vec<_>>().join(", "),
    };
    match door.events.send(Event::Want(scope)).await {
        Ok(()) => {
            door.metrics.wishes.inc();
            (StatusCode::ACCEPTED, format!("will run: {said}\n"))
        }
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
    }
}

impl Door {
    fn lets_in(&self, headers: &HeaderMap) -> Result<(), Answer> {
        let Some(token) = &self.token else {
            let why = "DIBUMP_SERVE_TOKEN is not set, so runs cannot be started\n";
            return Err((StatusCode::FORBIDDEN, why.to_owned()));
        };
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        // GitLab's webhooks send their secret in a header of their own.
        let given = bearer.or_else(|| text("x-gitlab-token")).unwrap_or_default();
        match token.matches(given) {
            true => Ok(()),
            false => Err((StatusCode::UNAUTHORIZED, "the token is wrong or missing\n".to_owned())),
        }
    }

    /// The project of the address, else that of a webhook's body where it is one of ours; everything, where a producer
    /// or a registry calls.
    fn scope(&self, asked: Option<String>, body: &[u8]) -> Result<RunScope, String> {
        let projects = self.projects.borrow();
        let ours = |name: &str| projects.iter().find(|ours| ours.eq_ignore_ascii_case(name)).cloned();
        let only = |project| RunScope::Projects(BTreeSet::from([project]));
        match asked {
            Some(name) => ours(&name).map(only).ok_or(name),
            None => Ok(project_of(body).and_then(|name| ours(&name)).map_or(RunScope::All, only)),
        }
    }
}

/// The project of which a webhook of GitLab or GitHub speaks.
fn project_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let name = body.pointer("/project/path_with_namespace").or_else(|| body.pointer("/repository/full_name"));
    name?.as_str().map(str::to_owned)
}
