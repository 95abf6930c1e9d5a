//! One request from octocrab to our transport and back. Nothing goes around it, so retries of reads, redaction, limits
//! and the log are those of every other adapter.
//!
//! octocrab sees answers of status 2xx only; every other one becomes a [`Failure`] here, with all that its body and
//! headers say.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderValue, Method};
use http_body_util::{BodyExt as _, Full};
use octocrab::OctoBody;

use super::Identity;
use super::api::Api;
use super::error::{API, Failure};
use super::repository::RepositoryId;
use super::session::Pacing;
use crate::http::{BoundSecret, Credential, Request, Transport};

/// What GitHub recommends to ask for.
pub(super) const JSON: &str = "application/vnd.github+json";

/// Set on an answer that came from another address than the one that was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved;

/// What every request needs.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) transport: Transport,
    pub(super) api: Api,
    pub(super) identity: Option<Identity>,
    pub(super) repository: RepositoryId,
    pub(super) session: Pacing,
}

impl Sender {
    /// Writes wait for their turn; a mutation of GraphQL took its own, since nothing here tells it from a query.
    pub(super) async fn send(
        &self,
        request: http::Request<OctoBody>,
    ) -> Result<http::Response<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let route = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = self.api.url(route).ok_or_else(|| Failure::Request(format!("no route `{route}`")))?;
        let secret = self.secret().await?;
        let mut request = Request::new(parts.method, url);
        request.headers = parts.headers;
        request.headers.remove(CONTENT_LENGTH);
        request.headers.entry(ACCEPT).or_insert(HeaderValue::from_static(JSON));
        let body = body.collect().await.map_err(|error| Failure::Request(error.to_string()))?.to_bytes();
        if !body.is_empty() {
            request = request.body(body);
        }
        let credential = secret.as_ref().map(Credential::bearer).transpose();
        let credential = credential.map_err(|error| Failure::Request(error.to_string()))?;
        self.exchange(request.credential(credential)).await
    }

    async fn exchange(&self, request: Request) -> Result<http::Response<Full<Bytes>>, Failure> {
        let is_read = matches!(request.method, Method::GET | Method::HEAD);
        let asked = request.url.clone();
        let _turn = match is_read || asked == *self.api.graphql() {
            true => None,
            false => Some(self.session.turn().await),
        };
        let response = self.transport.send(request).await?;
        if let (401, Some(Identity::App(app))) = (response.status.as_u16(), &self.identity) {
            app.forget(&self.repository, &self.session).await;
        }
        if !response.status.is_success() {
            return Err(Failure::of_answer(&response));
        }
        if let Some(page) = response.page_in_place_of(API) {
            return Err(page.into());
        }
        let mut answer = http::Response::new(Full::new(response.body));
        *answer.status_mut() = response.status;
        *answer.headers_mut() = response.headers;
        if response.url != asked {
            answer.extensions_mut().insert(Moved);
        }
        Ok(answer)
    }

    async fn secret(&self) -> Result<Option<BoundSecret>, Failure> {
        match &self.identity {
            None => Ok(None),
            Some(Identity::Token(secret)) => Ok(Some(secret.clone())),
            Some(Identity::App(app)) => {
                app.token(&self.transport, &self.api, &self.repository, &self.session).await.map(Some)
            }
        }
    }
}
