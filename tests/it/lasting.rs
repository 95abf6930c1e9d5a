//! What will be the same tomorrow ends with 3 and its remedy, not with "a later run may succeed".

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::clients;
use crate::fake::oci::{FakeRegistry, Fault};
use crate::fake::wire::{Answer, Failure, How};
use crate::said::{once, told};
use crate::world::{AT_0_4_11, Desk, Ran, VALUES, World};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// A registry behind TLS with a certificate of its own, and its address.
pub(crate) async fn behind_tls(certificate: &str) -> (Child, String) {
    let mut command = Command::new(clients::folder().join("python/bin/python"));
    command.arg("-I").arg(data("registry.py"));
    command.args(["pem", "key"].map(|kind| data(&format!("{certificate}.{kind}"))));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let server = command.env_clear().kill_on_drop(true).spawn();
    let mut server = server.unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).await.unwrap();
    (server, format!("127.0.0.1:{}", port.trim()))
}

async fn releases(desk: &Desk, host: &str, more: &[&str]) -> Ran {
    let registry = format!("oci://{host}/dib");
    let start = ["releases", "--registry", &registry, "--discovery", "catalog"];
    desk.dibump(&[&start[..], more].concat()).await
}

/// It ends with 3. What is said about it: the errors, and the lines of the output that name a thing.
fn lasting(ran: &Ran, name: &str) -> String {
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    told(ran, name)
}

#[tokio::test]
async fn a_registry_without_tls_is_told_as_that_by_every_command() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    world.desk.write("dibump.yaml", config.replace("plain_http: true", "plain_http: false"));
    let mut said = String::new();
    for command in [&["plan"][..], &["run"], &["check"], &["releases"], &["config", "validate", "--online"]] {
        let ran = world.desk.dibump(command).await;
        said += &format!("# {}\n{}", command.join(" "), lasting(&ran, world.registry.host()));
    }
    reads!(said, @"
    # plan
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): HOST answers plain HTTP, not TLS
    hint: for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    # run
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): HOST answers plain HTTP, not TLS; for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    # check
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): HOST answers plain HTTP, not TLS
    hint: for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    # releases
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): HOST answers plain HTTP, not TLS
    hint: for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    # config validate --online
    wrong: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): HOST answers plain HTTP, not TLS; for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    ");
}

