//! What went wrong between us and GitLab, and what it means for the ports.
//!
//! GitLab writes errors in four shapes of JSON; proxies in front of it write HTML and plain text.

use std::sync::Arc;
use std::time::Duration;

use gitlab::api::ApiError;
use http::StatusCode;
use serde_json::Value;

use super::GitLabToken;
use crate::catalogue::CatalogueError;
use crate::forge::ForgeError;
use crate::forge_api::{believable, not_listed, plain, unanswered};
use crate::http::{InvalidSecret, Origin, Response, Transport, TransportError};

/// What is needed to write.
const NEEDED: &str =
    "GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer";

/// Where the token comes from with which releases and repositories are read.
const READING: &str = "the token comes from GITLAB_TOKEN or CI_JOB_TOKEN; reading needs scope `read_api`";

/// What GitLab says in maintenance mode and as a Geo secondary (`lib/gitlab/middleware/read_only/controller.rb`).
const READ_ONLY: &str = "read-only instance";

/// What answers, in messages.
pub(super) const API: &str = "GitLab's API";

/// Why a GitLab cannot be used as it was configured.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidGitLab {
    /// The API's address is no http(s) URL.
    #[error("`{url}` is not an address of a GitLab API (expected https://HOST/api/v4)")]
    Api {
        /// The address, redacted.
        url: String,
    },
    /// The token belongs to another GitLab.
    #[error("the GitLab token belongs to {of}, not to {to}")]
    Foreign {
        /// Where the token belongs.
        of: Origin,
        /// Where it was to go.
        to: Origin,
    },
    /// The token cannot be sent.
    #[error("the GitLab token can't be used")]
    Token(#[from] InvalidSecret),
}

/// Why a request gave nothing that we can use.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    /// No answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An answer other than 2xx.
    #[error("{}", .0.words)]
    Answer(Box<Answered>),
    /// An answer that is not what the API promises.
    #[error("{0}")]
    Malformed(String),
    /// The request could not be made.
    #[error("{0}")]
    Request(String),
    /// GitLab answers, and leaves out what is asked for.
    #[error("{0}")]
    Hidden(&'static str),
    /// Nothing can be written to the project.
    #[error("{project} is archived")]
    Archived {
        /// Its path.
        project: String,
    },
}

/// Who asked, as far as a failure's message speaks of it.
pub(super) struct Caller<'a> {
    pub(super) transport: &'a Transport,
    /// The API's host.
    pub(super) host: String,
    pub(super) token: Option<&'a GitLabToken>,
}

/// An answer other than 2xx, as far as it says anything.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    /// GitLab's own words, or the status where there are none.
    pub(super) words: String,
    /// The scope that the token lacks.
    scope: Option<String>,
    /// Whether the body was GitLab's JSON.
    is_json: bool,
    retry_after: Option<Duration>,
    error: TransportError,
}

impl Failure {
    pub(super) fn of_answer(response: &Response) -> Self {
        if let Some(page) = response.page_in_place_of(API) {
            return page.into();
        }
        let json = serde_json::from_slice::<Value>(&response.body).ok().filter(Value::is_object);
        let said = match &json {
            Some(value) => words(value),
            None => plain(&String::from_utf8_lossy(&response.body)),
        };
        let words = if said.is_empty() { response.status.to_string() } else { said };
        let scope = json.as_ref().filter(|v| v["error"] == "insufficient_scope");
        Self::Answer(Box::new(Answered {
            status: response.status,
            words,
            scope: scope.map(|v| v["scope"].as_str().unwrap_or("api").to_owned()),
            is_json: json.is_some(),
            retry_after: retry_after(response),
            error: response.status_error(),
        }))
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status.as_u16()),
            _ => None,
        }
    }

    /// Whether GitLab itself says that there is no such `thing`, as in `404 Branch Not Found`.
    pub(super) fn is_missing(&self, thing: &str) -> bool {
        let missing = format!("404 {thing} Not Found");
        matches!(self, Self::Answer(a) if a.status == 404 && a.words.eq_ignore_ascii_case(&missing))
    }

    /// Whether the project is not shown to this token, or not at all.
    pub(super) fn hides_the_project(&self) -> bool {
        matches!(self.status(), Some(401 | 403)) || self.is_missing("Project")
    }

    /// Whether the words of the answer contain `text`, whatever the case.
    pub(super) fn says(&self, text: &str) -> bool {
        matches!(self, Self::Answer(a) if a.words.to_lowercase().contains(&text.to_lowercase()))
    }
}

