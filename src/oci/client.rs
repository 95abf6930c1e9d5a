//! One request to the registry: with what lets us in, and with the one reading of statuses that all of its
//! endpoints share.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use url::Url;

use super::allowance::Allowance;
use super::answer::{unanswered, unavailable, unusable};
use super::credentials::Credentials;
use super::refusal::{speaks_registry, words};
use super::session::{AccessScope, Pass, RegistrySession};
use crate::http::{Credential, IN_THE_WAY, OpenAnswer, Origin, Request, Response, Transport, redacted};
use crate::registry::{RegistryError, Repository};

/// Registries name themselves by this header (distribution, spec/api.md, "API Version Check").
const API_VERSION: &str = "docker-distribution-api-version";

/// One registry, its session and its place.
#[derive(Debug)]
pub(super) struct Client {
    transport: Transport,
    root: Url,
    host: String,
    pub(super) session: RegistrySession,
    let_in: AtomicBool,
    is_registry: AtomicBool,
    is_no_registry: AtomicBool,
    has_no_referrers: AtomicBool,
    /// What all answers together may still hold.
    pub(super) allowance: Allowance,
}

impl Client {
    pub(super) fn new(
        transport: Transport,
        host: &str,
        plain_http: bool,
        credentials: Credentials,
    ) -> Result<Self, RegistryError> {
        let (root, origin) = (root(host, plain_http)?, origin(host, plain_http)?);
        if let Some(other) = credentials.origin().filter(|other| **other != origin) {
            let reason = format!("{host}: credentials of {other} do not belong to {origin}");
            return Err(RegistryError::Unusable { reason, hint: None });
        }
        let session = RegistrySession::new(transport.clone(), origin, credentials);
        let [let_in, is_registry, is_no_registry, has_no_referrers] =
            [(); 4].map(|()| AtomicBool::new(false));
        Ok(Self {
            allowance: Allowance::new(host),
            host: host.to_owned(),
            transport,
            root,
            session,
            let_in,
            is_registry,
            is_no_registry,
            has_no_referrers,
        })
    }

    /// How many requests are worth having under way at once.
    pub(super) fn width(&self) -> usize {
        self.transport.settings().per_host.max(1)
    }

    /// Whether the registry has let us in before.
    pub(super) fn was_let_in(&self) -> bool {
        self.let_in.load(Ordering::Relaxed)
    }

    /// Whether the host was found to be no registry at all.
    pub(super) fn is_no_registry(&self) -> bool {
        self.is_no_registry.load(Ordering::Relaxed)
    }

    /// Whether the registry was found to have no API for referrers.
    pub(super) fn has_no_referrers(&self) -> bool {
        self.has_no_referrers.load(Ordering::Relaxed)
    }

    pub(super) fn note_no_referrers(&self) {
        self.has_no_referrers.store(true, Ordering::Relaxed);
    }

    /// The URL of an endpoint of a repository. Credentials and plain HTTP were given for one host; nothing goes to
    /// another.
    pub(super) fn endpoint(&self, repository: &Repository, endpoint: &str) -> Result<Url, RegistryError> {
        if repository.host != self.host {
            let reason = format!("this is not on {}", self.host);
            return Err(RegistryError::NotUnderstood { subject: repository.to_string(), reason });
        }
        self.url(format_args!("{}/{endpoint}", repository.path))
    }

