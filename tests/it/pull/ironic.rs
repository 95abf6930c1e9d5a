//! Ironic and its agent, as they are published: what they make of an image that is not there yet, is there, and is replaced.

use std::path::Path;
use std::time::Duration;

use super::serving::Server;
use super::{Built, KEY, Puller, disk, gzip};
use crate::clients;
use crate::fake::oci::{FakeRegistry, Fault, Gate};
use crate::world::{PATIENCE, PREFIX, ended};

/// Waits until the script asks for something.
async fn asked(folder: &Path, name: &str) {
    let there = async {
        while !folder.join(name).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.unwrap_or_else(|_| panic!("{name} was never asked for"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ironic_fails_once_its_agent_waits_and_its_cache_fetches_a_replacement() {
    let plain = |built: &Built| built.image.len();
    deployed("raw", plain).await;
}

/// Ironic and its agent take gzip, and undo it. What Ironic takes for the size of the image is what it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn from_a_folder_of_compressed_images_ironic_and_its_agent_get_the_same() {
    let packed = |built: &Built| gzip(&built.image).len();
    assert!(packed(&Built::new(KEY, disk(1))) < disk(1).len());
    deployed("compressed", packed).await;
}

async fn deployed(kept: &str, sent: impl Fn(&Built) -> usize) {
    let (registry, gates) = (FakeRegistry::start().await, [Gate::shut(), Gate::shut()]);
    let (old, new) = (Built::new(KEY, disk(1)), Built::new(KEY, disk(2)));
    old.push(&registry);
    registry.fault(Fault::held(&gates[0]).on("/blobs/").times(1));
    registry.fault(Fault::held(&gates[1]).on("/blobs/").times(1));
    let mut puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    // A cache compares with the clock of its own machine.
    puller.desk.now = jiff::Timestamp::now().to_string();
    let server =
        Server::start(&puller, &["--pull-every", "1h", "--", "-f", "values.yaml", "--keep", kept]).await;
    server.until("wanted", |_, body| String::from_utf8_lossy(body).contains("\"complete\": false")).await;

    let folder = puller.desk.path("ironic");
    std::fs::create_dir(&folder).unwrap();
    let url = format!("http://{}/{KEY}.raw", server.address);
    let (sha256, length) = (old.sha256(), sent(&old).to_string());
    let script = async {
        let arguments = [url.as_str(), sha256.as_str(), length.as_str(), folder.to_str().unwrap()];
        clients::python(include_str!("../../clients/ironic.py"), &arguments).await;
    };
    let world = async {
        asked(&folder, "go").await;
        gates[0].open();
        asked(&folder, "replace").await;
        new.push(&registry);
        puller.desk.now = jiff::Timestamp::now().to_string();
        let pull = puller.desk.spawn(&Puller::arguments(&["--keep", kept]));
        let begun = async {
            while registry.count("/blobs/") < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, begun).await.expect("the replacement is asked for");
        std::fs::write(folder.join("begun"), "").unwrap();
        asked(&folder, "finish").await;
        gates[1].open();
        let pulled = ended(pull).await;
        assert_eq!(pulled.exit, Some(0), "{pulled:#?}");
    };
    tokio::join!(script, world);
    server.serves(&new).await;
}
