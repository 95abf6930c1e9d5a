//! What went wrong between us and GitHub, and what it means for the ports.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::Identity;
use super::limit::{LIMITED, Limit, limit};
use super::words::words;
use crate::catalogue::CatalogueError;
use crate::forge::ForgeError;
use crate::forge_api::{believable, not_listed, plain, unanswered};
use crate::http::{InvalidSecret, Origin, Response, Transport, TransportError, redacted};

/// What is needed to write.
const NEEDED: &str = "GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a \
                      fine-grained personal access token, one of scope `repo`, or that of an Actions job with \
                      `permissions: {contents: write, pull-requests: write}`";

/// Where the token comes from with which packages are read.
const READING: &str = "the token comes from GITHUB_TOKEN; packages need a classic token of scope `read:packages`, or that of \
                       an Actions job with `permissions: {packages: read}`";

/// What answers, in messages.
pub(super) const API: &str = "GitHub's API";

/// Why a GitHub cannot be used as it was configured.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidGitHub {
    /// The API's address is no http(s) URL, or its two parts are on different hosts.
    #[error(
        "`{url}` is not an address of a GitHub API (expected https://api.github.com or https://HOST/api/v3)"
    )]
    Api {
        /// The address, redacted.
        url: String,
    },
    /// The token belongs to another GitHub.
    #[error("the GitHub token belongs to {of}, not to {to}")]
    Foreign {
        /// Where the token belongs.
        of: Origin,
        /// Where it was to go.
        to: Origin,
    },
    /// The token cannot be sent.
    #[error("the GitHub token can't be used")]
    Token(#[from] InvalidSecret),
    /// The App's key is none.
    #[error("the GitHub App's private key is not an RSA key in PEM form (-----BEGIN RSA PRIVATE KEY-----)")]
    Key,
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
    /// GraphQL's way of saying no, with status 200.
    #[error("{}", .0.message)]
    Graphql(GraphqlFailure),
    /// An answer that is not what the API promises.
    #[error("{0}")]
    Malformed(String),
    /// The request could not be made.
    #[error("{0}")]
    Request(String),
    /// A condition of ours does not hold.
    #[error("{0}")]
    Rejected(String),
}

/// Who asked, as far as a failure's message speaks of it.
pub(super) struct Caller<'a> {
    pub(super) transport: &'a Transport,
    /// The API's host.
    pub(super) host: String,
    pub(super) identity: Option<&'a Identity>,
    /// Whether the job's own token is used for a repository that is not the job's.
    pub(super) is_other_repository: bool,
}

/// One of GraphQL's errors.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct GraphqlFailure {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) message: String,
}

/// An answer other than 2xx, as far as it says anything.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    /// GitHub's own words, or the status where there are none.
    pub(super) words: String,
    /// The permissions that the endpoint asks of fine-grained tokens and Apps.
    permissions: Option<String>,
    /// Whether the body was GitHub's JSON.
    is_json: bool,
    /// Whether it was the App that was refused, and not what it asked for.
    to_the_app: bool,
    /// Whether a rate limit was met, and how long it lasts.
    limit: Option<Limit>,
    retry_after: Option<Duration>,
    error: TransportError,
}

impl InvalidGitHub {
    pub(super) fn api(url: &Url) -> Self {
        Self::Api { url: redacted(url) }
    }
}

impl Failure {
    pub(super) fn of_answer(response: &Response) -> Self {
        let json = serde_json::from_slice::<Value>(&response.body).ok().filter(Value::is_object);
        let said = match &json {
            Some(value) => words(value),
            None => plain(&String::from_utf8_lossy(&response.body)),
        };
        let words = if said.is_empty() { response.status.to_string() } else { said };
        let limit = limit(response, &words);
        if let (None, Some(page)) = (&limit, response.page_in_place_of(API)) {
            return page.into();
        }
        Self::Answer(Box::new(Answered {
            status: response.status,
            limit,
            words,
            permissions: response.header("x-accepted-github-permissions").map(str::to_owned),
            is_json: json.is_some(),
            to_the_app: false,
            retry_after: response.retry_after.map(believable),
            error: response.status_error(),
        }))
    }

