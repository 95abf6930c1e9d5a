//! The configuration read from texts, as people write them and as they get them wrong.

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
fn unknown_keys_and_words_are_named_with_the_nearest_valid_one_all_at_once() {
    let text = small_with(
        "    imags: all
    branches:
      - {name: main, policy: {rnge: '0.4', step: newst}}
    enabled: maybe
merge_request: {labels: os-images}
network: {concurrency: 100}
cooldown: 3
",
    );
    says(
        &text,
        &[
            "dibump.yaml:7:5: targets[0].imags: unknown key `imags`; did you mean `images`?",
            "dibump.yaml:9:31: targets[0].branches[0].policy.rnge: unknown key `rnge`; did you mean `range`?",
            "dibump.yaml:9:50: targets[0].branches[0].policy.step: `newst` is none of newest, series; did you mean `newest`?",
            "dibump.yaml:10:14: targets[0].enabled: expected true or false, found a text",
            "dibump.yaml:11:25: merge_request.labels: expected a list, found a text",
            "dibump.yaml:12:24: network.concurrency: 100 is not within 1 to 64",
            "dibump.yaml:13:1: cooldown: unknown key `cooldown` (known here: cache, check, forge, include, limits, merge_request, network, policy, producers, registries_allowed, schedule, targets, values_from_hosts, version)",
        ],
    );
}

#[test]
fn values_that_mean_nothing_are_named_all_at_once() {
    let text = "\
version: 1
producers:
  - registry: registry.example
    name: a b
targets:
  - project: deployment
    branches: ['*', {name: main, policy: {range: '>= x'}}]
    files: [{path: ../values.yaml, images_key: a..b}]
    accept: [latest]
    policy: {minimum_age: soon, exclude: ['{']}
";
    says(
        text,
        &[
            "dibump.yaml:3:15: producers[0].registry: `registry.example` is not a registry prefix (expected oci://HOST[:PORT]/PATH, as in oci://registry.example/group/diskimage-builder)",
            "dibump.yaml:4:11: producers[0].name: `a b` cannot be a part of a branch name (expected letters, digits, - _ .)",
            "dibump.yaml:6:14: targets[0].project: invalid project path `deployment`: expected group/project",
            "dibump.yaml:7:16: targets[0].branches[0]: `*` is not the name of a branch",
            "dibump.yaml:7:50: targets[0].branches[1].policy.range: `>= x` is not a range (unexpected character 'x' while parsing major version number; expected >=0.4, <0.6 or 0.3.x)",
            "dibump.yaml:8:20: targets[0].files[0].path: `../values.yaml` is not a path in the repository (expected charts/values.yaml)",
            "dibump.yaml:8:48: targets[0].files[0].images_key: `a..b` is not a path of keys (expected keys separated by dots, as in spec.values.images)",
            "dibump.yaml:9:14: targets[0].accept[0]: `latest` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)",
            "dibump.yaml:10:27: targets[0].policy.minimum_age: `soon` is not a duration (expected something like 3 days, 12h or 90s)",
            "dibump.yaml:10:43: targets[0].policy.exclude[0]: `{` is not a glob (unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?))",
        ],
    );
}

#[test]
fn a_mistake_above_is_said_once() {
    let text = small_with("    branches: [main, next]\npolicy: {range: '>='}\n");
    let errors = load("dibump.yaml", &text).unwrap_err().errors;
    assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["policy.range"]);
}

