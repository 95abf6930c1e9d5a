//! No byte of an image is fetched before its signature was verified.

use super::{Built, KEY, OTHER, Puller, disk};
use crate::fake::cosign::Signer;
use crate::fake::oci::FakeRegistry;
use crate::world::PREFIX;

#[tokio::test]
async fn only_what_is_signed_as_this_image_is_fetched() {
    let (registry, signer) = (FakeRegistry::start().await, Signer::new());
    let (built, other) = (Built::new(KEY, disk(1)), Built::new(OTHER, disk(2)));
    let path = |key: &str| format!("{PREFIX}/{key}");
    let (manifest, another) = (built.push(&registry), other.push(&registry));
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    puller.desk.write("cosign.pub", signer.pem());
    let pull = async || {
        let ran = puller.pull(&["--cosign-key", "cosign.pub"]).await;
        let blobs = registry
            .requests()
            .iter()
            .filter(|request| request.path.contains(&crate::fake::oci::digest(&built.layer)))
            .count();
        (ran, blobs)
    };
    let (ran, blobs) = pull().await;
    assert_eq!((ran.exit, blobs, puller.visible().len()), (Some(5), 0, 0), "not signed: {ran:#?}");

    // The signature of another image, under the name of this one's.
    signer.sign(&registry, &path(OTHER), &another);
    let tag = |digest: &str| format!("{}.sig", digest.replace(':', "-"));
    registry.copy((&path(OTHER), &tag(&another)), (&path(KEY), &tag(&manifest)));
    let (ran, blobs) = pull().await;
    assert_eq!((ran.exit, blobs, puller.visible().len()), (Some(5), 0, 0), "signed is another: {ran:#?}");

    // Another image, which is signed, under this one's name and tag.
    registry.copy((&path(OTHER), super::TAG), (&path(KEY), super::TAG));
    signer.sign(&registry, &path(KEY), &another);
    let (ran, blobs) = pull().await;
    assert_eq!((ran.exit, blobs, puller.visible().len()), (Some(5), 0, 0), "it is another image: {ran:#?}");

    built.push(&registry);
    signer.sign(&registry, &path(KEY), &manifest);
    let (ran, blobs) = pull().await;
    assert_eq!((ran.exit, blobs), (Some(0), 1), "{ran:#?}");
    assert!(puller.has(&built));
}
