//! Serving images beside nginx: one download, one over TLS, parts, many at once, and how soon the server is ready.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::DIBUMP;
use crate::images::KEY;
use crate::measure::{median, ms, pairs, row, time};

const RUNS: usize = 7;
/// So many downloads there are at once, and so many bytes of each.
const DOWNLOADS: usize = 50;
const DOWNLOADED: usize = 100 << 20;

/// All rows. `folder` has the image of `size` bytes in `images`, and others in `many`.
pub(crate) fn all(folder: &Path, size: usize) {
    let rate = |took: Duration| (size >> 20) as f64 / took.as_secs_f64();
    let plain = (Served::ours(folder, "images", &[]), Served::nginx(folder, ""));
    download("serve it once", "http", &plain, rate);
    if let Some(certificate) = certificate(folder) {
        let [cert, key] = certificate.each_ref().map(String::as_str);
        let ours = Served::ours(folder, "images", &["--tls-cert", cert, "--tls-key", key]);
        let theirs = Served::nginx(folder, &format!("ssl_certificate {cert}; ssl_certificate_key {key};"));
        download("serve it once over TLS", "https", &(ours, theirs), rate);
    }
    parts(&plain);
    at_once(&plain);
    ready(folder);
}

fn download(what: &str, scheme: &str, servers: &(Served, Option<Served>), rate: impl Fn(Duration) -> f64) {
    let fetch = |server: &Served| {
        let mut command = Command::new("curl");
        time(command.args(["-skf", "-o", "/dev/null", &format!("{scheme}://{}/{KEY}.raw", server.address)]))
    };
    let (ours, Some(theirs)) = servers else {
        let took = median((0..RUNS).map(|_| fetch(&servers.0)).collect());
        return row(what, &format!("{:.0} MiB/s", rate(took)), "");
    };
    let (took, their) = pairs(RUNS, || fetch(ours), || fetch(theirs));
    let ratio = their.as_secs_f64() / took.as_secs_f64();
    let ours = format!("{:.0} MiB/s, {ratio:.2} × nginx", rate(took));
    row(what, &ours, &format!("nginx {:.0} MiB/s", rate(their)));
}

/// Parts of 64 KiB over 16 connections, by wrk.
fn parts((ours, theirs): &(Served, Option<Served>)) {
    let rate = |server: &Served| -> Option<f64> {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "-c16", "-d5s", "-H", "Range: bytes=1048576-1114111"]);
        let output = wrk.arg(format!("http://{}/{KEY}.raw", server.address)).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")?.trim().parse().ok())
    };
    let what = "serve parts of 64 KiB over 16 connections";
    match (rate(ours), theirs.as_ref().and_then(rate)) {
        (Some(ours), Some(theirs)) => {
            let told = format!("{ours:.0} requests/s, {:.2} × nginx", ours / theirs);
            row(what, &told, &format!("nginx {theirs:.0} requests/s"));
        }
        (Some(ours), None) => row(what, &format!("{ours:.0} requests/s"), ""),
        (None, _) => {}
    }
}

/// Many downloads at once: the server's memory, and how long a HEAD takes meanwhile.
fn at_once((ours, theirs): &(Served, Option<Served>)) {
    let told =
        |(rate, late): (f64, Duration)| format!("{rate:.0} MiB/s in all, 99 % of HEADs within {}", ms(late));
    let took = downloads(ours);
    let status = std::fs::read_to_string(format!("/proc/{}/status", ours.process.id())).expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    let peak = peak.and_then(|text| text.parse::<f64>().ok()).unwrap_or_default() / 1024.0;
    let theirs = theirs.as_ref().map(|nginx| format!("nginx {}", told(downloads(nginx))));
    let what = format!("serve {DOWNLOADS} downloads at once");
    row(&what, &format!("{peak:.1} MiB resident; {}", told(took)), &theirs.unwrap_or_default());
}

