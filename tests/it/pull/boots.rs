//! From values to the bytes that a machine gets: the image that its machines choose is pulled, served, and is what
//! `machine-image` promises to Metal3.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{Built, KEY, OTHER, Puller, TAG, disk, hex};
use crate::fake::oci::FakeRegistry;
use crate::world::PREFIX;

fn values(prefix: &str, host: &str) -> String {
    format!(
        "os_images_oci_registries:\n  sylva: {{url: '{prefix}', tag: '{TAG}'}}\n\
         sylva_diskimagebuilder_images:\n  {KEY}: {{os_images_oci_registry: sylva}}\n  \
         {OTHER}: {{os_images_oci_registry: sylva}}\n\
         cluster:\n  k8s_version: v1.31.8+rke2r1\n  capi_providers: {{bootstrap_provider: cabpr}}\n  \
         image_provisioning_scheme: http\n  image_provisioning_host: {host}\n  \
         capm3: {{os_image_selector: {{os: ubuntu}}}}\n"
    )
}

#[tokio::test]
async fn what_machines_choose_is_pulled_served_and_what_metal3_was_promised() {
    let registry = FakeRegistry::start().await;
    let (chosen, other) = (Built::new(KEY, disk(1)), Built::new(OTHER, disk(2)));
    chosen.push(&registry);
    other.push(&registry);
    let prefix = registry.prefix(PREFIX);
    let puller = Puller::new(&prefix, &[]);
    puller.desk.write("values.yaml", values(&prefix, "h"));
    let ran = puller.pull(&[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(puller.has(&chosen) && !puller.has(&other), "only what is chosen: {ran:#?}");

    let mut server = puller.desk.spawn(&["serve-images", "images", "--listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("it says where it serves");
        if let Some((_, address)) = line.rsplit_once("://") {
            break address.to_owned();
        }
    };
    puller.desk.write("values.yaml", values(&prefix, &address));
    let promised = puller.desk.dibump(&["machine-image", "-f", "values.yaml", "--format", "json"]).await;
    let report: Value = serde_json::from_str(&promised.stdout).unwrap_or_else(|_| panic!("{promised:#?}"));
    let text = report.to_string();
    let url = format!("http://{address}/{KEY}.raw");
    assert!(text.contains(&url) && text.contains(&chosen.sha256()), "{report:#}");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let bytes = client.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(hex(&bytes), chosen.sha256());

    let all = puller.pull(&["--all"]).await;
    assert_eq!(all.exit, Some(0), "{all:#?}");
    assert!(puller.has(&chosen) && puller.has(&other), "{all:#?}");
}
