//! `selector-inheritance.json`: which image the machines of a cluster get where root, control plane, default and machine
//! deployment choose each for themselves.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Verdicts;
use super::case::verdict;
use super::program::dibump;

#[derive(Deserialize)]
struct Inheritance {
    os_images_info: String,
    base: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    values: Value,
    #[serde(default)]
    machines: BTreeMap<String, Option<String>>,
    #[serde(default)]
    machines_refuse: BTreeMap<String, String>,
}

/// How each case stands to the library's answer, for all machines together and for each alone. No URL is judged: the cases
/// name no host, so that one is given.
pub fn verdicts(folder: &Path) -> Verdicts {
    let Ok(text) = std::fs::read(folder.join("selector-inheritance.json")) else { return Vec::new() };
    let all: Inheritance = serde_json::from_slice(&text).unwrap();
    let desk = tempfile::tempdir().unwrap();
    let write =
        |name: &str, value: &Value| std::fs::write(desk.path().join(name), value.to_string()).unwrap();
    write("base.yaml", &all.base);
    std::fs::copy(folder.join(&all.os_images_info), desk.path().join("info.yaml")).unwrap();
    let asked = |case: &Case, machine: Option<&String>| {
        write("case.yaml", &case.values);
        let command = "machine-image -f base.yaml -f case.yaml --os-images-info info.yaml --url-template https://h/{{key}}";
        let mut command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        command.extend(machine.into_iter().flat_map(|machine| ["--for".to_owned(), machine.clone()]));
        dibump(desk.path(), &command)
    };
    let mut verdicts = Verdicts::new();
    for case in &all.cases {
        let ran = asked(case, None);
        let together = verdict(&ran, false, !case.machines_refuse.is_empty(), || {
            let ours: BTreeMap<String, Option<String>> =
                ran.machines().into_iter().map(|(machine, key, _)| (machine, key)).collect();
            let chosen = case.machines.iter().filter(|(_, key)| key.is_some());
            let expected = chosen.map(|(machine, key)| (machine.clone(), key.clone())).collect();
            (ours != expected).then(|| format!("{ours:?}, and Helm: {expected:?}"))
        });
        verdicts.push(("inheritance", case.name.clone(), together));
        for machine in case.machines.keys().chain(case.machines_refuse.keys()) {
            let ran = asked(case, Some(machine));
            let key = case.machines.get(machine).and_then(Option::as_ref);
            let alone = verdict(&ran, key.is_none(), false, || {
                let ours: Vec<Option<String>> = ran.machines().into_iter().map(|(_, key, _)| key).collect();
                (ours != [key.cloned()]).then(|| format!("{ours:?}, and Helm: {key:?}"))
            });
            verdicts.push(("inheritance, alone", format!("{} {machine}", case.name), alone));
        }
    }
    verdicts
}
