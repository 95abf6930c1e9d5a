//! One request from start to end: hops of redirects, attempts of a hop, bytes of an attempt.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::clients::Clients;
use super::failure::failure;
use super::flight::{Flight, Room};
use super::host::{Host, HostPatience};
use super::{
    Mask, OpenAnswer, Origin, Request, Response, TransportError, TransportSettings, UnreadBody, is_allowed,
    redacted, retry, secret,
};
use crate::ending::sentence;

/// More hops than this are a loop (reqwest and browsers draw the line near it, too).
const MAX_REDIRECTS: usize = 10;

/// A wait that people notice.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// Headers of answers that explain what a server does; `set-cookie` and the like are nobody's business.
const SHOWN_HEADERS: [&str; 14] = [
    "content-type",
    "link",
    "location",
    "www-authenticate",
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-gitlab-meta",
    "docker-content-digest",
];

/// What all clones of a transport share.
#[derive(Debug)]
pub(super) struct Inner {
    clients: Clients,
    settings: TransportSettings,
    /// The proxies of the environment, where they are honoured.
    proxies: Option<Matcher>,
    hosts: Mutex<HashMap<Origin, Arc<Host>>>,
    counters: Mutex<BTreeMap<(Origin, Option<u16>), u64>>,
    flight: Flight,
    /// How many bytes of bodies came that were left to be read.
    streamed: Arc<AtomicU64>,
    /// What was sent with requests and must not be shown with answers.
    pub(super) mask: Mask,
}

/// People at a terminal wonder why nothing happens: `cli::log` shows this at the default level there.
fn tell_of_wait(why: &str, wait: Duration) {
    tracing::warn!(target: super::WAITS, "{why} after {:.1} s", wait.as_secs_f64());
}

impl Inner {
    pub(super) fn new(settings: TransportSettings) -> Result<Self, TransportError> {
        let clients = Clients::new(&settings)?;
        let proxies = settings.proxy_from_environment.then(Matcher::from_system);
        let (hosts, counters, mask) = (Mutex::default(), Mutex::default(), Mask::default());
        let (flight, streamed) = (Flight::default(), Arc::default());
        Ok(Self { clients, settings, proxies, hosts, counters, flight, streamed, mask })
    }

    pub(super) fn settings(&self) -> &TransportSettings {
        &self.settings
    }

    pub(super) fn streamed(&self) -> u64 {
        self.streamed.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) -> BTreeMap<(Origin, Option<u16>), u64> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Follows redirects by hand: the client of reqwest would take `PRIVATE-TOKEN` along to another host.
    pub(super) async fn send(&self, mut request: Request) -> Result<OpenAnswer, TransportError> {
        if let Some(credential) = &request.credential
            && !credential.fits(&request.url)
        {
            let (origin, url) = (credential.origin().to_string(), redacted(&request.url));
            return Err(TransportError::ForeignCredential { origin, url });
        }
        request.url = secret::without_user(request.url);
        secret::strip_unbound(&mut request.headers);
        if let Some(credential) = &request.credential {
            self.mask.add(credential);
        }
        for _ in 0..=MAX_REDIRECTS {
            let opened = self.hop(&request).await.map_err(|error| error.masked(&self.mask))?;
            let Some(next) = redirect_target(&request.method, &opened.response)? else { return Ok(opened) };
            if request.redirects_to.as_ref().is_some_and(|hosts| !is_allowed(&next, hosts)) {
                let reason =
                    format!("to {}, which is not an allowed host", next.host_str().unwrap_or_default());
                return Err(TransportError::Redirect { url: redacted(&request.url), reason });
            }
            // Whoever was sent to another origin comes back, if at all, to a place that a stranger chose.
            if Origin::of(&next) != Origin::of(&request.url) {
                request.credential = None;
            }
            request.url = secret::without_user(next);
        }
        let reason = format!("more than {MAX_REDIRECTS} times");
        Err(TransportError::Redirect { url: redacted(&request.url), reason })
    }

