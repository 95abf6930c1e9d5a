//! From a request to an answer.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::fault::FaultKind;
use super::{
    Access, Gate, INDEX, LinkStyle, Logged, Paging, Referrers, Shared, State, quirks, referrer_index, token,
};

/// An answer before it is put on the wire.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) unexpected: bool,
}

/// What was asked.
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
    body: &'a str,
}

/// What a fault adds to the answer.
#[derive(Default)]
struct Twist {
    delay: Duration,
    gate: Option<Gate>,
    cut: bool,
    unannounced: bool,
}

pub(super) async fn serve(listener: tokio::net::TcpListener, host: String, state: Shared) {
    let handle = move |request: Request<Body>| {
        let (host, state) = (host.clone(), state.clone());
        async move { answer(&host, &state, request).await }
    };
    let _ = axum::serve(listener, Router::new().fallback(handle)).await;
}

async fn answer(host: &str, state: &Shared, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let asked = Asked {
        host,
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        authorization,
        body: std::str::from_utf8(&body).unwrap_or_default(),
    };
    let (answer, twist) = {
        let mut state = state.lock().expect("no handler panics");
        state.under_way += 1;
        state.most_under_way = state.most_under_way.max(state.under_way);
        let (answer, twist) = decide(&mut state, &asked);
        let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        state.log.push(Logged {
            method: asked.method.to_owned(),
            path,
            authorization: authorization.map(ToOwned::to_owned),
            body: asked.body.to_owned(),
            status: answer.status.as_u16(),
            unexpected: answer.unexpected,
        });
        (answer, twist)
    };
    tokio::time::sleep(twist.delay).await;
    if let Some(gate) = &twist.gate {
        gate.pass().await;
    }
    state.lock().expect("no handler panics").under_way -= 1;
    respond(answer, &twist, asked.method == "HEAD")
}

fn respond(answer: Answer, twist: &Twist, is_head: bool) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    if !twist.unannounced {
        response = response.header("content-length", answer.body.len());
    }
    let body = if twist.unannounced {
        let chunk = Ok::<_, std::io::Error>(Bytes::from(answer.body));
        Body::from_stream(futures::stream::iter([chunk]))
    } else if twist.cut {
        let half = Bytes::copy_from_slice(&answer.body[..answer.body.len() / 2]);
        let end = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Body::from_stream(futures::stream::iter([Ok(half), Err(end)]))
    } else if is_head {
        Body::empty()
    } else {
        Body::from(answer.body)
    };
    response.body(body).expect("headers of a test are headers")
}

/// The right answer, changed by the first fault that fits.
fn decide(state: &mut State, asked: &Asked<'_>) -> (Answer, Twist) {
    let mut twist = Twist::default();
    let path = format!("{}?{}", asked.path, asked.query);
    let fits = |fault: &super::Fault| {
        fault.times > 0
            && path.contains(&fault.path)
            && fault.method.is_none_or(|method| method == asked.method)
    };
    let Some(fault) = state.faults.iter_mut().find(|fault| fits(fault)) else {
        return (usual(state, asked), twist);
    };
    if fault.skip > 0 {
        fault.skip -= 1;
        return (usual(state, asked), twist);
    }
    fault.times -= 1;
    match fault.kind.clone() {
        FaultKind::Answer { status, headers, body } => {
            let status = StatusCode::from_u16(status).expect("a status");
            return (Answer { status, headers, body: body.into_bytes(), unexpected: false }, twist);
        }
        FaultKind::Headers(headers) => {
            let mut answer = usual(state, asked);
            answer.headers.retain(|(known, _)| !headers.iter().any(|(name, _)| name == known));
            answer.headers.extend(headers);
            return (answer, twist);
        }
        FaultKind::Delay(delay) => twist.delay = delay,
        FaultKind::Held(gate) => twist.gate = Some(gate),
        FaultKind::Cut => twist.cut = true,
        FaultKind::Unannounced => twist.unannounced = true,
    }
    (usual(state, asked), twist)
}

/// The right answer, as this registry gives it.
fn usual(state: &mut State, asked: &Asked<'_>) -> Answer {
    let answer = match asked.path.strip_prefix(quirks::ELSEWHERE) {
        Some(path) => quirks::elsewhere(state, path, asked),
        None => right(state, asked),
    };
    quirks::applied(&state.quirks, asked, answer)
}

