//! Clients as people have them: curl, wget and aria2, whole, in parts, and over TLS; and wrk, beside nginx.

use std::collections::BTreeSet;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::nginx::nginx;
use super::{Folder, KEY, Server, sha256};
use crate::clients::debian;
use crate::world::PATIENCE;

fn image() -> Vec<u8> {
    (0..3_000_000_u32).map(|i| (i % 251) as u8).collect()
}

async fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let mut command = debian(program);
    let output = tokio::time::timeout(PATIENCE, command.args(arguments).output());
    let output = output.await.expect("it ends").unwrap_or_else(|error| panic!("{program}: {error}"));
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
    assert!(run("curl", &["-sf", &url]).await == bytes);
    assert!(run("curl", &["-sf", "-r", "5-104", &url]).await == bytes[5..105]);
    assert!(run("curl", &["-sf", "-H", "Expect: 100-continue", &url]).await == bytes);
    let part = folder.desk.path("part");
    let name = part.to_str().unwrap();
    for (program, arguments) in
        [("curl", vec!["-sf", "-C", "-", "-o", name, &url]), ("wget", vec!["-q", "-c", "-O", name, &url])]
    {
        std::fs::write(&part, &bytes[..1_000_000]).unwrap();
        run(program, &arguments).await;
        assert_eq!(sha256(&std::fs::read(&part).unwrap()), hex, "{program}");
    }
    std::fs::write(folder.desk.path(&format!("{KEY}.raw")), &bytes).unwrap();
    let sum = run("curl", &["-sf", &format!("{url}.sha256sum")]).await;
    folder.desk.write("sums", sum);
    let mut check = debian("sha256sum");
    let check = check.args(["-c", "sums"]).current_dir(folder.desk.path("")).output().await.unwrap();
    assert!(check.status.success(), "{check:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wget_goes_on_where_its_connection_was_cut() {
    let (folder, bytes) = (Folder::new(), image());
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let server = folder.serve(&[]).await;
    let cut = Cut::start(&server.address, 1_000_000).await;
    let part = folder.desk.path("part");
    let url = format!("http://{}/{KEY}.raw", cut.address);
    // It waits a second before it asks again.
    run("wget", &["-q", "-c", "-t", "9", "-O", part.to_str().unwrap(), &url]).await;
    assert_eq!(sha256(&std::fs::read(&part).unwrap()), hex);
    let codes = |code: u16| format!("dibump_images_requests_total{{code=\"{code}\"}}");
    let metrics = String::from_utf8(server.get("/metrics").await.body).unwrap();
    assert!(metrics.contains(&format!("{} 1\n", codes(200))) && metrics.contains(&codes(206)), "{metrics}");
}

/// Lets so many bytes of each answer through, and then cuts the connection.
struct Cut {
    address: String,
}

impl Cut {
    async fn start(server: &str, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, server) = (listener.local_addr().unwrap().to_string(), server.to_owned());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut origin = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(async move {
                    let (mut asked, mut answers) = client.split();
                    let (answered, mut asks) = origin.split();
                    let mut answered = answered.take(bytes);
                    tokio::select! {
                        _ = tokio::io::copy(&mut asked, &mut asks) => {}
                        _ = tokio::io::copy(&mut answered, &mut answers) => {}
                    }
                });
            }
        });
        Self { address }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn aria2_puts_an_image_together_from_the_parts_of_eight_connections() {
    let bytes: Vec<u8> = (0..16 << 20_u32).map(|i| (i % 251) as u8).collect();
    let folder = Folder::new();
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let server = folder.serve(&[]).await;
    let (url, sum) = (format!("http://{}/{KEY}.raw", server.address), format!("sha-256={hex}"));
    let (place, log) = (folder.desk.path(""), folder.desk.path("log"));
    let arguments =
        ["--no-conf", "-q", "-x8", "-s8", "-k1M", "--checksum", &sum, "--log-level=info", "--log"];
    let arguments =
        [&arguments[..], &[log.to_str().unwrap(), "-d", place.to_str().unwrap(), "-o", "got", &url]];
    run("aria2c", &arguments.concat()).await;
    assert_eq!(sha256(&std::fs::read(folder.desk.path("got")).unwrap()), hex);
    let log = std::fs::read_to_string(log).unwrap();
    let said = |name: &str| -> BTreeSet<&str> {
        let headers = log.lines().filter_map(|line| line.trim().split_once(": "));
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    };
    assert_eq!(said("etag"), [&*format!("\"sha256:{hex}\"")].into(), "{log}");
    let parts = said("content-range");
    assert!(parts.len() >= 7, "{parts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrk_gets_no_wrong_answer_and_no_refusal_as_from_nginx() {
    let (folder, bytes) = (Folder::new(), image());
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    let (ours, nginx) = (folder.serve(&[]).await, nginx(&folder).await);
    let file = folder.desk.path(&format!("nginx/{KEY}.raw"));
    std::fs::write(&file, &bytes).unwrap();
    folder.desk.write("wrk.lua", include_str!("../../clients/wrk.lua"));
    for (name, server) in [("dibump", &ours), ("nginx", &nginx)] {
        let counted = wrk(&folder, server, file.to_str().unwrap()).await;
        println!("wrk: {counted} right answers of {name}");
    }
}

/// How many answers were looked at, all of which were right.
async fn wrk(folder: &Folder, server: &Server, file: &str) -> u64 {
    let (script, url) = (folder.desk.path("wrk.lua"), format!("http://{}/{KEY}.raw", server.address));
    let script = script.to_str().unwrap();
    let enough = async {
        let mut right = 0;
        // A machine that does much else answers few in two seconds.
        while right < 100 {
            let asked = ["-t2", "-c16", "-d2s", "--timeout", "600s", "-s", script, &url, "--", file];
            let printed = String::from_utf8(run("wrk", &asked).await).unwrap();
            let counted = printed.lines().find_map(|line| line.strip_prefix("counted: ")).expect("a count");
            let counted: serde_json::Value = serde_json::from_str(counted).unwrap();
            for fault in ["wrong", "connect", "read", "write", "timeout", "status"] {
                assert_eq!(counted[fault], 0, "{printed}");
            }
            right += counted["right"].as_u64().unwrap();
        }
        right
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("it answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_bytes_are_the_same() {
    let (folder, bytes) = (Folder::new(), image());
    let hex = folder.store(KEY, &bytes, "2026-05-05T03:02:01Z");
    folder.want(&[(KEY, &hex)]);
    folder.desk.write("cert.pem", tls("server.pem")).write("key.pem", tls("server.key"));
    let server = folder.serve(&["--tls-cert", "cert.pem", "--tls-key", "key.pem"]).await;
    let url = format!("https://{}/{KEY}.raw", server.address);
    assert!(run("curl", &["-sfk", &url]).await == bytes);
    assert!(run("curl", &["-sfk", "-r", "-10", &url]).await == bytes[bytes.len() - 10..]);
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
