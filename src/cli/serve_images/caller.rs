//! One connection: requests and answers, one after the other.

use std::io::Result;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::{Answer, Body, Desk};
use super::body::Connection;
use super::head::{Head, LARGEST, NoHead};
use super::metrics::Metrics;
use super::shelf::Shelf;
use crate::cli::tls::Tls;

/// How long a connection may be without a request, and how long a request may take to come.
const IDLE: Duration = Duration::from_secs(75);

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What all connections share.
pub(super) struct ImageServer {
    pub(super) shelf: Arc<Shelf>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tls: Option<Arc<Tls>>,
    /// Whether the server was told to stop.
    pub(super) stopping: watch::Receiver<bool>,
}

impl ImageServer {
    /// Serves a connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream) -> Result<()> {
        // Heads are small and are waited for; a body is sent by itself.
        stream.set_nodelay(true)?;
        let mut connection = match &self.tls {
            None => Connection::Plain(stream),
            Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
                Ok(accepted) => Connection::Tls(Box::new(accepted?)),
                Err(_) => return Ok(()),
            },
        };
        let mut received = Vec::new();
        while let Some(head) = self.request(&mut connection, &mut received).await? {
            if !self.respond(&mut connection, head).await? {
                break;
            }
        }
        connection.close().await
    }

    /// Says to a connection that there are too many.
    pub(super) async fn refuse(stream: TcpStream, metrics: &Metrics) -> Result<()> {
        let answer = Answer::text(StatusCode::SERVICE_UNAVAILABLE, "too many connections\n");
        let answer = answer.with("retry-after", "10");
        metrics.answered(answer.status.as_u16());
        let mut connection = Connection::Plain(stream);
        write(&mut connection, answer, false, metrics).await?;
        connection.close().await
    }

    /// The next request; none where the client went away, sends nothing, or the server stops.
    async fn request(
        &self,
        connection: &mut Connection,
        received: &mut Vec<u8>,
    ) -> Result<Option<std::result::Result<Head, NoHead>>> {
        let until = tokio::time::Instant::now() + IDLE;
        let mut stopping = self.stopping.clone();
        loop {
            match Head::read(received) {
                Ok((head, length)) => {
                    received.drain(..length);
                    return Ok(Some(Ok(head)));
                }
                Err(NoHead::Partial) => {}
                Err(why) => return Ok(Some(Err(why))),
            }
            let filled = received.len();
            received.resize(LARGEST, 0);
            let read = tokio::select! {
                read = connection.receive(&mut received[filled..]) => read?,
                () = tokio::time::sleep_until(until) => 0,
                // Who has not asked yet asks another server.
                _ = stopping.wait_for(|stopping| *stopping), if filled == 0 => 0,
            };
            received.truncate(filled + read);
            if read == 0 {
                return Ok(None);
            }
        }
    }

    /// Answers a request; whether the connection may serve another one.
    async fn respond(
        &self,
        connection: &mut Connection,
        head: std::result::Result<Head, NoHead>,
    ) -> Result<bool> {
        let is_stopping = *self.stopping.borrow();
        let (answer, keeps_alive) = match head {
            Ok(head) => {
                let desk = Desk { shelf: &self.shelf, metrics: &self.metrics, is_stopping, now: now() };
                (desk.answer(&head), head.keeps_alive && !is_stopping)
            }
            Err(why) => (Answer::to_no_head(why), false),
        };
        self.metrics.answered(answer.status.as_u16());
        write(connection, answer, keeps_alive, &self.metrics).await.map(|()| keeps_alive)
    }
}

async fn write(
    connection: &mut Connection,
    answer: Answer,
    keeps_alive: bool,
    metrics: &Metrics,
) -> Result<()> {
    let mut head = answer.head(now(), keeps_alive);
    match answer.body {
        Body::Text(text) => {
            head.push_str(&text);
            connection.send(head.as_bytes()).await
        }
        Body::Left(_) | Body::None => connection.send(head.as_bytes()).await,
        Body::Inflated { key, file, length } => {
            connection.send(head.as_bytes()).await?;
            connection.send_inflated(file, length, |bytes| metrics.sent(&key, bytes)).await
        }
        Body::Part { key, file, from, length } => {
            connection.send(head.as_bytes()).await?;
            connection.send_file(file, from, length, |bytes| metrics.sent(&key, bytes)).await
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an answer says when it was made")]
fn now() -> SystemTime {
    SystemTime::now()
}
