//! The jobs that people include or copy, against the schemas that GitLab and GitHub publish. packaging/test runs them.

use std::path::PathBuf;

use serde_json::Value;

use crate::clients;

/// A schema that GitLab or GitHub publishes, as check-jsonschema carries it.
fn schema(name: &str) -> Value {
    let python = clients::folder().join("python/lib");
    let mut versions = std::fs::read_dir(python).unwrap().map(|entry| entry.unwrap().path());
    let below = format!("site-packages/check_jsonschema/builtin_schemas/vendor/{name}.json");
    let path: PathBuf = versions.find(|version| version.join(&below).exists()).unwrap().join(below);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn job(text: &str) -> Value {
    yaml_serde::from_str(text).unwrap()
}

/// What is wrong with a job file.
fn problems(schema: &Value, job: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(job).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A component's jobs, with each input as somebody might set it.
fn component(text: &str) -> Value {
    let (spec, jobs) = text.split_once("\n---\n").unwrap();
    let inputs = &job(spec)["spec"]["inputs"];
    let filled = inputs.as_object().unwrap().iter().fold(jobs.to_owned(), |jobs, (name, input)| {
        let value = match &input["default"] {
            Value::Null => "registry.example/dibump:0.1.0-shell".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let place = format!("$[[ inputs.{name} ]]");
        assert!(jobs.contains(&place), "{name} is an input that nothing uses");
        jobs.replace(&place, &value)
    });
    assert!(!filled.contains("$[["), "an input that is not declared: {filled}");
    job(&filled)
}

#[test]
fn the_jobs_of_gitlab_and_github_are_what_their_schemas_allow() {
    let (gitlab, github) = (schema("gitlab-ci"), schema("github-workflows"));
    let run = component(include_str!("../../templates/run.yml"));
    let check = component(include_str!("../../templates/check.yml"));
    let own = job(include_str!("../../.gitlab-ci.yml"));
    let workflow = job(include_str!("../../templates/github-workflow.yml"));
    for (schema, job) in [(&gitlab, &run), (&gitlab, &check), (&gitlab, &own), (&github, &workflow)] {
        assert_eq!(problems(schema, job), Vec::<String>::new(), "{job}");
    }
    assert_eq!(run["dibump"]["retry"]["exit_codes"], 4);
    assert_eq!(run["dibump"]["rules"][0]["if"], r#"$CI_PIPELINE_SOURCE == "schedule" && $DIBUMP == "run""#);
    let mut wrong = run;
    wrong["dibump"]["parallel"] = "four".into();
    assert!(!problems(&gitlab, &wrong).is_empty(), "the schema can refuse");
}

/// Nothing of others runs by a name that they may move, and no job may do more than it says.
#[test]
fn the_workflow_pins_what_it_uses_and_asks_for_no_right_by_default() {
    let workflow = job(include_str!("../../templates/github-workflow.yml"));
    assert_eq!(workflow["permissions"], serde_json::json!({}));
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let used: Vec<&str> = jobs
        .flat_map(|job| job["steps"].as_array().unwrap())
        .filter_map(|step| step["uses"].as_str())
        .collect();
    let ours = |name: &&str| **name == *"./.github/actions/dibump";
    assert_eq!(used.iter().filter(|name| ours(name)).count(), 2, "{used:?}");
    for name in used.iter().filter(|name| !ours(name)) {
        let pin = name.split_once('@').unwrap().1;
        assert!(pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    }
}

#[test]
fn the_helm_release_reads_what_the_job_writes() {
    let release = job(include_str!("../../config/helm-release.yaml"));
    let from = &release["spec"]["valuesFrom"][0];
    assert_eq!(from["kind"], "ConfigMap");
    assert_eq!(from["name"], job(include_str!("../../charts/dibump/values.yaml"))["osImagesInfo"]["name"]);
    assert_eq!(from["valuesKey"], dibump::os_image::config_map::DATA_KEY);
}
