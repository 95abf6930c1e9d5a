//! Tokens: what is asked of a realm, and what it answers (distribution, auth/token.md and auth/oauth.md).

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::answer::{not_understood, unanswered, unreadable};
use super::credentials::Credentials;
use super::refusal::words;
use crate::ending::Ends as _;
use crate::http::{BoundSecret, Credential, Origin, Request, Response, Secret, Transport, redacted};
use crate::registry::RegistryError;

/// A token is dropped this long before it expires, so that it does not expire on its way.
const EARLY: Duration = Duration::from_secs(10);

/// The life of a token that does not say, and the shortest that a server may give (auth/token.md).
const SHORTEST_LIFE: Duration = Duration::from_secs(60);

/// A life of centuries is no reason to overflow.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);

/// What to do where the token server is none.
pub(super) const ASK: &str =
    "ask the operator of the registry; its `WWW-Authenticate` names a server that must give tokens";

/// Tokens are a few kilobytes.
const BODY_CAP: usize = 1 << 20;

/// Where a registry sends us for tokens.
#[derive(Debug, Clone)]
pub(super) struct Realm {
    pub(super) url: Url,
    pub(super) service: Option<String>,
}

/// A bearer token for its registry, and the moment from which it is not used any more.
#[derive(Debug, Clone)]
pub(super) struct BearerToken {
    pub(super) secret: BoundSecret,
    stale_from: Instant,
}

/// What a realm gave.
pub(super) struct Granting {
    secret: Secret,
    stale_from: Instant,
}

impl Granting {
    /// The token as that of the registry that sent us to the realm.
    pub(super) fn bound_to(self, registry: Origin) -> BearerToken {
        BearerToken { secret: self.secret.bound_to(registry), stale_from: self.stale_from }
    }
}

/// The answer of a realm; either name may be missing, they mean the same.
#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    /// Seconds; some servers write `300.0`, or a text.
    expires_in: Option<Value>,
}

impl BearerToken {
    pub(super) fn is_stale(&self) -> bool {
        self.stale_from <= Instant::now()
    }
}

/// Asks the realm for a token over `scopes`. Identity tokens are exchanged by POST, and by GET where the realm knows
/// no OAuth2 (404).
pub(super) async fn fetch(
    transport: &Transport,
    realm: &Realm,
    credentials: &Credentials,
    scopes: &[String],
) -> Result<Granting, RegistryError> {
    let response = match credentials {
        Credentials::IdentityToken(token) => {
            let response = send(transport, exchange(realm, token, scopes)?).await?;
            if response.status == StatusCode::NOT_FOUND {
                let pair = Credentials::Password { user: "<token>".to_owned(), password: token.clone() };
                send(transport, question(realm, &pair, scopes)?).await?
            } else {
                response
            }
        }
        _ => send(transport, question(realm, credentials, scopes)?).await?,
    };
    granted(&response, realm, credentials)
}

async fn send(transport: &Transport, request: Request) -> Result<Response, RegistryError> {
    let subject = redacted(&request.url);
    transport.send(request.body_cap(BODY_CAP)).await.map_err(|error| unanswered(error, subject))
}

/// The GET: one `scope` parameter for each scope.
fn question(realm: &Realm, credentials: &Credentials, scopes: &[String]) -> Result<Request, RegistryError> {
    let mut url = realm.url.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(service) = &realm.service {
            query.append_pair("service", service);
        }
        for scope in scopes {
            query.append_pair("scope", scope);
        }
    }
    let credential = match credentials {
        Credentials::Password { user, password } => {
            let credential = Credential::basic(user, &realm.lent(password)?);
            Some(credential.map_err(|error| realm.invalid(error.to_string()))?)
        }
        _ => None,
    };
    Ok(Request::get(url).credential(credential))
}

