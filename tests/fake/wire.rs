//! Requests taken apart, answers put together: what every endpoint needs of HTTP.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// A request, taken apart.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    /// Segments below `/api/v4`, decoded; a project's path is one of them.
    pub segments: Vec<String>,
    pub query: Vec<(String, String)>,
    /// JSON or form fields.
    pub body: Value,
    pub headers: HeaderMap,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// One request that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// The header that carried a token, and the token.
    pub token: Option<(String, String)>,
    /// The body that was sent.
    pub body: Bytes,
    pub status: u16,
    /// The media type of the answer, without its parameters.
    pub media_type: String,
    /// What was answered.
    pub answer: Bytes,
}

/// A failure that the story wants.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Only requests of this method; any if empty.
    pub method: String,
    /// Only requests whose path and query contain this.
    pub target: String,
    /// How many such requests are answered well before.
    pub skip: u32,
    /// How many fail.
    pub times: u32,
    pub how: How,
}

/// What goes wrong.
#[derive(Debug, Clone)]
pub enum How {
    /// This answer, and nothing happens.
    Answer(Answer),
    /// The right answer, later.
    Delay(Duration),
    /// Nothing happens, and no answer ever comes.
    Silence,
    /// Everything happens, and no answer ever comes.
    KeepAnswer,
    /// Nothing happens and the connection is lost.
    Reset,
    /// Everything happens, but the answer is lost.
    LoseAnswer,
}

/// Whether a request changes what people see: no queries, and no Git objects that no branch reaches.
pub fn is_write(method: &str, target: &str) -> bool {
    let unseen = ["/git/blobs", "/git/trees", "/git/commits", "/access_tokens"];
    let query = target.contains("/graphql") && !target.ends_with("PullRequestAutoMerge");
    !matches!(method, "GET" | "HEAD") && !query && !unseen.iter().any(|end| target.ends_with(end))
}

/// The order in which several runs, told apart by their user agents, may write.
#[derive(Debug, Default)]
pub struct Turns {
    order: Mutex<VecDeque<String>>,
    moved: tokio::sync::Notify,
}

impl Turns {
    /// Writes go in this order; whoever is not (any more) in it is not held up.
    pub fn new(order: impl IntoIterator<Item = String>) -> Self {
        Self { order: Mutex::new(order.into_iter().collect()), moved: tokio::sync::Notify::new() }
    }

    /// Waits until it is this agent's turn, and ends the turn.
    pub async fn wait_for(&self, agent: &str) {
        loop {
            let moved = self.moved.notified();
            {
                let mut order = self.order.lock().expect("nobody panics here");
                match order.front() {
                    Some(next) if next == agent => {
                        order.pop_front();
                        self.moved.notify_waiters();
                        return;
                    }
                    _ if !order.contains(&agent.to_owned()) => return,
                    _ => {}
                }
            }
            moved.await;
        }
    }

    /// This agent writes no more.
    pub fn leave(&self, agent: &str) {
        self.order.lock().expect("nobody panics here").retain(|next| next != agent);
        self.moved.notify_waiters();
    }
}

