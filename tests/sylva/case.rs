//! A case of `expected.json`: a deployment of one commit of sylva-core, and what Helm made of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::program::{Ran, dibump};
use super::{Verdict, Verdicts};

/// The cases of one commit.
#[derive(Deserialize)]
pub struct Commit {
    #[serde(skip)]
    pub folder: PathBuf,
    commit: String,
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
        if let Some(registry) = &case.registry {
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
        let path = self.folder.join(case.os_images_info.as_ref().unwrap());
        let map: Value = yaml_serde::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let values: Value = yaml_serde::from_str(map["data"]["values.yaml"].as_str().unwrap()).unwrap();
        let filename = values["os_images"][key]["filename"].as_str().unwrap_or_default();
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
