//! The job files to copy, against the schemas that GitLab, GitHub and Kubernetes publish.

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

#[test]
fn the_jobs_of_gitlab_and_github_are_what_their_schemas_allow() {
    let (gitlab, github) = (schema("gitlab-ci"), schema("github-workflows"));
    for (schema, text) in [
        (&gitlab, include_str!("../../config/gitlab-ci.yml")),
        (&gitlab, include_str!("../../config/gitlab-ci-fleet.yml")),
        (&gitlab, include_str!("../../.gitlab-ci.yml")),
        (&github, include_str!("../../config/github-actions.yml")),
    ] {
        assert_eq!(problems(schema, &job(text)), Vec::<String>::new(), "{text}");
    }
    let fleet = job(include_str!("../../config/gitlab-ci-fleet.yml"));
    assert_eq!(fleet["dibump"]["parallel"], 4);
    let mut wrong = fleet;
    wrong["dibump"]["parallel"] = "four".into();
    assert!(!problems(&gitlab, &wrong).is_empty(), "the schema can refuse");
}

/// The types are generated from the OpenAPI description that Kubernetes publishes: what it does not have is lost.
#[cfg(feature = "kube")]
#[test]
fn the_indexed_job_is_what_kubernetes_knows() {
    let written = job(include_str!("../../config/kubernetes-job.yaml"));
    let read: k8s_openapi::api::batch::v1::CronJob = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), written);
    let spec = &written["spec"]["jobTemplate"]["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    let container = &spec["template"]["spec"]["containers"][0];
    let shards =
        container["env"].as_array().unwrap().iter().find(|variable| variable["name"] == "DIBUMP_SHARDS");
    assert_eq!(
        shards.unwrap()["value"],
        spec["completions"].to_string().as_str(),
        "each target belongs to one pod"
    );
}

#[cfg(feature = "kube")]
#[test]
fn the_job_of_the_config_map_is_what_kubernetes_knows_and_has_just_the_rights_that_it_takes() {
    use k8s_openapi::api::{batch, core, rbac};
    fn known<T: serde::de::DeserializeOwned + serde::Serialize>(written: &Value) {
        let read: T = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), *written);
    }
    let objects: Vec<Value> =
        include_str!("../../config/kubernetes-os-images-info.yaml").split("---\n").map(job).collect();
    let [account, role, binding, job] = objects.as_slice() else { panic!("{objects:#?}") };
    known::<core::v1::ServiceAccount>(account);
    known::<rbac::v1::Role>(role);
    known::<rbac::v1::RoleBinding>(binding);
    known::<batch::v1::Job>(job);
    assert_eq!(role["rules"][0]["verbs"], serde_json::json!(["get", "patch"]));
    assert_eq!(role["rules"][0]["resourceNames"], serde_json::json!(["os-images-info"]));
}

#[test]
fn the_helm_release_reads_what_the_job_writes() {
    let release = job(include_str!("../../config/helm-release.yaml"));
    let from = &release["spec"]["valuesFrom"][0];
    assert_eq!(from["kind"], "ConfigMap");
    let role = include_str!("../../config/kubernetes-os-images-info.yaml").split("---\n").nth(1).unwrap();
    assert_eq!(from["name"], job(role)["rules"][0]["resourceNames"][0]);
    assert_eq!(from["valuesKey"], dibump::os_image::config_map::DATA_KEY);
}