/// How many MiB a second many downloads get together, and the time within which 99 % of the HEADs are answered meanwhile.
fn downloads(server: &Served) -> (f64, Duration) {
    let url = format!("http://{}/{KEY}.raw", server.address);
    let part = format!("0-{}", DOWNLOADED - 1);
    let begun = Instant::now();
    let fetch = |_| Command::new("curl").args(["-sf", "-o", "/dev/null", "-r", &part, &url]).spawn();
    let mut downloads: Vec<Child> = (0..DOWNLOADS).map(fetch).map(|child| child.expect("curl")).collect();
    let mut heads = Vec::new();
    while downloads.iter_mut().any(|child| child.try_wait().expect("a child").is_none()) {
        heads.push(head(&server.address));
        std::thread::sleep(Duration::from_millis(2));
    }
    let took = begun.elapsed();
    let are_whole = downloads.iter_mut().all(|child| child.wait().expect("a child").success());
    assert!(are_whole, "a download failed");
    heads.sort();
    let rate = ((DOWNLOADS * DOWNLOADED) >> 20) as f64 / took.as_secs_f64();
    (rate, heads[(heads.len() * 99 / 100).min(heads.len() - 1)])
}

/// A HEAD over a connection of its own.
fn head(address: &str) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("HEAD /{KEY}.raw HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    begun.elapsed()
}

/// From the start of the program to the first answer that it is ready.
fn ready(folder: &Path) {
    let took = (0..5).map(|_| {
        let begun = Instant::now();
        let server = Served::ours(folder, "many", &[]);
        let url = format!("http://{}/readyz", server.address);
        let is_ready = || {
            let mut curl = Command::new("curl");
            curl.args(["-sf", "-o", "/dev/null", &url]).status().is_ok_and(|status| status.success())
        };
        while !is_ready() {
            std::thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    });
    row("ready to serve 19 images, with curl's own start", &ms(median(took.collect())), "");
}

/// A certificate of this host and its key, where openssl is there to make them.
fn certificate(folder: &Path) -> Option<[String; 2]> {
    let files = ["bench.pem", "bench.key"].map(|name| folder.join(name).display().to_string());
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    openssl.args(["-days", "2", "-subj", "/CN=localhost", "-out", &files[0], "-keyout", &files[1]]);
    openssl.output().ok()?.status.success().then_some(files)
}

/// A server that ends when it is dropped.
struct Served {
    process: Child,
    address: String,
}

impl Served {
    fn ours(folder: &Path, images: &str, options: &[&str]) -> Self {
        let mut command = Command::new(DIBUMP);
        command.arg("serve-images").arg(folder.join(images)).args(options).env_clear();
        command.args(["--listen", "127.0.0.1:0"]).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.rsplit_once("://")?.1.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: address.expect("it says where it serves") }
    }

    /// Only where it is installed. One process, so that none is left behind.
    fn nginx(folder: &Path, tls: &str) -> Option<Self> {
        Command::new("nginx").arg("-v").output().ok()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let root = folder.join(format!("nginx-{port}"));
        std::fs::create_dir_all(&root).expect("a folder");
        let blobs = std::fs::read_dir(folder.join("images/blobs/sha256")).expect("images");
        let blob = blobs.flatten().next().expect("an image").path();
        std::os::unix::fs::symlink(blob, root.join(format!("{KEY}.raw"))).expect("a link");
        let ssl = if tls.is_empty() { "" } else { " ssl" };
        let config = format!(
            "daemon off; master_process off; pid {0}/pid; error_log stderr; events {{}}\n\
             http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}{ssl}; {tls} root {0}; }} }}\n",
            root.display()
        );
        let path = folder.join(format!("nginx-{port}.conf"));
        std::fs::write(&path, config).expect("a file");
        let process = Command::new("nginx").arg("-c").arg(path).stderr(Stdio::null()).spawn().ok()?;
        let address = format!("127.0.0.1:{port}");
        while TcpStream::connect(&address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, address })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
