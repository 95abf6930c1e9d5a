//! Secrets go where they belong and nowhere else, and nobody makes us say them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Received, Reply, Stranger};
use crate::consumer::Consumer;
use crate::fake::oci::{Access, FakeRegistry, Fault, Image, TokenRules};
use crate::world::{AT_0_4_11, Desk, NETWORK, PREFIX, Ran, World};

const USER: &str = "bot";
const PASSWORD: &str = "hunter2-for-sylva";
const VARIABLES: [(&str, &str); 2] =
    [("DIBUMP_REGISTRY_USERNAME", USER), ("DIBUMP_REGISTRY_PASSWORD", PASSWORD)];
const NAMED: &str =
    "credentials: {username_env: DIBUMP_REGISTRY_USERNAME, password_env: DIBUMP_REGISTRY_PASSWORD}";

/// User and password as `Basic` joins them.
fn pair() -> String {
    STANDARD.encode(format!("{USER}:{PASSWORD}"))
}

fn knows_the_password(text: &str) -> bool {
    let ways = [PASSWORD.to_owned(), STANDARD.encode(PASSWORD), pair()];
    ways.iter().any(|way| text.contains(way.trim_end_matches('=')))
}

fn set(desk: &mut Desk, variables: &[(&str, &str)]) {
    desk.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
}

fn basic() -> Access {
    Access::Basic { user: USER.to_owned(), password: PASSWORD.to_owned() }
}

/// Wants user and password from everybody.
fn greedy(_: &Received) -> Reply {
    (401, vec![("www-authenticate".to_owned(), "Basic realm=\"x\"".to_owned())], String::new())
}

/// Sends everybody to a realm of its own.
fn greedy_for_tokens(asked: &Received) -> Reply {
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"x\"", asked.header("host"));
    match asked.target.starts_with("/token") {
        true => (200, Vec::new(), r#"{"token": "given-by-the-stranger"}"#.to_owned()),
        false => (401, vec![("www-authenticate".to_owned(), realm)], String::new()),
    }
}

/// A deployment whose values also name a stranger's registry.
async fn lured(reply: fn(&Received) -> Reply) -> (Consumer, Stranger) {
    let (mut consumer, stranger) = (Consumer::new().await, Stranger::start(reply).await);
    consumer.registry.access(basic());
    let lure = format!(
        "os_images_oci_registries:\n  evil: {{url: 'oci://{}/x', tag: 0.4.12}}\n\
         sylva_diskimagebuilder_images:\n  ubuntu-noble-plain-rke2-1-31-9: {{os_images_oci_registry: evil}}\n\
         cluster: {{image_key: ubuntu-noble-plain-rke2-1-31-9, capm3: {{image_key: ubuntu-noble-plain-rke2-1-31-9}}}}\n",
        stranger.host
    );
    consumer.desk.write("lure.yaml", lure);
    set(&mut consumer.desk, &VARIABLES);
    (consumer, stranger)
}

const CONSUMERS: [&str; 3] = ["os-images", "os-images-info", "machine-image"];

#[tokio::test]
async fn a_registry_that_only_values_name_gets_no_password() {
    for reply in [greedy, greedy_for_tokens] {
        for command in CONSUMERS {
            let (consumer, stranger) = lured(reply).await;
            let prefix = consumer.registry.prefix(PREFIX);
            let ran = consumer
                .run(command, &["-f", "lure.yaml", "--plain-http", "--registry", &prefix, "-vv"])
                .await;
            assert!(!stranger.received().is_empty(), "{command}: {ran:#?}");
            assert!(!knows_the_password(&stranger.knows()), "{command}: {}", stranger.knows());
            // Of a machine's image only the one manifest that it names is asked for.
            let is_let_in = |path: &str| {
                consumer.registry.requests().iter().any(|r| r.status == 200 && r.path.contains(path))
            };
            assert_eq!(is_let_in("/manifests/"), command != "machine-image", "{command}: {ran:#?}");
            assert!(!knows_the_password(&format!("{ran:?}")), "{ran:#?}");
        }
    }
}

#[tokio::test]
async fn without_a_registry_flag_the_consumer_sends_the_password_nowhere() {
    for command in CONSUMERS {
        let (consumer, stranger) = lured(greedy).await;
        std::fs::remove_file(consumer.desk.path("dibump.yaml")).unwrap();
        let ran = consumer.run(command, &["-f", "lure.yaml", "--plain-http"]).await;
        assert_ne!(ran.exit, Some(0), "{ran:#?}");
        assert!(!knows_the_password(&stranger.knows()), "{command}: {}", stranger.knows());
        let asked = consumer.registry.requests();
        assert!(asked.iter().all(|request| request.authorization.is_none()), "{command}: {asked:#?}");
    }
}