    /// The URL of an endpoint below `/v2/`.
    pub(super) fn url(&self, endpoint: fmt::Arguments<'_>) -> Result<Url, RegistryError> {
        let invalid = |_| RegistryError::NotUnderstood {
            subject: format!("{}/{endpoint}", self.host),
            reason: "this makes no URL".to_owned(),
        };
        self.root.join(&format!("/v2/{endpoint}")).map_err(invalid)
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(
        &self,
        scope: &AccessScope,
        request: Request,
    ) -> Result<Response, RegistryError> {
        self.open(scope, request).await.map(|opened| opened.response)
    }

    /// Sends a request and answers at most three refusals: the first one names the scheme, a token may have expired,
    /// and a token for many repositories may hold for the first one only.
    ///
    /// Every status but 401 and 403 is returned.
    pub(super) async fn open(
        &self,
        scope: &AccessScope,
        request: Request,
    ) -> Result<OpenAnswer, RegistryError> {
        let mut pass = match self.session.pass(scope).await {
            Ok(pass) => pass,
            Err(error) => return Err(self.without_token(scope, error).await),
        };
        loop {
            let credential = pass.as_ref().map(|pass| pass.credential.clone());
            let shared = pass.as_ref().is_some_and(Pass::is_shared);
            let password = credential.clone().filter(|_| pass.as_ref().is_some_and(|pass| !pass.is_token()));
            let opened = self.opened(request.clone(), credential).await?;
            let response = &opened.response;
            let refused = match response.status {
                StatusCode::UNAUTHORIZED => true,
                // A token that was asked for with others may be too narrow; one of its own is not.
                StatusCode::FORBIDDEN if shared => true,
                StatusCode::FORBIDDEN => return Err(self.denied(scope, words(response))),
                _ => false,
            };
            if !refused {
                self.note(response);
                return Ok(opened);
            }
            pass = match self.session.after_refusal(&response.headers, scope, pass).await {
                Ok(None) => return Err(self.refused(scope, response, password).await?),
                Ok(better) => better,
                Err(error) => return Err(self.without_token(scope, error).await),
            };
        }
    }

    /// A token server that takes our credentials refuses what was asked for; any other refuses the credentials.
    async fn without_token(&self, scope: &AccessScope, error: RegistryError) -> RegistryError {
        match error {
            RegistryError::Denied { status, .. } => self.denied(scope, status),
            RegistryError::Refused { subject, status } => {
                if !self.was_let_in() && !self.session.is_known().await {
                    return RegistryError::Refused { subject, status };
                }
                self.let_in.store(true, Ordering::Relaxed);
                self.denied(scope, status)
            }
            other => other,
        }
    }

    /// What a 401 means that nothing can answer. It is the password that is refused where the registry refuses it for
    /// itself, too; many answer so for repositories that do not exist.
    async fn refused(
        &self,
        scope: &AccessScope,
        response: &Response,
        password: Option<Credential>,
    ) -> Result<RegistryError, RegistryError> {
        if password.is_some() && !self.was_let_in() {
            let answer = self.once(Request::get(self.url(format_args!(""))?), password).await?;
            if !answer.status.is_success() {
                return Ok(RegistryError::Refused { subject: self.host.clone(), status: words(response) });
            }
            self.note(&answer);
        }
        Ok(self.denied(scope, words(response)))
    }

    /// What a refusal means that is not one of our credentials.
    pub(super) fn denied(&self, scope: &AccessScope, status: String) -> RegistryError {
        let subject = match scope {
            AccessScope::Pull(path) => format!("{}/{path}", self.host),
            AccessScope::Catalog => format!("{}/v2/_catalog", self.host),
        };
        RegistryError::Denied { subject, status }
    }

    /// Whether a 404 means absence: only a registry can say so, and not the page of a proxy in front of it.
    pub(super) async fn confirm_absence(&self, response: &Response) -> Result<(), RegistryError> {
        self.confirm_speaker(response)?;
        if speaks_registry(response) {
            self.is_registry.store(true, Ordering::Relaxed);
        }
        if !self.is_registry.load(Ordering::Relaxed) {
            self.probe().await?;
        }
        Ok(())
    }

    /// A registry never answers with a web page; the sign-in page of a network does, with 200 to everything.
    pub(super) fn confirm_speaker(&self, response: &Response) -> Result<(), RegistryError> {
        response.page_in_place_of("a registry").map_or(Ok(()), |page| Err(unusable(&page)))
    }

    /// Asks `/v2/`, which only a registry answers with 200, or with 401 and a challenge.
    pub(super) async fn probe(&self) -> Result<(), RegistryError> {
        let url = self.url(format_args!(""))?;
        let response = self.once(Request::get(url), None).await?;
        let challenged = response.headers.contains_key(http::header::WWW_AUTHENTICATE);
        match response.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED if challenged => {
                // No path was asked for, so the challenge's scope says nothing about repositories.
                self.session.learn(&response.headers, &AccessScope::Catalog)?;
            }
            _ if response.retry_helps() => return Err(unavailable(&response)),
            _ => {
                self.is_no_registry.store(true, Ordering::Relaxed);
                let reason = format!("{}: no registry ({})", redacted(&response.url), words(&response));
                return Err(RegistryError::Unusable { reason, hint: Some(IN_THE_WAY.to_owned()) });
            }
        }
        self.is_registry.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn once(
        &self,
        request: Request,
        credential: Option<Credential>,
    ) -> Result<Response, RegistryError> {
        self.opened(request, credential).await.map(|opened| opened.response)
    }

    async fn opened(
        &self,
        request: Request,
        credential: Option<Credential>,
    ) -> Result<OpenAnswer, RegistryError> {
        let subject = redacted(&request.url);
        self.transport.open(request.credential(credential)).await.map_err(|error| unanswered(error, subject))
    }

    fn note(&self, response: &Response) {
        if response.status.is_success() || response.status == StatusCode::NOT_FOUND {
            self.let_in.store(true, Ordering::Relaxed);
        }
        if response.headers.contains_key(API_VERSION) {
            self.is_registry.store(true, Ordering::Relaxed);
            self.is_no_registry.store(false, Ordering::Relaxed);
        }
    }

    /// An error as it may leave this adapter: without the secrets that a server repeats.
    pub(super) fn masked(&self, error: RegistryError) -> RegistryError {
        let shown = |text: String| self.transport.masked(&text);
        match error {
            RegistryError::Refused { subject, status } => {
                RegistryError::Refused { subject: shown(subject), status: shown(status) }
            }
            RegistryError::Invalid { subject, reason } => {
                RegistryError::Invalid { subject: shown(subject), reason: shown(reason) }
            }
            RegistryError::Denied { subject, status } => {
                RegistryError::Denied { subject: shown(subject), status: shown(status) }
            }
            RegistryError::NotUnderstood { subject, reason } => {
                RegistryError::NotUnderstood { subject: shown(subject), reason: shown(reason) }
            }
            RegistryError::Broken { subject, reason } => {
                RegistryError::Broken { subject: shown(subject), reason: shown(reason) }
            }
            RegistryError::Unusable { reason, hint } => {
                RegistryError::Unusable { reason: shown(reason), hint }
            }
            RegistryError::Unavailable { subject, source } => {
                RegistryError::Unavailable { subject: shown(subject), source }
            }
        }
    }
}

fn root(host: &str, plain_http: bool) -> Result<Url, RegistryError> {
    let scheme = if plain_http { "http" } else { "https" };
    format!("{scheme}://{}/", api_host(host)).parse().map_err(|_| no_host(host))
}

/// Where the registry called `host` answers, and what its credentials belong to.
///
/// # Errors
/// [`RegistryError::Unusable`] if `host` cannot be one.
pub fn origin(host: &str, plain_http: bool) -> Result<Origin, RegistryError> {
    Origin::of(&root(host, plain_http)?).ok_or_else(|| no_host(host))
}

fn no_host(host: &str) -> RegistryError {
    let hint = "a registry is written as oci://HOST[:PORT]/PATH".to_owned();
    RegistryError::Unusable { reason: format!("invalid host `{host}`"), hint: Some(hint) }
}

/// The host that answers the API: Docker Hub is named `docker.io` and lives elsewhere.
fn api_host(host: &str) -> &str {
    match host {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        _ => host,
    }
}
