//! How a registry lets us in: basic, tokens, refusals, and where credentials come from.

use std::collections::HashMap;

use dibump::http::{BoundSecret, Origin, Secret};
use dibump::oci::credentials::CredentialsError;
use dibump::oci::{Credentials, origin};
use dibump::registry::{Registry as _, RegistryError};

use crate::fake::oci::{Access, FakeRegistry, Fault, Image, TokenRules};
use crate::oci::{anonymous, impatient, registry_with, repositories, tag};

fn password(fake: &FakeRegistry, user: &str, password: &str) -> Credentials {
    Credentials::password(user, password, &origin(fake.host(), true).unwrap())
}

fn names(number: usize) -> Vec<String> {
    (0..number).map(|n| format!("image-{n}")).collect()
}

/// A registry with this many images, and this access.
async fn with_images(number: usize, access: Access) -> FakeRegistry {
    let fake = FakeRegistry::start().await;
    let images: Vec<Image> = names(number).iter().map(|name| Image::new(name)).collect();
    fake.release("group/dib", "0.4.12", &images).access(access);
    fake
}

fn basic() -> Access {
    Access::Basic { user: "bot".to_owned(), password: "secret".to_owned() }
}

fn user() -> Option<(String, String)> {
    Some(("bot".to_owned(), "secret".to_owned()))
}

/// How many of the tag lists of all images could be read.
async fn readable(fake: &FakeRegistry, credentials: Credentials, number: usize) -> usize {
    let names = names(number);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answers = registry_with(fake, credentials).tags(&repositories(fake, &names)).await;
    answers.iter().filter(|answer| matches!(answer, Ok(Some(_)))).count()
}

#[tokio::test]
async fn basic_authentication_lets_us_in_after_one_challenge() {
    let fake = with_images(5, basic()).await;
    assert_eq!(readable(&fake, password(&fake, "bot", "secret"), 5).await, 5);
    assert_eq!(fake.requests().len(), 6);
}

#[tokio::test]
async fn refused_credentials_cost_three_requests_for_600_repositories() {
    let refusing = TokenRules { user: user(), ..TokenRules::default() };
    for access in [basic(), Access::Token(refusing)] {
        let fake = with_images(600, access.clone()).await;
        assert_eq!(readable(&fake, password(&fake, "bot", "wrong"), 600).await, 0);
        assert!(fake.requests().len() <= 3, "{access:?}: {} requests", fake.requests().len());
    }
}

#[tokio::test]
async fn of_600_private_repositories_a_few_are_asked_for() {
    let refusing = TokenRules { user: user(), ..TokenRules::default() };
    let giving_nothing = TokenRules { grants_nothing: true, ..TokenRules::default() };
    for access in [basic(), Access::Token(refusing), Access::Token(giving_nothing)] {
        let fake = with_images(600, access.clone()).await;
        assert_eq!(readable(&fake, Credentials::Anonymous, 600).await, 0);
        // Each of them is challenged, may need a token of its own, and is tried with it.
        let most = 4 * (1 + impatient().per_host);
        assert!(fake.requests().len() <= most, "{access:?}: {} requests", fake.requests().len());
    }
}

