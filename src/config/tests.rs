//! The configuration read from texts, as people write them and as they get them wrong.

mod mistakes;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::reconcile::kubernetes_versions::KubernetesVersions;

const EXAMPLE: &str = include_str!("../../config/example.yaml");
const COMMITTED_SCHEMA: &str = include_str!("../../config/schema.json");

const SMALL: &str = "\
version: 1
producers:
  - registry: oci://registry.example/group/diskimage-builder
targets:
  - project: group/deployment
    files: [values.yaml]
";

fn small_with(more: &str) -> String {
    format!("{SMALL}{more}")
}

#[track_caller]
fn says(text: &str, expected: &[&str]) {
    let found = load("dibump.yaml", text).map(|_| "nothing is wrong".to_owned());
    let found = found.unwrap_or_else(|errors| errors.to_string());
    assert_eq!(found, expected.join("\n"));
}

#[test]
fn the_example_is_understood() {
    let config = load("example.yaml", EXAMPLE).unwrap();
    let names: Vec<_> = config.producers.iter().map(|producer| producer.name.as_str()).collect();
    assert_eq!(names, ["diskimage-builder", "mirror"]);
    let [deployment, laboratory] = &config.targets[..] else { panic!("two targets") };
    let overlays: Vec<bool> = deployment.files.files.iter().map(|file| file.overlay).collect();
    assert_eq!(overlays, [false, true]);
    assert_eq!(deployment.merge_request.labels, ["os-images", "production"]);
    assert_eq!(deployment.merge_request.assignees, ["alice"]);
    let [main, line] = &deployment.branches[..] else { panic!("two branches") };
    assert_eq!(main.policy.range.as_ref().unwrap().to_string(), ">=0.3, <0.6");
    assert_eq!(main.policy.minimum_age, Some(jiff::SignedDuration::from_hours(12)));
    assert_eq!(line.policy.range.as_ref().unwrap().to_string(), "0.3.*");
    assert_eq!(line.policy.allow.len(), 1);
    assert_eq!(line.policy.accept[0].to_string(), "diskimage-builder@0.4.9");
    assert_eq!(laboratory.branches[0].name, None);
    assert_eq!(laboratory.branches[0].policy.minimum_age, Some(jiff::SignedDuration::from_hours(72)));
    assert_eq!(
        config.producer(laboratory.producer.as_deref().unwrap()).unwrap().registry.host(),
        "registry.example:5000"
    );
}

#[test]
fn the_example_fits_the_schema() {
    let example: Value = serde_yaml::from_str(EXAMPLE).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

/// The example on GitHub: what it shows in comments of `forge:` is meant for there.
fn example_on_github() -> String {
    let mut text = EXAMPLE.replace("kind: gitlab", "kind: github").replace("GITLAB_TOKEN", "GITHUB_TOKEN");
    for key in ["app:", "  id_env:", "  private_key_env:", "  installation_id_env:"] {
        text = text.replace(&format!("  # {key}"), &format!("  {key}"));
    }
    text
}

#[test]
fn an_app_is_understood_on_github_only_and_has_usual_variables() {
    let app = load("example.yaml", &example_on_github()).unwrap().forge.app.unwrap();
    assert_eq!(app.installation_id_env.as_deref(), Some("GITHUB_APP_INSTALLATION_ID"));
    let forge = load("a", &small_with("forge: {kind: github, app: {}}\n")).unwrap().forge;
    let app = forge.app.unwrap();
    assert_eq!(
        (app.id_env.as_str(), app.private_key_env.as_str()),
        ("GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY")
    );
    assert_eq!((forge.token_env.as_str(), forge.write_interval), ("GITHUB_TOKEN", None));
    says(&small_with("forge: {app: {}}\n"), &["dibump.yaml:7:14: forge.app: is for `kind: github`"]);
}

#[test]
fn the_example_shows_every_key() {
    let example: Value = serde_yaml::from_str(&example_on_github()).unwrap();
    let schema = schema();
    let mut missing = BTreeSet::new();
    let definitions = schema["$defs"].as_object().unwrap().values();
    for definition in definitions.chain([&schema]) {
        let keys = definition["properties"].as_object().into_iter().flat_map(|keys| keys.keys());
        missing.extend(keys.filter(|key| !uses(&example, key)));
    }
    assert_eq!(missing, BTreeSet::new());
}

fn uses(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(entries) => entries.contains_key(key) || entries.values().any(|value| uses(value, key)),
        Value::Array(items) => items.iter().any(|item| uses(item, key)),
        _ => false,
    }
}

#[test]
fn the_committed_schema_is_the_schema() {
    let committed: Value = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    assert!(committed == schema(), "write the output of `dibump config schema` to config/schema.json");
}