    /// The first of GraphQL's errors, which there must be where there is no data.
    pub(super) fn graphql(errors: Vec<GraphqlFailure>, transport: &Transport) -> Self {
        let Some(mut first) = errors.into_iter().next() else {
            return Self::Malformed("an answer of GraphQL without data and errors".to_owned());
        };
        first.message = plain(&transport.masked(&first.message));
        Self::Graphql(first)
    }

    /// An answer to the App itself.
    pub(super) fn by_the_app(mut self) -> Self {
        if let Self::Answer(answer) = &mut self {
            answer.to_the_app = true;
        }
        self
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status.as_u16()),
            _ => None,
        }
    }

    /// Whether the words of the answer contain `text`, whatever the case.
    pub(super) fn says(&self, text: &str) -> bool {
        match self {
            Self::Answer(_) | Self::Graphql(_) => {
                self.to_string().to_lowercase().contains(&text.to_lowercase())
            }
            _ => false,
        }
    }

    /// Whether the same request may have been done and may succeed if sent at once again.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Transport(error) => error.retry_helps(),
            Self::Answer(a) => a.status.is_server_error() && a.retry_after.is_none() && a.limit.is_none(),
            _ => false,
        }
    }
}

impl From<octocrab::Error> for Failure {
    /// Answers other than 2xx come as what our own service made of them.
    fn from(error: octocrab::Error) -> Self {
        match error {
            octocrab::Error::Service { source, .. } => match source.downcast::<Self>() {
                Ok(own) => *own,
                Err(other) => Self::Request(other.to_string()),
            },
            octocrab::Error::Json { source, .. } => Self::Malformed(format!("unexpected answer: {source}")),
            other => Self::Request(other.to_string()),
        }
    }
}

/// A failure as the forge's port says it.
pub(super) fn forge_error(failure: Failure, action: String, caller: &Caller<'_>) -> ForgeError {
    let answer = match failure {
        Failure::Answer(answer) => answer,
        Failure::Transport(error) => return unanswered(error, action, caller.host.clone()),
        Failure::Graphql(failure) => return of_graphql(failure, action),
        Failure::Rejected(reason) => return ForgeError::Rejected { action, reason },
        other => {
            return ForgeError::Invalid { action, reason: caller.transport.masked(&other.to_string()) };
        }
    };
    let reason = answer.words.clone();
    if let Some(limit) = &answer.limit {
        let (reason, retry_after) = (limit.told(&reason), Some(limit.wait));
        return ForgeError::Postponed { action, reason, retry_after, hint: None };
    }
    match answer.status.as_u16() {
        // What is not in GitHub's own form is a proxy's, and says nothing of the token.
        403 if !answer.is_json => {
            ForgeError::Postponed { action, reason, retry_after: answer.retry_after, hint: None }
        }
        401 | 403 => ForgeError::Refused { action, reason, hint: hint(&answer, caller) },
        404 if answer.is_json => ForgeError::Refused { action, reason, hint: hint(&answer, caller) },
        408 | 500..=599 => {
            let (host, source) = (caller.host.clone(), Arc::new(answer.error));
            ForgeError::Unavailable { action, host, retry_after: answer.retry_after, source }
        }
        _ if is_lag(&reason) => ForgeError::NotYet { action, reason },
        _ if is_protected(&reason) => {
            let hint =
                "a branch rule or ruleset of the repository stands in the way; exempt `dibump/**` or the bot";
            ForgeError::Refused { action, reason, hint: Some(hint.to_owned()) }
        }
        400..=499 if answer.is_json => ForgeError::Rejected { action, reason },
        _ => ForgeError::Invalid { action, reason: format!("{}: {reason}", answer.status) },
    }
}

