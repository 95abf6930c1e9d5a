//! Images of one's own: of a web server that is allowed, or of a registry, and only what the values' checksum says.

use serde_json::json;

use super::serving::Server;
use super::{Built, KEY, OTHER, Puller, TAG, disk, gzip, hex};
use crate::fake::oci::FakeRegistry;
use crate::fake::spoiling_proxy::{Spoil, SpoilingProxy};
use crate::world::{PREFIX, Ran};

/// A web server with a file: the server of images, which has `/blobs/image.raw`, behind a proxy that spoils it.
struct Web {
    proxy: SpoilingProxy,
    _server: Server,
    _folder: Puller,
}

impl Web {
    async fn with(file: &[u8]) -> Self {
        let folder = Puller::new("oci://127.0.0.1:1/unused", &[]);
        for below in ["images/images", "images/blobs/sha256"] {
            std::fs::create_dir_all(folder.desk.path(below)).unwrap();
        }
        let sha256 = hex(file);
        folder.desk.write(&format!("images/blobs/sha256/{sha256}"), file);
        let image = json!({
            "schema": "dibump.image/1", "key": "blobs", "uri": "", "sha256": sha256, "size": file.len(),
            "format": "raw", "filename": "a.raw", "visible_since": "2026-05-05T03:02:01Z",
        });
        folder.desk.write("images/images/blobs.json", image.to_string());
        folder
            .desk
            .write("images/wanted.json", json!({"schema": "dibump.wanted/1", "images": {}}).to_string());
        let server = Server::start(&folder, &[]).await;
        let proxy = SpoilingProxy::start(&server.address).await;
        Self { proxy, _server: server, _folder: folder }
    }

    fn url(&self) -> String {
        format!("http://{}/blobs/image.raw", self.proxy.host)
    }
}

/// A deployment with one image of its own.
fn deployment(prefix: &str, properties: &str) -> Puller {
    let puller = Puller::new(prefix, &[]);
    let values = format!("sylva_diskimagebuilder_images: {{}}\nos_images:\n  mine: {{{properties}}}\n");
    puller.desk.write("values.yaml", values);
    puller
}

async fn pull(puller: &Puller, more: &[&str]) -> Ran {
    puller.pull(&[&["--all"], more].concat()).await
}