#[test]
fn the_smallest_configuration_has_the_documented_defaults() {
    let config = load("dibump.yaml", SMALL).unwrap();
    assert_eq!(config.producers[0].name, "diskimage-builder");
    assert_eq!(config.targets[0].producer.as_deref(), Some("diskimage-builder"));
    assert_eq!(config.forge.token_env, "GITLAB_TOKEN");
    assert_eq!(config.network, Network::default());
    assert!(config.targets[0].merge_request.remove_source_branch);
}

#[test]
fn what_is_shown_is_read_as_the_same() {
    for text in [SMALL, EXAMPLE, &example_on_github()] {
        let shown = show(&load("dibump.yaml", text).unwrap());
        let again = load("shown.yaml", &shown).map(|config| show(&config));
        assert_eq!(again.as_deref(), Ok(shown.as_str()));
    }
}

#[test]
fn producers_are_found_by_name() {
    let second = "  - {registry: oci://registry.example/other/mirror}\ntargets:";
    let text = SMALL.replace("targets:", second);
    assert_eq!(load("dibump.yaml", &text).unwrap().targets[0].producer, None, "that of its files");
    let misspelt = format!("{text}    producer: miror\n");
    let nearest = "targets[0].producer: unknown producer `miror`; did you mean `mirror`?";
    says(&misspelt, &[&format!("dibump.yaml:8:15: {nearest}")]);
    let twice = text.replace("other/mirror", "other/diskimage-builder");
    let problem = "`diskimage-builder` is the name of producers[0] already; give one a `name:`";
    says(&twice, &[&format!("dibump.yaml:4:5: producers[1]: {problem}")]);
}

#[test]
fn what_follows_the_keys_is_read_and_its_mistakes_are_named() {
    let config = load("example.yaml", EXAMPLE).unwrap();
    let [deployment, laboratory] = &config.targets[..] else { panic!("two targets") };
    assert!(
        deployment.files.references.match_path("deploy/a/b.yaml") && laboratory.files.references.is_empty()
    );
    let rules = deployment.files.kubernetes_versions.texts();
    let expected = [
        "rke2=_internal.k8s_version_map",
        "kubeadm=_internal.k8s_version_map",
        "rke2=cluster.k8s_version",
        "ck8s~^ *ck8s_version: \"(?<version>[^\"]+)\"",
    ];
    assert_eq!(rules, expected);

    says(
        &small_with(
            "    references: ['a/*.yaml', '{']\n    kubernetes_versions:\n    - {k8s_flavor: rke2}\n    - {path: a..b, k8s_flavor: rke2}\n    - {pattern: 'v1', k8s_flavor: rke2}\n",
        ),
        &[
            "dibump.yaml:7:30: targets[0].references[1]: `{` is not a glob (unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?))",
            "dibump.yaml:9:7: targets[0].kubernetes_versions[0]: needs either `path` or `pattern`",
            "dibump.yaml:10:14: targets[0].kubernetes_versions[1].path: `a..b` is not a path of keys (expected keys separated by dots, as in spec.values.images)",
            "dibump.yaml:11:17: targets[0].kubernetes_versions[2].pattern: the pattern lacks the group (?<version>…)",
        ],
    );
    says(
        &small_with(
            "    kubernetes_versions:\n    - {path: m, k8s_flavor: kubeadm}\n    - {path: m, k8s_flavor: ck8s}\n    - {path: m, k8s_flavor: kubeadm}\n",
        ),
        &[
            "dibump.yaml:10:7: targets[0].kubernetes_versions[2]: is the same as targets[0].kubernetes_versions[0]; remove one of them",
        ],
    );
    says(
        &small_with("    kubernetes_versions: aut\n"),
        &[
            "dibump.yaml:7:26: targets[0].kubernetes_versions: `aut` is none of auto, off; did you mean `auto`?",
        ],
    );
    for (word, meant) in [("auto", KubernetesVersions::default()), ("off", KubernetesVersions::Off)] {
        let config = load("dibump.yaml", &small_with(&format!("    kubernetes_versions: {word}\n"))).unwrap();
        assert_eq!(config.targets[0].files.kubernetes_versions, meant);
    }
    assert_eq!(
        load("dibump.yaml", SMALL).unwrap().targets[0].files.kubernetes_versions,
        KubernetesVersions::default()
    );
}