fn right(state: &mut State, asked: &Asked<'_>) -> Answer {
    if let Access::Token(rules) = &state.access
        && asked.path == rules.path
    {
        let headers = rules.content_type.map(|kind| ("content-type".to_owned(), kind.to_owned()));
        let (status, body) = token::answer(state, asked.method, asked.query, asked.authorization, asked.body);
        return Answer {
            status,
            headers: headers.into_iter().collect(),
            body: body.into_bytes(),
            unexpected: false,
        };
    }
    let endpoint = asked.path.strip_prefix("/v2/").filter(|_| matches!(asked.method, "GET" | "HEAD"));
    let Some(endpoint) = endpoint else { return nowhere() };
    let list = endpoint.strip_suffix("/tags/list");
    let manifest = endpoint.rsplit_once("/manifests/");
    let blob = endpoint.rsplit_once("/blobs/");
    let referrers = endpoint.rsplit_once("/referrers/");
    let repository = list.or(manifest.or(blob).or(referrers).map(|(path, _)| path));
    let scope = match (repository, endpoint) {
        (Some(path), _) => format!("repository:{path}:pull"),
        (None, "_catalog") => "registry:catalog:*".to_owned(),
        _ => String::new(),
    };
    if let Some(refusal) = refusal(state, asked, &scope) {
        return refusal;
    }
    if let (Some(status), Some(path)) = (state.denial, repository)
        && !state.repositories.contains_key(path)
    {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut denied = error(status, "DENIED", "requested access to the resource is denied");
        denied.headers.push(("www-authenticate".to_owned(), r#"Basic realm="fake""#.to_owned()));
        return denied;
    }
    match (endpoint, list, manifest) {
        ("", ..) => ok("application/json", b"{}".to_vec()),
        ("_catalog", ..) if state.has_catalog => catalog(state, asked),
        (_, Some(path), _) => tags(state, asked, path),
        (_, _, Some((path, reference))) => manifest_of(state, path, reference),
        _ if blob.is_some() => blob_of(state, blob.map_or("", |(_, digest)| digest)),
        _ if referrers.is_some() => referrers_of(state, referrers.unwrap_or_default()),
        _ => nowhere(),
    }
}

fn refusal(state: &State, asked: &Asked<'_>, scope: &str) -> Option<Answer> {
    let realm = match &state.access {
        Access::Token(rules) => format!("http://{}{}", asked.host, rules.path),
        Access::Open | Access::Basic { .. } => format!("http://{}/token", asked.host),
    };
    let (let_in, challenge) = match &state.access {
        Access::Open => return None,
        Access::Basic { user, password } => {
            (asked.authorization == Some(&token::basic(user, password)), r#"Basic realm="fake""#.to_owned())
        }
        Access::Token(_) => {
            let scope_param = if scope.is_empty() { String::new() } else { format!(r#",scope="{scope}""#) };
            let challenge = format!(r#"Bearer realm="{realm}",service="fake"{scope_param}"#);
            (token::lets_in(state, asked.authorization, scope), challenge)
        }
    };
    if let_in {
        return None;
    }
    if token::forbids(state, asked.authorization) {
        return Some(error(StatusCode::FORBIDDEN, "DENIED", "requested access to the resource is denied"));
    }
    let challenges = if state.challenges.is_empty() { vec![challenge] } else { state.challenges.clone() };
    let mut answer = error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
    let headers = challenges.into_iter().map(|text| text.replace("{realm}", &realm));
    answer.headers.extend(headers.map(|text| ("www-authenticate".to_owned(), text)));
    Some(answer)
}

fn tags(state: &State, asked: &Asked<'_>, path: &str) -> Answer {
    let Some(tags) = state.repositories.get(path) else {
        return error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let tags: Vec<String> = tags.iter().map(|(tag, _)| tag.clone()).collect();
    if tags.is_empty() && state.tags_are_null {
        return ok("application/json", json!({"name": path, "tags": null}).to_string().into_bytes());
    }
    page(state, asked, &tags, |tags| json!({"name": path, "tags": tags}))
}

fn catalog(state: &State, asked: &Asked<'_>) -> Answer {
    let names: Vec<String> = state.repositories.keys().cloned().collect();
    page(state, asked, &names, |names| json!({"repositories": names}))
}

fn page(state: &State, asked: &Asked<'_>, all: &[String], wrap: impl Fn(&[String]) -> Value) -> Answer {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(asked.query.as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let (size, style) = match &state.paging {
        Paging::Whole => return ok("application/json", wrap(all).to_string().into_bytes()),
        Paging::Linked { size, style } => (*size, Some(*style)),
        Paging::Silent { size } => (*size, None),
    };
    let size = value("n").and_then(|n| n.parse().ok()).map_or(size, |n: usize| n.min(size));
    let start =
        value("last").and_then(|last| all.iter().position(|item| item == last)).map_or(0, |at| at + 1);
    let rest = &all[start..];
    let shown = &rest[..size.min(rest.len())];
    let mut answer = ok("application/json", wrap(shown).to_string().into_bytes());
    if let (Some(style), Some(last)) = (style, shown.last())
        && shown.len() < rest.len()
    {
        let links = links(style, asked, size, last, state.log.len());
        answer.headers.extend(links.into_iter().map(|link| ("link".to_owned(), link)));
    }
    answer
}

fn links(style: LinkStyle, asked: &Asked<'_>, n: usize, last: &str, serial: usize) -> Vec<String> {
    let (host, path) = (asked.host, asked.path);
    let target = match style {
        LinkStyle::Relative => format!("{path}?n={n}&last={last}"),
        LinkStyle::Absolute => format!("http://{host}{path}?n={n}&last={last}"),
        LinkStyle::Foreign => format!("http://localhost:1{path}?n={n}&last={last}"),
        LinkStyle::Circle => format!("{path}?n={n}&last="),
        LinkStyle::Endless => format!("{path}?n={n}&cursor={serial}"),
        LinkStyle::ZeroN => format!("{path}?last={last}&n=0"),
        LinkStyle::WrongPath => format!("/v2/tags/list?last={last}&n={n}"),
        LinkStyle::OtherScheme => format!("https://{host}{path}?n={n}&last={last}"),
        LinkStyle::InternalHost => format!("http://registry-internal:5000{path}?n={n}&last={last}"),
        LinkStyle::QueryOnly => format!("?n={n}&last={last}"),
        _ => format!("{path}?n={n}&last={last}"),
    };
    let link = match style {
        LinkStyle::Escaped => format!(r#"<{target}&gt;; rel="next""#),
        LinkStyle::NoBrackets => format!(r#"{target}; rel="next""#),
        LinkStyle::SingleQuotes => format!("<{target}>; rel='next'"),
        LinkStyle::NoRelation => format!("<{target}>"),
        LinkStyle::Titled => format!(r#"<{target}>; title="a, b; c"; rel="next"; type="application/json""#),
        _ => format!(r#"<{target}>; rel="next""#),
    };
    let first = format!(r#"<{path}?n={n}>; rel="first""#);
    if matches!(style, LinkStyle::SecondHeader) { vec![first, link] } else { vec![link] }
}

fn blob_of(state: &State, digest: &str) -> Answer {
    match state.blobs.get(digest) {
        Some(bytes) => ok("application/octet-stream", bytes.clone()),
        None => error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry"),
    }
}

fn referrers_of(state: &State, (path, image): (&str, &str)) -> Answer {
    if state.referrers != Referrers::Api {
        return error(StatusCode::NOT_FOUND, "UNSUPPORTED", "there is no such API");
    }
    let listed = state.referring.get(&(path.to_owned(), image.to_owned()));
    ok(INDEX, referrer_index(listed.map_or(&[], Vec::as_slice)).into_bytes())
}

pub(super) fn manifest_of(state: &State, path: &str, reference: &str) -> Answer {
    let unknown = || error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown");
    let Some(tags) = state.repositories.get(path) else { return unknown() };
    let tagged = tags.iter().find(|(tag, _)| tag == reference).map(|(_, digest)| digest.as_str());
    let as_digest = reference.replacen('-', ":", 1);
    let untagged = if state.referrers == Referrers::TheImageItself { &as_digest } else { reference };
    let digest = tagged.unwrap_or(untagged);
    let Some((bytes, media_type)) = state.manifests.get(digest) else { return unknown() };
    let mut answer = ok(media_type, bytes.clone());
    answer.headers.push(("docker-content-digest".to_owned(), digest.to_owned()));
    answer
}

pub(super) fn ok(media_type: &str, body: Vec<u8>) -> Answer {
    let headers = vec![
        ("content-type".to_owned(), media_type.to_owned()),
        ("docker-distribution-api-version".to_owned(), "registry/2.0".to_owned()),
    ];
    Answer { status: StatusCode::OK, headers, body, unexpected: false }
}

pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Answer {
    let body = json!({"errors": [{"code": code, "message": message}]}).to_string().into_bytes();
    Answer { status, ..ok("application/json", body) }
}

fn nowhere() -> Answer {
    Answer { unexpected: true, ..error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such endpoint") }
}
