//! The `gitlab` crate's client traits over our transport, and lists of any length.
//!
//! The crate sees answers of status 2xx only; every other one becomes a [`Failure`] here, with all that its body
//! and headers say.

use async_trait::async_trait;
use bytes::Bytes;
use gitlab::api::{ApiError, AsyncClient, AsyncQuery, Endpoint, RestClient, raw};
use http::Method;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::GitLabToken;
use super::error::{API, Caller, Failure, InvalidGitLab};
use crate::forge_api::{self, ForgePage, MAX_LIST_BYTES, MAX_PAGES, PER_PAGE, with_page};
use crate::http::{
    BoundSecret, Credential, InvalidSecret, Origin, Request, Response, Transport, UnreadableLink, next_query,
    redacted,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `GET /version`
#[derive(Deserialize)]
struct WireVersion {
    version: String,
}

#[derive(Deserialize)]
struct GraphqlAnswer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
}

#[derive(Deserialize)]
struct GraphqlError {
    message: String,
}

/// One API with one token.
#[derive(Debug, Clone)]
pub(super) struct Client {
    transport: Transport,
    /// Ends with a slash, so that endpoints can be joined to it.
    api: Url,
    token: Option<GitLabToken>,
    credential: Option<Credential>,
}

impl Client {
    pub(super) fn new(
        transport: Transport,
        api: &Url,
        token: Option<GitLabToken>,
    ) -> Result<Self, InvalidGitLab> {
        let origin = Origin::of(api).ok_or_else(|| InvalidGitLab::Api { url: redacted(api) })?;
        if let Some(token) = token.as_ref().filter(|token| *token.secret().origin() != origin) {
            return Err(InvalidGitLab::Foreign { of: token.secret().origin().clone(), to: origin });
        }
        let credential = token.as_ref().map(credential).transpose()?;
        let mut api = api.clone();
        if !api.path().ends_with('/') {
            api.set_path(&format!("{}/", api.path()));
        }
        Ok(Self { transport, api, token, credential })
    }

    /// Where people find the server, without a slash at the end of its path.
    pub(super) fn site(&self) -> Option<Url> {
        let mut site = self.api.clone();
        let root = site.path().strip_suffix("/api/v4/")?.to_owned();
        site.set_path(&root);
        Some(site)
    }

    /// The API's host, for messages.
    pub(super) fn host(&self) -> String {
        forge_api::host(&self.api)
    }

