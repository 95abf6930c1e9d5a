//! The token realm: who may have a token, and what for.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use base64::Engine as _;
use serde_json::json;

use super::State;

/// How the realm behaves.
#[derive(Debug, Clone)]
pub(crate) struct TokenRules {
    /// Where it is.
    pub(crate) path: &'static str,
    /// What it answers in any case.
    pub(crate) status: Option<u16>,
    /// How it writes its answer, with `{token}` where the token goes.
    pub(crate) written: &'static str,
    /// As what it is sent.
    pub(crate) content_type: Option<&'static str>,
    /// User and password; `None` gives tokens to everybody.
    pub(crate) user: Option<(String, String)>,
    /// The refresh token that `POST` takes; without one the realm knows no OAuth2 and answers 404.
    pub(crate) identity_token: Option<String>,
    /// Tokens are given for nothing at all.
    pub(crate) grants_nothing: bool,
    /// Tokens are given for the first scope only, as some registries do.
    pub(crate) grants_first_only: bool,
    /// What a token is not for is answered 403 in place of 401.
    pub(crate) forbids_the_rest: bool,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            path: "/token",
            status: None,
            written: r#"{"token": "{token}", "expires_in": 300}"#,
            content_type: None,
            user: None,
            identity_token: None,
            grants_nothing: false,
            grants_first_only: false,
            forbids_the_rest: false,
        }
    }
}

/// The answer to `GET /token?…` or `POST /token`.
pub(super) fn answer(
    state: &mut State,
    method: &str,
    query: &str,
    authorization: Option<&str>,
    body: &str,
) -> (StatusCode, String) {
    let super::Access::Token(rules) = state.access.clone() else {
        return (StatusCode::NOT_FOUND, String::new());
    };
    if let Some(status) = rules.status {
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, json!({"details": "nope"}).to_string());
    }
    let form = if method == "POST" { body } else { query };
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let let_in = match (method, &rules.identity_token) {
        ("POST", None) => return (StatusCode::NOT_FOUND, String::new()),
        ("POST", Some(expected)) => value("refresh_token") == Some(expected),
        _ => rules.user.as_ref().is_none_or(|(user, password)| authorization == Some(&basic(user, password))),
    };
    if !let_in {
        let body = json!({"errors": [{"code": "DENIED", "message": "access forbidden"}]});
        return (StatusCode::FORBIDDEN, body.to_string());
    }
    let asked = pairs.iter().filter(|(name, _)| name == "scope");
    let scopes: Vec<String> =
        asked.flat_map(|(_, scopes)| scopes.split(' ')).map(ToOwned::to_owned).collect();
    let exists = |scope: &String| {
        let path = scope.strip_prefix("repository:").and_then(|rest| rest.strip_suffix(":pull"));
        path.is_none_or(|path| state.repositories.contains_key(path))
    };
    if state.denial.is_some() && !scopes.iter().all(exists) {
        let body = json!({"errors": [{"code": "DENIED", "message": "access forbidden"}]});
        return (StatusCode::FORBIDDEN, body.to_string());
    }
    let granted: BTreeSet<String> = match (rules.grants_nothing, rules.grants_first_only) {
        (true, _) => BTreeSet::new(),
        (_, true) => scopes.into_iter().take(1).collect(),
        _ => scopes.into_iter().collect(),
    };
    let token = format!("token-{}", state.log.len());
    state.tokens.insert(token.clone(), granted);
    (StatusCode::OK, rules.written.replace("{token}", &token))
}

/// Whether `authorization` is a token for `scope`.
pub(super) fn lets_in(state: &State, authorization: Option<&str>, scope: &str) -> bool {
    let token = authorization.and_then(|text| text.strip_prefix("Bearer "));
    token
        .and_then(|token| state.tokens.get(token))
        .is_some_and(|scopes| scope.is_empty() || scopes.contains(scope))
}

/// Whether whoever has a token is refused what it is not for, and not asked for another one.
pub(super) fn forbids(state: &State, authorization: Option<&str>) -> bool {
    let has_token = authorization.is_some_and(|text| text.starts_with("Bearer "));
    matches!(&state.access, super::Access::Token(rules) if rules.forbids_the_rest) && has_token
}

/// The header of basic authentication.
pub(super) fn basic(user: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}
