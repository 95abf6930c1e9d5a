//! A GitHub: repositories with real commits, branches and pull requests, served as an Enterprise Server does: REST below
//! `/api/v3`, GraphQL at `/api/graphql`.
//!
//! What it does later, refuses or changes, and where GitHub says so:
//!
//! | rule | source |
//! |---|---|
//! | labels, assignees and milestone come by a request of their own, reviewers by another | <https://docs.github.com/rest/pulls/pulls>, <https://docs.github.com/rest/issues/issues> |
//! | a tree with files below `.github/workflows/` is 404 to a classic token without the scope `workflow`, 403 to an App or a job | github/docs#4770, octokit/rest.js#368, IAreKyleW00t/verified-bot-commit#331 |
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

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::server::{FakeServer, Service, Site};
use super::{git, wire};
pub use state::{App, Package, Project, PullRequest, State, Token, TokenKind, User};
pub use wire::{Answer, Asked, Failure, How, Seen, Turns};

use caller::Caller;
use json::Links;

/// The server.
pub type FakeGitHub = FakeServer<State>;

impl FakeGitHub {
    /// The base of the REST API: `http://127.0.0.1:1234/api/v3`.
    pub fn api(&self) -> String {
        format!("{}/api/v3", self.address())
    }
}

impl Service for State {
    const RATE_LIMIT: [(&'static str, &'static str); 5] = [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-used", "1"),
        ("x-ratelimit-reset", "1767225660"),
        ("x-ratelimit-resource", "core"),
    ];

    fn token(headers: &HeaderMap) -> Option<(String, String)> {
        token_of(headers).map(|token| ("authorization".to_owned(), token))
    }

    /// That of a request to GraphQL ends in `#` and its operation.
    fn target(parts: &Parts, body: &Bytes) -> String {
        if parts.uri.path() != "/api/graphql" {
            return parts.uri.to_string();
        }
        let fields = fields(body).unwrap_or_default();
        let query = fields["query"].as_str().unwrap_or_default();
        format!("{}#{}", parts.uri, graphql::operation(query).unwrap_or("unknown"))
    }

    fn answer(&mut self, site: &Site, parts: &Parts, body: &Bytes, _target: &str) -> Option<Answer> {
        let (segments, body) = (segments(parts.uri.path())?, fields(body)?);
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let (method, headers) = (parts.method.clone(), parts.headers.clone());
        let asked = Asked { method, segments, query: query.into_owned().collect(), body, headers };
        endpoint(self, &Links(&site.address), &asked)
    }

    fn unknown() -> Answer {
        not_found()
    }
}

fn fields(body: &Bytes) -> Option<Value> {
    match body.is_empty() {
        true => Some(json!({})),
        false => serde_json::from_slice(body).ok(),
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