    /// Who asks, for messages.
    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { transport: &self.transport, host: self.host(), token: self.token.as_ref() }
    }

    pub(super) fn token(&self) -> Option<&GitLabToken> {
        self.token.as_ref()
    }

    /// The answer of an endpoint.
    pub(super) async fn ask<T: DeserializeOwned + 'static>(
        &self,
        endpoint: &(impl Endpoint + Sync),
    ) -> Result<T, Failure> {
        endpoint.query_async(self).await.map_err(Failure::from)
    }

    /// The data of a GraphQL query, whose API stands beside that of REST.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
    ) -> Result<T, Failure> {
        let url = self.api.join("../graphql").map_err(|error| Failure::Request(error.to_string()))?;
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = Request::new(Method::POST, url).header(CONTENT_TYPE, JSON).body(body);
        let response = self.send(request).await?;
        let answer: GraphqlAnswer<T> = response
            .json()
            .map_err(|error| Failure::Malformed(format!("unexpected answer of GraphQL: {error}")))?;
        let said =
            || answer.errors.iter().map(|error| self.masked(&error.message)).collect::<Vec<_>>().join("; ");
        match answer.data {
            Some(data) if answer.errors.is_empty() => Ok(data),
            _ => Err(Failure::Malformed(format!("GraphQL: {}", said()))),
        }
    }

    /// A write. Every one is JSON: for commits GitLab documents nothing else (`doc/api/commits.md`), and where it is
    /// read-only it says so to JSON only and sends anything else to its start page.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Response, Failure> {
        let url = self.api.join(path).map_err(|error| Failure::Request(error.to_string()))?;
        let body = serde_json::to_vec(body).map_err(|error| Failure::Request(error.to_string()))?;
        self.send(Request::new(method, url).header(CONTENT_TYPE, JSON).body(body)).await
    }

    /// A write, and what GitLab made of it.
    pub(super) async fn made<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let response = self.write(method, path, body).await?;
        response.json().map_err(|error| Failure::Malformed(format!("unexpected answer: {error}")))
    }

    /// Major and minor number of GitLab's version; `None` where it is not told.
    pub(super) async fn version(&self) -> Result<Option<(u32, u32)>, Failure> {
        let url = self.api.join("version").map_err(|error| Failure::Request(error.to_string()))?;
        let response = match self.send(Request::get(url)).await {
            Err(failure) if matches!(failure.status(), Some(400..=404)) => return Ok(None),
            answer => answer?,
        };
        let read: WireVersion =
            response.json().map_err(|error| Failure::Malformed(format!("unexpected answer: {error}")))?;
        let mut numbers = read.version.split('.').map_while(|part| part.parse().ok());
        Ok(numbers.next().zip(numbers.next()))
    }

    /// The bytes that an endpoint answers.
    pub(super) async fn bytes(&self, endpoint: &(impl Endpoint + Sync)) -> Result<Vec<u8>, Failure> {
        raw(endpoint).query_async(self).await.map_err(Failure::from)
    }

    /// Every entry of a list. A list that was cut is an error.
    pub(super) async fn all<T: DeserializeOwned>(&self, endpoint: &impl Endpoint) -> Result<Vec<T>, Failure> {
        let mut url = self.rest_endpoint(&endpoint.endpoint())?;
        endpoint.parameters().add_to_url(&mut url);
        url.query_pairs_mut().append_pair("per_page", &PER_PAGE.to_string());
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for page in 1..=MAX_PAGES {
            let response = self.send(Request::get(url.clone())).await?;
            bytes += response.body.len();
            let read: ForgePage<T> = response.json().map_err(|error| {
                Failure::Malformed(format!("page {page} of {} is not a list: {error}", redacted(&url)))
            })?;
            let Some(read) = read.whole().filter(|_| bytes <= MAX_LIST_BYTES) else {
                let reason = format!("the list {} is too long to be read as a whole", redacted(&url));
                return Err(Failure::Malformed(reason));
            };
            let full = read.len() >= PER_PAGE;
            entries.extend(read);
            match next_page(&response, page, full, &url)? {
                Some(query) if url.query() != Some(&query) => url.set_query(Some(&query)),
                Some(_) => break,
                None => return complete(entries, &response),
            }
        }
        Err(Failure::Malformed(format!("the list {} does not end", redacted(&url))))
    }

    /// One page of a list by its query, and the query of the next one where a link leads there.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        endpoint: &impl Endpoint,
        query: Option<&str>,
    ) -> Result<(Vec<T>, Option<String>), Failure> {
        let mut url = self.rest_endpoint(&endpoint.endpoint())?;
        endpoint.parameters().add_to_url(&mut url);
        if query.is_some() {
            url.set_query(query);
        }
        let response = self.send(Request::get(url.clone())).await?;
        let read = response
            .json()
            .map_err(|error| Failure::Malformed(format!("{} is not a list: {error}", redacted(&url))))?;
        let next = next_query(&response.headers).map_err(|error| unreadable(&error, &url))?;
        Ok((read, next))
    }

    /// A read with a job token that is refused is asked again without one: a public project answers anybody,
    /// a job token only the projects that allow it.
    async fn send(&self, request: Request) -> Result<Response, Failure> {
        let anonymous = request.clone();
        let answer = self.send_once(request.credential(self.credential.clone())).await;
        match (&self.token, answer) {
            (Some(GitLabToken::Job(_)), Err(refused))
                if is_read(&anonymous) && refused.hides_the_project() =>
            {
                match self.send_once(anonymous).await {
                    Err(hidden) if hidden.hides_the_project() => Err(refused),
                    answer => answer,
                }
            }
            (_, answer) => answer,
        }
    }

    async fn send_once(&self, request: Request) -> Result<Response, Failure> {
        let response = self.transport.send(request).await?;
        if !response.status.is_success() {
            return Err(Failure::of_answer(&response));
        }
        match response.page_in_place_of(API) {
            Some(page) => Err(page.into()),
            None => Ok(response),
        }
    }

    /// What GitLab said, without the token.
    pub(super) fn masked(&self, text: &str) -> String {
        self.transport.masked(text)
    }
}

