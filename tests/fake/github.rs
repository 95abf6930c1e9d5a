//! A GitHub: repositories with real commits, branches and pull requests, served as an Enterprise Server does: REST below
//! `/api/v3`, GraphQL at `/api/graphql`.
//!
//! What it does later, refuses or changes, and where GitHub says so:
//!
//! | rule | source |
//! |---|---|
//! | labels, assignees and milestone come by a request of their own, reviewers by another | <https://docs.github.com/rest/pulls/pulls>, <https://docs.github.com/rest/issues/issues> |
//! | titles have at most 256 characters | recorded answers |
//! | drafts are 422 where they are not offered | recorded answers, <https://docs.github.com/pull-requests> (drafts, plans) |
//! | what can be merged at once cannot be set to auto-merge: "clean status" | `enablePullRequestAutoMerge`, recorded answers |
//! | primary limits are counted in headers, secondary ones are 403 or 429 in words | <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api> |
//! | `mergeable` is null to whoever asks first after a push to either branch; a later answer has it | <https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests> |
//! | for a moment after a push the branch is not seen where pull requests are opened | measured |
//! | `head` without an owner is ignored, and finds everything | <https://docs.github.com/rest/pulls/pulls#list-pull-requests> |
//!
//! Stories arrange [`State`] directly, let the program talk to it, and look at the state and at the log of requests
//! afterwards. A request that the fake does not know is answered 404, and the fake's end is a panic.

mod accounts;
mod caller;
mod git_data;
mod graphql;
mod json;
mod pull_requests;
mod reading;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use futures::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{git, wire};
pub use state::{App, Package, Project, PullRequest, State, Token, TokenKind, User};
use wire::is_write;
pub use wire::{Answer, Asked, Failure, How, Seen, Turns};

use caller::Caller;
use json::Links;

/// The server. It ends with the value.
pub struct FakeGitHub {
    address: String,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    log: Mutex<Vec<Seen>>,
    failures: Mutex<Vec<Failure>>,
    unexpected: Mutex<Vec<String>>,
    turns: Mutex<Option<Arc<Turns>>>,
}

impl FakeGitHub {
    /// Starts on a free port of the loopback interface.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let inner = Arc::<Inner>::default();
        let shared = (Arc::clone(&inner), address.clone());
        let app = Router::new().fallback(move |request: Request| {
            let (inner, address) = shared.clone();
            async move { inner.serve(&address, request).await }
        });
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the listener stays open");
        });
        Self { address, inner, server }
    }

    /// The address: `http://127.0.0.1:1234`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The base of the REST API: `http://127.0.0.1:1234/api/v3`.
    pub fn api(&self) -> String {
        format!("{}/api/v3", self.address)
    }

    /// What it knows. Do not hold it across an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }

    /// Arranges a failure.
    pub fn fail(&self, failure: Failure) {
        lock(&self.inner.failures).push(failure);
    }

    /// Forgets the failures that did not strike yet.
    pub fn heal(&self) {
        lock(&self.inner.failures).clear();
    }

    /// Whether all failures have struck that were arranged.
    pub fn all_struck(&self) -> bool {
        lock(&self.inner.failures).iter().all(|failure| failure.times == 0)
    }

    /// Lets runs write in an order, or as they come.
    pub fn take_turns(&self, turns: Option<Arc<Turns>>) {
        *lock(&self.inner.turns) = turns;
    }

    /// Every request so far. The target of one to GraphQL ends in `#` and its operation.
    pub fn log(&self) -> Vec<Seen> {
        lock(&self.inner.log).clone()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        lock(&self.inner.log).clear();
    }

    /// The requests that could have changed what people see: no queries, and no Git objects that no branch reaches.
    pub fn writes(&self) -> Vec<Seen> {
        self.log().into_iter().filter(|seen| is_write(&seen.method, &seen.target)).collect()
    }

    /// Requests that the fake did not know, and forgets them: for tests that send such on purpose.
    pub fn take_unexpected(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.inner.unexpected))
    }
}