#[tokio::test]
async fn a_file_of_a_web_server_is_pulled_where_its_host_is_allowed() {
    let image = disk(1);
    for (name, file) in [("plain", image.clone()), ("gzip", gzip(&image))] {
        let web = Web::with(&file).await;
        let properties = format!(
            "uri: '{}', sha256: {}, image-format: raw, size: {}",
            web.url(),
            hex(&image),
            image.len()
        );
        let puller = deployment("oci://127.0.0.1:1/unused", &properties);
        let refused = pull(&puller, &[]).await;
        assert_eq!(refused.exit, Some(5), "{name}: {refused:#?}");
        reads!(refused.stderr, @"error: values.yaml:3:3: `mine` cannot be stored: its host `127.0.0.1` is not allowed; --allow-host 127.0.0.1 allows it");
        assert_eq!(web.proxy.requests(), 0, "{name}: nothing is asked");

        let port = web.proxy.host.clone();
        web.proxy.spoil([Spoil::Redirect, Spoil::Nothing]);
        let elsewhere = pull(&puller, &["--allow-host", &port]).await;
        assert_eq!(elsewhere.exit, Some(3), "{name}: {elsewhere:#?}");
        reads!(elsewhere.stderr, @"
        error: values.yaml:3:3: `mine` could not be downloaded: http://HOST/blobs/image.raw: http://HOST/blobs/image.raw redirects to 127.0.0.1, which is not an allowed host
        note: have the image pushed again, or ask the operator of the registry; a retry does not help
        ");
        assert!(!web.proxy.blobs().iter().any(|asked| asked.is_signed), "{name}: it is not asked");

        let half = file.len() / 2;
        web.proxy.spoil([Spoil::Status(503), Spoil::Cut(half), Spoil::Redirect, Spoil::Nothing]);
        let ran = pull(&puller, &["--allow-host", "127.0.0.1"]).await;
        assert_eq!(
            (ran.exit, ran.stdout.as_str()),
            (Some(0), "mine: stored, 706.1 KiB\n"),
            "{name}: {ran:#?}"
        );
        assert_eq!(puller.visible(), [hex(&image)], "{name}");
        let asked = web.proxy.blobs();
        assert_eq!(asked[2].range, Some(format!("bytes={half}-")), "{name}: {asked:#?}");
        let index = puller.index("mine").unwrap();
        assert_eq!(
            (&index["uri"], &index["filename"]),
            (&json!(web.url()), &json!("image.raw")),
            "{index:#}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_the_values_say_is_refused() {
    let image = disk(1);
    let web = Web::with(&image).await;
    let (url, sha256, other) = (web.url(), hex(&image), hex(b"other"));
    let mut told = String::new();
    for (properties, exit) in [
        (format!("uri: '{url}', image-format: raw"), 5),
        (format!("uri: '{url}', sha256: 'http://h/sums', image-format: raw"), 5),
        (format!("uri: '{url}', sha256: {sha256}"), 5),
        (format!("uri: '{url}', sha256: {other}, image-format: raw"), 5),
        (format!("uri: '{url}', sha256: {sha256}, image-format: raw, size: 5"), 5),
        (format!("uri: '{url}', sha256: {sha256}, image-format: raw, size: 723001"), 5),
        (format!("uri: '{url}x', sha256: {sha256}, image-format: raw"), 3),
        (format!("uri: 'file:///a.raw', sha256: {sha256}, image-format: raw"), 5),
        (format!("uri: 'http://u:p@127.0.0.1/a', sha256: {sha256}, image-format: raw"), 5),
        (format!("uri: '{url}', sha256: {sha256}, image-format: raw, filename: metrics"), 5),
    ] {
        let puller = deployment("oci://127.0.0.1:1/unused", &properties);
        let ran = pull(&puller, &["--allow-host", "127.0.0.1", "--max-image-size", "1MiB"]).await;
        assert_eq!(ran.exit, Some(exit), "{properties}: {ran:#?}");
        told += &ran.stderr;
        assert_eq!((puller.visible().len(), puller.index("mine")), (0, None), "{properties}");
    }
    reads!(told, @"
    error: values.yaml:3:3: `mine` cannot be used: it has no sha256, so a wrong image could not be detected
    error: values.yaml:3:3: `mine` cannot be used: its sha256 is `http://h/sums` (expected 64 lower-case hexadecimal digits)
    error: values.yaml:3:3: `mine` cannot be used: it has no image-format
    error: values.yaml:3:3: `mine` cannot be stored: its sha256 is 7ce224c75b60b03c4b6d505169997ec22b6fc381f189782026fb96884e5ca5e7, and not d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa as announced
    error: values.yaml:3:3: `mine` cannot be stored: it has more than the 5 bytes that are announced
    error: values.yaml:3:3: `mine` cannot be stored: it has 723000 bytes, and not 723001 as announced
    error: values.yaml:3:3: `mine` could not be downloaded: http://HOST/blobs/image.rawx: answered 404 Not Found
    note: have the image pushed again, or ask the operator of the registry; a retry does not help
    error: values.yaml:3:3: `mine` cannot be stored: its uri is `file:///a.raw` (expected oci://registry/path/image:tag, or a URL of http or https)
    error: values.yaml:3:3: `mine` cannot be stored: its uri is `http://***@127.0.0.1/a` (expected oci://registry/path/image:tag, or a URL of http or https)
    error: values.yaml:3:3: `mine` cannot be stored: its filename `metrics` is reserved by the server of the images
    ");
}

#[tokio::test]
async fn an_artifact_of_ones_own_is_pulled_by_the_checksum_of_the_values() {
    let registry = FakeRegistry::start().await;
    let (built, other) = (Built::new(KEY, disk(1)), Built::new(OTHER, disk(2)));
    built.push(&registry);
    other.push(&registry);
    let prefix = registry.prefix(PREFIX);
    let of = |sha256: &str| format!("uri: '{prefix}/{KEY}:{TAG}', sha256: {sha256}, filename: mine.raw");
    let puller = deployment(&prefix, &of(&other.sha256()));
    let ran = pull(&puller, &[]).await;
    assert_eq!((ran.exit, puller.visible().len()), (Some(5), 0), "{ran:#?}");
    let puller = deployment(&prefix, &of(&built.sha256()));
    let ran = pull(&puller, &[]).await;
    assert_eq!((ran.exit, puller.visible()), (Some(0), vec![built.sha256()]), "{ran:#?}");
    assert_eq!(puller.index("mine").unwrap()["filename"], "mine.raw");
    let puller = deployment(&prefix, &of(&built.sha256()).replace(TAG, "0.4.99"));
    let ran = pull(&puller, &[]).await;
    assert_eq!((ran.exit, puller.visible().len()), (Some(3), 0), "{ran:#?}");
}