#[tokio::test]
async fn docker_keeps_passwords_by_host_for_hosts_that_values_name() {
    let consumer = Consumer::new().await;
    consumer.registry.access(basic());
    let config = format!(r#"{{"auths": {{"{}": {{"auth": "{}"}}}}}}"#, consumer.registry.host(), pair());
    std::fs::create_dir(consumer.desk.path(".docker")).unwrap();
    consumer.desk.write(".docker/config.json", config);
    let mut consumer = consumer;
    let folder = consumer.desk.path(".docker");
    set(&mut consumer.desk, &[("DOCKER_CONFIG", folder.to_str().unwrap())]);
    let ran = consumer.run("os-images", &[]).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
}

/// Two private registries as producers, `first` and `second`, with more lines of each, and a target of each.
struct Two {
    desk: Desk,
    registries: [FakeRegistry; 2],
}

impl Two {
    async fn new(more: [&str; 2]) -> Self {
        let registries = [FakeRegistry::start().await, FakeRegistry::start().await];
        let image = Image::new("ubuntu-noble-plain-rke2-1-30-12");
        for registry in &registries {
            registry.release(PREFIX, "0.4.12", std::slice::from_ref(&image)).access(basic());
        }
        let producer = |name: &str, registry: &FakeRegistry, more: &str| {
            format!(
                "- {{name: {name}, registry: '{}', plain_http: true, discovery: [catalog]{more}}}\n",
                registry.prefix(PREFIX)
            )
        };
        let config = format!(
            "version: 1\nproducers:\n{}{}targets:\n\
             - {{project: a/b, producer: first, files: [first.yaml]}}\n\
             - {{project: a/b, producer: second, files: [second.yaml]}}\n{NETWORK}",
            producer("first", &registries[0], more[0]),
            producer("second", &registries[1], more[1])
        );
        let mut desk = Desk::new();
        set(&mut desk, &VARIABLES);
        desk.write("dibump.yaml", config).write("first.yaml", AT_0_4_11).write("second.yaml", AT_0_4_11);
        Self { desk, registries }
    }

    fn is_let_in(&self) -> [bool; 2] {
        self.registries.each_ref().map(|registry| {
            registry
                .requests()
                .iter()
                .any(|request| request.path.contains("_catalog") && request.status == 200)
        })
    }

    fn hear_the_password(&self) -> [bool; 2] {
        self.registries.each_ref().map(|registry| knows_the_password(&format!("{:?}", registry.requests())))
    }
}

#[tokio::test]
async fn of_several_producers_only_the_one_that_names_it_gets_the_password() {
    let named = format!(", {NAMED}");
    for (more, expected) in [(["", &named], [false, true]), ([&named, ""], [true, false])] {
        let two = Two::new(more).await;
        for producer in ["first", "second"] {
            let ran = two.desk.dibump(&["releases", "--producer", producer]).await;
            assert!(!ran.stderr.contains("warning"), "{ran:#?}");
        }
        assert_eq!((two.is_let_in(), two.hear_the_password()), (expected, expected));
        let ran = two.desk.dibump(&["config", "validate"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
    }
}

#[tokio::test]
async fn variables_that_no_producer_names_are_sent_nowhere_and_told_once() {
    let two = Two::new(["", ""]).await;
    let tells = |ran: &Ran| {
        let hosts = two.registries.each_ref().map(FakeRegistry::host);
        [NAMED, hosts[0], hosts[1]].iter().all(|part| ran.stderr.contains(part))
    };
    for arguments in [&["plan"][..], &["check"], &["releases", "--producer", "second"], &["run", "--dry-run"]]
    {
        let ran = two.desk.dibump(arguments).await;
        assert_eq!(
            ran.stderr.matches("warning: DIBUMP_REGISTRY_USERNAME").count(),
            1,
            "{arguments:?}: {ran:#?}"
        );
        assert!(tells(&ran), "{arguments:?}: {ran:#?}");
    }
    assert_eq!(two.hear_the_password(), [false, false]);
    let ran = two.desk.dibump(&["config", "validate"]).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{ran:#?}");
    assert!(tells(&ran), "{ran:#?}");
}

#[tokio::test]
async fn the_registry_of_the_command_line_gets_the_password() {
    let two = Two::new(["", ""]).await;
    let prefix = two.registries[1].prefix(PREFIX);
    let ran =
        two.desk.dibump(&["releases", "--plain-http", "--discovery", "catalog", "--registry", &prefix]).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    assert_eq!((two.is_let_in(), two.hear_the_password()), ([false, true], [false, true]));
}

#[tokio::test]
async fn the_only_producer_has_the_password_and_blanks_around_it_do_not_matter() {
    for [user, password] in [[USER, PASSWORD], [" bot\n", "\thunter2-for-sylva\r\n"]] {
        let mut world = World::new().await;
        world.registry.access(basic());
        set(&mut world.desk, &[(VARIABLES[0].0, user), (VARIABLES[1].0, password)]);
        let ran = world.run().await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        assert_eq!(world.merge_requests().len(), 1);
        let mut desk = Desk::new();
        let prefix = format!(" {}\n", world.registry.prefix(PREFIX));
        set(&mut desk, &[(VARIABLES[0].0, user), (VARIABLES[1].0, password), ("DIBUMP_REGISTRY", &prefix)]);
        let ran = desk.dibump(&["releases", "--plain-http", "--discovery", "catalog"]).await;
        assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    }
}

#[tokio::test]
async fn a_redirect_to_a_stranger_and_back_comes_back_without_the_password() {
    let registry = FakeRegistry::start().await;
    registry.release(PREFIX, "0.4.12", &[Image::new("ubuntu-noble-plain-rke2-1-30-12")]).access(basic());
    let back = format!("http://{}/v2/chosen/by/the/stranger", registry.host());
    let stranger =
        Stranger::start(move |_| (307, vec![("location".to_owned(), back.clone())], String::new())).await;
    let away = format!("http://{}/", stranger.host);
    registry.fault(Fault::status(307).header("location", &away).on("/tags/list"));
    let mut desk = Desk::new();
    set(&mut desk, &VARIABLES);
    let prefix = registry.prefix(PREFIX);
    desk.dibump(&["releases", "--plain-http", "--discovery", "catalog", "--registry", &prefix]).await;
    let chosen: Vec<_> =
        registry.requests().into_iter().filter(|request| request.path.contains("/chosen/")).collect();
    assert!(
        !chosen.is_empty() && chosen.iter().all(|request| request.authorization.is_none()),
        "{chosen:#?}"
    );
    assert!(!knows_the_password(&stranger.knows()), "{}", stranger.knows());
}

/// Repeats what it was sent, in every way that a careless server has.
fn echo(asked: &Received, status: u16) -> Reply {
    let given =
        [asked.header("authorization"), asked.header("private-token"), asked.header("job-token")].concat();
    let pair =
        given.strip_prefix("Basic ").and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    let bare = given.rsplit(' ').next().unwrap_or_default();
    let said =
        format!("you sent {given} ({}, {}) {}", pair.unwrap_or_default(), STANDARD.encode(bare), asked.body);
    let body = serde_json::json!({"message": said, "errors": [{"code": "DENIED", "message": said}]});
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("warning".to_owned(), format!("299 - \"{given}\"")),
    ];
    (status, headers, body.to_string())
}

#[tokio::test]
async fn a_registry_that_repeats_the_password_does_not_make_us_say_it() {
    let long = "x".repeat(290);
    for status in [400, 401, 403, 404, 418, 500] {
        for realm in [false, true] {
            let stranger = Stranger::start(move |asked| match asked.header("authorization") {
                "" if realm => greedy_for_tokens(asked),
                "" => greedy(asked),
                _ => echo(asked, status),
            });
            let stranger = stranger.await;
            let mut desk = Desk::new();
            set(&mut desk, &VARIABLES);
            desk.write(
                "dibump.yaml",
                format!(
                    "version: 1\nproducers:\n- {{registry: 'oci://{}/x', plain_http: true}}\n{NETWORK}",
                    stranger.host
                ),
            );
            let ran = desk.dibump(&["releases", "-vv"]).await;
            assert_ne!(ran.exit, Some(0), "{ran:#?}");
            assert!(knows_the_password(&stranger.knows()), "it was never asked for: {}", stranger.knows());
            assert!(!knows_the_password(&format!("{ran:?}")), "{status}: {ran:#?}");
        }
    }
    // Where the words are cut, the password is not cut through.
    let stranger = Stranger::start(move |asked| match asked.header("authorization") {
        "" => greedy(asked),
        _ => (403, Vec::new(), format!(r#"{{"errors": [{{"message": "{}{PASSWORD}"}}]}}"#, &long[30..])),
    });
    let stranger = stranger.await;
    let mut desk = Desk::new();
    set(&mut desk, &VARIABLES);
    let prefix = format!("oci://{}/x", stranger.host);
    let ran = desk
        .dibump(&["releases", "--plain-http", "--registry", &prefix, "--discovery", "catalog,known"])
        .await;
    assert!(ran.stderr.contains("xxx") && !ran.stderr.contains(&PASSWORD[..4]), "{ran:#?}");
}

#[tokio::test]
async fn data_that_is_no_data_is_quoted_without_the_password() {
    let stranger = Stranger::start(|asked| match asked.header("authorization") {
        "" => greedy(asked),
        given => (200, Vec::new(), format!(r#"{{"repositories": "{given} {PASSWORD}"}}"#)),
    });
    let stranger = stranger.await;
    let mut desk = Desk::new();
    set(&mut desk, &VARIABLES);
    let prefix = format!("oci://{}/x", stranger.host);
    let ran =
        desk.dibump(&["releases", "--plain-http", "--registry", &prefix, "--discovery", "catalog"]).await;
    assert!(ran.exit == Some(3) && ran.stderr.contains("***"), "{ran:#?}");
    assert!(!knows_the_password(&format!("{ran:?}")), "{ran:#?}");
}

#[tokio::test]
async fn a_forge_that_repeats_the_token_does_not_make_us_say_it() {
    for (kind, variable) in [("gitlab", "GITLAB_TOKEN"), ("github", "GITHUB_TOKEN")] {
        for status in [400, 401, 403, 404, 422, 500] {
            let stranger = Stranger::start(move |asked| echo(asked, status)).await;
            let registry = FakeRegistry::start().await;
            registry.release(PREFIX, "0.4.12", &[Image::new("ubuntu-noble-plain-rke2-1-30-12")]);
            let mut desk = Desk::new();
            set(&mut desk, &[(variable, PASSWORD)]);
            let address = &stranger.host;
            let (source, project) = match kind {
                "gitlab" => ("release-notes", ", project: a/b"),
                _ => ("github", ""),
            };
            desk.write(
                "dibump.yaml",
                format!(
                    "version: 1\nproducers:\n- registry: '{}'\n  plain_http: true\n  discovery: [{source}, catalog]\n  \
                     {kind}: {{url: 'http://{address}'{project}}}\n\
                     forge: {{kind: {kind}, url: 'http://{address}'}}\ntargets:\n- {{project: a/b, files: [v.yaml]}}\n{NETWORK}",
                    registry.prefix(PREFIX),
                ),
            );
            desk.dibump(&["releases", "-vv"]).await;
            for arguments in [&["run", "-vv", "--format", "json"][..], &["config", "validate", "--online"]] {
                let ran = desk.dibump(arguments).await;
                assert_ne!(ran.exit, Some(0), "{ran:#?}");
                assert!(knows_the_password(&stranger.knows()), "{kind}: {}", stranger.knows());
                assert!(!knows_the_password(&format!("{ran:?}")), "{kind} {status}: {ran:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_cluster_that_repeats_the_token_does_not_make_us_say_it() {
    let mut consumer = Consumer::new().await;
    let cluster = Stranger::start(|asked| {
        let message = format!("`{}` is no user of ours", asked.header("authorization"));
        let status = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": "Forbidden", "code": 403
        });
        (403, vec![("content-type".to_owned(), "application/json".to_owned())], status.to_string())
    });
    let cluster = cluster.await;
    consumer.desk.write(
        "kubeconfig",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\nusers: [{{name: u, user: {{token: {PASSWORD}}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u, namespace: n}}}}]\n",
            cluster.host
        ),
    );
    set(&mut consumer.desk, &[("KUBECONFIG", "kubeconfig")]);
    let ran = consumer.run("os-images-info", &["--apply"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(knows_the_password(&cluster.knows()) && ran.stderr.contains("***"), "{ran:#?}");
    assert!(!knows_the_password(&format!("{ran:?}")), "{ran:#?}");
}

#[tokio::test]
async fn a_realm_on_another_path_of_the_forges_host_does_not_get_its_token() {
    for (root, realm, expected) in [
        ("", "/evil-app/jwt/auth", false),
        ("", "/jwt/auth", true),
        ("/git", "/jwt/auth", false),
        ("/git", "/git/jwt/auth", true),
    ] {
        let forge = Stranger::start(|asked| match asked.target.contains("/jwt/auth") {
            true => (200, Vec::new(), r#"{"token": "for-the-registry"}"#.to_owned()),
            false => (
                404,
                vec![("content-type".to_owned(), "application/json".to_owned())],
                r#"{"message": "404 Project Not Found"}"#.to_owned(),
            ),
        });
        let forge = forge.await;
        let registry = FakeRegistry::start().await;
        registry.release(PREFIX, "0.4.12", &[Image::new("ubuntu-noble-plain-rke2-1-30-12")]);
        registry.access(Access::Token(TokenRules::default()));
        registry.challenges(&[&format!("Bearer realm=\"http://{}{realm}\",service=\"x\"", forge.host)]);
        let mut desk = Desk::new();
        set(&mut desk, &[("GITLAB_TOKEN", PASSWORD)]);
        desk.write(
            "dibump.yaml",
            format!(
                "version: 1\nproducers:\n- {{registry: '{}', plain_http: true}}\nforge: {{url: 'http://{}{root}'}}\n{NETWORK}",
                registry.prefix(PREFIX),
                forge.host
            ),
        );
        desk.dibump(&["releases"]).await;
        let api = realm.replace("/jwt/auth", "/api/v4/");
        let asked: Vec<_> =
            forge.received().into_iter().filter(|asked| asked.target.starts_with(&api)).collect();
        assert!(!asked.is_empty(), "{}", forge.knows());
        assert_eq!(
            asked.iter().any(|asked| asked.header("private-token") == PASSWORD),
            expected,
            "{root} {realm}"
        );
    }
}

#[tokio::test]
async fn user_and_password_in_an_address_are_never_repeated() {
    let with = |address: &str| address.replace("USER", &format!("{USER}:{PASSWORD}"));
    let (registry, forge) = (with("oci://USER@registry.example/x"), with("https://USER@gitlab.example"));
    let open = "oci://127.0.0.1:1/x";
    for (arguments, variables) in [
        (vec!["releases", "--registry", &registry], vec![]),
        (vec!["releases", "--registry", &registry[6..]], vec![]),
        (vec!["releases"], vec![("DIBUMP_REGISTRY", registry.as_str())]),
        (vec!["releases", "--help"], vec![("DIBUMP_REGISTRY", registry.as_str())]),
        (vec!["os-images", "-f", "values.yaml", "--registry", &registry], vec![]),
        (vec!["releases", "--registry", open, "--gitlab-url", &forge], vec![]),
        (vec!["releases", "--registry", open, "--gitlab-url", &forge[8..]], vec![]),
        (vec!["releases", "--registry", open, "--discovery", &forge], vec![]),
        (vec!["machine-image", "-f", "values.yaml", "--url-template", &forge], vec![]),
        (vec!["machine-image", "-f", "values.yaml", "--capm3", &forge], vec![]),
        (vec!["run"], vec![("CI_SERVER_URL", forge.as_str()), ("GITLAB_TOKEN", "glpat-very-secret")]),
        (vec!["run"], vec![("CI_API_V4_URL", &forge[8..]), ("GITLAB_TOKEN", "glpat-very-secret")]),
        (vec!["run", "--project", &forge], vec![]),
        (vec!["os-images", "-f", "values.yaml"], vec![]),
    ] {
        let mut desk = Desk::new();
        set(&mut desk, &variables);
        let images = "sylva_diskimagebuilder_images: {a: {os_images_oci_registry: r}}\n";
        desk.write(
            "values.yaml",
            format!("os_images_oci_registries: {{r: {{url: '{registry}', tag: 1.0.0}}}}\n{images}"),
        );
        if arguments[0] == "run" {
            desk.write("dibump.yaml", format!("version: 1\nproducers: [{{registry: '{open}'}}]\ntargets: [{{project: a/b, files: [v.yaml]}}]\n{NETWORK}"));
        }
        let ran = desk.dibump(&arguments).await;
        assert!(!format!("{ran:?}").contains(PASSWORD), "{arguments:?} {variables:?}: {ran:#?}");
        assert!(
            ran.exit != Some(0) || arguments.contains(&"--help"),
            "{arguments:?} {variables:?}: {ran:#?}"
        );
    }
}
