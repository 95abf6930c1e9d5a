//! A Kubernetes API with ConfigMaps: read, and server-side apply with managers, conflicts and dry runs, as the API server
//! does it (Kubernetes, "Server-Side Apply"). What it does not know it answers with 404, and remembers.
#![allow(dead_code, reason = "each binary that includes this uses a part of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::wire::{Answer, Failure, How};

/// The token that it takes.
pub const TOKEN: &str = "kube-token";

/// The API. It ends with the value.
pub struct FakeKube {
    address: String,
    state: Arc<Mutex<State>>,
    server: tokio::task::JoinHandle<()>,
}

/// What it knows.
#[derive(Debug, Default)]
pub struct State {
    pub namespaces: BTreeSet<String>,
    pub config_maps: BTreeMap<(String, String), Stored>,
    /// Verbs that the token may not use.
    pub forbidden: BTreeSet<&'static str>,
    pub failures: Vec<Failure>,
    /// Method, path and query of each request.
    pub log: Vec<String>,
    pub unexpected: Vec<String>,
    version: u64,
}

/// A ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Labels and data by their path, `data.values.yaml`.
    pub fields: BTreeMap<String, String>,
    /// Who set each.
    pub managers: BTreeMap<String, BTreeSet<String>>,
    pub version: u64,
}

impl FakeKube {
    /// Starts with the namespaces `default` and `os-images`.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let namespaces = ["default", "os-images"].map(str::to_owned).into();
        let state = Arc::new(Mutex::new(State { namespaces, version: 100, ..State::default() }));
        let shared = Arc::clone(&state);
        let app = Router::new().fallback(move |request: Request| serve(Arc::clone(&shared), request));
        let server = tokio::spawn(async move {
            axum::serve(listener, app).await.expect("the listener stays open");
        });
        Self { address, state, server }
    }

    /// What it knows. Do not hold it across an `await`.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A kubeconfig that leads here, whose namespace is `os-images`.
    pub fn kubeconfig(&self) -> String {
        let (address, token) = (&self.address, TOKEN);
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
             clusters: [{{name: here, cluster: {{server: '{address}'}}}}]\n\
             users: [{{name: bot, user: {{token: {token}}}}}]\n\
             contexts: [{{name: here, context: {{cluster: here, user: bot, namespace: os-images}}}}]\n"
        )
    }

    /// A ConfigMap.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<Stored> {
        self.state().config_maps.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    /// Somebody else sets a field.
    pub fn set(&self, namespace: &str, name: &str, manager: &str, field: &str, value: &str) {
        let mut state = self.state();
        state.version += 1;
        let version = state.version;
        let stored = state.config_maps.entry((namespace.to_owned(), name.to_owned())).or_default();
        stored.fields.insert(field.to_owned(), value.to_owned());
        stored.managers.insert(field.to_owned(), [manager.to_owned()].into());
        stored.version = version;
    }

    /// How many requests wrote.
    pub fn writes(&self) -> usize {
        self.state().log.iter().filter(|line| !line.starts_with("GET")).count()
    }
}

impl Drop for FakeKube {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(state: Arc<Mutex<State>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().expect("a path").to_string();
    let body = axum::body::to_bytes(body, 8 << 20).await.unwrap_or_default();
    let failure = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.log.push(format!("{} {target}", parts.method));
        let method = parts.method.as_str();
        let striking = state
            .failures
            .iter_mut()
            .filter_map(|failure| failure.strikes(method, &target).then(|| failure.how.clone()));
        striking.take(1).next()
    };
    let answer = || {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.answer(parts.method.as_str(), parts.uri.path(), parts.uri.query(), &parts.headers, &body)
    };
    match failure {
        None => sent(answer()),
        Some(How::Answer(answer)) => sent(answer),
        Some(How::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            sent(answer())
        }
        Some(How::Silence) => std::future::pending().await,
        Some(How::KeepAnswer) => {
            answer();
            std::future::pending().await
        }
        Some(How::Reset) => lost(),
        Some(How::LoseAnswer) => {
            answer();
            lost()
        }
    }
}

fn sent(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).expect("a response")
}

/// An answer that ends before it is whole.
fn lost() -> Response<Body> {
    let cut = futures::stream::iter([Ok(axum::body::Bytes::from("{")), Err(std::io::Error::other("cut"))]);
    Response::builder()
        .header("content-type", "application/json")
        .header("content-length", "1000")
        .body(Body::from_stream(cut))
        .expect("a response")
}

/// The shape of every error.
fn status(code: u16, reason: &str, message: &str, causes: Vec<Value>) -> Answer {
    Answer::json(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "details": {"causes": causes}, "code": code}),
    )
}

