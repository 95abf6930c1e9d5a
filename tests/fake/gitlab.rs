//! A GitLab: projects with real commits, branches and merge requests, served as REST API v4.
//!
//! What it does later, refuses or changes, and where GitLab says so (paths are those of `gitlab-org/gitlab`):
//!
//! | rule | source |
//! |---|---|
//! | a push to either branch of a merge request makes void what is known of conflicts; lists do not look again | `app/services/merge_requests/refresh_service.rb`, `lib/api/entities/merge_request_basic.rb` |
//! | `merge_status` has seven states; a check takes its time, and the answer that asks for it has the old one | `app/models/merge_request.rb` (`state_machine :merge_status`) |
//! | 401 to whoever may not merge into a protected branch, on `merge` and on merge trains | `lib/api/merge_requests.rb` (`can_be_merged_by?`), `ee/lib/api/merge_trains.rb` |
//! | with a pipeline that has succeeded, auto-merge merges at once, or answers 422 where an approval is missing | `lib/api/merge_requests.rb` (`immediately_mergeable?`) |
//! | `auto_merge` since 17.11, `merge_when_pipeline_succeeds` before | `doc/api/merge_requests.md` |
//! | commits are JSON; a form is 400 "Invalid json" | `doc/api/commits.md`, `lib/api/helpers/commits_body_uploader_helper.rb` |
//! | read-only: 403 to JSON, a redirect to the start page to anything else | `lib/gitlab/middleware/read_only/controller.rb` |
//! | quick actions in a description are executed and cut out, carriage returns and trailing white space go | `lib/gitlab/quick_actions/extractor.rb` |
//! | a protected branch is not forced unless its rule allows that, and not removed | `lib/gitlab/checks/branch_check.rb`, `doc/user/project/repository/branches/protected.md` |
//! | a push rule on names of branches is told to maintainers, and holds for everybody (Premium) | `ee/lib/ee/gitlab/checks/push_rules/branch_check.rb`, `doc/api/project_push_rules.md` |
//! | titles have at most 255 characters, `Draft: ` among them, and white space around them goes | `app/models/concerns/issuable.rb` (`TITLE_LENGTH_MAX`, `strip_attributes!`) |
//! | milestones of groups by `include_ancestors` since 16.7, by `include_parent_milestones` before | `doc/api/milestones.md` |
//! | releases have no `tag_name` for whoever may not see the code | `lib/api/entities/release.rb` (`can_download_code?`) |
//! | lists of a group leave out projects marked for deletion only with `active=true` | `doc/api/groups.md` |
//! | a route that is not there is `{"error": "404 Not Found"}`, as behind a proxy that decodes `%2F` | `lib/api/api.rb` (`route :any, '*path'`) |
//! | for a while after a push the branch is not seen where merge requests are opened | measured, 37 s |
//!
//! Stories arrange [`State`] directly, let the program talk to it, and look at the state and at the log of
//! requests afterwards. A request that the fake does not know is answered 404, and the fake's end is a panic.

mod branches;
mod json;
mod merge_requests;
mod mergeability;
mod quick_actions;
mod projects;
mod state;
mod tree;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde_json::json;

use super::server::{FakeServer, Service, Site};
use super::{git, wire};
pub use git::{Commit, Repository, Tree};
pub use state::{
    MergeRequest, Project, Protected, Registry, RegistryAccess, Release, State, Token, TokenKind, User,
    Version,
};
use wire::is_write;
pub use wire::{Answer, Asked, Failure, How, Seen, Turns};

use json::Links;

/// The server.
pub type FakeGitLab = FakeServer<State>;

impl FakeGitLab {
    /// The base of the API: `http://127.0.0.1:1234/api/v4`.
    pub fn api(&self) -> String {
        format!("{}/api/v4", self.address())
    }
}

impl Service for State {
    const RATE_LIMIT: [(&'static str, &'static str); 5] = [
        ("ratelimit-name", "throttle_authenticated_api"),
        ("ratelimit-limit", "2000"),
        ("ratelimit-observed", "1"),
        ("ratelimit-remaining", "1999"),
        ("ratelimit-reset", "1767225660"),
    ];

    fn token(headers: &HeaderMap) -> Option<(String, String)> {
        token_of(headers)
    }

    fn answer(&mut self, site: &Site, parts: &Parts, body: &Bytes, target: &str) -> Option<Answer> {
        if self.read_only && is_write(parts.method.as_str(), target) {
            return Some(refused_while_read_only(&parts.headers, &site.address));
        }
        if self.decodes_slashes && target.contains("%2F") {
            return Some(Self::unknown());
        }
        let segments = wire::segments(parts.uri.path(), &site.root)?;
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let query: Vec<(String, String)> = query.into_owned().collect();
        let mut body = wire::fields(&parts.headers, body)?;
        // GitLab reads the parameters of a write from both places.
        for (name, value) in &query {
            body.as_object_mut()?.entry(name).or_insert_with(|| json!(value));
        }
        let (method, headers) = (parts.method.clone(), parts.headers.clone());
        let asked = Asked { method, segments, query, body, headers };
        endpoint(self, &Links(&site.address), &site.address, &asked)
    }

