//! What was received is kept across restarts with `--spool`, and trusted no more than what a server sends.

use std::path::PathBuf;
use std::time::Duration;

use super::{Built, KEY, Puller, disk};
use crate::fake::docker_registry::DockerRegistry;
use crate::fake::oci::digest;
use crate::fake::spoiling_proxy::{Spoil, SpoilingProxy};
use crate::world::{PATIENCE, PREFIX};

struct Way {
    built: Built,
    proxy: SpoilingProxy,
    puller: Puller,
    _registry: DockerRegistry,
}

impl Way {
    async fn new() -> Self {
        let registry = DockerRegistry::start().await;
        let proxy = SpoilingProxy::start(&registry.host).await;
        let built = Built::new(KEY, disk(9));
        built.push_to_docker(&registry).await;
        let puller = Puller::new(&proxy.prefix(PREFIX), &[KEY]);
        Self { built, proxy, puller, _registry: registry }
    }

    /// What is kept of the layer.
    fn spool(&self) -> PathBuf {
        self.puller.desk.path(&format!("images/spool/{}", digest(&self.built.layer).replace("sha256:", "")))
    }

    fn kept(&self) -> u64 {
        std::fs::metadata(self.spool()).map_or(0, |metadata| metadata.len())
    }

    /// A run is killed once so many bytes of the layer came to it.
    async fn killed_at(&self, bytes: usize) {
        self.proxy.spoil([Spoil::Stop(bytes - usize::try_from(self.kept()).unwrap())]);
        let mut child = self.puller.desk.spawn(&Puller::arguments(&["--spool"]));
        let there = async {
            while self.kept() < bytes as u64 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("it is kept");
        child.kill().await.unwrap();
        assert_eq!((self.puller.visible().len(), self.puller.index(KEY)), (0, None), "killed at {bytes}");
    }

    /// The next run completes, and asks for what follows `from`.
    async fn completes(&self, from: Option<usize>) {
        self.proxy.blobs();
        self.proxy.spoil([]);
        let ran = self.puller.pull(&["--spool"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert!(self.puller.has(&self.built));
        let asked = self.proxy.blobs();
        assert_eq!(asked[0].range, from.map(|from| format!("bytes={from}-")), "{asked:#?}");
        assert!(!self.spool().exists(), "nothing is kept of what is stored");
    }
}

#[tokio::test]
async fn a_run_that_was_killed_is_gone_on_with_where_it_was() {
    let way = Way::new().await;
    let whole = way.built.layer.len();
    let places: Vec<usize> = (1..=10).map(|tenth| whole * tenth / 11).collect();
    for at in &places {
        way.killed_at(*at).await;
    }
    let asked = way.proxy.blobs();
    for (request, at) in asked[1..].iter().zip(&places) {
        assert_eq!(request.range, Some(format!("bytes={at}-")));
        assert_eq!(request.if_range, Some(format!("\"{}\"", digest(&way.built.layer))));
    }
    way.completes(places.last().copied()).await;
    println!("spool: {} runs, each went on where the one before was killed", places.len() + 1);
}

#[tokio::test]
async fn what_is_kept_and_spoiled_is_fetched_again() {
    for (what, spoil) in [("flipped", 0), ("longer", 1), ("of something else", 2)] {
        let way = Way::new().await;
        let half = way.built.layer.len() / 2;
        way.killed_at(half).await;
        let mut kept = std::fs::read(way.spool()).unwrap();
        match spoil {
            0 => kept[100] ^= 1,
            1 => kept.extend(vec![7; 2 * half]),
            _ => kept = vec![7; half],
        }
        std::fs::write(way.spool(), kept).unwrap();
        way.proxy.blobs();
        way.proxy.spoil([]);
        let ran = way.puller.pull(&["--spool"]).await;
        assert_eq!(ran.exit, Some(0), "{what}: {ran:#?}");
        assert!(way.puller.has(&way.built), "{what}");
        let asked = way.proxy.blobs();
        assert_eq!(asked.last().unwrap().range, None, "{what}: from its beginning: {asked:#?}");
    }
    let way = Way::new().await;
    way.killed_at(1_000).await;
    // Under another name of the content it is not gone on with.
    std::fs::write(way.spool().with_extension("tag"), "\"other\"").unwrap();
    way.proxy.blobs();
    let ran = way.puller.pull(&["--spool"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(way.puller.has(&way.built));
}
