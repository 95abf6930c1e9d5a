//! A Kubernetes API with ConfigMaps: read, and server-side apply with managers, conflicts and dry runs, as the API server
//! does it (Kubernetes, "Server-Side Apply"); what a real one said is in `tests/cluster/real-apiserver.json`. What it does
//! not know it answers with 404, and remembers.
#![allow(dead_code, reason = "each binary that includes this uses a part of it")]

mod stored;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::wire::{Answer, Failure, How};
pub use stored::{Operation, Stored};
use stored::{conflict_message, fields};

/// The token that it takes.
pub const TOKEN: &str = "kube-token";

/// The API. It ends with the value.
pub struct FakeKube {
    address: String,
    state: Arc<Mutex<State>>,
    server: tokio::task::JoinHandle<()>,
}

/// The groups of Metal3, their versions, the preferred one first, and their kinds.
const GROUPS: [(&str, &[&str], &[&str]); 2] = [
    (
        "infrastructure.cluster.x-k8s.io",
        &["v1beta2", "v1beta1"],
        &["metal3machines", "metal3machinetemplates"],
    ),
    ("metal3.io", &["v1alpha1"], &["baremetalhosts"]),
];

/// Who has the token.
const BOT: &str = "bot";

/// What it knows.
#[derive(Debug, Default)]
pub struct State {
    pub namespaces: BTreeSet<String>,
    pub config_maps: BTreeMap<(String, String), Stored>,
    /// Verbs that may not be used.
    pub forbidden: BTreeSet<&'static str>,
    /// Who asks, where it is not the bot.
    pub user: Option<String>,
    pub failures: Vec<Failure>,
    /// The objects of Metal3 by the plural of their kind; without an entry there is no such kind.
    pub machines: BTreeMap<&'static str, Vec<Value>>,
    /// How many objects a part of a list has at most, whatever is asked for.
    pub page: Option<usize>,
    /// Method, path and query of each request.
    pub log: Vec<String>,
    pub unexpected: Vec<String>,
    version: u64,
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
        let own = (manager.to_owned(), Operation::Update);
        for fields in stored.managers.values_mut() {
            fields.remove(field);
        }
        stored.managers.entry(own).or_default().insert(field.to_owned());
        stored.version = version;
    }

    /// Somebody else wrote it all.
    pub fn put(&self, namespace: &str, name: &str, stored: Stored) {
        let mut state = self.state();
        state.version += 1;
        let stored = Stored { version: state.version, ..stored };
        state.config_maps.insert((namespace.to_owned(), name.to_owned()), stored);
    }

    /// The URL of a ConfigMap.
    pub fn url(&self, namespace: &str, name: &str) -> String {
        format!("{}/api/v1/namespaces/{namespace}/configmaps/{name}", self.address)
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
fn status(code: u16, reason: impl Into<Option<&'static str>>, message: &str, causes: Vec<Value>) -> Answer {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "details": {"causes": causes}, "code": code});
    if let Some(reason) = reason.into() {
        status["reason"] = reason.into();
    }
    Answer::json(code, &status)
}

fn forbidden(user: &str, verb: &str, namespace: &str, name: &str) -> Answer {
    let message = format!(
        "configmaps \"{name}\" is forbidden: User \"{user}\" cannot {verb} resource \"configmaps\" in API group \"\" in the namespace \"{namespace}\""
    );
    status(403, "Forbidden", &message, Vec::new())
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
            ["apis", group, rest @ ..]
                if method == "GET" && GROUPS.iter().any(|(known, ..)| known == group) =>
            {
                return self.custom(group, rest, query);
            }
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
        let user = self.user.clone().unwrap_or_else(|| BOT.to_owned());
        if self.forbidden.contains(verb) {
            return forbidden(&user, verb, namespace, name);
        }
        let found = self.config_maps.get(&(namespace.to_owned(), name.to_owned())).cloned();
        match (method, found) {
            ("GET", Some(stored)) => Answer::json(200, &stored.json(namespace, name)),
            ("GET", None) => status(404, "NotFound", &format!("configmaps \"{name}\" not found"), Vec::new()),
            // Server-side apply makes what is not there.
            ("PATCH", None) if self.forbidden.contains("create") => {
                forbidden(&user, "create", namespace, name)
            }
            ("PATCH", found) => {
                let query = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned();
                self.patch((namespace, name), &query.collect(), headers, body, found)
            }
            _ => {
                self.unexpected.push(format!("{method} {path}"));
                status(405, "MethodNotAllowed", "the server does not allow this method", Vec::new())
            }
        }
    }

    /// A group of custom resources, or a list of them (Kubernetes, "API Concepts"); what a real one said is in
    /// `tests/cluster/real-machines.json`. Who may list is asked before what there is.
    fn custom(&self, group: &str, rest: &[&str], query: Option<&str>) -> Answer {
        let missing = || Answer::text(404, "text/plain; charset=utf-8", "404 page not found\n");
        let known = GROUPS.iter().find(|(known, ..)| *known == group).expect("it is one of them");
        match rest {
            [] if known.2.iter().any(|kind| self.machines.contains_key(kind)) => {
                let version = |version: &&str| json!({"groupVersion": format!("{group}/{version}"), "version": version});
                let versions: Vec<Value> = known.1.iter().map(version).collect();
                let group = json!({"kind": "APIGroup", "apiVersion": "v1", "name": group,
                    "preferredVersion": versions[0], "versions": versions});
                Answer::json(200, &group)
            }
            [version, kind] if known.1.contains(version) => {
                if self.forbidden.contains("list") {
                    let user = self.user.as_deref().unwrap_or(BOT);
                    let message = format!(
                        "{kind}.{group} is forbidden: User \"{user}\" cannot list resource \"{kind}\" in API group \"{group}\" at the cluster scope"
                    );
                    return status(403, "Forbidden", &message, Vec::new());
                }
                let Some(objects) = self.machines.get(kind) else { return missing() };
                let version = format!("{group}/{version}");
                let as_asked = |object: &Value| {
                    let mut object = object.clone();
                    object["apiVersion"] = json!(version);
                    object
                };
                let query: BTreeMap<String, String> =
                    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
                let number =
                    |name: &str| query.get(name).map(|text| text.parse::<usize>().expect("a number"));
                let (from, limit) = (number("continue").unwrap_or(0), number("limit").unwrap_or(usize::MAX));
                let limit = limit.min(self.page.unwrap_or(usize::MAX));
                let to = objects.len().min(from.saturating_add(limit));
                let next = if to < objects.len() { to.to_string() } else { String::new() };
                let list = json!({"kind": "List", "apiVersion": version,
                    "metadata": {"continue": next, "resourceVersion": "7"}, "items": objects[from..to].iter().map(as_asked).collect::<Vec<_>>()});
                Answer::json(200, &list)
            }
            _ => missing(),
        }
    }

    fn patch(
        &mut self,
        (namespace, name): (&str, &str),
        query: &BTreeMap<String, String>,
        headers: &HeaderMap,
        body: &[u8],
        found: Option<Stored>,
    ) -> Answer {
        let media_type = headers.get("content-type").and_then(|value| value.to_str().ok());
        let object: Value = match yaml_serde::from_slice(body) {
            Ok(object) => object,
            Err(error) => return status(400, "BadRequest", &error.to_string(), Vec::new()),
        };
        let is_new = found.is_none();
        let patched = match (media_type, found) {
            (Some("application/apply-patch+yaml"), found) => self.applied(namespace, query, &object, found),
            (Some("application/merge-patch+json"), Some(found)) => found.with_managers(name, &object),
            (Some("application/merge-patch+json"), None) => {
                Err(status(404, "NotFound", &format!("configmaps \"{name}\" not found"), Vec::new()))
            }
            _ => Err(status(415, "UnsupportedMediaType", "415: Unsupported Media Type", Vec::new())),
        };
        let mut patched = match patched {
            Ok(patched) => patched,
            Err(refused) => return refused,
        };
        let key = (namespace.to_owned(), name.to_owned());
        if self.config_maps.get(&key) != Some(&patched) {
            self.version += 1;
            patched.version = self.version;
        }
        let answer = Answer::json(if is_new { 201 } else { 200 }, &patched.json(namespace, name));
        if !query.contains_key("dryRun") {
            self.config_maps.insert(key, patched);
        }
        answer
    }

    /// Server-side apply.
    fn applied(
        &self,
        namespace: &str,
        query: &BTreeMap<String, String>,
        object: &Value,
        found: Option<Stored>,
    ) -> Result<Stored, Answer> {
        let Some(manager) = query.get("fieldManager") else {
            let required = "Required value: is required for apply patch";
            let cause = json!({"reason": "FieldValueRequired", "message": required, "field": "fieldManager"});
            let message = format!("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: {required}");
            return Err(status(422, "Invalid", &message, vec![cause]));
        };
        if !self.namespaces.contains(namespace) {
            return Err(status(
                404,
                "NotFound",
                &format!("namespaces \"{namespace}\" not found"),
                Vec::new(),
            ));
        }
        let wanted = fields(object).map_err(|(field, found)| {
            let message = format!(
                "failed to create typed patch object (/{}; /v1, Kind=ConfigMap): .{field}: expected string, got &value.valueUnstructured{{Value:{found}}}",
                object["metadata"]["name"].as_str().unwrap_or_default()
            );
            status(500, None, &message, Vec::new())
        })?;
        let mut stored = found.unwrap_or_default();
        let force = query.get("force").is_some_and(|force| force == "true");
        let conflicts = stored.conflicts(&wanted, manager);
        if !conflicts.is_empty() && !force {
            let causes = conflicts.iter().map(|(other, field)| {
                json!({"reason": "FieldManagerConflict", "message": format!("conflict with {other}"), "field": format!(".{field}")})
            });
            return Err(status(409, "Conflict", &conflict_message(&conflicts), causes.collect()));
        }
        let empty = [("metadata.labels", &object["metadata"]["labels"]), ("data", &object["data"])];
        let empty =
            empty.into_iter().filter(|(_, map)| map.as_object().is_some_and(serde_json::Map::is_empty));
        stored.take(&wanted, manager, empty.map(|(above, _)| above.to_owned()).collect());
        Ok(stored)
    }
}