/// GraphQL names the kind of its errors in place of a status.
fn of_graphql(failure: GraphqlFailure, action: String) -> ForgeError {
    let reason = failure.message;
    match failure.kind.as_str() {
        "RATE_LIMITED" | "RATE_LIMIT" => {
            let reason = format!("GitHub limits this token: \"{}\"", reason.trim_end_matches('.'));
            ForgeError::Postponed { action, reason, retry_after: Some(LIMITED), hint: None }
        }
        "NOT_FOUND" | "FORBIDDEN" | "INSUFFICIENT_SCOPES" => ForgeError::Refused {
            action,
            reason,
            hint: Some(format!("the token may not do this here; {NEEDED}")),
        },
        "UNPROCESSABLE" | "STALE_DATA" => ForgeError::Rejected { action, reason },
        _ => ForgeError::Invalid { action, reason: format!("GraphQL: {reason}") },
    }
}

/// A failure as the port of candidates says it. `subject` is the host and the account that was asked.
pub(super) fn catalogue_error(failure: Failure, subject: String, caller: &Caller<'_>) -> CatalogueError {
    let answer = match failure {
        Failure::Answer(answer) => answer,
        Failure::Transport(error) => return not_listed(error, subject),
        other => {
            let reason = caller.transport.masked(&other.to_string());
            return CatalogueError::Invalid { subject, reason };
        }
    };
    let reason = answer.words.clone();
    match answer.status.as_u16() {
        _ if answer.limit.is_some() => {
            let told = answer.limit.as_ref().map(|limit| limit.told(&reason)).unwrap_or_default();
            CatalogueError::Unavailable { subject, source: Arc::from(Box::from(told)) }
        }
        401 => {
            let status = format!("{}: {reason}", answer.status);
            CatalogueError::Refused { subject: caller.host.clone(), status, hint: READING }
        }
        400 | 403 | 404 => CatalogueError::NotOffered { subject, reason },
        408 | 500..=599 => CatalogueError::Unavailable { subject, source: Arc::new(answer.error) },
        _ => CatalogueError::Invalid { subject, reason: format!("{}: {reason}", answer.status) },
    }
}

/// What a person can do about a refusal.
fn hint(answer: &Answered, caller: &Caller<'_>) -> Option<String> {
    let words = answer.words.to_lowercase();
    let by_an_app = words.contains("not accessible by integration");
    Some(match caller.identity {
        _ if answer.to_the_app => {
            "check the App's id and private key, and that the App is installed for this repository".to_owned()
        }
        None => format!("no token was sent; {NEEDED}"),
        Some(_) if answer.status == 401 => format!("the token is wrong, expired or revoked; {NEEDED}"),
        Some(_) if words.contains("not permitted to create or approve pull requests") => {
            "switch on \"Allow GitHub Actions to create and approve pull requests\" under Settings, Actions, General of \
             the repository or its organisation, or use an App or a personal access token"
                .to_owned()
        }
        Some(_) if words.contains("saml") => {
            "authorise the token for single sign-on of the organisation".to_owned()
        }
        Some(_) if caller.is_other_repository && (by_an_app || answer.status == 404) => {
            "the token of an Actions job is good for the job's own repository only; use an App or a personal access \
             token"
                .to_owned()
        }
        Some(_) if answer.status == 404 => {
            format!("check the repository's path; what a token may not see or do is answered as if it were not there; {NEEDED}")
        }
        Some(_) => match &answer.permissions {
            Some(permissions) => format!("GitHub asks for the permission {permissions}; {NEEDED}"),
            None => format!("the token may not do this here; {NEEDED}"),
        },
    })
}

/// A branch is not seen for a moment after its push where pull requests are made.
fn is_lag(words: &str) -> bool {
    let words = words.to_lowercase();
    let signs = ["head sha can't be blank", "head ref must be a branch", "pullrequest head invalid"];
    signs.iter().any(|sign| words.contains(sign))
}

/// What a write is answered (422, not 403) that a rule of the repository forbids.
fn is_protected(words: &str) -> bool {
    let words = words.to_lowercase();
    ["rule violations", "protected branch", "cannot force-push"].iter().any(|sign| words.contains(sign))
}