impl From<ApiError<Failure>> for Failure {
    fn from(error: ApiError<Failure>) -> Self {
        match error {
            ApiError::Client { source } => source,
            ApiError::GitlabService { status, .. } => {
                Self::Malformed(format!("the answer ({status}) is not JSON; is this GitLab's API?"))
            }
            ApiError::DataType { source, .. } => Self::Malformed(format!("unexpected answer: {source}")),
            other => Self::Request(other.to_string()),
        }
    }
}

/// A failure as the forge's port says it.
pub(super) fn forge_error(failure: Failure, action: String, caller: &Caller<'_>) -> ForgeError {
    let answer = match failure {
        Failure::Answer(answer) => answer,
        Failure::Transport(error) => return behind_a_proxy(error, action, caller),
        Failure::Archived { .. } => {
            let hint = "unarchive it, or take it out of the targets";
            return ForgeError::Refused { action, reason: failure.to_string(), hint: Some(hint.to_owned()) };
        }
        other => {
            return ForgeError::Invalid { action, reason: caller.transport.masked(&other.to_string()) };
        }
    };
    let Answered { status, words: reason, .. } = &*answer;
    let reason = reason.clone();
    match status.as_u16() {
        // What is not in GitLab's own form is a proxy's, and says nothing of the token.
        403 if !answer.is_json || reason.contains(READ_ONLY) => {
            ForgeError::Postponed { action, reason, retry_after: answer.retry_after, hint: None }
        }
        _ if breaks_a_rule(&reason) => {
            let hint = of_rule(&reason).to_owned();
            ForgeError::Refused { action, reason, hint: Some(hint) }
        }
        401 | 403 => ForgeError::Refused { action, reason, hint: hint(&answer, caller.token) },
        // GitLab knows all our routes: a part of the path became two.
        404 if reason == "404 Not Found" && slashes(&answer.error).is_some() => {
            let hint = slashes(&answer.error);
            ForgeError::Unusable { action, reason, hint }
        }
        404 if reason.eq_ignore_ascii_case("404 Project Not Found") => {
            let hint =
                "check the project's path; GitLab answers the same if the token may not see the project";
            ForgeError::Refused { action, reason, hint: Some(hint.to_owned()) }
        }
        408 | 429 | 500..=599 => {
            let (host, source) = (caller.host.clone(), Arc::new(answer.error));
            ForgeError::Unavailable { action, host, retry_after: answer.retry_after, source }
        }
        _ if is_lag(&reason) => ForgeError::NotYet { action, reason },
        400..=499 if answer.is_json => ForgeError::Rejected { action, reason },
        _ => ForgeError::Invalid { action, reason: format!("{status}: {reason}") },
    }
}

/// No answer of GitLab's own, which a proxy may be to blame for.
fn behind_a_proxy(error: TransportError, action: String, caller: &Caller<'_>) -> ForgeError {
    let slashes = slashes(&error);
    let mut unanswered = unanswered(error, action, caller.host.clone());
    if let ForgeError::Unusable { hint, .. } = &mut unanswered {
        let hints: Vec<String> = [hint.take(), slashes].into_iter().flatten().collect();
        *hint = Some(hints.join(" ")).filter(|hint| !hint.is_empty());
    }
    unanswered
}

/// A failure as the port of candidates says it. `subject` is the host and the project that was asked.
pub(super) fn catalogue_error(failure: Failure, subject: String, caller: &Caller<'_>) -> CatalogueError {
    let answer = match failure {
        Failure::Answer(answer) => answer,
        Failure::Transport(error) => return not_listed(error, subject),
        Failure::Hidden(reason) => {
            return CatalogueError::NotOffered { subject, reason: reason.to_owned() };
        }
        other => {
            let reason = caller.transport.masked(&other.to_string());
            return CatalogueError::Invalid { subject, reason };
        }
    };
    let reason = answer.words.clone();
    match answer.status.as_u16() {
        401 if caller.token.is_some() => {
            let status = format!("{}: {reason}", answer.status);
            CatalogueError::Refused { subject: caller.host.clone(), status, hint: READING }
        }
        401 | 403 | 404 => CatalogueError::NotOffered { subject, reason },
        408 | 429 | 500..=599 => CatalogueError::Unavailable { subject, source: Arc::new(answer.error) },
        _ => CatalogueError::Invalid { subject, reason: format!("{}: {reason}", answer.status) },
    }
}