impl Drop for FakeGitHub {
    fn drop(&mut self) {
        self.server.abort();
        let unexpected = self.take_unexpected();
        if !std::thread::panicking() {
            assert!(unexpected.is_empty(), "unexpected requests: {unexpected:#?}");
        }
    }
}

impl Inner {
    async fn serve(&self, address: &str, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let (method, mut target) = (parts.method.to_string(), parts.uri.to_string());
        let fields: Option<Value> = match body.is_empty() {
            true => Some(json!({})),
            false => serde_json::from_slice(&body).ok(),
        };
        if parts.uri.path() == "/api/graphql" {
            let query = fields.as_ref().and_then(|fields| fields["query"].as_str()).unwrap_or_default();
            target = format!("{target}#{}", graphql::operation(query).unwrap_or("unknown"));
        }
        let turns = lock(&self.turns).clone().filter(|_| is_write(&method, &target));
        if let Some(turns) = turns {
            let agent = parts.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
            turns.wait_for(agent.unwrap_or_default()).await;
        }
        let how = self.failure(&method, &target);
        match &how {
            Some(How::Delay(wait)) => tokio::time::sleep(*wait).await,
            Some(How::Silence) => std::future::pending().await,
            _ => {}
        }
        let answer = match &how {
            Some(How::Answer(answer)) => answer.clone(),
            Some(How::Reset) => Answer::text(500, "text/plain", ""),
            _ => self.answer(address, &parts, fields, &target),
        };
        let token = token_of(&parts.headers).map(|token| ("authorization".to_owned(), token));
        lock(&self.log).push(Seen {
            method,
            target,
            token,
            body,
            status: answer.status,
            media_type: answer.media_type(),
            answer: answer.body.clone(),
        });
        if matches!(how, Some(How::KeepAnswer)) {
            std::future::pending::<()>().await;
        }
        response(answer, matches!(how, Some(How::Reset | How::LoseAnswer)))
    }

    fn failure(&self, method: &str, target: &str) -> Option<How> {
        let mut failures = lock(&self.failures);
        failures.iter_mut().find_map(|f| f.strikes(method, target).then(|| f.how.clone()))
    }

    fn answer(&self, address: &str, parts: &Parts, body: Option<Value>, target: &str) -> Answer {
        let asked = segments(parts.uri.path()).zip(body).map(|(segments, body)| {
            let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
            let (method, headers) = (parts.method.clone(), parts.headers.clone());
            Asked { method, segments, query: query.into_owned().collect(), body, headers }
        });
        let mut state = lock(&self.state);
        let known = asked.and_then(|asked| endpoint(&mut state, &Links(address), &asked));
        known.unwrap_or_else(|| {
            lock(&self.unexpected).push(format!("{} {target}", parts.method));
            not_found()
        })
    }
}

/// `None` for an endpoint that the fake does not have.
fn endpoint(state: &mut State, links: &Links<'_>, asked: &Asked) -> Option<Answer> {
    if asked.headers.get("user-agent").is_none() {
        return Some(Answer::text(403, "text/plain", "Request forbidden by administrative rules.\r\n"));
    }
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    if let Some(answer) = accounts::of_an_app(state, links, asked, &segments) {
        return Some(answer);
    }
    let caller = match Caller::of(state, &asked.headers) {
        Ok(caller) => caller,
        Err(refusal) => return Some(refusal),
    };
    let (repository, rest) = match segments.as_slice() {
        ["graphql"] => return graphql::answer(state, &caller, asked),
        ["repos", owner, name, rest @ ..] => (format!("{owner}/{name}"), rest),
        ["repositories", id, rest @ ..] => ((*id).to_owned(), rest),
        _ => return accounts::answer(state, links, &caller, asked, &segments),
    };
    let id = match reading::visible(state, links, &caller, asked, &repository, rest) {
        Ok(id) => id,
        Err(refusal) => return Some(refusal),
    };
    pull_requests::follow_branches(state, id);
    match (&asked.method, rest) {
        (&Method::GET, ["pulls", ..]) => {
            pull_requests::look(state, id, rest);
            pull_requests::read(state, links, id, asked, rest)
        }
        (_, ["pulls" | "issues", ..]) => pull_requests::write(state, links, &caller, id, asked, rest),
        (&Method::GET, _) => reading::answer(state, links, &caller, id, asked, rest),
        (_, ["git", rest @ ..]) => git_data::write(state, links, &caller, id, asked, rest),
        _ => None,
    }
}