impl RestClient for Client {
    type Error = Failure;

    fn rest_endpoint(&self, endpoint: &str) -> Result<Url, ApiError<Failure>> {
        Ok(self.api.join(endpoint)?)
    }
}

#[async_trait]
impl AsyncClient for Client {
    async fn rest_async(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<http::Response<Bytes>, ApiError<Failure>> {
        let built =
            request.body(()).map_err(|error| ApiError::client(Failure::Request(error.to_string())))?;
        let (parts, ()) = built.into_parts();
        let mut url = Url::parse(&parts.uri.to_string())?;
        // The crate ends every URL in a question mark.
        if url.query() == Some("") {
            url.set_query(None);
        }
        let mut request = Request::new(parts.method, url);
        request.headers = parts.headers;
        if !body.is_empty() {
            request = request.body(body);
        }
        let response = self.send(request).await.map_err(ApiError::client)?;
        let mut answer = http::Response::new(response.body);
        *answer.status_mut() = response.status;
        *answer.headers_mut() = response.headers;
        Ok(answer)
    }
}

impl GitLabToken {
    pub(super) fn secret(&self) -> &BoundSecret {
        let (Self::Private(secret) | Self::Bearer(secret) | Self::Job(secret)) = self;
        secret
    }
}

/// An endpoint of the crate; its builders can only fail for fields that we forgot.
pub(super) fn built<E>(endpoint: Result<E, impl std::fmt::Display>) -> Result<E, Failure> {
    endpoint.map_err(|error| Failure::Request(error.to_string()))
}

fn credential(token: &GitLabToken) -> Result<Credential, InvalidSecret> {
    match token {
        GitLabToken::Private(secret) => Credential::header(HeaderName::from_static("private-token"), secret),
        GitLabToken::Bearer(secret) => Credential::bearer(secret),
        GitLabToken::Job(secret) => Credential::header(HeaderName::from_static("job-token"), secret),
    }
}

fn is_read(request: &Request) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
}

/// The query of the next page, by `Link`, else `X-Next-ForgePage`, else one more after a full page (proxies drop headers).
fn next_page(response: &Response, page: usize, full: bool, url: &Url) -> Result<Option<String>, Failure> {
    let linked = next_query(&response.headers).map_err(|error| unreadable(&error, url))?;
    if linked.is_some() {
        return Ok(linked);
    }
    let next = match response.header("x-next-page") {
        Some("") => return Ok(None),
        Some(next) => next.to_owned(),
        None if response.headers.contains_key("link") || !full => return Ok(None),
        None => (page + 1).to_string(),
    };
    Ok(Some(with_page(url.query().unwrap_or_default(), &next)))
}

fn unreadable(error: &UnreadableLink, url: &Url) -> Failure {
    Failure::Malformed(format!("{}: {error}", redacted(url)))
}

/// `X-Total` counts what the list should hold (it is absent above 10,000 entries).
fn complete<T>(entries: Vec<T>, last: &Response) -> Result<Vec<T>, Failure> {
    match last.header("x-total").and_then(|total| total.parse::<usize>().ok()) {
        Some(total) if total > entries.len() => Err(Failure::Malformed(format!(
            "the list {} was cut: {} of {total} entries",
            redacted(&last.url),
            entries.len()
        ))),
        _ => Ok(entries),
    }
}