impl Failure {
    /// The next request of `method` whose path and query contain `target` fails.
    pub fn once(method: &str, target: &str, how: How) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), skip: 0, times: 1, how }
    }

    /// Every such request fails.
    pub fn always(method: &str, target: &str, how: How) -> Self {
        Self { times: u32::MAX, ..Self::once(method, target, how) }
    }

    /// The first `skip` such requests are answered well.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Whether it strikes now.
    pub fn strikes(&mut self, method: &str, target: &str) -> bool {
        let fits = (self.method.is_empty() || self.method == method) && target.contains(&self.target);
        if !fits || self.times == 0 {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

impl Asked {
    /// The first value of a query field.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A field of the body as text; forms have no other type.
    pub fn field(&self, name: &str) -> Option<String> {
        match &self.body[name] {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A field of the body that is yes or no.
    pub fn flag(&self, name: &str) -> bool {
        self.field(name).as_deref() == Some("true")
    }

    /// Numbers of a list in the body.
    pub fn numbers(&self, name: &str) -> Vec<u64> {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        self.body[name].as_array().into_iter().flatten().filter_map(number).collect()
    }

    /// One page of a list, with the headers that lead to the next.
    pub fn page(&self, address: &str, all: Vec<Value>) -> Answer {
        let number = |name: &str, default: usize| {
            self.query(name).and_then(|v| v.parse().ok()).unwrap_or(default).max(1)
        };
        let (page, per_page) = (number("page", 1), number("per_page", 20).min(100));
        let pages = all.len().div_ceil(per_page).max(1);
        let items: Vec<Value> = all.iter().skip((page - 1) * per_page).take(per_page).cloned().collect();
        let next = if page < pages { (page + 1).to_string() } else { String::new() };
        let mut answer = Answer::json(200, &Value::Array(items))
            .header("x-total", &all.len().to_string())
            .header("x-total-pages", &pages.to_string())
            .header("x-page", &page.to_string())
            .header("x-per-page", &per_page.to_string())
            .header("x-next-page", &next);
        if !next.is_empty() {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(self.query.iter().filter(|(n, _)| n != "page" && n != "per_page"));
            query.append_pair("page", &next).append_pair("per_page", &per_page.to_string());
            let path: Vec<String> = self.segments.iter().map(|s| encoded(s)).collect();
            let link = format!("<{address}/api/v4/{}?{}>; rel=\"next\"", path.join("/"), query.finish());
            answer = answer.header("link", &link);
        }
        answer
    }
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.to_string().into() }
    }

    /// `{"message": …}`, the usual shape of an error.
    pub fn message(status: u16, message: impl Into<Value>) -> Self {
        Self::json(status, &json!({"message": message.into()}))
    }

    /// `404 … Not Found`
    pub fn not_found(what: &str) -> Self {
        Self::message(404, format!("404 {what} Not Found"))
    }

    /// Plain text or anything else.
    pub fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// Too many requests, as GitLab says it.
    pub fn throttled(retry_after: u64) -> Self {
        Self::text(429, "text/plain", "Retry later\n")
            .header("retry-after", &retry_after.to_string())
            .header("ratelimit-remaining", "0")
    }

    /// The media type, without its parameters.
    pub fn media_type(&self) -> String {
        let kind =
            self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().to_owned()
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What stands as it is in a segment (RFC 3986, section 2.3).
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A segment of a path.
pub fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, &SEGMENT).to_string()
}

/// Segments below `/api/v4`, or `graphql` beside it; `None` for any other path.
pub fn segments(path: &str, root: &str) -> Option<Vec<String>> {
    let below = path.strip_prefix(root)?.strip_prefix("/api/")?;
    let below = if below == "graphql" { below } else { below.strip_prefix("v4/")? };
    below.split('/').map(|s| percent_decode_str(s).decode_utf8().ok().map(Into::into)).collect()
}

/// A body as JSON, whatever it came as.
pub fn fields(headers: &HeaderMap, body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(Map::new()));
    }
    match headers.get("content-type")?.to_str().ok()? {
        kind if kind.starts_with("application/json") => serde_json::from_slice(body).ok(),
        "application/x-www-form-urlencoded" => Some(form(body)),
        _ => None,
    }
}

/// A form as Rails reads it: `a[]=x` is a list, `a[][b]=x` a list of objects that begins a new one when a
/// field comes again.
fn form(body: &[u8]) -> Value {
    let mut fields = Map::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        let value = Value::String(value.into_owned());
        let Some((list, field)) = name.split_once("[]") else {
            fields.insert(name.into_owned(), value);
            continue;
        };
        let list = fields.entry(list).or_insert_with(|| json!([])).as_array_mut().expect("a list");
        match field.strip_prefix('[').and_then(|f| f.strip_suffix(']')) {
            None => list.push(value),
            Some(field) => match list.last_mut().and_then(Value::as_object_mut) {
                Some(object) if !object.contains_key(field) => {
                    object.insert(field.to_owned(), value);
                }
                _ => list.push(json!({field: value})),
            },
        }
    }
    Value::Object(fields)
}
