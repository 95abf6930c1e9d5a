//! Registries as they really are: for each way of theirs, how the program ends and what it says; and that the password
//! goes to the registry and its token server only.

mod access;
mod answers;
mod lists;
mod manifests;

use crate::fake::oci::{Access, FakeRegistry, TokenRules};
use crate::world::{AT_0_4_11, Desk, PREFIX, Ran, VALUES, images};

const UPDATE: &str = "update 0.4.11 → 0.4.12";
const USER: &str = "bot";
const PASSWORD: &str = "pa:ss$word";

/// One way of a registry, and what `plan` makes of it.
type Mode = (&'static str, fn(&FakeRegistry), i32, &'static str);

/// Whoever asks has a password for the registry.
fn desk(registry: &FakeRegistry, discovery: &str) -> Desk {
    let mut desk = Desk::new();
    let config = format!(
        "version: 1\nproducers: [{{registry: '{}', plain_http: true, discovery: {discovery}}}]\n\
         network: {{connect_timeout: 1h, read_timeout: 1h, request_timeout: 1h, give_up_after: 1h, retries: 1, \
         proxy_from_environment: false}}\n",
        registry.prefix(PREFIX)
    );
    desk.write("dibump.yaml", config).write(VALUES, AT_0_4_11);
    desk.variables.push(("DIBUMP_REGISTRY_USERNAME".to_owned(), USER.to_owned()));
    desk.variables.push(("DIBUMP_REGISTRY_PASSWORD".to_owned(), PASSWORD.to_owned()));
    desk
}

async fn registry() -> FakeRegistry {
    let registry = FakeRegistry::start().await;
    for patch in [11, 12] {
        registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
    }
    registry
}

async fn each_is_answered(modes: &[Mode], discovery: &str, command: &str) {
    for (name, set, exit, said) in modes {
        let registry = registry().await;
        set(&registry);
        let ran = desk(&registry, discovery).dibump(&[command, VALUES, "--max-time", "2m"]).await;
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            ran.exit == Some(*exit) && all.contains(said),
            "{name}: {exit} and {said} are expected: {ran:#?}"
        );
        // Whoever misses the second page of a list updates one image, and not the other.
        let is_whole = images(12).iter().all(|image| all.contains(&image.name));
        assert!(*said != UPDATE || is_whole, "{name}: {ran:#?}");
        nothing_leaks(name, &registry, &ran);
    }
}

/// The password goes where it is asked for: to an endpoint of the registry, or to the token server that it names.
fn nothing_leaks(name: &str, registry: &FakeRegistry, ran: &Ran) {
    assert!(!format!("{ran:?}").contains("pa:ss"), "{name}: {ran:#?}");
    for logged in registry.requests() {
        let is_api = ["/v2/", "/token", "/jwt/auth"].iter().any(|place| logged.path.starts_with(place));
        assert!(logged.authorization.is_none() || is_api, "{name}: {logged:?}");
        assert!(!logged.path.contains("pa:ss") && !logged.path.contains("pa%3Ass"), "{name}: {logged:?}");
    }
}

fn user() -> Option<(String, String)> {
    Some((USER.to_owned(), PASSWORD.to_owned()))
}

fn basic() -> Access {
    Access::Basic { user: USER.to_owned(), password: PASSWORD.to_owned() }
}

/// Tokens for whoever has the password.
fn bearer(registry: &FakeRegistry, rules: TokenRules) {
    registry.access(Access::Token(TokenRules { user: user(), ..rules }));
}
