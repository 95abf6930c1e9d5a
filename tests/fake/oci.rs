//! An OCI registry on the loopback interface: repositories, tags, manifests, catalogue, tokens; and failures on
//! demand. What it does not know it answers with 404, and remembers, so that a test can fail on it.
#![allow(dead_code, reason = "each binary that includes this uses a part of it")]

mod fault;
mod quirks;
mod serve;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use fault::{Fault, Gate};
pub(crate) use quirks::Quirk;
pub(crate) use token::TokenRules;

/// The type of the manifests that are pushed unless a test says otherwise.
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The type of an index.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The registry. It ends when this is dropped.
pub(crate) struct FakeRegistry {
    host: String,
    state: Shared,
    server: tokio::task::JoinHandle<()>,
}

type Shared = Arc<Mutex<State>>;

/// One image of a release.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// How lists are cut into pages.
#[derive(Debug, Clone, Default)]
pub(crate) enum Paging {
    /// Everything at once, whatever `n` says.
    #[default]
    Whole,
    /// Pages of this size, or of `n` if that is smaller, each with a `Link` to the next.
    Linked { size: usize, style: LinkStyle },
    /// Pages of this size without any `Link`; `last` is honoured.
    Silent { size: usize },
}

/// What the `Link` to the next page looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LinkStyle {
    Relative,
    Absolute,
    /// On another host.
    Foreign,
    /// Back to the first page.
    Circle,
    /// To a new address with the same page, for ever.
    Endless,
    /// As GHCR writes it.
    ZeroN,
    /// Without the repository in it, as Artifactory writes it.
    WrongPath,
    /// With the scheme that a proxy in front of the registry does not speak.
    OtherScheme,
    /// With the name that the registry has behind its proxy.
    InternalHost,
    /// Nothing but a query.
    QueryOnly,
    /// With `>` as HTML writes it.
    Escaped,
    /// Without `<` and `>`.
    NoBrackets,
    /// With the relation in single quotes.
    SingleQuotes,
    /// Without a relation.
    NoRelation,
    /// In the second of two headers.
    SecondHeader,
    /// With parameters before and after the relation.
    Titled,
}

/// How a registry answers for referrers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Referrers {
    /// There is no such API; clients keep a list below the tag `sha256-<hex>`.
    #[default]
    ByTag,
    /// The API of distribution-spec 1.1.
    Api,
    /// No API, and the tag `sha256-<hex>` is taken for the digest: the answer is the image itself. So does GitLab.
    TheImageItself,
}

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub(crate) enum Access {
    #[default]
    Open,
    Basic {
        user: String,
        password: String,
    },
    Token(TokenRules),
}

/// A request as it arrived, and how it was answered.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
    pub(crate) status: u16,
    /// Whether there is no such endpoint.
    pub(crate) unexpected: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Tags and the digests that they point to, by repository, in the order of pushing.
    repositories: BTreeMap<String, Vec<(String, String)>>,
    /// Bytes and media type, by digest.
    manifests: BTreeMap<String, (Vec<u8>, String)>,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Manifests that refer to an image, by repository and image.
    referring: BTreeMap<(String, String), Vec<String>>,
    referrers: Referrers,
    has_catalog: bool,
    /// What repositories that do not exist answer in place of 404.
    denial: Option<u16>,
    tags_are_null: bool,
    paging: Paging,
    access: Access,
    challenges: Vec<String>,
    quirks: Vec<Quirk>,
    tokens: BTreeMap<String, BTreeSet<String>>,
    faults: Vec<Fault>,
    log: Vec<Logged>,
    under_way: usize,
    most_under_way: usize,
}

