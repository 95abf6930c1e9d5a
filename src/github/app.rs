//! A GitHub App: it signs who it is, and gets a token that its installation in an account may use for an hour.
//! (<https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app>)

use std::fmt;

use http::{HeaderValue, Method};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::Api;
use super::error::{Failure, InvalidGitHub};
use super::repository::RepositoryId;
use super::session::{InstallationToken, Pacing};
use crate::http::{BoundSecret, Credential, Origin, Request, Secret, Transport};

/// Clocks differ: GitHub takes no signature from the future, and none that lasts longer than ten minutes.
const SIGNED_BEFORE: u64 = 60;
const SIGNED_FOR: u64 = 9 * 60;

/// A token with less time left than this is not used any more.
const SPARE: u64 = 5 * 60;

/// An App and its private key.
#[derive(Clone)]
pub struct App {
    id: String,
    key: PrivateKey,
    installation: Option<u64>,
}

/// The key of an App, which signs and is never sent.
#[derive(Clone)]
pub struct PrivateKey(EncodingKey);

impl PrivateKey {
    /// The key of a text in PEM form.
    ///
    /// # Errors
    /// If it is no private RSA key.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidGitHub> {
        let key = EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| InvalidGitHub::Key)?;
        let key = Self(key);
        // A public key looks like a key until it has to sign.
        key.sign(&json!({})).map_err(|_| InvalidGitHub::Key)?;
        Ok(key)
    }

    fn sign(&self, claims: &impl Serialize) -> Result<Secret, Failure> {
        let signed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &self.0);
        signed.map(Secret::new).map_err(|_| Failure::Request("the App's private key can't sign".to_owned()))
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: u64,
    exp: u64,
}

#[derive(Deserialize)]
struct WireInstallation {
    id: u64,
}

#[derive(Deserialize)]
struct WireToken {
    token: String,
    expires_at: jiff::Timestamp,
}

#[derive(Deserialize)]
struct WireApp {
    slug: String,
}

impl App {
    /// The App of an id (or client id) with its private key. Without the number of an installation, the one of each
    /// repository is looked up.
    pub fn new(id: impl Into<String>, key: PrivateKey, installation: Option<u64>) -> Self {
        Self { id: id.into(), key, installation }
    }

    /// A token for the repository's account, from the session or a new one. Whoever waits for the same one gets it.
    pub(super) async fn token(
        &self,
        transport: &Transport,
        api: &Api,
        repository: &RepositoryId,
        session: &Pacing,
    ) -> Result<BoundSecret, Failure> {
        let mut tokens = session.tokens().lock().await;
        let place = (self.id.clone(), repository.owner.to_lowercase());
        if let Some(token) = tokens.get(&place)
            && get_current_timestamp() + SPARE < token.expires
        {
            return Ok(token.secret.clone());
        }
        let token = self.new_token(transport, api, repository).await?;
        let secret = token.secret.clone();
        tokens.insert(place, token);
        Ok(secret)
    }

    /// A token that was refused is not offered again.
    pub(super) async fn forget(&self, repository: &RepositoryId, session: &Pacing) {
        session.tokens().lock().await.remove(&(self.id.clone(), repository.owner.to_lowercase()));
    }

    /// The name under which it commits and comments.
    pub(super) async fn user(&self, transport: &Transport, api: &Api) -> Result<String, Failure> {
        let app: WireApp = self.ask(transport, api, Method::GET, "/app").await?;
        Ok(format!("{}[bot]", app.slug))
    }

    async fn new_token(
        &self,
        transport: &Transport,
        api: &Api,
        repository: &RepositoryId,
    ) -> Result<InstallationToken, Failure> {
        let installation = match self.installation {
            Some(installation) => installation,
            None => {
                let route = format!("{}/installation", repository.route());
                self.ask::<WireInstallation>(transport, api, Method::GET, &route).await?.id
            }
        };
        let route = format!("/app/installations/{installation}/access_tokens");
        let token: WireToken = self.ask(transport, api, Method::POST, &route).await?;
        let expires = u64::try_from(token.expires_at.as_second()).unwrap_or(0);
        let secret = Secret::new(token.token).bound_to(origin(api)?);
        Ok(InstallationToken { secret, expires })
    }

    /// A request of the App itself, signed.
    async fn ask<T: DeserializeOwned>(
        &self,
        transport: &Transport,
        api: &Api,
        method: Method,
        route: &str,
    ) -> Result<T, Failure> {
        let signed = Credential::bearer(&self.signed()?.bound_to(origin(api)?));
        let url = api.url(route).ok_or_else(|| Failure::Request(format!("no route `{route}`")))?;
        let request = Request::new(method, url)
            .header(http::header::ACCEPT, HeaderValue::from_static(super::send::JSON))
            .credential(signed.ok());
        let response = transport.send(request).await?;
        if !response.status.is_success() {
            return Err(Failure::of_answer(&response).by_the_app());
        }
        if let Some(page) = response.page_in_place_of(super::error::API) {
            return Err(page.into());
        }
        serde_json::from_slice(&response.body)
            .map_err(|error| Failure::Malformed(format!("unexpected answer to an App: {error}")))
    }

    fn signed(&self) -> Result<Secret, Failure> {
        let now = get_current_timestamp();
        let claims = Claims { iss: &self.id, iat: now - SIGNED_BEFORE, exp: now + SIGNED_FOR };
        self.key.sign(&claims)
    }
}

/// What everything of an App belongs to.
fn origin(api: &Api) -> Result<Origin, Failure> {
    Origin::of(api.rest()).ok_or_else(|| Failure::Request("the API has no host".to_owned()))
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("installation", &self.installation).finish()
    }
}
