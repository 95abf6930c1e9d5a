//! What the servers of both forges share: state behind a lock, a log of requests, failures that a story arranges, and turns
//! that runs take.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response};
use futures::StreamExt as _;

use super::wire::{Answer, Failure, How, Seen, Turns, is_write};

/// What a server knows, and what it answers.
pub trait Service: Default + Send + 'static {
    /// What every answer says of its rate limit.
    const RATE_LIMIT: [(&'static str, &'static str); 5];

    /// The header that carried a token, and the token.
    fn token(headers: &HeaderMap) -> Option<(String, String)>;

    /// What the log calls a request: its path and query, and what else tells it from others.
    fn target(parts: &Parts, _body: &Bytes) -> String {
        parts.uri.to_string()
    }

    /// `None` for a request that it does not know.
    fn answer(&mut self, site: &Site, parts: &Parts, body: &Bytes, target: &str) -> Option<Answer>;

    /// What it says of such a request.
    fn unknown() -> Answer;
}

/// Where a server is.
#[derive(Debug, Clone)]
pub struct Site {
    /// Scheme, host, port and root: `http://127.0.0.1:1234`.
    pub address: String,
    /// The path below which all is.
    pub root: String,
}

/// The server. It ends with the value, and panics if it was asked for what it does not know.
pub struct FakeServer<S> {
    site: Site,
    shared: Arc<Shared<S>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared<S> {
    state: Mutex<S>,
    log: Mutex<Vec<Seen>>,
    failures: Mutex<Vec<Failure>>,
    unexpected: Mutex<Vec<String>>,
    turns: Mutex<Option<Arc<Turns>>>,
}

impl<S: Service> FakeServer<S> {
    /// Starts on a free port of the loopback interface.
    pub async fn start() -> Self {
        Self::start_below("").await
    }

    /// Starts with a relative root such as `/gitlab`.
    pub async fn start_below(root: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let host = listener.local_addr().expect("a bound socket");
        let site = Site { address: format!("http://{host}{root}"), root: root.to_owned() };
        let shared = Arc::<Shared<S>>::default();
        let known = (Arc::clone(&shared), site.clone());
        let app = Router::new().fallback(move |request: Request| {
            let (shared, site) = known.clone();
            async move { shared.serve(&site, request).await }
        });
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the listener stays open");
        });
        Self { site, shared, server }
    }

    /// The address with the relative root: `http://127.0.0.1:1234`.
    pub fn address(&self) -> &str {
        &self.site.address
    }

    /// What it knows. Do not hold it across an `await`.
    pub fn state(&self) -> MutexGuard<'_, S> {
        lock(&self.shared.state)
    }

    /// Arranges a failure.
    pub fn fail(&self, failure: Failure) {
        lock(&self.shared.failures).push(failure);
    }

    /// Forgets the failures that did not strike yet.
    pub fn heal(&self) {
        lock(&self.shared.failures).clear();
    }

    /// Whether all failures have struck that were arranged.
    pub fn all_struck(&self) -> bool {
        lock(&self.shared.failures).iter().all(|failure| failure.times == 0)
    }

    /// Lets runs write in an order, or as they come.
    pub fn take_turns(&self, turns: Option<Arc<Turns>>) {
        *lock(&self.shared.turns) = turns;
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Seen> {
        lock(&self.shared.log).clone()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        lock(&self.shared.log).clear();
    }

    /// The requests that could have changed what people see: no queries, and no Git objects that no branch reaches.
    pub fn writes(&self) -> Vec<Seen> {
        self.log().into_iter().filter(|seen| is_write(&seen.method, &seen.target)).collect()
    }
}

impl<S> FakeServer<S> {
    /// Requests that the server did not know, and forgets them: for tests that send such on purpose.
    pub fn take_unexpected(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.unexpected))
    }
}

impl<S> Drop for FakeServer<S> {
    fn drop(&mut self) {
        self.server.abort();
        let unexpected = self.take_unexpected();
        if !std::thread::panicking() {
            assert!(unexpected.is_empty(), "unexpected requests: {unexpected:#?}");
        }
    }
}

impl<S: Service> Shared<S> {
    async fn serve(&self, site: &Site, request: Request) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let (method, target) = (parts.method.to_string(), S::target(&parts, &body));
        let turns = lock(&self.turns).clone().filter(|_| is_write(&method, &target));
        if let Some(turns) = turns {
            let agent = parts.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
            turns.wait_for(agent.unwrap_or_default()).await;
        }
        let how = self.failure(&method, &target);
        match &how {
            Some(How::Delay(wait)) => tokio::time::sleep(*wait).await,
            Some(How::Silence) => std::future::pending().await,
            _ => {}
        }
        let answer = match &how {
            Some(How::Answer(answer)) => answer.clone(),
            Some(How::Reset) => Answer::text(500, "text/plain", ""),
            _ => self.answer(site, &parts, &body, &target),
        };
        lock(&self.log).push(Seen {
            method,
            target,
            token: S::token(&parts.headers),
            body,
            status: answer.status,
            media_type: answer.media_type(),
            answer: answer.body.clone(),
        });
        if matches!(how, Some(How::KeepAnswer)) {
            std::future::pending::<()>().await;
        }
        response(answer, &S::RATE_LIMIT, matches!(how, Some(How::Reset | How::LoseAnswer)))
    }

    fn failure(&self, method: &str, target: &str) -> Option<How> {
        let mut failures = lock(&self.failures);
        failures.iter_mut().find_map(|f| f.strikes(method, target).then(|| f.how.clone()))
    }

    fn answer(&self, site: &Site, parts: &Parts, body: &Bytes, target: &str) -> Answer {
        lock(&self.state).answer(site, parts, body, target).unwrap_or_else(|| {
            lock(&self.unexpected).push(format!("{} {target}", parts.method));
            S::unknown()
        })
    }
}

/// A lost answer promises one byte more than it brings, which ends the connection.
fn response(answer: Answer, rate_limit: &[(&str, &str)], lost: bool) -> Response<Body> {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in rate_limit {
        if !answer.headers.iter().any(|(own, _)| own == name) {
            builder = builder.header(*name, *value);
        }
    }
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    let body = if lost {
        builder = builder.header("content-length", answer.body.len() + 1);
        let broken =
            futures::stream::once(async { Err(std::io::Error::other("the story breaks the connection")) });
        let sent = futures::stream::once(async move { Ok::<_, std::io::Error>(answer.body) });
        Body::from_stream(sent.chain(broken))
    } else {
        Body::from(answer.body)
    };
    builder.body(body).expect("headers of the fake are well-formed")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
