//! A case of `expected.json`: a deployment of one commit of sylva-core, and what Helm made of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::program::{Ran, dibump};
use super::{Verdict, Verdicts};

/// The cases of one commit.
#[derive(Deserialize)]
pub struct Commit {
    #[serde(skip)]
    pub folder: PathBuf,
    commit: String,
    version: String,
    cases: Vec<Case>,
}

/// One deployment.
#[derive(Deserialize)]
pub struct Case {
    name: String,
    values: Vec<String>,
    #[serde(default)]
    set: BTreeMap<String, String>,
    registry: Option<String>,
    infra_provider: Option<String>,
    os_images: Option<Map<String, Value>>,
    os_images_as: Option<String>,
    os_images_refuse: Option<String>,
    os_images_may_refuse: Option<String>,
    schema_refuses: Option<String>,
    os_images_info: Option<String>,
    machines: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    machines_refuse: BTreeMap<String, String>,
    #[serde(default)]
    machines_may_refuse: BTreeMap<String, String>,
    #[serde(default)]
    capm3: BTreeMap<String, String>,
    served: Option<Vec<String>>,
    served_refuse: Option<String>,
}

impl Commit {
    pub fn read(folder: &Path) -> Self {
        let text = std::fs::read(folder.join("expected.json")).unwrap();
        let commit: Self = serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{}/expected.json: {error}", folder.display()));
        Self { folder: folder.to_owned(), ..commit }
    }

    pub fn cases(&self) -> impl Iterator<Item = (&Self, &Case)> {
        self.cases.iter().map(move |case| (self, case))
    }

    /// How each answer that Helm has stands to ours.
    pub fn verdicts(&self, case: &Case) -> Verdicts {
        let name = format!("{} {}", self.commit, case.name);
        let mut verdicts = Vec::new();
        let mut say = |kind, verdict: Option<Verdict>| {
            verdicts.extend(verdict.map(|verdict| (kind, name.clone(), verdict)));
        };
        say("os-images", self.os_images(case));
        say("machines", self.machines(case));
        say("served", self.served(case));
        say("check", self.check(case));
        verdicts
    }

    fn run(&self, case: &Case, command: &[&str]) -> Ran {
        let mut arguments: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        for file in &case.values {
            arguments.extend(["-f".to_owned(), file.clone()]);
        }
        for (path, value) in &case.set {
            arguments.extend(["--set".to_owned(), format!("{path}={value}")]);
        }
        if let Some(registry) = case.registry.as_ref().filter(|_| command[0] != "check") {
            arguments.extend(["--registry".to_owned(), registry.clone()]);
        }
        dibump(&self.folder, &arguments)
    }