/// The OAuth2 POST: all scopes in one parameter, separated by spaces.
fn exchange(realm: &Realm, token: &BoundSecret, scopes: &[String]) -> Result<Request, RegistryError> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token");
    form.append_pair("service", realm.service.as_deref().unwrap_or_default());
    form.append_pair("client_id", "dibump");
    form.append_pair("scope", &scopes.join(" "));
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    Ok(Request::new(Method::POST, realm.url.clone())
        .header(http::header::CONTENT_TYPE, form_type)
        .body(form.finish())
        .credential(Some(Credential::field("refresh_token", &realm.lent(token)?))))
}

impl Realm {
    /// A secret of the registry, which its realm is sent as well.
    fn lent(&self, secret: &BoundSecret) -> Result<BoundSecret, RegistryError> {
        let lent = Origin::of(&self.url).and_then(|origin| secret.passed_on(origin));
        lent.ok_or_else(|| self.invalid(format!("no place for the credentials of {}", secret.origin())))
    }

    fn invalid(&self, reason: String) -> RegistryError {
        RegistryError::Unusable { reason: format!("{}: {reason}", redacted(&self.url)), hint: None }
    }

    /// Whoever answers is no token server.
    fn no_token(&self, reason: &str) -> RegistryError {
        let reason = format!("{}: {reason}", redacted(&self.url));
        RegistryError::Unusable { reason, hint: Some(ASK.to_owned()) }
    }
}

fn granted(response: &Response, realm: &Realm, credentials: &Credentials) -> Result<Granting, RegistryError> {
    let subject = redacted(&realm.url);
    let exchanged = matches!(credentials, Credentials::IdentityToken(_));
    match response.status.as_u16() {
        200..=299 => {}
        // Who has no credentials is refused what is not public, and what does not exist.
        401 | 403 if matches!(credentials, Credentials::Anonymous) => {
            return Err(RegistryError::Denied { subject, status: words(response) });
        }
        401 | 403 => return Err(RegistryError::Refused { subject, status: words(response) }),
        // What OAuth2 says to a refresh token that it does not know (RFC 6749, section 5.2).
        400 if exchanged => return Err(RegistryError::Refused { subject, status: words(response) }),
        _ if response.retry_helps() => {
            return Err(RegistryError::Unavailable { subject, source: Arc::new(response.status_error()) });
        }
        _ => return Err(not_understood(response, format!("no token, but {}", words(response)))),
    }
    if let Some(page) = response.page_in_place_of("a token") {
        return Err(RegistryError::Unusable { reason: page.to_string(), hint: page.hint() });
    }
    let answer: Granted = response.json().map_err(|error| match error.is_eof() {
        true => unreadable(response, "a token", &error),
        false => realm.no_token(&format!("not a token: {error}")),
    })?;
    let secret = answer.token.filter(|token| !token.is_empty()).or(answer.access_token);
    let secret = secret.filter(|token| !token.is_empty());
    let secret = Secret::new(secret.ok_or_else(|| realm.no_token("an answer without a token"))?);
    Ok(Granting { secret, stale_from: Instant::now() + use_of(answer.expires_in.as_ref()) })
}

/// How long a token is used.
fn use_of(expires_in: Option<&Value>) -> Duration {
    let life = expires_in.and_then(seconds).unwrap_or(SHORTEST_LIFE).max(SHORTEST_LIFE);
    life.min(LONGEST_LIFE).saturating_sub(EARLY)
}

/// A length of time however it is written. One that is none says nothing.
fn seconds(written: &Value) -> Option<Duration> {
    let seconds = written.as_f64().or_else(|| written.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_token_is_used_as_long_as_it_lives_however_that_is_written() {
        for (expires_in, seconds) in [
            (json!(300), 290.0),
            (json!("300"), 290.0),
            (json!(" 300.5 "), 290.5),
            (json!(300.5), 290.5),
            (json!(null), 50.0),
            (json!(0), 50.0),
            (json!(-1), 50.0),
            (json!("soon"), 50.0),
            (json!({"seconds": 300}), 50.0),
            (json!(1e300), 50.0),
            (json!(9_000_000_000_u64), 86_390.0),
        ] {
            assert_eq!(use_of(Some(&expires_in)).as_secs_f64(), seconds, "{expires_in}");
        }
        assert_eq!(use_of(None).as_secs_f64(), 50.0);
    }
}