#[test]
fn templates_and_trailers_that_cannot_work_are_refused_where_they_stand() {
    let mut told = String::new();
    for settings in [
        "title: '{{ producr }}'",
        "body: '{{ text'",
        "commit_trailers: ['Dibump-Patch: 1']",
        "commit_trailers: [nonsense]",
        "title: ''",
        "milestone: ' '",
        "sign_off: bob",
        "sign_off: bob@example.com",
        "sign_off: 'Bob <bob>'",
        "labels: [os, 'a,b']",
        "labels: ['']",
        "reviewers: ['@carol']",
    ] {
        let text = format!(
            "version: 1\nproducers: [{{registry: \"oci://r.example/a/b\"}}]\ntargets:\n- project: a/b\n  files: [v.yaml]\n  merge_request:\n    {settings}\n"
        );
        told += &format!("{}\n", load("dibump.yaml", &text).unwrap_err());
    }
    insta::assert_snapshot!(told, @"
    dibump.yaml:7:12: targets[0].merge_request.title: unknown variable `producr` (known here: producer, project, target_branch, from, to, update_type, renamed, added, removed, text); did you mean `producer`?
    dibump.yaml:7:11: targets[0].merge_request.body: line 1 of the template: unexpected end of input, expected end of variable block
    dibump.yaml:7:23: targets[0].merge_request.commit_trailers[0]: `Dibump-Patch: 1` is not allowed: trailers that begin with `Dibump-` are the bot's own
    dibump.yaml:7:23: targets[0].merge_request.commit_trailers[0]: `nonsense` is not a trailer (expected `Key: value`)
    dibump.yaml:7:12: targets[0].merge_request.title: `` is empty
    dibump.yaml:7:16: targets[0].merge_request.milestone: ` ` is empty
    dibump.yaml:7:15: targets[0].merge_request.sign_off: `bob` is not a name with a mail address (expected `Name <name@example.com>`)
    dibump.yaml:7:15: targets[0].merge_request.sign_off: `bob@example.com` is not a name with a mail address (expected `Name <name@example.com>`)
    dibump.yaml:7:15: targets[0].merge_request.sign_off: `Bob <bob>` is not a name with a mail address (expected `Name <name@example.com>`)
    dibump.yaml:7:18: targets[0].merge_request.labels[1]: `a,b` holds a comma; write each label as an item of its own
    dibump.yaml:7:14: targets[0].merge_request.labels[0]: `` is empty
    dibump.yaml:7:17: targets[0].merge_request.reviewers[0]: `@carol` is not a user name (expected a name alone, as in alice)
    ");
}

#[test]
fn what_does_not_fit_hides_nothing_that_is_wrong_beside_it() {
    let text = "\
version: 1
producers:
  - {registry: 'oci://r.example/group/one', plain_http: maybe}
  - {registry: nowhere, name: two}
policy: {range: '>=', minimum_age: 3}
forge: {kind: gitlb, url: nowhere}
targets:
  - {project: deployment, producer: one, files: [values.yaml], enabled: 1}
  - {project: a/b, producer: three, files: [../values.yaml], imags: all}
  - {producer: one, files: [values.yaml], accept: [main]}
  - {project: a/c, producer: one, files: [3, other.yaml]}
  - {project: a/d, producer: 4, files: [values.yaml], merge_request: {sign_off: bob, draft: 1}}
";
    says(
        text,
        &[
            "dibump.yaml:3:57: producers[0].plain_http: expected true or false, found a text",
            "dibump.yaml:4:16: producers[1].registry: `nowhere` is not a registry prefix (expected oci://HOST[:PORT]/PATH, as in oci://registry.example/group/diskimage-builder)",
            "dibump.yaml:5:17: policy.range: `>=` is not a range (unexpected end of input while parsing major version number; expected >=0.4, <0.6 or 0.3.x)",
            "dibump.yaml:5:36: policy.minimum_age: expected a text, found the number 3; write it like `3 days`",
            "dibump.yaml:6:15: forge.kind: `gitlb` is none of gitlab, github; did you mean `gitlab`?",
            "dibump.yaml:6:27: forge.url: is not an address (expected https://HOST)",
            "dibump.yaml:8:15: targets[0].project: invalid project path `deployment`: expected group/project",
            "dibump.yaml:8:73: targets[0].enabled: expected true or false, found the number 1",
            "dibump.yaml:9:45: targets[1].files[0]: `../values.yaml` is not a path in the repository (expected charts/values.yaml)",
            "dibump.yaml:9:62: targets[1].imags: unknown key `imags`; did you mean `images`?",
            "dibump.yaml:10:5: targets[2]: `project` is missing",
            "dibump.yaml:10:52: targets[2].accept[0]: `main` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)",
            "dibump.yaml:11:43: targets[3].files[0]: expected a text or a mapping, found the number 3; put it in quotes",
            "dibump.yaml:12:30: targets[4].producer: expected a text, found the number 4; put it in quotes",
            "dibump.yaml:12:81: targets[4].merge_request.sign_off: `bob` is not a name with a mail address (expected `Name <name@example.com>`)",
            "dibump.yaml:12:93: targets[4].merge_request.draft: expected true or false, found the number 1",
        ],
    );
}

#[test]
fn a_project_path_has_the_form_of_its_forge() {
    for (kind, path, expected) in [
        ("gitlab", "group/sub.group/project-1", None),
        ("gitlab", "deployment", Some("group/project")),
        ("gitlab", "group//project", Some("group/project")),
        ("gitlab", "group/my project", Some("group/project")),
        ("gitlab", "group/project.git", Some("group/project")),
        ("gitlab", "https://gitlab.example/group/project", Some("group/project")),
        ("github", "owner/repository", None),
        ("github", "owner", Some("owner/repository")),
        ("github", "owner/group/repository", Some("owner/repository")),
    ] {
        let text = SMALL.replace("group/deployment", path) + &format!("forge: {{kind: {kind}}}\n");
        let said = load("dibump.yaml", &text).map(drop).map_err(|errors| errors.errors[0].problem.clone());
        let wanted = expected.map(|form| format!("invalid project path `{path}`: expected {form}"));
        assert_eq!(said.err(), wanted, "{kind} {path}");
    }
}

#[test]
fn a_number_where_a_duration_is_expected_lacks_a_unit() {
    let mut told = String::new();
    for setting in [
        "policy: {minimum_age: 3}",
        "policy: {minimum_age: '3'}",
        "network: {connect_timeout: 1}",
        "network: {read_timeout: 0s}",
        "network: {give_up_after: 0s}",
        "merge_request: {branch_prefix: 'a b/'}",
        "merge_request: {branch_prefix: ''}",
    ] {
        told += &format!("{}\n", load("dibump.yaml", &format!("{SMALL}{setting}\n")).unwrap_err());
    }
    insta::assert_snapshot!(told, @"
    dibump.yaml:7:23: policy.minimum_age: expected a text, found the number 3; write it like `3 days`
    dibump.yaml:7:23: policy.minimum_age: `3` has no unit (write `3 days`, `3h`, `3m` or `3s`)
    dibump.yaml:7:28: network.connect_timeout: expected a text, found the number 1; write it like `10s`
    dibump.yaml:7:25: network.read_timeout: `0s` is nothing (expected something like 3 days, 12h or 90s)
    dibump.yaml:7:26: network.give_up_after: `0s` is nothing (expected something like 3 days, 12h or 90s)
    dibump.yaml:7:32: merge_request.branch_prefix: `a b/` makes no name of a branch (expected text to put in front, as in dibump/)
    dibump.yaml:7:32: merge_request.branch_prefix: `` makes no name of a branch (expected text to put in front, as in dibump/)
    ");
}

#[test]
fn two_targets_for_one_merge_request_are_both_named() {
    let text = small_with(
        "    branches: [main]
  - project: Group/Deployment
    branches: [next, main]
    files: [other.yaml]
",
    );
    says(
        &text,
        &[
            "dibump.yaml:9:22: targets[1].branches[1]: the same project, branch and producer as targets[0].branches[0] (line 7)",
        ],
    );
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