    fn os_images(&self, case: &Case) -> Option<Verdict> {
        let of = |name: &String| self.cases.iter().find(|other| other.name == *name);
        let expected = match &case.os_images_as {
            Some(name) => of(name).unwrap().os_images.as_ref(),
            None => case.os_images.as_ref(),
        };
        if expected.is_none() && case.os_images_refuse.is_none() {
            return None;
        }
        let ran = self.run(case, &["os-images", "--offline"]);
        let may_refuse = case.os_images_may_refuse.is_some() || case.schema_refuses.is_some();
        Some(verdict(&ran, expected.is_none(), may_refuse, || {
            let ours = ran.report["os_images"].as_object().unwrap();
            let expected = expected.unwrap();
            let keys = (ours.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            if keys.0 != keys.1 {
                return Some(format!("{:?}, and Helm: {:?}", keys.0, keys.1));
            }
            let lacks = |(key, properties): (&String, &Value)| {
                let lacking =
                    properties.as_object()?.iter().find(|(name, value)| ours[key][*name] != **value)?;
                Some(format!("{key}: {}, and Helm: {lacking:?}", ours[key]))
            };
            expected.iter().find_map(lacks)
        }))
    }

    fn machines(&self, case: &Case) -> Option<Verdict> {
        let Some(info) = &case.os_images_info else { return None };
        let info = ["machine-image", "--os-images-info", info, "--k8s-mismatch", "off"];
        let ran = self.run(case, &info);
        let may_refuse = case.schema_refuses.is_some() || !case.machines_may_refuse.is_empty();
        let refuses_all = case.machines_refuse.contains_key("*");
        if let Some(other) = case.infra_provider.as_ref().filter(|name| *name != "capm3") {
            let says = ran.stderr.contains(&format!("no Metal3 image (infra_provider: {other})"));
            let no_image = ran.exit == Some(0) && ran.machines().is_empty() && says;
            return Some(if no_image { Verdict::Equal } else { Verdict::Different(ran.stderr) });
        }
        // A host that is only a port makes a URL that nobody can read.
        let has_no_host = case.capm3.get("image_provisioning_host").is_some_and(|host| host.starts_with(':'));
        let may_refuse = may_refuse || !case.machines_refuse.is_empty() || has_no_host;
        Some(verdict(&ran, refuses_all, may_refuse, || {
            let (ours, expected) = (ran.machines(), case.machines.as_ref().unwrap());
            let expected: Vec<(String, Option<String>, String)> = expected
                .iter()
                .filter_map(|(machine, key)| {
                    Some((machine.clone(), Some(key.clone()?), self.url(case, key.as_ref()?)))
                })
                .collect();
            (ours != expected).then(|| format!("{ours:?}, and Helm: {expected:?}"))
        }))
    }

    /// Where an image is served, by its file name.
    fn url(&self, case: &Case, key: &str) -> String {
        let images = self.os_images_info(case.os_images_info.as_ref().unwrap());
        let filename = images.get(key).and_then(|image| image["filename"].as_str()).unwrap_or_default();
        let scheme = case.capm3.get("image_provisioning_scheme").map_or("https", String::as_str);
        format!("{scheme}://{}/{filename}", case.capm3["image_provisioning_host"])
    }

    fn served(&self, case: &Case) -> Option<Verdict> {
        if case.served.is_none() && case.served_refuse.is_none() {
            return None;
        }
        let info = case.os_images_info.as_ref().unwrap();
        let ran = self.run(case, &["os-images", "--served", "--offline", "--os-images-info", info]);
        let may_refuse = case.os_images_may_refuse.is_some() || case.schema_refuses.is_some();
        Some(verdict(&ran, case.served_refuse.is_some(), may_refuse, || {
            let ours: Vec<&String> = ran.report["os_images"].as_object().unwrap().keys().collect();
            let expected: Vec<&String> = case.served.as_ref().unwrap().iter().collect();
            (ours != expected).then(|| format!("{ours:?}, and Helm: {expected:?}"))
        }))
    }
}

/// What `check` says of machines and registries; of releases it says more than the chart knows.
const OF_DEPLOYMENTS: [&str; 6] = [
    "selector",
    "unknown-image-key",
    "image-not-enabled",
    "undefined-kubernetes-version",
    "unknown-registry",
    "served-selector",
];

impl Commit {
    /// `check -f …` finds an error where the chart or its library refuses, or hands a key on that no image has.
    fn check(&self, case: &Case) -> Option<Verdict> {
        let is_of_templates = case.os_images_may_refuse.is_some() || !case.set.is_empty();
        if is_of_templates || case.os_images_info.is_none() {
            return None;
        }
        let desk = tempfile::tempdir().unwrap();
        let observed = desk.path().join("releases.json");
        std::fs::write(&observed, self.release(case).to_string()).unwrap();
        let ran = self.run(case, &["check", "--observed", observed.to_str().unwrap()]);
        let Some(findings) = ran.report["findings"].as_array() else {
            return Some(Verdict::Refused(ran.stderr));
        };
        let is_error = |finding: &&Value| {
            finding["severity"] == "error" && OF_DEPLOYMENTS.contains(&finding["id"].as_str().unwrap())
        };
        let errors: Vec<&Value> = findings.iter().filter(is_error).collect();
        let helm_refuses = case.os_images_refuse.is_some()
            || !case.machines_refuse.is_empty()
            || !case.machines_may_refuse.is_empty();
        Some(match helm_refuses != errors.is_empty() {
            true => Verdict::Equal,
            false => Verdict::Different(format!("{errors:?}, and Helm refuses: {helm_refuses}")),
        })
    }

    /// The release with the images of all cases, as the ConfigMaps describe them.
    fn release(&self, case: &Case) -> Value {
        let mut artifacts = BTreeMap::new();
        for info in self.cases.iter().chain([case]).filter_map(|case| case.os_images_info.as_ref()) {
            for (name, fields) in self.os_images_info(info) {
                let fields = fields.as_object().unwrap().iter();
                let annotations: Map<String, Value> = fields
                    .filter(|(key, _)| !["uri", "cosign_publickey"].contains(&key.as_str()))
                    .map(|(key, value)| (format!("sylvaproject.org/diskimage/{key}"), value.clone()))
                    .collect();
                artifacts.insert(name.clone(), json!({"name": name, "annotations": annotations}));
            }
        }
        let artifacts: Vec<Value> = artifacts.into_values().collect();
        let releases = json!([{"version": self.version, "artifacts": artifacts}]);
        json!({"schema": "dibump.releases/1", "releases": releases})
    }

    fn os_images_info(&self, path: &str) -> Map<String, Value> {
        let path = self.folder.join(path);
        let map: Value = yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let values: Value = yaml_serde::from_str(map["data"]["values.yaml"].as_str().unwrap()).unwrap();
        values["os_images"].as_object().cloned().unwrap_or_default()
    }
}

/// Compares an answer with Helm's, by `difference` where both have one.
pub fn verdict(
    ran: &Ran,
    helm_refuses: bool,
    may_refuse: bool,
    difference: impl FnOnce() -> Option<String>,
) -> Verdict {
    match (ran.exit, ran.is_refusal()) {
        (Some(0), _) if helm_refuses => Verdict::Different(format!("{}, and Helm refuses", ran.report)),
        (Some(0), _) => difference().map_or(Verdict::Equal, Verdict::Different),
        (_, true) if helm_refuses || may_refuse => Verdict::Equal,
        _ => Verdict::Refused(ran.stderr.clone()),
    }
}