#[tokio::test]
async fn what_is_denied_says_nothing_of_the_others() {
    let shared = TokenRules { user: user(), ..TokenRules::default() };
    for status in [401, 403] {
        for (access, is_known) in [
            (Access::Open, false),
            (basic(), true),
            (Access::Token(TokenRules::default()), false),
            (Access::Token(shared.clone()), true),
        ] {
            let fake = with_images(2, access.clone()).await;
            let credentials =
                if is_known { password(&fake, "bot", "secret") } else { Credentials::Anonymous };
            fake.denies_what_is_missing(status);
            let names = ["missing-0", "missing-1", "image-0", "missing-2", "image-1"];
            let answers = registry_with(&fake, credentials).tags(&repositories(&fake, &names)).await;
            for (name, answer) in names.iter().zip(answers) {
                let is_right = match &answer {
                    Ok(Some(_)) => name.starts_with("image"),
                    Err(RegistryError::Denied { subject, .. }) => {
                        name.starts_with("missing") && subject.ends_with(name)
                    }
                    _ => false,
                };
                assert!(is_right, "{status} {access:?} {name}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_is_the_answer_to_all_in_the_registrys_words() {
    let fake = with_images(3, Access::Token(TokenRules { user: user(), ..TokenRules::default() })).await;
    let answers = anonymous(&fake).exists(&repositories(&fake, &["image-0", "image-1"]), &tag()).await;
    for answer in answers {
        let Err(RegistryError::Denied { status, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(status, "403 Forbidden: DENIED: access forbidden");
    }
}

#[tokio::test]
async fn one_token_request_carries_twenty_scopes_and_is_sent_once() {
    let fake = with_images(600, Access::Token(TokenRules { user: user(), ..TokenRules::default() })).await;
    assert_eq!(readable(&fake, password(&fake, "bot", "secret"), 600).await, 600);
    // One for the canary and thirty for the rest; and the canary's challenge.
    assert_eq!(fake.count("/token"), 31);
    assert_eq!(fake.requests().len(), 600 + 31 + 1);
    let scopes = |path: &str| path.matches("scope=").count();
    assert_eq!(fake.requests().iter().map(|logged| scopes(&logged.path)).max(), Some(20));
    assert!(
        fake.requests().iter().filter(|l| l.path.contains("/token")).all(|l| l.path.contains("service=fake"))
    );
}

#[tokio::test]
async fn a_token_is_used_again_by_later_calls() {
    let fake = with_images(4, Access::Token(TokenRules::default())).await;
    let (registry, questions) = (anonymous(&fake), repositories(&fake, &["image-0", "image-1", "image-2"]));
    registry.tags(&questions).await;
    let before = fake.count("/token");
    for answer in registry.exists(&questions, &tag()).await {
        assert!(answer.unwrap());
    }
    assert_eq!((before, fake.count("/token")), (2, 2));
}

#[tokio::test]
async fn a_revoked_token_is_got_anew_once() {
    let fake = with_images(3, Access::Token(TokenRules::default())).await;
    let (registry, questions) = (anonymous(&fake), repositories(&fake, &["image-0", "image-1", "image-2"]));
    registry.tags(&questions).await;
    fake.revoke_tokens();
    for answer in registry.tags(&questions).await {
        assert_eq!(answer.unwrap().unwrap(), ["0.4.12"]);
    }
    assert_eq!(fake.count("/token"), 4);
}

#[tokio::test]
async fn a_realm_that_reads_the_first_scope_only_is_asked_for_each() {
    for forbids_the_rest in [false, true] {
        let rules = TokenRules { grants_first_only: true, forbids_the_rest, ..TokenRules::default() };
        let fake = with_images(5, Access::Token(rules)).await;
        assert_eq!(readable(&fake, Credentials::Anonymous, 5).await, 5);
    }
}

#[tokio::test]
async fn a_terse_token_answer_is_enough() {
    let fake = with_images(
        2,
        Access::Token(TokenRules { written: r#"{"access_token": "{token}"}"#, ..TokenRules::default() }),
    )
    .await;
    assert_eq!(readable(&fake, Credentials::Anonymous, 2).await, 2);
}

#[tokio::test]
async fn the_challenge_that_we_can_answer_is_found_among_others() {
    for challenges in [
        &[r#"Basic realm="Fake", Bearer realm="{realm}",service=fake"#][..],
        &[r#"Basic realm="Fake""#, r#"Bearer realm="{realm}",service="fake""#][..],
        &["Negotiate", "bearer realm={realm}, service=fake"][..],
    ] {
        let fake = with_images(2, Access::Token(TokenRules::default())).await;
        fake.challenges(challenges);
        assert_eq!(readable(&fake, Credentials::Anonymous, 2).await, 2, "{challenges:?}");
    }
}

#[tokio::test]
async fn a_challenge_that_makes_no_sense_sends_no_credentials() {
    for challenge in ["Bearer realm=\"no url\"", "Bearer realm=\"ftp://x/token\"", "Digest realm=\"x\"", ""] {
        let fake = with_images(1, basic()).await;
        fake.challenges(&[challenge]);
        assert_eq!(readable(&fake, password(&fake, "bot", "secret"), 1).await, 0, "{challenge}");
        assert!(fake.requests().iter().all(|logged| logged.authorization.is_none()), "{challenge}");
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post_and_else_by_get() {
    let secret = |fake: &FakeRegistry| {
        let origin = origin(fake.host(), true).unwrap();
        Credentials::IdentityToken(Secret::new("refresh").bound_to(origin))
    };
    let rules =
        TokenRules { identity_token: Some("refresh".to_owned()), user: user(), ..TokenRules::default() };
    let fake = with_images(3, Access::Token(rules)).await;
    assert_eq!(readable(&fake, secret(&fake), 3).await, 3);
    let posts: Vec<_> = fake.requests().into_iter().filter(|logged| logged.method == "POST").collect();
    assert_eq!(posts.len(), 2);
    assert!(posts[1].body.contains("scope=repository%3Agroup%2Fdib%2Fimage-1%3Apull+repository%3A"));

    let rules =
        TokenRules { user: Some(("<token>".to_owned(), "refresh".to_owned())), ..TokenRules::default() };
    let fake = with_images(1, Access::Token(rules)).await;
    assert_eq!(readable(&fake, secret(&fake), 1).await, 1);
    let refused = with_images(1, Access::Token(TokenRules { user: user(), ..TokenRules::default() })).await;
    assert_eq!(readable(&refused, secret(&refused), 1).await, 0);
}

#[tokio::test]
async fn a_token_server_that_is_down_is_no_refusal() {
    let fake = with_images(1, Access::Token(TokenRules::default())).await;
    fake.fault(Fault::status(503).on("/token"));
    let answers = anonymous(&fake).tags(&repositories(&fake, &["image-0"])).await;
    assert!(matches!(answers[0], Err(RegistryError::Unavailable { .. })), "{answers:?}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let (fake, storage) = (with_images(1, basic()).await, with_images(1, Access::Open).await);
    let target = format!("http://{}/v2/group/dib/image-0/tags/list", storage.host());
    // The first request is challenged, the second one is let in and sent on.
    fake.fault(Fault::status(307).header("location", &target).on("image-0").after(1));
    assert_eq!(readable(&fake, password(&fake, "bot", "secret"), 1).await, 1);
    assert!(fake.requests()[1].authorization.is_some());
    assert_eq!(storage.requests()[0].authorization, None);
}

#[tokio::test]
async fn the_token_realm_is_told_for_one_request() {
    let fake = with_images(1, Access::Token(TokenRules::default())).await;
    let registry = anonymous(&fake);
    let realm = registry.token_realm().await.unwrap().unwrap();
    assert_eq!(realm.as_str(), format!("http://{}/token", fake.host()));
    assert_eq!(registry.token_realm().await.unwrap(), Some(realm));
    assert_eq!(fake.requests().len(), 1);
    let open = with_images(1, Access::Open).await;
    assert_eq!(anonymous(&open).token_realm().await.unwrap(), None);
}

/// What is found for `oci://registry.example/group/dib` in this environment, with a `config.json` in `$HOME`.
async fn found(variables: &[(&str, &str)], config: Option<&str>) -> Result<Credentials, CredentialsError> {
    let home = tempfile::tempdir().unwrap();
    if let Some(config) = config {
        std::fs::create_dir(home.path().join(".docker")).unwrap();
        std::fs::write(home.path().join(".docker/config.json"), config).unwrap();
    }
    let mut variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    variables.insert("HOME".to_owned(), home.path().to_str().unwrap().to_owned());
    let prefix = "oci://registry.example/group/dib".parse().unwrap();
    Credentials::of_host(&prefix, &example(), &|name| variables.get(name).cloned()).await
}

fn example() -> Origin {
    origin("registry.example", false).unwrap()
}

/// Whether these are the expected credentials, bound to `registry.example`: `nobody`, `USER/PASSWORD`, or the kind of a
/// token and the token.
fn are(credentials: &Credentials, expected: &str) -> bool {
    let is = |secret: &BoundSecret, text: &str| secret.matches(text) && *secret.origin() == example();
    match credentials {
        Credentials::Anonymous => expected == "nobody",
        Credentials::Password { user, password } => {
            expected.split_once('/').is_some_and(|(name, text)| name == user && is(password, text))
        }
        Credentials::IdentityToken(token) => expected.strip_prefix("identity ").is_some_and(|t| is(token, t)),
        Credentials::RegistryToken(token) => expected.strip_prefix("registry ").is_some_and(|t| is(token, t)),
    }
}

#[tokio::test]
async fn credentials_come_from_the_first_source_that_has_any() {
    let job =
        [("CI_REGISTRY", "registry.example"), ("CI_REGISTRY_USER", "ci"), ("CI_REGISTRY_PASSWORD", "job")];
    let foreign =
        [("CI_REGISTRY", "other.example"), ("CI_REGISTRY_USER", "ci"), ("CI_REGISTRY_PASSWORD", "job")];
    let docker = r#"{"auths":{"https://registry.example/v2/":{"auth":"ZG9ja2VyOnA6dw"}}}"#;
    for (variables, config, expected) in [
        (&job[..], Some(docker), "docker/p:w"),
        (&job[..], None, "ci/job"),
        (&foreign[..], None, "nobody"),
        (&[], Some("{}"), "nobody"),
    ] {
        let found = found(variables, config).await.unwrap();
        assert!(are(&found, expected), "{expected}: {found:?}");
    }
}

#[test]
fn the_two_variables_that_name_no_registry_come_together() {
    let both = [("DIBUMP_REGISTRY_USERNAME", "me"), ("DIBUMP_REGISTRY_PASSWORD", "mine")];
    let found = |set: &[(&str, &str)]| {
        let variables: HashMap<&str, &str> = set.iter().copied().collect();
        Credentials::of_variables(&example(), &|name| variables.get(name).map(|text| (*text).to_owned()))
    };
    assert!(are(&found(&both).unwrap().unwrap(), "me/mine"));
    assert!(found(&[]).unwrap().is_none());
    for half in [&both[..1], &both[1..]] {
        assert!(matches!(found(half), Err(CredentialsError::Half { .. })));
    }
}

#[tokio::test]
async fn credentials_of_another_registry_make_no_client() {
    let transport = dibump::http::Transport::new(dibump::http::TransportSettings::default()).unwrap();
    for (host, plain_http) in [("registry.example:5000", false), ("registry.example", true)] {
        let credentials = Credentials::password("me", "mine", &example());
        let made = dibump::oci::OciRegistry::new(transport.clone(), host, plain_http, credentials);
        assert!(matches!(made, Err(RegistryError::Unusable { .. })), "{host}");
    }
}

#[tokio::test]
async fn an_entry_of_a_credentials_file_is_chosen_by_its_longest_path() {
    let entry = |user: &str| format!(r#"{{"username":"{user}","password":"p"}}"#);
    for (config, expected) in [
        (
            format!(
                r#"{{"auths":{{"registry.example":{},"registry.example/group":{}}}}}"#,
                entry("host"),
                entry("group")
            ),
            "group/p",
        ),
        (format!(r#"{{"auths":{{"registry.example/gro":{}}}}}"#, entry("x")), "nobody"),
        (
            format!(
                r#"{{"auths":{{"registry.example/group/dib":{},"registry.example/group":{}}}}}"#,
                entry("dib"),
                entry("g")
            ),
            "dib/p",
        ),
        (format!(r#"{{"auths":{{"other.example":{}}}}}"#, entry("x")), "nobody"),
        (r#"{"auths":{"registry.example":{"identitytoken":"i","auth":""}}}"#.to_owned(), "identity i"),
        (r#"{"auths":{"registry.example":{"registrytoken":"r"}}}"#.to_owned(), "registry r"),
        (r#"{"auths":{"registry.example":{}},"credsStore":""}"#.to_owned(), "nobody"),
        (r#"{"credsStore":"is-not-installed"}"#.to_owned(), "nobody"),
    ] {
        assert!(are(&found(&[], Some(&config)).await.unwrap(), expected), "{config}");
    }
}

#[tokio::test]
async fn a_broken_credentials_file_or_a_missing_helper_is_an_error_without_secrets() {
    for config in [
        r#"{"auths":{"registry.example":{"auth":"hunter2!"}}}"#,
        r#"{"auths":{"registry.example":"#,
        r#"{"credHelpers":{"registry.example":"is-not-installed"}}"#,
    ] {
        let error = found(&[], Some(config)).await.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