    fn unknown() -> Answer {
        Answer::json(404, &json!({"error": "404 Not Found"}))
    }
}

/// JSON is answered in JSON; anything else is sent to the start page.
fn refused_while_read_only(headers: &HeaderMap, address: &str) -> Answer {
    let is_json = headers.get("content-type").is_some_and(|kind| kind == "application/json");
    match is_json {
        true => Answer::message(403, "You cannot perform write operations on a read-only instance"),
        false => Answer::text(301, "text/html", "").header("location", &format!("{address}/")),
    }
}

/// `None` for an endpoint that the fake does not have.
fn endpoint(state: &mut State, links: &Links<'_>, address: &str, asked: &Asked) -> Option<Answer> {
    let caller = match Caller::of(state, &asked.headers) {
        Ok(caller) => caller,
        Err(refusal) => return Some(refusal),
    };
    if asked.segments == ["graphql"] {
        return merge_requests::graphql(state, &caller, asked);
    }
    let segments: Vec<&str> = asked.segments.iter().map(String::as_str).collect();
    let [first, rest @ ..] = segments.as_slice() else { return None };
    if *first != "projects" {
        return projects::instance(state, links, &caller, asked, &segments);
    }
    let [id, rest @ ..] = rest else { return None };
    let project = match projects::visible(state, &caller, asked, address, id) {
        Ok(project) => project,
        Err(refusal) => return Some(refusal),
    };
    match rest {
        ["repository", rest @ ..] => branches::answer(state, links, &caller, project, asked, rest),
        ["merge_trains", "merge_requests", rest @ ..] => {
            merge_requests::train(state, links, &caller, project, asked, rest)
        }
        ["merge_requests", rest @ ..] => merge_requests::answer(state, links, &caller, project, asked, rest),
        _ => projects::answer(state, links, &caller, project, asked, address, rest),
    }
}

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Caller {
    username: Option<String>,
    kind: TokenKind,
    scopes: Vec<String>,
}

impl Caller {
    fn of(state: &State, headers: &HeaderMap) -> Result<Self, Answer> {
        let Some((header, text)) = token_of(headers) else {
            return Ok(Self { username: None, kind: TokenKind::Access, scopes: Vec::new() });
        };
        let kind = if header == "job-token" { TokenKind::Job } else { TokenKind::Access };
        match state.tokens.get(&text) {
            Some(token) if token.expired => Err(Answer::json(
                401,
                &json!({"error": "invalid_token", "error_description": "Token is expired. You can either do re-authorization or token refresh."}),
            )),
            Some(token) if token.kind == kind => {
                Ok(Self { username: Some(token.username.clone()), kind, scopes: token.scopes.clone() })
            }
            _ => Err(Answer::message(401, "401 Unauthorized")),
        }
    }

    /// The access level in a project; 0 for strangers.
    fn level(&self, project: &Project) -> u64 {
        self.username.as_ref().and_then(|name| project.members.get(name)).copied().unwrap_or(0)
    }

    /// Refuses whoever may not read the API.
    fn reads(&self, more: &str) -> Result<(), Answer> {
        let enough = |scope: &String| scope == "api" || scope == "read_api" || scope == more;
        let by_token = self.username.is_some() && self.kind == TokenKind::Access;
        if by_token && !self.scopes.iter().any(enough) {
            return Err(insufficient_scope("api read_api"));
        }
        Ok(())
    }

    /// Refuses whoever may not write to a project. No version lets a job token do that.
    fn writes(&self, project: &Project) -> Result<(), Answer> {
        if self.username.is_none() || self.kind == TokenKind::Job {
            return Err(Answer::message(401, "401 Unauthorized"));
        }
        if !self.scopes.iter().any(|scope| scope == "api") {
            return Err(insufficient_scope("api"));
        }
        if self.level(project) < 30 {
            return Err(Answer::message(403, "403 Forbidden"));
        }
        Ok(())
    }
}

fn insufficient_scope(scope: &str) -> Answer {
    let description = "The request requires higher privileges than provided by the access token.";
    let body = json!({"error": "insufficient_scope", "error_description": description, "scope": scope});
    Answer::json(403, &body)
}

fn token_of(headers: &HeaderMap) -> Option<(String, String)> {
    for name in ["private-token", "job-token", "authorization"] {
        if let Some(value) = headers.get(name) {
            let text = value.to_str().unwrap_or_default();
            return Some((name.to_owned(), text.trim_start_matches("Bearer ").to_owned()));
        }
    }
    None
}