    /// One URL, with its repetitions.
    async fn hop(&self, request: &Request) -> Result<OpenAnswer, TransportError> {
        let origin = Origin::of(&request.url).ok_or_else(|| TransportError::Redirect {
            url: redacted(&request.url),
            reason: "to something that is neither http nor https".to_owned(),
        })?;
        let host = self.host(&origin);
        let patience = HostPatience::new(&host, self.settings.give_up_after);
        let repetitions = if retry::is_repeatable(&request.method) { self.settings.retries } else { 0 };
        let mut attempt = 0;
        loop {
            let outcome = self.attempt(request, &origin, (&host, &patience), attempt).await;
            let answered = outcome.as_ref().map(|opened| &opened.response);
            if let Ok(response) = answered {
                host.heed(response);
            }
            let again = match answered {
                Ok(response) => response.retry_helps(),
                Err(
                    TransportError::DeadlinePassed { .. }
                    | TransportError::Silent { .. }
                    | TransportError::Status { .. },
                ) => false,
                Err(error) => error.retry_helps(),
            };
            if !again || attempt == repetitions {
                return outcome;
            }
            let Some(wait) = self.wait_before_repeating(answered.ok(), attempt) else { return outcome };
            let why = answered.map_or_else(|error| sentence(error), |response| response.status.to_string());
            tell_of_wait(&format!("{origin}: {}; the request is repeated", self.mask.hide(&why)), wait);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// `None` when the server asks for more patience than we have, or the run would be over by then.
    fn wait_before_repeating(&self, answered: Option<&Response>, attempt: u32) -> Option<Duration> {
        let backoff = retry::backoff(self.settings.backoff, attempt);
        let asked = answered.and_then(|response| response.retry_after);
        let wait = asked.map_or(backoff, |asked| asked.max(backoff));
        let too_long = asked.is_some_and(|asked| asked > self.settings.max_retry_after);
        (!too_long && !self.is_over_after(wait)).then_some(wait)
    }

    fn is_over_after(&self, wait: Duration) -> bool {
        self.settings.deadline.is_some_and(|deadline| Instant::now() + wait >= deadline)
    }

    async fn attempt(
        &self,
        request: &Request,
        origin: &Origin,
        (host, patience): (&Host, &HostPatience<'_>),
        attempt: u32,
    ) -> Result<OpenAnswer, TransportError> {
        let passed = || TransportError::DeadlinePassed { url: redacted(&request.url) };
        let waiting = async {
            // The semaphore is never closed, so a permit is always given.
            let permit = host.permits.acquire().await;
            let silence = host.silence();
            if silence > self.settings.max_retry_after {
                let (url, status) = (redacted(&request.url), StatusCode::TOO_MANY_REQUESTS);
                return Err(TransportError::Status { url, status, retry_after: Some(silence) });
            }
            if self.is_over_after(silence) {
                return Err(passed());
            }
            if silence >= LONG_WAIT {
                tell_of_wait(&format!("{origin} limits the rate of requests"), silence);
            }
            if silence > Duration::ZERO {
                tokio::time::sleep(silence).await;
                patience.renew();
            }
            host.given_up().map_or(Ok(permit), Err)
        };
        let _permit = self.before_deadline(waiting).await.unwrap_or_else(|| Err(passed()))?;
        let begun = Instant::now();
        patience.begin();
        let exchange = patience.with(|| redacted(&request.url), self.exchange(request, patience));
        let outcome = self.before_deadline(exchange).await.unwrap_or_else(|| Err(passed()));
        let answered = outcome.as_ref().map(|opened| &opened.response);
        self.log(request, answered, begun.elapsed(), attempt + 1);
        self.count(origin, answered.ok().map(|response| response.status.as_u16()));
        outcome
    }

    /// One line a request with `-v`, and the headers that matter with `-vv`: none of ours, which carry tokens.
    fn log(
        &self,
        request: &Request,
        outcome: Result<&Response, &TransportError>,
        took: Duration,
        attempt: u32,
    ) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let url = self.mask.hide(&redacted(&request.url)).into_owned();
        let answer = match outcome {
            Ok(response) => response.status.as_u16().to_string(),
            Err(error) => self.mask.hide(&sentence(error)).into_owned(),
        };
        let (method, ms) = (&request.method, took.as_millis());
        tracing::debug!("{method} {url}: {answer}, {ms} ms, attempt {attempt}");
        let Ok(response) = outcome else { return };
        for name in SHOWN_HEADERS {
            if let Some(value) = response.header(name) {
                tracing::trace!("{method} {url}: {name}: {}", self.mask.hide(value));
            }
        }
    }

    /// `None` if the run is over before the future is.
    async fn before_deadline<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        match self.settings.deadline {
            None => Some(future.await),
            Some(deadline) => tokio::time::timeout_at(deadline.into(), future).await.ok(),
        }
    }

    async fn exchange(
        &self,
        request: &Request,
        patience: &HostPatience<'_>,
    ) -> Result<OpenAnswer, TransportError> {
        let begun = Instant::now();
        let failed =
            |error: reqwest::Error| self.unconnected(failure(error, &request.url, begun), &request.url);
        let (mut headers, mut body) = (request.headers.clone(), request.body.clone());
        if let Some(credential) = &request.credential {
            credential.attach(&request.url, &mut headers, &mut body);
        }
        let mut builder = self
            .clients
            .get(&self.settings, self.needs_tls(&request.url))?
            .request(request.method.clone(), request.url.clone())
            .headers(headers);
        if !request.is_streamed {
            builder = builder.timeout(self.settings.request_timeout);
        }
        if let Some(body) = body {
            builder = builder.body(body);
        }
        let mut answer = builder.send().await.map_err(failed)?;
        patience.renew();
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let is_unread = request.is_streamed && status.is_success();
        let mut body = match is_unread {
            true => Bytes::new(),
            false => read_body(&mut answer, request, &self.flight, patience).await?,
        };
        if !status.is_success() {
            body = self.mask.hide_in_error(body);
        }
        self.show_warnings(&headers, &request.url);
        let retry_after = retry::wait_asked(status, &headers, SystemTime::now());
        let response = Response { status, headers, body, url: request.url.clone(), retry_after };
        let (url, patience, deadline) =
            (request.url.clone(), self.settings.read_timeout, self.settings.deadline);
        let streamed = Arc::clone(&self.streamed);
        let unread = is_unread.then(|| UnreadBody { answer, url, patience, deadline, streamed });
        Ok(OpenAnswer { response, body: unread })
    }

    /// The proxy between us and the server of a URL.
    fn proxy(&self, url: &Url) -> Option<String> {
        let proxies = self.proxies.as_ref()?;
        Some(proxies.intercept(&url.as_str().parse().ok()?)?.uri().to_string())
    }

    /// Whether a certificate is asked for on the way: by the server, or by a proxy.
    fn needs_tls(&self, url: &Url) -> bool {
        url.scheme() == "https" || self.proxy(url).is_some()
    }

    /// Where a proxy stands between, it is the one that could not be reached, or did not let us through.
    fn unconnected(&self, error: TransportError, url: &Url) -> TransportError {
        match error {
            TransportError::Connection { url: shown, source } if source.is_connect() => match self.proxy(url)
            {
                Some(proxy) => TransportError::Proxy { url: shown, proxy, source },
                None => TransportError::Connection { url: shown, source },
            },
            other => other,
        }
    }

    /// Registries and forges announce the end of an API by `Warning: 299` (distribution-spec, "Warnings").
    fn show_warnings(&self, headers: &http::HeaderMap, url: &Url) {
        for warning in headers.get_all(http::header::WARNING) {
            if let Ok(text) = warning.to_str()
                && text.starts_with("299 ")
            {
                let (url, warning) = (self.mask.hide(&redacted(url)).into_owned(), self.mask.hide(text));
                tracing::warn!(url, %warning, "the server warns");
            }
        }
    }

    fn host(&self, origin: &Origin) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(origin) {
            return Arc::clone(host);
        }
        let host = Arc::new(Host::new(self.settings.per_host.max(1)));
        hosts.insert(origin.clone(), Arc::clone(&host));
        host
    }

