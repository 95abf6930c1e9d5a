//! Clients as people have them: curl and wget, whole, in parts, and over TLS.

use std::process::Command;

use super::{Folder, KEY, sha256};
use crate::world::PATIENCE;

fn image() -> Vec<u8> {
    (0..3_000_000_u32).map(|i| (i % 251) as u8).collect()
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).env_clear().args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_wget_get_an_image_whole_and_go_on_with_a_part() {
    let (folder, bytes) = (Folder::new(), image());
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let server = folder.serve(&[]).await;
    let url = format!("http://{}/{KEY}.raw", server.address);
    assert!(run("/usr/bin/curl", &["-sf", &url]) == bytes);
    assert!(run("/usr/bin/curl", &["-sf", "-r", "5-104", &url]) == bytes[5..105]);
    assert!(run("/usr/bin/curl", &["-sf", "-H", "Expect: 100-continue", &url]) == bytes);
    let part = folder.desk.path("part");
    let name = part.to_str().unwrap();
    for (program, arguments) in [
        ("/usr/bin/curl", vec!["-sf", "-C", "-", "-o", name, &url]),
        ("/usr/bin/wget", vec!["-q", "-c", "-O", name, &url]),
    ] {
        std::fs::write(&part, &bytes[..1_000_000]).unwrap();
        run(program, &arguments);
        assert_eq!(sha256(&std::fs::read(&part).unwrap()), hex, "{program}");
    }
    std::fs::write(folder.desk.path(&format!("{KEY}.raw")), &bytes).unwrap();
    let sum = run("/usr/bin/curl", &["-sf", &format!("{url}.sha256sum")]);
    folder.desk.write("sums", sum);
    let check =
        Command::new("sha256sum").args(["-c", "sums"]).current_dir(folder.desk.path("")).output().unwrap();
    assert!(check.status.success(), "{check:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_bytes_are_the_same() {
    let (folder, bytes) = (Folder::new(), image());
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    folder.desk.write("cert.pem", tls("server.pem")).write("key.pem", tls("server.key"));
    let server = folder.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]).await;
    let url = format!("https://{}/{KEY}.raw", server.address);
    assert!(run("/usr/bin/curl", &["-sfk", &url]) == bytes);
    assert!(run("/usr/bin/curl", &["-sfk", "-r", "-10", &url]) == bytes[bytes.len() - 10..]);
}

fn tls(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/tls/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A client that trusts the certificate of the server, and no other.
fn trusting() -> reqwest::Client {
    let trusted = reqwest::Certificate::from_pem(&tls("server.pem")).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([trusted]).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_and_a_download_under_way_ends_with_its_own() {
    // More than sockets hold while the client does not read.
    let bytes: Vec<u8> = (0..32 << 20_u32).map(|i| (i % 251) as u8).collect();
    let folder = Folder::new();
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    folder.desk.write("cert.pem", tls("server.pem")).write("key.pem", tls("server.key"));
    let server = folder.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]).await;
    let url = format!("https://{}/{KEY}.raw", server.address);
    let mut download = trusting().get(&url).send().await.unwrap();
    let mut received = download.chunk().await.unwrap().expect("it begins").to_vec();

    folder.desk.write("cert.pem", tls("authority.pem")).write("key.pem", tls("authority.key"));
    server.signal("HUP");
    let renewed = async {
        // A client that trusts the old certificate only does not take the new one.
        while trusting().head(&url).send().await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("it is read again");
    while let Some(chunk) = download.chunk().await.unwrap() {
        received.extend_from_slice(&chunk);
    }
    assert_eq!(sha256(&received), hex);
}