#[tokio::test]
async fn a_self_signed_certificate_works_where_it_is_given() {
    let (desk, (_server, host)) = (Desk::new(), behind_tls("server").await);
    reads!(lasting(&releases(&desk, &host, &[]).await, &host), @"
    error: couldn't look up the releases of oci://HOST/dib (catalog): the certificate of HOST is not trusted: the authority of this name that is trusted here did not sign it
    hint: trust its certificate authority with --ca-file FILE, or `network.ca_files`
    ");
    let other = data("authority.pem");
    let ran = releases(&desk, &host, &["--ca-file", other.to_str().unwrap()]).await;
    reads!(lasting(&ran, &host), @"
    error: couldn't look up the releases of oci://HOST/dib (catalog): the certificate of HOST is not trusted: the authority of this name that is trusted here did not sign it
    hint: trust its certificate authority with --ca-file FILE, or `network.ca_files`
    ");
    let own = data("server.pem");
    let ran = releases(&desk, &host, &["--ca-file", own.to_str().unwrap()]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("0.4.11"), "{ran:#?}");
}

#[tokio::test]
async fn an_authority_that_is_its_own_server_is_answered_with_what_to_make() {
    let (desk, (_server, host)) = (Desk::new(), behind_tls("authority").await);
    let own = data("authority.pem");
    for flags in [&[][..], &["--ca-file", own.to_str().unwrap()]] {
        let ran = releases(&desk, &host, flags).await;
        reads!(lasting(&ran, &host), @"
        error: couldn't look up the releases of oci://HOST/dib (catalog): the certificate of HOST is not trusted: it belongs to a certificate authority (CA:TRUE), and cannot be used by a server
        hint: make a certificate for the server, for example `openssl req -x509 … -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:HOST`, and give it with --ca-file FILE or `network.ca_files`
        ");
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_a_registry_is_a_matter_for_a_person() {
    let mut said = String::new();
    for place in ["_catalog", "/tags/list", "/manifests/"] {
        said += &format!("# {place}\n");
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        let page = Fault::status(200).header("content-type", "text/html").body("<h1>Sign in</h1>");
        world.registry.fault(page.on(place));
        for command in [&["plan"][..], &["run"], &["check"], &["artifacts", "0.4.12"]] {
            said += &lasting(&world.desk.dibump(command).await, "web page");
        }
    }
    reads!(once(&said), @"
    # _catalog
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): http://HOST/v2/_catalog?n=1000: a web page (200 OK) where a registry was expected
    hint: is the address right? or does a sign-in page or a proxy answer in its place?
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): http://HOST/v2/_catalog?n=1000: a web page (200 OK) where a registry was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    # /tags/list
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/tags/list: a web page (200 OK) where a registry was expected
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/tags/list: a web page (200 OK) where a registry was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    # /manifests/
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: a web page (200 OK) where a registry was expected
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: a web page (200 OK) where a registry was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-12/manifests/0.4.12: a web page (200 OK) where a registry was expected
    ");
}

async fn on_both_forges() -> [World; 2] {
    [World::new().await, World::on_github().await]
}

#[tokio::test]
async fn a_web_page_in_place_of_a_forge_is_not_the_forge() {
    let mut said = String::new();
    for (status, exit) in [(200, 4), (403, 4), (404, 3)] {
        said += &format!("# {status}\n");
        for world in on_both_forges().await {
            let page = Answer::text(status, "text/html; charset=utf-8", "<h1>Sign in</h1>");
            world.hub.fail(Failure::always("", "", How::Answer(page)));
            for command in [&["run"][..], &["run", "--dry-run"], &["config", "validate", "--online"]] {
                let ran = world.desk.dibump(command).await;
                assert_eq!(ran.exit, Some(exit), "{ran:#?}");
                said += &told(&ran, "default branch");
            }
        }
    }
    reads!(once(&said), @"
    # 200
    → unknown: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (200 OK) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    unknown: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (200 OK) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    → unknown: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (200 OK) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    unknown: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (200 OK) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    # 403
    → unknown: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (403 Forbidden) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    unknown: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (403 Forbidden) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    → unknown: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (403 Forbidden) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    unknown: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (403 Forbidden) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    # 404
    → failed: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (404 Not Found) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place? a proxy before GitLab may turn %2F into a slash; let it pass paths as they are (nginx: proxy_pass without a path; Apache: AllowEncodedSlashes NoDecode and nocanon)
    wrong: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v4/projects/sylva%2Fsylva-core: a web page (404 Not Found) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place? a proxy before GitLab may turn %2F into a slash; let it pass paths as they are (nginx: proxy_pass without a path; Apache: AllowEncodedSlashes NoDecode and nocanon)
    → failed: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (404 Not Found) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    wrong: default branch: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (404 Not Found) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    ");
}

#[tokio::test]
async fn a_forge_that_is_only_busy_says_so_with_a_page_and_is_asked_again_later() {
    for world in on_both_forges().await {
        let page = Answer::text(503, "text/html", "<h1>Back soon</h1>");
        world.hub.fail(Failure::always("", "", How::Answer(page)));
        let ran = world.run().await;
        assert_eq!(ran.exit, Some(4), "{ran:#?}");
    }
}

#[tokio::test]
async fn a_forge_without_tls_and_one_that_is_not_trusted_are_told_as_that() {
    let (_server, host) = behind_tls("server").await;
    let mut said = String::new();
    for world in on_both_forges().await {
        let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
        let (before, rest) = config.split_once("forge: ").unwrap();
        let plain = rest.split_once("http://").unwrap().1.split(['/', '"']).next().unwrap().to_owned();
        let secure = |host: &str| {
            let forge = rest.replacen(&format!("http://{plain}"), &format!("https://{host}"), 1);
            format!("{before}forge: {forge}")
        };
        world.desk.write("dibump.yaml", secure(&plain));
        said += &lasting(&world.run().await, &plain);
        world.desk.write("dibump.yaml", secure(&host));
        said += &lasting(&world.run().await, &host);
    }
    reads!(once(&said), @"
    → failed: couldn't look up the default branch of sylva/sylva-core: HOST answers plain HTTP, not TLS; for a registry without TLS: --plain-http, or `plain_http: true`; elsewhere http:// in the URL
    → failed: couldn't look up the default branch of sylva/sylva-core: the certificate of HOST is not trusted: the authority of this name that is trusted here did not sign it; trust its certificate authority with --ca-file FILE, or `network.ca_files`
    ");
}

#[tokio::test]
async fn a_whole_answer_that_is_not_a_manifest_is_a_matter_for_a_person() {
    let index = r#"{"schemaVersion": 2, "manifests": []}"#;
    let mut said = String::new();
    for (place, body) in [
        ("/manifests/", index),
        ("/manifests/", r#"{"name": "something else"}"#),
        ("/manifests/", "not JSON"),
        ("/tags/list", "[]"),
        ("_catalog", r#"{"errors": []}"#),
    ] {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        world
            .registry
            .fault(Fault::status(200).header("content-type", "application/json").body(body).on(place));
        for command in [&["plan"][..], &["run"], &["check"]] {
            said += &lasting(&world.desk.dibump(command).await, "http");
        }
    }
    reads!(once(&said), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: an index of 0 images, expected one
    hint: have the image pushed again, or ask the operator of the registry; a retry does not help
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: an index of 0 images, expected one; have the image pushed again, or ask the operator of the registry; a retry does not help
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: a manifest without layers
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: a manifest without layers; have the image pushed again, or ask the operator of the registry; a retry does not help
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: not a manifest: expected ident at line 1 column 2
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/manifests/0.4.11: not a manifest: expected ident at line 1 column 2; have the image pushed again, or ask the operator of the registry; a retry does not help
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/tags/list: not a list: invalid length 0, expected an object with its tags at line 1 column 2
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/opensuse-15-6-plain-kubeadm-1-30-11/tags/list: not a list: invalid length 0, expected an object with its tags at line 1 column 2; have the image pushed again, or ask the operator of the registry; a retry does not help
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): http://HOST/v2/_catalog?n=1000: not a list: missing field `repositories` at line 1 column 14
    → failed: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (catalog): http://HOST/v2/_catalog?n=1000: not a list: missing field `repositories` at line 1 column 14; have the image pushed again, or ask the operator of the registry; a retry does not help
    ");
}

#[tokio::test]
async fn an_answer_that_ends_too_early_could_not_be_told() {
    for (place, body) in
        [("/manifests/", r#"{"layers": ["#), ("/tags/list", r#"{"tags": ["0.4"#), ("_catalog", "{")]
    {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        world
            .registry
            .fault(Fault::status(200).header("content-type", "application/json").body(body).on(place));
        for command in [&["plan"][..], &["run"]] {
            let ran = world.desk.dibump(command).await;
            assert_eq!(ran.exit, Some(4), "{place}: {ran:#?}");
        }
    }
}

#[tokio::test]
async fn a_file_of_releases_that_cannot_be_read_is_a_matter_for_a_person() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11).write("broken.json", "{");
    let registry = world.registry.prefix(crate::world::PREFIX);
    std::fs::remove_file(world.desk.path("dibump.yaml")).unwrap();
    let mut said = String::new();
    for file in ["nowhere.json", "broken.json", "."] {
        let discovery = format!("file:{file}");
        for command in [&["plan", VALUES][..], &["check", VALUES], &["releases"]] {
            let flags = ["--registry", &registry, "--plain-http", "--discovery", &discovery];
            let ran = world.desk.dibump(&[command, &flags].concat()).await;
            said += &lasting(&ran, file);
        }
    }
    reads!(once(&said), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (file): couldn't read nowhere.json: No such file or directory (os error N)
    hint: write it with `dibump releases --format json`, or correct the path
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (file): broken.json is not a file of releases (as `dibump releases --format json` prints it): EOF while parsing an object at line 1 column 1
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (file): couldn't read .: Is a directory (os error N)
    ");
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let registry = FakeRegistry::start().await;
    let mut desk = Desk::new();
    let mut said = String::new();
    for (variable, flags) in [("HTTP_PROXY", &["--plain-http"][..]), ("HTTPS_PROXY", &[])] {
        desk.variables = vec![(variable.to_owned(), format!("http://user:very-secret@{free}"))];
        let ran = releases(&desk, registry.host(), flags).await;
        assert_eq!(ran.exit, Some(4), "{ran:#?}");
        assert!(!ran.stderr.contains("very-secret"), "{ran:#?}");
        said += &format!("# {variable}\n{}\n", ran.stderr.split(": error sending").next().unwrap());
    }
    reads!(said, @"
    # HTTP_PROXY
    error: couldn't look up the releases of oci://HOST/dib (catalog): couldn't reach http://HOST/v2/_catalog?n=1000: no answer from http://HOST/v2/_catalog?n=1000 through the proxy http://HOST/
    # HTTPS_PROXY
    error: couldn't look up the releases of oci://HOST/dib (catalog): couldn't reach https://HOST/v2/_catalog?n=1000: no answer from https://HOST/v2/_catalog?n=1000 through the proxy http://HOST/
    ");
}