impl State {
    fn answer(
        &mut self,
        method: &str,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Answer {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        if token != Some(&format!("Bearer {TOKEN}")) {
            return status(401, "Unauthorized", "Unauthorized", Vec::new());
        }
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (namespace, name) = match segments.as_slice() {
            ["api", "v1", "namespaces", namespace, "configmaps", name] => (*namespace, *name),
            _ => {
                self.unexpected.push(format!("{method} {path}"));
                return status(
                    404,
                    "NotFound",
                    "the server could not find the requested resource",
                    Vec::new(),
                );
            }
        };
        let verb = if method == "GET" { "get" } else { "patch" };
        if self.forbidden.contains(verb) {
            let message = format!(
                "configmaps \"{name}\" is forbidden: User \"bot\" cannot {verb} resource \"configmaps\" in API group \"\" in the namespace \"{namespace}\""
            );
            return status(403, "Forbidden", &message, Vec::new());
        }
        let found = self.config_maps.get(&(namespace.to_owned(), name.to_owned())).cloned();
        match (method, found) {
            ("GET", Some(stored)) => Answer::json(200, &stored.json(namespace, name)),
            ("GET", None) => status(404, "NotFound", &format!("configmaps \"{name}\" not found"), Vec::new()),
            ("PATCH", found) => {
                self.apply((namespace, name), query.unwrap_or_default(), headers, body, found)
            }
            _ => {
                self.unexpected.push(format!("{method} {path}"));
                status(405, "MethodNotAllowed", "the server does not allow this method", Vec::new())
            }
        }
    }

    fn apply(
        &mut self,
        (namespace, name): (&str, &str),
        query: &str,
        headers: &HeaderMap,
        body: &[u8],
        found: Option<Stored>,
    ) -> Answer {
        if headers.get("content-type").is_none_or(|value| value != "application/apply-patch+yaml") {
            return status(415, "UnsupportedMediaType", "not an apply", Vec::new());
        }
        if !self.namespaces.contains(namespace) {
            return status(404, "NotFound", &format!("namespaces \"{namespace}\" not found"), Vec::new());
        }
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let Some(manager) = query.get("fieldManager") else {
            return status(400, "BadRequest", "fieldManager is required for apply patch", Vec::new());
        };
        let object: Value = match yaml_serde::from_slice(body) {
            Ok(object) => object,
            Err(error) => return status(400, "BadRequest", &error.to_string(), Vec::new()),
        };
        let wanted = match fields(&object) {
            Ok(wanted) => wanted,
            Err(field) => {
                let message = format!(
                    "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: {field} is no string"
                );
                return status(400, "BadRequest", &message, Vec::new());
            }
        };
        let is_new = found.is_none();
        let mut stored = found.unwrap_or_default();
        let force = query.get("force").is_some_and(|force| force == "true");
        let conflicts = stored.conflicts(&wanted, manager);
        if !conflicts.is_empty() && !force {
            let message =
                format!("Apply failed with {} conflict: {}", conflicts.len(), conflicts[0]["message"]);
            return status(409, "Conflict", &message, conflicts);
        }
        let before = stored.clone();
        stored.take(&wanted, manager, force);
        if stored != before {
            self.version += 1;
            stored.version = self.version;
        }
        let answer = Answer::json(if is_new { 201 } else { 200 }, &stored.json(namespace, name));
        if !query.contains_key("dryRun") {
            self.config_maps.insert((namespace.to_owned(), name.to_owned()), stored);
        }
        answer
    }
}

/// Labels and data by their path, or the field that is no text.
fn fields(object: &Value) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for (above, map) in [("metadata.labels", &object["metadata"]["labels"]), ("data", &object["data"])] {
        for (key, value) in map.as_object().into_iter().flatten() {
            let field = format!("{above}.{key}");
            let text = value.as_str().ok_or_else(|| field.clone())?;
            all.insert(field, text.to_owned());
        }
    }
    Ok(all)
}

impl Stored {
    /// Fields that others set to something else.
    fn conflicts(&self, wanted: &BTreeMap<String, String>, manager: &str) -> Vec<Value> {
        let mut conflicts = Vec::new();
        for (field, value) in wanted {
            let others = self.managers.get(field).into_iter().flatten().filter(|other| *other != manager);
            if self.fields.get(field).is_some_and(|there| there != value) {
                conflicts.extend(others.map(|other| {
                    json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{other}\" using v1"), "field": format!(".{field}")})
                }));
            }
        }
        conflicts
    }

    /// The wanted fields, without those that this manager set before and wants no more.
    fn take(&mut self, wanted: &BTreeMap<String, String>, manager: &str, force: bool) {
        for (field, managers) in &mut self.managers {
            if !wanted.contains_key(field) && managers.remove(manager) && managers.is_empty() {
                self.fields.remove(field);
            }
        }
        for (field, value) in wanted {
            let managers = self.managers.entry(field.clone()).or_default();
            if force && self.fields.get(field) != Some(value) {
                managers.clear();
            }
            managers.insert(manager.to_owned());
            self.fields.insert(field.clone(), value.clone());
        }
    }

    fn json(&self, namespace: &str, name: &str) -> Value {
        let below = |above: &str| -> BTreeMap<&str, &String> {
            self.fields
                .iter()
                .filter_map(|(field, value)| Some((field.strip_prefix(above)?, value)))
                .collect()
        };
        json!({
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": self.version.to_string(), "labels": below("metadata.labels.")},
            "data": below("data."),
        })
    }
}
