//! What is wrong is named where it stands, all at once.

use super::*;

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
