//! Failures on demand: which requests they strike, and how.

use std::sync::Arc;
use std::time::Duration;

/// A failure: what happens to some requests instead of, or in addition to, the right answer.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(super) method: Option<&'static str>,
    pub(super) path: String,
    pub(super) skip: usize,
    pub(super) times: usize,
    pub(super) kind: FaultKind,
}

#[derive(Debug, Clone)]
pub(super) enum FaultKind {
    Answer { status: u16, headers: Vec<(String, String)>, body: String },
    Headers(Vec<(String, String)>),
    Delay(Duration),
    Held(Gate),
    Cut,
    Unannounced,
}

/// Holds answers back until a test opens it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<tokio::sync::Semaphore>);

impl Gate {
    /// A gate that is shut.
    pub(crate) fn shut() -> Self {
        Self(Arc::new(tokio::sync::Semaphore::new(0)))
    }

    /// Lets pass whoever waits, and whoever comes later.
    pub(crate) fn open(&self) {
        self.0.close();
    }

    pub(super) async fn pass(&self) {
        // Only a closed semaphore answers.
        let _ = self.0.acquire().await;
    }
}

impl Fault {
    /// Answers with this status and nothing else.
    pub(crate) fn status(status: u16) -> Self {
        Self::of(FaultKind::Answer { status, headers: Vec::new(), body: String::new() })
    }

    /// Ends the connection in the middle of the answer.
    pub(crate) fn cut() -> Self {
        Self::of(FaultKind::Cut)
    }

    /// Answers rightly, but without saying how long the answer is.
    pub(crate) fn unannounced() -> Self {
        Self::of(FaultKind::Unannounced)
    }

    /// Answers late.
    pub(crate) fn delay(delay: Duration) -> Self {
        Self::of(FaultKind::Delay(delay))
    }

    /// Answers once the gate is open.
    pub(crate) fn held(gate: &Gate) -> Self {
        Self::of(FaultKind::Held(gate.clone()))
    }

    /// Never answers.
    pub(crate) fn silence() -> Self {
        Self::held(&Gate::shut())
    }

    /// Answers rightly, but for this header.
    pub(crate) fn right_but(name: &str, value: &str) -> Self {
        Self::of(FaultKind::Headers(vec![(name.to_owned(), value.to_owned())]))
    }

    /// With this header in the answer.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let FaultKind::Answer { headers, .. } | FaultKind::Headers(headers) = &mut self.kind {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// With this body in the answer.
    pub(crate) fn body(mut self, text: &str) -> Self {
        if let FaultKind::Answer { body, .. } = &mut self.kind {
            text.clone_into(body);
        }
        self
    }

    /// Only for requests whose path contains `part`.
    pub(crate) fn on(mut self, part: &str) -> Self {
        part.clone_into(&mut self.path);
        self
    }

    /// Only for this method.
    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    /// Only `times` times.
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Not for the first `skip` of the requests that fit.
    pub(crate) fn after(mut self, skip: usize) -> Self {
        self.skip = skip;
        self
    }

    fn of(kind: FaultKind) -> Self {
        Self { method: None, path: String::new(), skip: 0, times: usize::MAX, kind }
    }
}