#[test]
fn one_file_of_a_target_holds_the_version() {
    let two = SMALL.replace("[values.yaml]", "[a.yaml, b.yaml]");
    says(
        &two,
        &[
            "dibump.yaml:6:12: targets[0].files: 2 files hold a version; mark all but one with `overlay: true`",
        ],
    );
    let none = SMALL.replace("[values.yaml]", "[{path: a.yaml, overlay: true}]");
    says(
        &none,
        &["dibump.yaml:6:12: targets[0].files: no file holds the version; one must not be an overlay"],
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let secret = "glpat-secret!";
    let text = format!(
        "\
version: 1
producers:
  - registry: oci://me:{secret}@registry.example/group/diskimage-builder
    credentials: '{secret}'
"
    );
    let wrong_type = load("dibump.yaml", &text).unwrap_err().to_string();
    insta::assert_snapshot!(wrong_type, @"
    dibump.yaml:3:15: producers[0].registry: holds credentials; name environment variables under `credentials:`
    dibump.yaml:4:18: producers[0].credentials: expected a mapping, found a text
    ");
    let text = format!("{}forge: {{token_env: '{secret}', url: 'https://me:{secret}@h'}}\n", {
        text.replace(&format!("'{secret}'"), &format!("{{username_env: ME, password_env: '{secret}'}}"))
    });
    let errors = load("dibump.yaml", &text).unwrap_err();
    assert_eq!(errors.errors.len(), 4, "{errors}");
    assert!(!format!("{wrong_type}{errors}{errors:?}").contains("secret!"), "{errors}");
}

#[test]
fn only_one_producer_has_the_variables_that_name_no_registry() {
    let of = |text: &str| {
        let config = load("dibump.yaml", text).unwrap();
        let sources: Vec<_> = config.producers.iter().map(|producer| producer.credentials.clone()).collect();
        let named = config.names_a_variable(&["DIBUMP_REGISTRY_USERNAME", "DIBUMP_REGISTRY_PASSWORD"]);
        (sources, named)
    };
    let one = "version: 1\nproducers:\n- registry: oci://a.example/x\n";
    let two = format!("{one}- {{registry: oci://b.example/x, name: b}}\n");
    let names = |user: &str, password: &str| CredentialNames {
        username_env: user.to_owned(),
        password_env: password.to_owned(),
    };
    let with = |text: &str, user: &str, password: &str| {
        format!("{text}  credentials: {{username_env: {user}, password_env: {password}}}\n")
    };
    assert_eq!(of(one), (vec![CredentialSource::Usual], false));
    assert_eq!(of(&two), (vec![CredentialSource::ByHost, CredentialSource::ByHost], false));
    let other = (vec![CredentialSource::Named(names("U", "P"))], false);
    assert_eq!(of(&with(one, "U", "P")), other);
    let named = CredentialSource::Named(names("ROBOT", "DIBUMP_REGISTRY_PASSWORD"));
    let two = format!(
        "{}- {{registry: oci://b.example/x, name: b}}\n",
        with(one, "ROBOT", "DIBUMP_REGISTRY_PASSWORD")
    );
    assert_eq!(of(&two), (vec![named, CredentialSource::ByHost], true));
}

#[test]
fn an_address_is_one_of_http_and_holds_no_credentials() {
    assert_eq!(address(" https://gitlab.example/git ").unwrap().as_str(), "https://gitlab.example/git");
    for (text, expected) in [
        ("gitlab.example", InvalidAddress::NoAddress),
        ("me:secret@gitlab.example", InvalidAddress::NoAddress),
        ("https://me:secret@gitlab.example", InvalidAddress::Credentials),
        ("https://token@gitlab.example", InvalidAddress::Credentials),
    ] {
        assert_eq!(address(text), Err(expected), "{text}");
    }
}

#[test]
fn what_yaml_reads_as_a_number_needs_quotes() {
    let text = SMALL.replace("producers:", "policy: {range: 0.4}\nproducers:");
    says(&text, &["dibump.yaml:2:17: policy.range: expected a text, found the number 0.4; put it in quotes"]);
}

#[test]
fn an_ignored_version_is_that_version_only() {
    let config = load("dibump.yaml", &small_with("    policy: {ignore: [0.4.4]}\n")).unwrap();
    let ignore = &config.targets[0].branches[0].policy.ignore;
    assert_eq!(ignore[0].to_string(), "=0.4.4");
}

#[test]
fn what_is_missing_is_named() {
    says(
        "version: 2\nproducers: []\ntargets:\n  - files:\n",
        &[
            "dibump.yaml:1:10: version: 2 is not 1",
            "dibump.yaml:2:12: producers: is an empty list",
            "dibump.yaml:4:5: targets[0]: `project` is missing",
            "dibump.yaml:4:10: targets[0].files: expected a list, found nothing",
        ],
    );
}

#[test]
fn a_text_that_is_no_yaml_is_refused_with_its_place() {
    for text in
        ["- a\n", "version: 1\nversion: 1\n", "a: [\n", "\tversion: 1\n", "a: *x\n", "a: 1\n---\nb: 1\n"]
    {
        let errors = load("dibump.yaml", text).unwrap_err();
        assert!(errors.errors.iter().all(|error| error.at.is_some()), "{text:?}: {errors}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "([a-z]{1,9}|version|producers|targets|files|[ :\\-\\[\\]{}&*\n'\"#]){0,40}") {
        let _ = load("dibump.yaml", &text);
    }
}