    fn count(&self, origin: &Origin, status: Option<u16>) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry((origin.clone(), status)).or_default() += 1;
    }
}

/// Where to go next; `None` if the answer is final.
fn redirect_target(method: &Method, response: &Response) -> Result<Option<Url>, TransportError> {
    let redirects = matches!(
        response.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !redirects || !retry::is_repeatable(method) {
        return Ok(None);
    }
    let refused =
        |reason: &str| TransportError::Redirect { url: redacted(&response.url), reason: reason.to_owned() };
    let Some(location) = response.header(http::header::LOCATION) else { return Ok(None) };
    let next = response.url.join(location).map_err(|_| refused("to something that is not a URL"))?;
    match (response.url.scheme(), next.scheme()) {
        ("https", "http") => Err(refused("from https to http")),
        (_, "http" | "https") => Ok(Some(next)),
        _ => Err(refused("to something that is neither http nor https")),
    }
}

async fn read_body(
    answer: &mut reqwest::Response,
    request: &Request,
    flight: &Flight,
    patience: &HostPatience<'_>,
) -> Result<Bytes, TransportError> {
    let too_large = || TransportError::TooLarge { url: redacted(&request.url), cap: request.body_cap };
    if request.method == Method::HEAD {
        return Ok(Bytes::new());
    }
    let (announced, begun) = (answer.content_length(), Instant::now());
    if announced.is_some_and(|bytes| bytes > request.body_cap as u64) {
        return Err(too_large());
    }
    let announced = announced.and_then(|bytes| usize::try_from(bytes).ok());
    let (whole, mut room) = (announced.unwrap_or(request.body_cap), Room::default());
    flight.hold(&mut room, announced.unwrap_or(0), whole).await;
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure(error, &request.url, begun))? {
        patience.renew();
        if body.len() + chunk.len() > request.body_cap {
            return Err(too_large());
        }
        flight.hold(&mut room, body.len() + chunk.len(), whole).await;
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &Method, from: &str, to: &str) -> Result<Option<Url>, TransportError> {
        let mut headers = http::HeaderMap::new();
        headers.insert("location", to.parse().unwrap());
        let (status, url) = (StatusCode::TEMPORARY_REDIRECT, from.parse().unwrap());
        redirect_target(method, &Response { status, headers, body: Bytes::new(), url, retry_after: None })
    }

    #[test]
    fn a_redirect_never_leaves_encryption_and_never_repeats_a_write() {
        let followed = target(&Method::GET, "https://a.example/v2/x", "../y?z=1").unwrap();
        assert_eq!(followed.unwrap().as_str(), "https://a.example/y?z=1");
        assert!(target(&Method::HEAD, "http://a.example/", "https://b.example/").unwrap().is_some());
        assert!(target(&Method::POST, "https://a.example/", "https://a.example/b").unwrap().is_none());
        for to in ["http://a.example/", "file:///etc/passwd"] {
            assert!(matches!(
                target(&Method::GET, "https://a.example/", to),
                Err(TransportError::Redirect { .. })
            ));
        }
    }
}
