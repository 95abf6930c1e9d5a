//! octocrab over our transport, lists of any length, and GraphQL.
//!
//! octocrab's typed endpoints are used where their answers are small. Its models of pull requests and repositories
//! refuse a whole list for one word that they do not know, so those are read into wire structs of our own.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use http_body_util::BodyExt as _;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Identity;
use super::api::Api;
use super::error::{Caller, Failure, GraphqlFailure, InvalidGitHub};
use super::repository::{RepositoryId, RepositoryInfo};
use super::send::{Moved, Sender};
use super::session::Pacing;
use crate::forge_api::{ForgePage, MAX_LIST_BYTES, MAX_PAGES, PER_PAGE, with_page};
use crate::http::{Credential, Origin, Transport, next_query};

/// One API with one identity.
#[derive(Debug, Clone)]
pub(super) struct Client {
    sender: Sender,
    /// Made by the first request, because it needs a runtime.
    octocrab: OnceLock<Octocrab>,
    /// Whether the job's own token is used for a repository that is not the job's.
    pub(super) is_other_repository: bool,
}

/// A whole list.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) entries: Vec<T>,
    /// Whether it came from another address than the one that was asked: the repository has a new name.
    pub(super) moved: bool,
}

/// An answer with its headers.
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    moved: bool,
}

#[derive(Deserialize)]
struct GraphqlAnswer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Vec<GraphqlFailure>,
}

impl Client {
    pub(super) fn new(
        transport: Transport,
        api: &Api,
        identity: Option<Identity>,
        repository: &RepositoryId,
        session: &Pacing,
    ) -> Result<Self, InvalidGitHub> {
        let origin = |url: &url::Url| Origin::of(url).ok_or_else(|| InvalidGitHub::api(url));
        let (rest, graphql) = (origin(api.rest())?, origin(api.graphql())?);
        if rest != graphql {
            return Err(InvalidGitHub::api(api.graphql()));
        }
        if let Some(Identity::Token(secret)) = &identity {
            if *secret.origin() != rest {
                return Err(InvalidGitHub::Foreign { of: secret.origin().clone(), to: rest });
            }
            Credential::bearer(secret)?;
        }
        let (api, repository, session) = (api.clone(), repository.clone(), session.clone());
        let sender = Sender { transport, api, identity, repository, session };
        Ok(Self { sender, octocrab: OnceLock::new(), is_other_repository: false })
    }

    /// The API's host, for messages.
    pub(super) fn host(&self) -> String {
        self.sender.api.host()
    }