/// Segments below `/api/v3`, or `graphql`; `None` for any other path. In branches and paths of files an encoded slash is
/// one like any other.
fn segments(path: &str) -> Option<Vec<String>> {
    let below = path.strip_prefix("/api/")?;
    let below = if below == "graphql" { below } else { below.strip_prefix("v3/")? };
    let below = percent_decode_str(below).decode_utf8().ok()?;
    Some(below.split('/').map(str::to_owned).collect())
}

/// An error as GitHub writes it.
fn error(status: u16, message: &str) -> Answer {
    let url = "https://docs.github.com/rest";
    Answer::json(status, &json!({"message": message, "documentation_url": url, "status": status.to_string()}))
}

/// What is missing and what may not be seen.
fn not_found() -> Answer {
    error(404, "Not Found")
}

/// 422 with its details.
fn invalid(errors: Value) -> Answer {
    let url = "https://docs.github.com/rest/pulls/pulls#create-a-pull-request";
    let body = json!({
        "message": "Validation Failed", "errors": errors, "documentation_url": url, "status": "422",
    });
    Answer::json(422, &body)
}

/// A detail in words.
fn custom(resource: &str, message: &str) -> Value {
    json!({"resource": resource, "code": "custom", "message": message})
}

/// One page of a list, with the link that leads to the next.
fn page(links: &Links<'_>, asked: &Asked, all: Vec<Value>) -> Answer {
    let number =
        |name: &str, default: usize| asked.query(name).and_then(|v| v.parse().ok()).unwrap_or(default).max(1);
    let (page, per_page) = (number("page", 1), number("per_page", 30).min(100));
    let items: Vec<Value> = all.iter().skip((page - 1) * per_page).take(per_page).cloned().collect();
    let answer = Answer::json(200, &Value::Array(items));
    if page * per_page >= all.len() {
        return answer;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked.query.iter().filter(|(name, _)| name != "page"));
    query.append_pair("page", &(page + 1).to_string());
    let link = format!("<{}/{}?{}>; rel=\"next\"", links.api(), asked.segments.join("/"), query.finish());
    answer.header("link", &link)
}

fn token_of(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    // Schemes know no upper and lower case (RFC 9110, section 11.1).
    ["bearer", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known)).then(|| token.to_owned())
}

/// What every answer of the API says of its rate limit.
const RATE_LIMIT: [(&str, &str); 5] = [
    ("x-ratelimit-limit", "5000"),
    ("x-ratelimit-remaining", "4999"),
    ("x-ratelimit-used", "1"),
    ("x-ratelimit-reset", "1767225660"),
    ("x-ratelimit-resource", "core"),
];

/// A lost answer promises one byte more than it brings, which ends the connection.
fn response(answer: Answer, lost: bool) -> Response<Body> {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in RATE_LIMIT {
        if !answer.headers.iter().any(|(own, _)| own == name) {
            builder = builder.header(name, value);
        }
    }
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    let body: Bytes = answer.body;
    let body = if lost {
        builder = builder.header("content-length", body.len() + 1);
        let broken =
            futures::stream::once(async { Err(std::io::Error::other("the story breaks the connection")) });
        let sent = futures::stream::once(async move { Ok::<_, std::io::Error>(body) });
        Body::from_stream(sent.chain(broken))
    } else {
        Body::from(body)
    };
    builder.body(body).expect("headers of the fake are well-formed")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
