//! What will be the same tomorrow ends with 3 and its remedy, not with "a later run may succeed".

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::clients;
use crate::fake::oci::{FakeRegistry, Fault};
use crate::fake::wire::{Answer, Failure, How};
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

fn is_lasting(ran: &Ran, said: &[&str]) {
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.iter().all(|part| all.contains(part)), "{said:?}: {ran:#?}");
    assert!(!all.contains("later run"), "{ran:#?}");
}

#[tokio::test]
async fn a_registry_without_tls_is_told_as_that_by_every_command() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    world.desk.write("dibump.yaml", config.replace("plain_http: true", "plain_http: false"));
    let said = format!("{} answers plain HTTP, not TLS", world.registry.host());
    for command in [&["plan"][..], &["run"], &["check"], &["releases"], &["config", "validate", "--online"]] {
        is_lasting(&world.desk.dibump(command).await, &[&said, "--plain-http, or `plain_http: true`"]);
    }
}

#[tokio::test]
async fn a_self_signed_certificate_works_where_it_is_given_and_names_the_remedy_where_not() {
    let (desk, (_server, host)) = (Desk::new(), behind_tls("server").await);
    let said = format!("the certificate of {host} is not trusted: ");
    is_lasting(&releases(&desk, &host, &[]).await, &[&said, "--ca-file FILE"]);
    let other = data("authority.pem");
    is_lasting(&releases(&desk, &host, &["--ca-file", other.to_str().unwrap()]).await, &[&said, "--ca-file"]);
    let own = data("server.pem");
    let ran = releases(&desk, &host, &["--ca-file", own.to_str().unwrap()]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("0.4.11"), "{ran:#?}");
}

#[tokio::test]
async fn a_certificate_authority_that_is_its_own_server_is_answered_with_what_to_make() {
    let (desk, (_server, host)) = (Desk::new(), behind_tls("authority").await);
    let own = data("authority.pem");
    for flags in [&[][..], &["--ca-file", own.to_str().unwrap()]] {
        let ran = releases(&desk, &host, flags).await;
        is_lasting(
            &ran,
            &["it belongs to a certificate authority (CA:TRUE)", "basicConstraints=critical,CA:FALSE"],
        );
    }
}

#[tokio::test]
async fn a_web_page_in_place_of_a_registry_is_a_matter_for_a_person() {
    for place in ["_catalog", "/tags/list", "/manifests/"] {
        let world = World::new().await;
        world.desk.write(VALUES, AT_0_4_11);
        let page = Fault::status(200).header("content-type", "text/html").body("<h1>Sign in</h1>");
        world.registry.fault(page.on(place));
        for command in [&["plan"][..], &["run"], &["check"], &["artifacts", "0.4.12"]] {
            is_lasting(
                &world.desk.dibump(command).await,
                &["a web page (200 OK) where a registry was expected"],
            );
        }
    }
}

/// A world on each of the forges, with what its API is called.
async fn on_both_forges() -> [(World, &'static str); 2] {
    [(World::new().await, "GitLab's API"), (World::on_github().await, "GitHub's API")]
}

#[tokio::test]
async fn a_web_page_in_place_of_a_forge_is_not_the_forge_and_one_of_a_firewall_may_pass() {
    for (status, exit) in [(200, 4), (403, 4), (404, 3)] {
        for (world, api) in on_both_forges().await {
            let page = Answer::text(status, "text/html; charset=utf-8", "<h1>Sign in</h1>");
            world.hub.fail(Failure::always("", "", How::Answer(page)));
            for command in [&["run"][..], &["run", "--dry-run"], &["config", "validate", "--online"]] {
                let said =
                    [&format!("where {api} was expected"), "a web page (", "a sign-in page or a proxy"];
                let ran = world.desk.dibump(command).await;
                let all = format!("{}{}", ran.stdout, ran.stderr);
                assert_eq!(ran.exit, Some(exit), "{ran:#?}");
                assert!(said.iter().all(|part| all.contains(part)), "{said:?}: {ran:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_forge_that_is_only_busy_says_so_with_a_page_and_is_asked_again_later() {
    for (world, _) in on_both_forges().await {
        let page = Answer::text(503, "text/html", "<h1>Back soon</h1>");
        world.hub.fail(Failure::always("", "", How::Answer(page)));
        let ran = world.run().await;
        assert_eq!(ran.exit, Some(4), "{ran:#?}");
    }
}

#[tokio::test]
async fn a_forge_without_tls_and_one_that_is_not_trusted_are_told_as_that() {
    let (_server, host) = behind_tls("server").await;
    for (world, _) in on_both_forges().await {
        let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
        let (before, rest) = config.split_once("forge: ").unwrap();
        let plain = rest.split_once("http://").unwrap().1.split(['/', '"']).next().unwrap().to_owned();
        let secure = |host: &str| {
            let forge = rest.replacen(&format!("http://{plain}"), &format!("https://{host}"), 1);
            format!("{before}forge: {forge}")
        };
        world.desk.write("dibump.yaml", secure(&plain));
        is_lasting(
            &world.run().await,
            &[&format!("{plain} answers plain HTTP, not TLS"), "http:// in the URL"],
        );
        world.desk.write("dibump.yaml", secure(&host));
        let said = format!("the certificate of {host} is not trusted: ");
        is_lasting(&world.run().await, &[&said, "--ca-file FILE"]);
    }
}

#[tokio::test]
async fn an_answer_that_is_whole_and_no_manifest_and_no_list_is_a_matter_for_a_person() {
    let index = r#"{"schemaVersion": 2, "manifests": []}"#;
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
            is_lasting(
                &world.desk.dibump(command).await,
                &["have the image pushed again, or ask the operator"],
            );
        }
    }
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
    for file in ["nowhere.json", "broken.json", "."] {
        let discovery = format!("file:{file}");
        for command in [&["plan", VALUES][..], &["check", VALUES], &["releases"]] {
            let flags = ["--registry", &registry, "--plain-http", "--discovery", &discovery];
            let ran = world.desk.dibump(&[command, &flags].concat()).await;
            is_lasting(&ran, &[file, "dibump releases --format json"]);
        }
    }
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let registry = FakeRegistry::start().await;
    let mut desk = Desk::new();
    for (variable, flags) in [("HTTP_PROXY", &["--plain-http"][..]), ("HTTPS_PROXY", &[])] {
        desk.variables = vec![(variable.to_owned(), format!("http://user:very-secret@{free}"))];
        let ran = releases(&desk, registry.host(), flags).await;
        assert_eq!(ran.exit, Some(4), "{ran:#?}");
        assert!(ran.stderr.contains(&format!("through the proxy http://{free}")), "{ran:#?}");
        assert!(!ran.stderr.contains("very-secret"), "{ran:#?}");
    }
}
