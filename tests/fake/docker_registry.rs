//! The real thing: Debian's `docker-registry` on the loopback interface, with artifacts pushed as Flux pushes them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dibump::release::Digest;
use futures::StreamExt;
use serde_json::json;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const FLUX_CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// A running registry; it stops when it is dropped.
pub struct DockerRegistry {
    process: Child,
    /// Host and port.
    pub host: String,
    client: reqwest::Client,
    _storage: tempfile::TempDir,
}

/// One artifact to push.
pub struct Push {
    pub repository: String,
    pub tag: String,
    pub annotations: BTreeMap<String, String>,
}

impl DockerRegistry {
    /// Starts a registry on a free port. `tests/run` installs it where it is missing.
    pub async fn start() -> Self {
        let storage = tempfile::tempdir().expect("a temporary folder");
        let free =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let config = storage.path().join("config.yml");
        std::fs::write(&config, configuration(storage.path(), free.port())).expect("a configuration");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is not installed: run tests/run, or `apt-get install docker-registry`");
        let host = format!("127.0.0.1:{}", free.port());
        let mut registry = Self { process, host, client: reqwest::Client::new(), _storage: storage };
        registry.wait().await;
        registry
    }

    /// The prefix of a producer, as `--registry` takes it.
    pub fn prefix(&self, path: &str) -> String {
        format!("oci://{}/{path}", self.host)
    }

    /// Pushes artifacts, several at a time.
    pub async fn push(&self, artifacts: &[Push]) {
        let mut pushes = futures::stream::iter(artifacts.iter().map(|artifact| self.push_one(artifact)))
            .buffer_unordered(8);
        while pushes.next().await.is_some() {}
    }

    async fn push_one(&self, artifact: &Push) {
        self.push_layer(artifact, b"a tar.gz stands here in a real artifact".to_vec(), FLUX_CONTENT).await;
    }

    /// Pushes an artifact whose layer has these bytes.
    pub async fn push_layer(&self, artifact: &Push, layer: Vec<u8>, media_type: &str) {
        let config = self.blob(&artifact.repository, b"{}".to_vec()).await;
        let size = layer.len();
        let layer = self.blob(&artifact.repository, layer).await;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": FLUX_CONFIG, "digest": config.as_str(), "size": 2},
            "layers": [{"mediaType": media_type, "digest": layer.as_str(), "size": size}],
            "annotations": artifact.annotations,
        });
        let url = format!("http://{}/v2/{}/manifests/{}", self.host, artifact.repository, artifact.tag);
        let request = self.client.put(url).header("content-type", MANIFEST).body(manifest.to_string());
        let response = request.send().await.expect("the registry answers");
        assert_eq!(response.status(), 201, "pushing {}:{}", artifact.repository, artifact.tag);
    }

    async fn blob(&self, repository: &str, content: Vec<u8>) -> Digest {
        let digest = Digest::of(&content);
        let blobs = format!("http://{}/v2/{repository}/blobs", self.host);
        let head = self.client.head(format!("{blobs}/{digest}")).send().await.expect("the registry answers");
        if head.status() == 200 {
            return digest;
        }
        let start = self.client.post(format!("{blobs}/uploads/")).send().await.expect("the registry answers");
        let location = start.headers()["location"].to_str().expect("a location").to_owned();
        let join = if location.contains('?') { '&' } else { '?' };
        let url = format!("{location}{join}digest={digest}");
        let put = self.client.put(url).body(content).send().await.expect("the registry answers");
        assert_eq!(put.status(), 201, "uploading to {repository}");
        digest
    }

    /// It starts, or it ends.
    async fn wait(&mut self) {
        while self.client.get(format!("http://{}/v2/", self.host)).send().await.is_err() {
            let ended = self.process.try_wait().expect("its state");
            assert!(ended.is_none(), "docker-registry did not start on {}: {ended:?}", self.host);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    format!(
        "version: 0.1\n\
         log: {{level: error}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\n\
         http: {{addr: \"127.0.0.1:{port}\"}}\n",
        folder.join("data").display()
    )
}
