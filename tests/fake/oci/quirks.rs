//! What registries do in their own way: each quirk was seen at one of them, or reported of one.

use axum::http::StatusCode;

use super::State;
use super::serve::{Answer, Asked, error, manifest_of, ok};

/// The place of bytes that a registry sends its clients to.
pub(super) const ELSEWHERE: &str = "/elsewhere/";

/// One habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    /// What does not exist is a web page (404).
    MissingIsAPage,
    /// What does not exist is 404 without a body or a type.
    MissingIsBare,
    /// What does not exist is an error of this status.
    MissingIs(u16),
    /// What does not exist is an empty list (200), whatever was asked.
    MissingIsEmpty,
    /// HEAD of a manifest has this status.
    HeadIs(u16),
    /// Manifests are sent as this type; `None` for without.
    Type(Option<&'static str>),
    /// Manifests come with this digest; `None` for without. `{}` is the right one.
    Digest(Option<&'static str>),
    /// Manifests are fetched from another host, which takes no credentials of ours.
    Redirects,
    /// Everything is the sign-in page of a network.
    SignInPage,
    /// More than a hundred entries a page are refused.
    SmallPages,
}

/// The answer of this registry in place of the right one.
pub(super) fn applied(quirks: &[Quirk], asked: &Asked<'_>, answer: Answer) -> Answer {
    quirks.iter().fold(answer, |answer, quirk| quirk.apply(asked, answer))
}

/// What the other host has, for whoever sends no credentials (S3 answers so to two of them).
pub(super) fn elsewhere(state: &State, path: &str, asked: &Asked<'_>) -> Answer {
    match (asked.authorization, path.split_once("/manifests/")) {
        (None, Some((path, reference))) => manifest_of(state, path, reference),
        _ => page(StatusCode::BAD_REQUEST, "<Error><Code>InvalidArgument</Code></Error>"),
    }
}

impl Quirk {
    fn apply(self, asked: &Asked<'_>, mut answer: Answer) -> Answer {
        let is_missing =
            answer.status == StatusCode::NOT_FOUND && answer.body.windows(7).any(|w| w == b"UNKNOWN");
        let is_manifest = asked.path.contains("/manifests/") && answer.status == StatusCode::OK;
        match self {
            Self::SignInPage => page(StatusCode::OK, "<!doctype html><title>Sign in</title>"),
            Self::SmallPages if asked.query.split('&').any(|pair| pair.starts_with("n=1000")) => error(
                StatusCode::BAD_REQUEST,
                "PAGINATION_NUMBER_INVALID",
                "invalid number of results requested",
            ),
            Self::MissingIsAPage if is_missing => page(answer.status, "<h1>404 Not Found</h1>"),
            Self::MissingIsBare if is_missing => Answer { headers: Vec::new(), body: Vec::new(), ..answer },
            Self::MissingIs(status) if is_missing => {
                let status = StatusCode::from_u16(status).expect("a status");
                error(status, "UNKNOWN", "backend: not found")
            }
            Self::MissingIsEmpty if is_missing => {
                ok("application/json", br#"{"name": "x", "tags": []}"#.to_vec())
            }
            Self::HeadIs(status) if is_manifest && asked.method == "HEAD" => {
                let status = StatusCode::from_u16(status).expect("a status");
                Answer { status, headers: Vec::new(), body: Vec::new(), unexpected: false }
            }
            Self::Type(media_type) if is_manifest => {
                answer.headers.retain(|(name, _)| name != "content-type");
                answer.headers.extend(media_type.map(|value| ("content-type".to_owned(), value.to_owned())));
                answer
            }
            Self::Digest(written) if is_manifest => {
                let digest = super::digest(&answer.body);
                answer.headers.retain(|(name, _)| name != "docker-content-digest");
                let value = written.map(|written| written.replace("{}", &digest));
                answer.headers.extend(value.map(|value| ("docker-content-digest".to_owned(), value)));
                answer
            }
            Self::Redirects if is_manifest && !asked.path.starts_with(ELSEWHERE) => {
                let (_, port) = asked.host.rsplit_once(':').expect("a port");
                let path = asked.path.trim_start_matches("/v2/");
                let location = format!("http://localhost:{port}{ELSEWHERE}{path}");
                let headers = vec![("location".to_owned(), location)];
                Answer {
                    status: StatusCode::TEMPORARY_REDIRECT,
                    headers,
                    body: Vec::new(),
                    unexpected: false,
                }
            }
            _ => answer,
        }
    }
}

fn page(status: StatusCode, text: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    Answer { status, headers, body: text.as_bytes().to_vec(), unexpected: false }
}