/// What a person can do about a refusal.
fn hint(answer: &Answered, token: Option<&GitLabToken>) -> Option<String> {
    Some(match (token, &answer.scope) {
        (None, _) => format!("no token was sent; {NEEDED}"),
        (Some(GitLabToken::Job(_)), _) => {
            format!("a job token (CI_JOB_TOKEN) can neither push commits nor open merge requests; {NEEDED}")
        }
        (Some(_), Some(scope)) => format!("the token lacks scope `{scope}`; {NEEDED}"),
        (Some(_), None) if answer.status == 401 => {
            format!("the token is wrong, expired or revoked; {NEEDED}")
        }
        (Some(_), None) => format!("the token's user may not do this here; {NEEDED}"),
    })
}

/// What is written to a protected branch, or with too low a role, is answered so (400 or 403):
/// `lib/gitlab/checks/branch_check.rb` has the sentences, and `Commits::CreateService` one more.
fn breaks_a_rule(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("protected branch")
        || words.contains("not allowed to push into this branch")
        || is_about_the_name(&words)
}

/// A push rule (`ee/lib/ee/gitlab/checks/push_rules/branch_check.rb`).
fn is_about_the_name(words: &str) -> bool {
    words.to_lowercase().contains("branch name") && words.contains("does not follow the pattern")
}

/// Which setting stands in the way.
fn of_rule(words: &str) -> &'static str {
    if is_about_the_name(words) {
        return "set `merge_request.branch_prefix` so that the names of the bot's branches follow the project's push rule";
    }
    match words.to_lowercase().contains("force push") {
        true => {
            "switch on \"Allowed to force push\" for this branch under Settings, Repository, Protected branches, or \
             leave the bot's branches unprotected"
        }
        false => "the token's user needs role Developer, or Maintainer where the branch is protected",
    }
}

/// The best-known trap of a GitLab behind a proxy: a project's path and a branch's name are one part of a URL each.
fn slashes(error: &TransportError) -> Option<String> {
    let (TransportError::WebPage { url, .. } | TransportError::Status { url, .. }) = error else {
        return None;
    };
    url.contains("%2F").then(|| {
        "a proxy before GitLab may turn %2F into a slash; let it pass paths as they are (nginx: proxy_pass without a \
         path; Apache: AllowEncodedSlashes NoDecode and nocanon)"
            .to_owned()
    })
}

/// A branch is not seen for a while after its push (tens of seconds were measured), and a merge request is
/// locked while GitLab works on it.
fn is_lag(words: &str) -> bool {
    let words = words.to_lowercase().replace('_', " ");
    words.contains("source branch") && words.contains("does not exist") || words.contains("resource lock")
}

/// GitLab's four shapes: `message` as text, as a list, as lists by field; `error` with or without a description.
fn words(body: &Value) -> String {
    let parts: Vec<String> = if body["message"].is_null() {
        ["error", "error_description"].iter().map(|&name| flat(&body[name])).collect()
    } else {
        vec![flat(&body["message"])]
    };
    plain(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": "))
}

fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(flat).collect::<Vec<_>>().join("; "),
        // Rails' full messages: the field, then what is wrong with it; `base` stands for the whole.
        Value::Object(fields) => fields
            .iter()
            .map(
                |(field, value)| {
                    if field == "base" { flat(value) } else { format!("{field} {}", flat(value)) }
                },
            )
            .collect::<Vec<_>>()
            .join("; "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `Retry-After`, else the end of the rate limit's window as seen from the answer's own date. Without either,
/// or without any sense in them (a reset in 1970), the forge did not say.
fn retry_after(response: &Response) -> Option<Duration> {
    let by_window = || {
        let reset: u64 = response.header("ratelimit-reset")?.parse().ok()?;
        let date = httpdate::parse_http_date(response.header("date")?).ok()?;
        (std::time::UNIX_EPOCH + Duration::from_secs(reset)).duration_since(date).ok()
    };
    let told = response.retry_after.filter(|_| response.header("retry-after").is_some());
    told.or_else(by_window).map(believable)
}
