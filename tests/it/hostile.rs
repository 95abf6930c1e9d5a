//! Servers, projects and people that mean harm, or are just broken: what they get from us, and what they can make us say.

mod caps;
mod files;
mod growth;
mod lines;
mod secrets;
mod time;
mod work;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};

use crate::world::{Desk, Ran, ended};

/// The address space that a command gets: several times of what it may need, and a small part of what it took before
/// its work was bounded. In KiB.
const ADDRESS_SPACE: usize = 1 << 20;

/// Whoever takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Runs the program with little memory, and not for long.
pub(crate) async fn bounded(desk: &Desk, arguments: &[&str]) -> Ran {
    let child = desk.limited(ADDRESS_SPACE, arguments).spawn().unwrap();
    tokio::time::timeout(HANGS, ended(child)).await.expect("it hangs")
}

/// A server that answers whatever the story wants, and remembers all that it was sent.
pub(crate) struct Stranger {
    pub(crate) host: String,
    received: Arc<Mutex<Vec<Received>>>,
    server: tokio::task::JoinHandle<()>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Each header in a line.
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Status, headers and body.
pub(crate) type Reply = (u16, Vec<(String, String)>, String);

impl Received {
    /// The value of a header; empty without it.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value).next().unwrap_or_default()
    }
}

impl Stranger {
    pub(crate) async fn start(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let (log, reply) = (Arc::clone(&received), Arc::new(reply));
        let handle = move |request: Request<Body>| {
            let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
            async move { answer(request, &log, &*reply).await }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let serving = axum::serve(listener, Router::new().fallback(handle));
        let server = tokio::spawn(async move { drop(serving.await) });
        Self { host, received, server }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Everything that it was sent, in one text.
    pub(crate) fn knows(&self) -> String {
        format!("{:#?}", self.received())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    request: Request<Body>,
    log: &Mutex<Vec<Received>>,
    reply: &(dyn Fn(&Received) -> Reply + Send + Sync),
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let line = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    let received = Received {
        method: head.method.to_string(),
        target: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: head.headers.iter().map(line).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    log.lock().unwrap().push(received.clone());
    let (status, headers, body) = reply(&received);
    let response = headers.iter().fold(Response::builder().status(status), |response, (name, value)| {
        response.header(name.as_str(), value.as_str())
    });
    let body = if received.method == "HEAD" { Bytes::new() } else { body.into() };
    response.body(Body::from(body)).unwrap()
}