impl FakeRegistry {
    /// Starts an empty registry that is open to everybody.
    pub(crate) async fn start() -> Self {
        let state: Shared = Arc::new(Mutex::new(State { has_catalog: true, ..State::default() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let host = listener.local_addr().expect("a bound address").to_string();
        let server = tokio::spawn(serve::serve(listener, host.clone(), Arc::clone(&state)));
        Self { host, state, server }
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The prefix below which a release was pushed, as a user writes it.
    pub(crate) fn prefix(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.host)
    }

    /// Pushes a release: one artifact an image, as Flux pushes them.
    pub(crate) fn release(&self, prefix: &str, version: &str, images: &[Image]) -> &Self {
        for image in images {
            let annotations = json!(image.annotations);
            let manifest = flux_manifest(&annotations);
            self.push(&format!("{prefix}/{}", image.name), version, manifest.to_string(), OCI_MANIFEST);
        }
        self
    }

    /// Pushes the bytes of a manifest and gives their digest.
    pub(crate) fn push(&self, path: &str, tag: &str, bytes: impl Into<Vec<u8>>, media_type: &str) -> String {
        let bytes = bytes.into();
        let digest = digest(&bytes);
        let mut state = self.state();
        state.manifests.insert(digest.clone(), (bytes, media_type.to_owned()));
        let tags = state.repositories.entry(path.to_owned()).or_default();
        tags.retain(|(known, _)| known != tag);
        if !tag.is_empty() {
            tags.push((tag.to_owned(), digest.clone()));
        }
        digest
    }

    /// Keeps a blob.
    pub(crate) fn blob(&self, bytes: Vec<u8>) -> &Self {
        self.state().blobs.insert(digest(&bytes), bytes);
        self
    }

    /// Pushes a manifest that refers to an image, and lists it the way that this registry has.
    pub(crate) fn refer(&self, path: &str, image: &str, manifest: String) {
        let by_tag = self.state().referrers == Referrers::ByTag;
        let referrer = self.push(path, "", manifest, OCI_MANIFEST);
        let listed = {
            let mut state = self.state();
            let listed = state.referring.entry((path.to_owned(), image.to_owned())).or_default();
            listed.push(referrer);
            referrer_index(listed)
        };
        if by_tag {
            self.push(path, &image.replace(':', "-"), listed, INDEX);
        }
    }

    /// How it answers for referrers, from now on.
    pub(crate) fn referrers(&self, referrers: Referrers) -> &Self {
        self.state().referrers = referrers;
        self
    }

    /// The digest that a tag stands for.
    pub(crate) fn digest(&self, path: &str, tag: &str) -> String {
        let state = self.state();
        let tagged = state.repositories[path].iter().find(|(known, _)| known == tag);
        tagged.expect("the tag was pushed").1.clone()
    }

    /// Gives what a tag of one repository stands for a tag in another.
    pub(crate) fn copy(&self, from: (&str, &str), to: (&str, &str)) {
        let digest = self.digest(from.0, from.1);
        let mut state = self.state();
        let tags = state.repositories.entry(to.0.to_owned()).or_default();
        tags.retain(|(known, _)| known != to.1);
        tags.push((to.1.to_owned(), digest));
    }

    /// Gives what a tag stands for to new tags, as many as there are.
    pub(crate) fn more_tags(&self, path: &str, tag: &str, tags: impl Iterator<Item = String>) {
        let digest = self.digest(path, tag);
        let mut state = self.state();
        let known = state.repositories.entry(path.to_owned()).or_default();
        known.extend(tags.map(|tag| (tag, digest.clone())));
    }

    /// Removes a tag; the repository stays.
    pub(crate) fn remove(&self, path: &str, tag: &str) -> &Self {
        if let Some(tags) = self.state().repositories.get_mut(path) {
            tags.retain(|(known, _)| known != tag);
        }
        self
    }

    pub(crate) fn paging(&self, paging: Paging) -> &Self {
        self.state().paging = paging;
        self
    }

    /// Lets repositories without tags answer `"tags": null`.
    pub(crate) fn tags_are_null(&self) -> &Self {
        self.state().tags_are_null = true;
        self
    }

    pub(crate) fn without_catalog(&self) -> &Self {
        self.state().has_catalog = false;
        self
    }

    /// Answers 401 or 403 for repositories that do not exist, as GHCR, Quay and GitLab do to strangers. A realm gives nobody
    /// a token for them.
    pub(crate) fn denies_what_is_missing(&self, status: u16) -> &Self {
        self.state().denial = Some(status);
        self
    }

    pub(crate) fn access(&self, access: Access) -> &Self {
        self.state().access = access;
        self
    }

    /// Sends these `WWW-Authenticate` headers instead of the right one. `{realm}` is replaced.
    pub(crate) fn challenges(&self, headers: &[&str]) -> &Self {
        self.state().challenges = headers.iter().map(ToString::to_string).collect();
        self
    }

    /// Forgets every token that was given.
    pub(crate) fn revoke_tokens(&self) -> &Self {
        self.state().tokens.clear();
        self
    }

    /// Lets it do one more thing in its own way.
    pub(crate) fn quirk(&self, quirk: Quirk) -> &Self {
        self.state().quirks.push(quirk);
        self
    }

    pub(crate) fn fault(&self, fault: Fault) -> &Self {
        self.state().faults.push(fault);
        self
    }

    /// Everything that was asked so far.
    pub(crate) fn requests(&self) -> Vec<Logged> {
        self.state().log.clone()
    }

    /// How many requests have a path that contains `part`.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.state().log.iter().filter(|logged| logged.path.contains(part)).count()
    }

    /// Whether every fault that was arranged for some requests has struck all of them.
    pub(crate) fn all_struck(&self) -> bool {
        self.state().faults.iter().all(|fault| fault.times == 0)
    }

    /// How many requests there were at once at most.
    pub(crate) fn most_under_way(&self) -> usize {
        self.state().most_under_way
    }

    /// Requests to endpoints that do not exist.
    pub(crate) fn unexpected(&self) -> Vec<Logged> {
        self.state().log.iter().filter(|logged| logged.unexpected).cloned().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no handler panics")
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Image {
    /// An image with the annotations that Flux writes.
    pub(crate) fn new(name: &str) -> Self {
        let flux = [
            ("org.opencontainers.image.created", "2026-05-04T03:02:01Z"),
            ("org.opencontainers.image.source", "https://git.example/diskimage-builder.git"),
            ("org.opencontainers.image.revision", "0.4.12@sha1:0123456789abcdef0123456789abcdef01234567"),
        ];
        let annotations = flux.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        Self { name: name.to_owned(), annotations }
    }

    /// With one more annotation.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// The list of referrers, as cosign wrote it until 2026: with the wrong type and without annotations (cosign#4641).
pub(crate) fn referrer_index(digests: &[String]) -> String {
    let entry = |digest: &String| json!({"mediaType": OCI_MANIFEST, "size": 1, "digest": digest, "artifactType": "application/vnd.oci.empty.v1+json"});
    let entries: Vec<Value> = digests.iter().map(entry).collect();
    json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string()
}

/// The digest of bytes, as registries write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let hex: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A manifest as `flux push artifact` writes it: one layer with everything in it.
pub(crate) fn flux_manifest(annotations: &Value) -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.cncf.flux.config.v1+json",
            "digest": digest(b"{}"),
            "size": 2,
        },
        "layers": [{
            "mediaType": "application/vnd.cncf.flux.content.v1.tar+gzip",
            "digest": digest(annotations.to_string().as_bytes()),
            "size": 1_048_576,
        }],
        "annotations": annotations,
    })
}
