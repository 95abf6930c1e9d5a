//! Images that are stored as they are published: compressed, after the same checks, and served to every client.

use reqwest::header::HeaderMap;

use super::serving::Server;
use super::{Built, FLUX, KEY, Puller, archive, disk, entry, gunzip, gzip};
use crate::fake::oci::FakeRegistry;
use crate::world::{PREFIX, ended};

const PACKED: [&str; 2] = ["--keep", "compressed"];

struct Asked {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Asks without a client that decompresses.
async fn ask(server: &Server, method: reqwest::Method, headers: &[(&str, &str)]) -> Asked {
    let client = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let mut request = client.request(method, format!("http://{}/{KEY}.raw", server.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Asked { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

#[tokio::test]
async fn a_compressed_image_is_what_was_published_and_every_client_gets_it() {
    let registry = FakeRegistry::start().await;
    let built = Built::new(KEY, disk(1));
    let packed = gzip(&built.image);
    built.push(&registry);
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let ran = puller.pull(&PACKED).await;
    assert_eq!(
        (ran.exit, ran.stdout.as_str()),
        (Some(0), &*format!("{KEY}: stored, 706.1 KiB\n")),
        "{ran:#?}"
    );
    let file = puller.desk.path(&format!("images/blobs/sha256/{}.gz", built.sha256()));
    assert!(std::fs::read(&file).unwrap() == packed && puller.has(&built));
    let index = puller.index(KEY).unwrap();
    assert_eq!((&index["size"], &index["packed_size"]), (&723_000.into(), &packed.len().into()), "{index:#}");
    for more in [&PACKED[..], &[]] {
        let again = puller.pull(more).await;
        assert_eq!(again.stdout, format!("{KEY}: present, 706.1 KiB\n"), "{again:#?}");
    }

    let server = Server::start(&puller, &[]).await;
    let (plain, tag) =
        (format!("\"sha256:{}\"", built.sha256()), format!("\"sha256:{}-gzip\"", built.sha256()));
    let get = reqwest::Method::GET;
    let coded = ask(&server, get.clone(), &[("accept-encoding", "gzip, deflate")]).await;
    assert!((coded.status, gunzip(&coded.body)) == (200, built.image.clone()));
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-length", &packed.len().to_string()),
        ("etag", &tag),
        ("accept-ranges", "bytes"),
        ("vary", "Accept-Encoding"),
    ] {
        assert_eq!(coded.header(name), Some(value), "{:?}", coded.headers);
    }
    let whole = ask(&server, get.clone(), &[("range", "bytes=0-9")]).await;
    assert!((whole.status, whole.body.as_slice()) == (200, built.image.as_slice()), "a range is ignored");
    for (name, value) in [
        ("content-encoding", None),
        ("content-length", Some("723000")),
        ("etag", Some(plain.as_str())),
        ("accept-ranges", Some("none")),
        ("vary", Some("Accept-Encoding")),
    ] {
        assert_eq!(whole.header(name), value, "{:?}", whole.headers);
    }
    let part = ask(
        &server,
        get.clone(),
        &[("accept-encoding", "gzip"), ("range", "bytes=10-19"), ("if-range", &tag)],
    )
    .await;
    assert_eq!((part.status, part.body.as_slice()), (206, &packed[10..20]));
    for (coding, known, status) in
        [("gzip", &tag, 304), ("gzip", &plain, 200), ("identity", &plain, 304), ("identity", &tag, 200)]
    {
        let headers = [("accept-encoding", coding), ("if-none-match", known.as_str())];
        assert_eq!(ask(&server, get.clone(), &headers).await.status, status, "{coding} {known}");
    }
    for (coding, length) in [("gzip", packed.len()), ("identity", 723_000)] {
        let head = ask(&server, reqwest::Method::HEAD, &[("accept-encoding", coding)]).await;
        assert_eq!(head.header("content-length"), Some(&*length.to_string()), "{coding}: {:?}", head.headers);
    }

    // A file that is cut is not served, and is hashed before it is again.
    std::fs::write(&file, &packed[..100]).unwrap();
    assert_eq!(ask(&server, get, &[]).await.status, 503);
    std::fs::write(&file, &packed).unwrap();
    server.serves(&built).await;
}

#[tokio::test]
async fn what_is_stored_compressed_goes_as_what_is_not() {
    let registry = FakeRegistry::start().await;
    let (old, new) = (Built::new(KEY, disk(1)), Built::new(KEY, disk(2)));
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    for built in [&old, &new] {
        built.push(&registry);
        let ran = puller.pull(&[&PACKED[..], &["--grace", "0s"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
    }
    assert_eq!(puller.visible(), [new.sha256()]);
    // One that was cut is fetched anew.
    let file = puller.desk.path(&format!("images/blobs/sha256/{}.gz", new.sha256()));
    std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(100).unwrap();
    assert_eq!(puller.pull(&PACKED).await.stdout, format!("{KEY}: stored, 706.1 KiB\n"));
    assert_eq!(puller.visible(), [new.sha256()]);
    // Another form is not fetched anew, and what is not compressed in its archive is stored as it is.
    let plain = Built::of(KEY, disk(3), gzip(&archive(&[entry("a.raw", &disk(3))])), FLUX);
    plain.push(&registry);
    let ran = puller.pull(&PACKED).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(std::fs::read(puller.file(&plain)).unwrap() == plain.image);
}

#[tokio::test]
async fn what_is_wrong_is_refused_when_it_is_stored_compressed() {
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let image = disk(1);
    let of = |file: Vec<u8>| Built::of(KEY, image.clone(), gzip(&archive(&[entry("a.raw.gz", &file)])), FLUX);
    let broken = {
        let mut packed = gzip(&image);
        let half = packed.len() / 2;
        packed[half..].fill(0xff);
        packed
    };
    let mut said = String::new();
    for (name, built) in [
        ("another image", of(gzip(&disk(4)))),
        ("broken", of(broken)),
        ("followed by something", of([gzip(&image), b"something".to_vec()].concat())),
        ("a bomb", of(gzip(&vec![0; 64 << 20]))),
        ("shorter", of(gzip(&image[1..]))),
        ("no archive", Built::of(KEY, image.clone(), gzip(b"text"), FLUX)),
        // There is room for what is stored, and the image is not what it should be.
        ("huge", of(gzip(&image)).with("size", Some(&(50_u64 << 40).to_string()))),
    ] {
        built.push(&registry);
        let arguments = Puller::arguments(&["--keep", "compressed", "--max-image-size", "100TiB"]);
        let ran = ended(puller.desk.limited(600 << 10, &arguments).spawn().unwrap()).await;
        assert_eq!(ran.exit, Some(5), "{name}: {ran:#?}");
        // What the decompressor says is its own.
        said += ran.stderr.split(" decompressed: ").next().unwrap().trim_end();
        said += "\n";
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
    }
    reads!(said, @"
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its sha256 is 6734f21c98d8b7ccff2572ba5f4ef9a585694b628cd1f628242bcaafb99c6037, and not 7ce224c75b60b03c4b6d505169997ec22b6fc381f189782026fb96884e5ca5e7 as announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it cannot be
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it cannot be
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has more than the 723000 bytes that are announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has 722999 bytes, and not 723000 as announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its layer is not a tar archive
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has 723000 bytes, and not 54975581388800 as announced
    ");
}