    /// Who asks, for messages.
    pub(super) fn caller(&self) -> Caller<'_> {
        let Sender { transport, identity, .. } = &self.sender;
        let (host, is_other_repository) = (self.host(), self.is_other_repository);
        Caller { transport, host, identity: identity.as_ref(), is_other_repository }
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        self.sender.identity.as_ref()
    }

    /// What GitHub says of a repository as a whole.
    pub(super) async fn repository(&self, id: &RepositoryId) -> Result<RepositoryInfo, Failure> {
        self.get(&id.route()).await
    }

    /// The name under which an App acts.
    pub(super) async fn app_user(&self) -> Result<Option<String>, Failure> {
        match &self.sender.identity {
            Some(Identity::App(app)) => app.user(&self.sender.transport, &self.sender.api).await.map(Some),
            _ => Ok(None),
        }
    }

    /// octocrab itself, for its typed endpoints. All its requests go through [`Sender::send`].
    pub(super) fn octocrab(&self) -> &Octocrab {
        self.octocrab.get_or_init(|| {
            let sender = self.sender.clone();
            let service = tower::service_fn(move |request| {
                let sender = sender.clone();
                async move { sender.send(request).await }
            });
            let built = OctocrabBuilder::new_empty().with_service(service).with_auth(AuthState::None).build();
            match built {
                Ok(octocrab) => octocrab,
                Err(never) => match never {},
            }
        })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, route: &str) -> Result<T, Failure> {
        read(&self.get_as(route, None).await?.body)
    }

    /// A GET for another form of the answer than JSON.
    pub(super) async fn get_as(
        &self,
        route: &str,
        accept: Option<&'static str>,
    ) -> Result<Received, Failure> {
        let headers = accept
            .map(|accept| HeaderMap::from_iter([(http::header::ACCEPT, HeaderValue::from_static(accept))]));
        let answer = self.octocrab()._get_with_headers(route, headers).await?;
        let moved = answer.extensions().get::<Moved>().is_some();
        let headers = answer.headers().clone();
        Ok(Received { headers, body: answer.into_body().collect().await?.to_bytes(), moved })
    }

    /// A write whose answer is read.
    pub(super) async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Failure> {
        read(&self.send(method, route, Some(body)).await?)
    }

    /// A write whose answer says nothing.
    pub(super) async fn done(
        &self,
        method: Method,
        route: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<(), Failure> {
        self.send(method, route, Some(body)).await.map(drop)
    }

    /// A write without a body.
    pub(super) async fn delete(&self, route: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, route, None::<&()>).await.map(drop)
    }

    async fn send<B>(&self, method: Method, route: &str, body: Option<&B>) -> Result<Bytes, Failure>
    where
        B: Serialize + ?Sized,
    {
        let request = http::Request::builder().method(method).uri(route);
        let request = self.octocrab().build_request(request, body)?;
        let answer = self.octocrab().execute(request).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    }

    /// Every entry of a list. The route may have a query already.
    pub(super) async fn all<T: DeserializeOwned>(&self, route: &str) -> Result<List<T>, Failure> {
        let mark = if route.contains('?') { '&' } else { '?' };
        self.pages(format!("{route}{mark}per_page={PER_PAGE}"), true).await
    }

    /// Every entry of a list that knows no page size; it may have further pages all the same.
    pub(super) async fn all_unsized<T: DeserializeOwned>(&self, route: &str) -> Result<List<T>, Failure> {
        self.pages(route.to_owned(), false).await
    }

    async fn pages<T: DeserializeOwned>(&self, mut route: String, sized: bool) -> Result<List<T>, Failure> {
        let (mut list, mut bytes) = (List { entries: Vec::new(), moved: false }, 0);
        for page in 1..=MAX_PAGES {
            let answer = self.get_as(&route, None).await?;
            bytes += answer.body.len();
            let read: ForgePage<T> = serde_json::from_slice(&answer.body).map_err(|error| {
                Failure::Malformed(format!("page {page} of {route} is not a list: {error}"))
            })?;
            let Some(read) = read.whole().filter(|_| bytes <= MAX_LIST_BYTES) else {
                return Err(Failure::Malformed(format!(
                    "the list {route} is too long to be read as a whole"
                )));
            };
            let full = sized && read.len() >= PER_PAGE;
            list.entries.extend(read);
            list.moved |= answer.moved;
            match next_page(&answer.headers, &route, page, full)? {
                Some(next) if next != route => route = next,
                Some(_) => break,
                None => return Ok(list),
            }
        }
        Err(Failure::Malformed(format!("the list {route} does not end")))
    }

    /// The data of a GraphQL query.
    pub(super) async fn graphql<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: Value,
    ) -> Result<T, Failure> {
        let body = json!({"query": query, "variables": variables});
        let answer: GraphqlAnswer<T> = self.write(Method::POST, "/graphql", &body).await?;
        match answer {
            GraphqlAnswer { data: Some(data), errors } if errors.is_empty() => Ok(data),
            GraphqlAnswer { errors, .. } => Err(Failure::graphql(errors, &self.sender.transport)),
        }
    }

    /// A GraphQL mutation, when it is our turn to write.
    pub(super) async fn mutate(&self, mutation: &str, variables: Value) -> Result<(), Failure> {
        let _turn = self.sender.session.turn().await;
        self.graphql::<Value>(mutation, variables).await.map(drop)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let is_page = body.trim_ascii_start().starts_with(b"<");
        let hint = if is_page { "; is this GitHub's API?" } else { "" };
        Failure::Malformed(format!("unexpected answer: {error}{hint}"))
    })
}

/// The route of the next page, by `Link`, else one more after a full page (proxies drop headers).
fn next_page(headers: &HeaderMap, route: &str, page: usize, full: bool) -> Result<Option<String>, Failure> {
    let path = route.split('?').next().unwrap_or(route);
    let linked = next_query(headers).map_err(|error| Failure::Malformed(format!("{route}: {error}")))?;
    if linked.is_some() || headers.contains_key(http::header::LINK) || !full {
        return Ok(linked.map(|query| format!("{path}?{query}")));
    }
    let query = route.split_once('?').map(|(_, query)| query).unwrap_or_default();
    Ok(Some(format!("{path}?{}", with_page(query, &(page + 1).to_string()))))
}
