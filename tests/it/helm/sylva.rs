//! Every template of sylva-core's own values, as far as it needs no named template: the same as Helm's engine gives, or
//! refused with the reason. The excerpts of this repository are always rendered; sylva-core's own files are, where they lie
//! beside the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dibump::budget::Budget;
use dibump::template::{TemplateError, render};
use dibump::values::Rendered;
use serde_json::Value;

use super::{Case, Helm, helm, values};

/// What became of the templates of one chart.
#[derive(Debug, Default)]
struct Counts {
    equal: usize,
    both_refuse: usize,
    /// What is not understood, or has no value here, and Helm renders.
    refused: BTreeMap<String, usize>,
}

/// The texts with an action, keys and values, that ask for no named template.
fn templates(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains("{{") && !text.contains("include") => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| templates(item, found)),
        Value::Object(map) => map.iter().for_each(|(key, below)| {
            templates(&Value::String(key.clone()), found);
            templates(below, found);
        }),
        _ => {}
    }
}

async fn counted(chart: &Path) -> Counts {
    let files = vec![std::fs::read_to_string(chart.join("values.yaml")).unwrap()];
    let values = values(&files);
    let mut found = BTreeSet::new();
    templates(&values, &mut found);
    let case = |template: &String| Case { template: template.clone(), values: files.clone() };
    let cases: Vec<Case> = found.iter().map(case).collect();
    let mut counts = Counts::default();
    for (template, helm) in found.iter().zip(helm(&cases).await) {
        let ours = render(template, Rendered::new(&values, &Budget::default()).with());
        match (ours, helm) {
            (Ok(ours), Helm::Text(text)) if ours == text => counts.equal += 1,
            (Err(_), Helm::Error(_)) => counts.both_refuse += 1,
            (Err(error), Helm::Text(_)) => *counts.refused.entry(reason(&error)).or_default() += 1,
            (Ok(ours), helm) => panic!("{}: {template}: {ours:?}, and Helm: {helm:?}", chart.display()),
        }
    }
    counts
}

fn reason(error: &TemplateError) -> String {
    match error {
        TemplateError::NeedsChart(name) | TemplateError::UnknownFunction(name) => {
            format!("not understood: {name}")
        }
        TemplateError::Missing(_) => "a value is missing, and Helm prints nothing for it".to_owned(),
        other => format!("refused: {other}"),
    }
}

#[tokio::test]
async fn templates_of_sylva_core_give_what_helm_gives() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests/data/sylva-core", "../shared/data/sylva-core"] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        let mut charts: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        charts.retain(|chart| chart.join("expected.json").is_file());
        charts.sort();
        assert!(!charts.is_empty(), "{folder}");
        for chart in charts {
            let counts = counted(&chart).await;
            println!("{}: {counts:#?}", chart.display());
            assert!(counts.equal > 5, "{}: {counts:#?}", chart.display());
        }
    }
}
