//! The forms of a report, each held to what its readers ask for.

use serde_json::Value;

use super::{check, data, desk};

/// Every finding of the file that has them all, as the JSON form names it.
async fn rows() -> Vec<Value> {
    let ran = check(&desk(data("check/values.yaml")), &["--format", "json"]).await;
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["findings"].as_array().unwrap().clone()
}

async fn form(name: &str) -> String {
    let ran = check(&desk(data("check/values.yaml")), &["--format", name]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    ran.stdout
}

/// The published schema, but for the pattern of a language tag, which has a bracket too many and is no ECMA 262.
fn sarif() -> Value {
    let mut schema: Value = serde_json::from_str(&data("schemas/sarif-2.1.0.json")).unwrap();
    for part in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][part]["properties"]["language"];
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some(), "{part}");
    }
    schema
}

fn hold(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[tokio::test]
async fn the_json_is_of_its_schema() {
    let schema = schemars::schema_for!(dibump::report::check::json::CheckReport).to_value();
    let value: Value = serde_json::from_str(&form("json").await).unwrap();
    hold(&schema, &value);
    assert_eq!(value["outcome"], "errors");
    assert_eq!(value["ignored"][0]["reason"], "the old cluster leaves on Friday");
}

#[tokio::test]
async fn the_code_quality_report_is_what_gitlab_reads() {
    let text = form("code-quality").await;
    assert!(text.starts_with('['), "no byte order mark");
    let value: Value = serde_json::from_str(&text).unwrap();
    hold(&serde_json::from_str(&data("schemas/code-quality.json")).unwrap(), &value);
    let (issues, rows) = (value.as_array().unwrap(), rows().await);
    assert_eq!(issues.len(), rows.len());
    for (issue, row) in issues.iter().zip(&rows) {
        assert_eq!(issue["check_name"], row["id"]);
        assert_eq!(issue["location"]["lines"]["begin"], row["line"]);
    }
    let prints: std::collections::BTreeSet<&str> =
        issues.iter().filter_map(|issue| issue["fingerprint"].as_str()).collect();
    assert_eq!(prints.len(), issues.len(), "GitLab shows one finding a fingerprint");
}

#[tokio::test]
async fn the_sarif_report_is_of_the_published_schema() {
    let value: Value = serde_json::from_str(&form("sarif").await).unwrap();
    hold(&sarif(), &value);
    let run = &value["runs"][0];
    let (results, rows) = (run["results"].as_array().unwrap(), rows().await);
    assert_eq!(results.len(), rows.len());
    for (result, row) in results.iter().zip(&rows) {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert!(result["ruleId"] == row["id"] && rule["id"] == row["id"], "{result}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!((&region["startLine"], &region["endColumn"]), (&row["line"], &row["end_column"]));
    }
}

#[tokio::test]
async fn the_junit_report_is_well_formed_and_counts_what_it_has() {
    let text = form("junit").await;
    let rows = rows().await;
    let errors = rows.iter().filter(|row| row["severity"] == "error").count();
    assert_eq!(text.matches("<failure ").count(), errors, "{text}");
    assert!(text.contains(&format!("failures=\"{errors}\" errors=\"0\"")), "{text}");
    assert_eq!(
        text.matches("<testcase ").count(),
        text.split("tests=\"").nth(1).unwrap().split('"').next().unwrap().parse::<usize>().unwrap()
    );
    well_formed(&text);
}

/// Tags close in order, and no text holds a bare `<`, `&` or quote that would end it.
fn well_formed(xml: &str) {
    let mut open: Vec<String> = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("no `>`: {part}"));
        for entity in part.split('&').skip(1) {
            let name = entity.split_once(';').unwrap_or_else(|| panic!("a bare `&`: {part}")).0;
            assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name) || name.starts_with('#'), "{part}");
        }
        assert!(tag.matches('"').count() % 2 == 0 && !text.contains('>'), "{part}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap().to_owned()),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn what_a_file_says_stays_text_in_every_form() {
    let key = "<b>@all</b> & \"x\" | ![a](http://b) ]]> /close";
    let values = super::at_0_4_12(&format!("{}  '{}': {{}}\n", super::LIVING, key.replace('\'', "''")), "");
    let desk = desk(values);
    let files = ["markdown=check.md", "junit=check.xml", "sarif=check.sarif", "code-quality=gl.json"];
    let outputs: Vec<&str> = files.iter().flat_map(|file| ["--output", file]).collect();
    let ran = check(&desk, &outputs).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert!(ran.stdout.contains(key), "{ran:#?}");
    let read = |name: &str| String::from_utf8(desk.read(name)).unwrap();
    well_formed(&read("check.xml"));
    let markdown = read("check.md");
    let row = markdown.lines().find(|line| line.contains("dead-key")).unwrap();
    assert!(row.matches('|').count() == 4, "{markdown}");
    let html = comrak::markdown_to_html(&markdown, &{
        let mut options = comrak::Options::default();
        options.extension.table = true;
        options
    });
    assert!(!html.contains("<b>") && !html.contains("<img") && html.contains("<table>"), "{html}");
    for (name, mention) in [("check.sarif", "@all"), ("gl.json", "@all")] {
        assert!(!read(name).contains(mention), "{name}: {}", read(name));
    }
    hold(&sarif(), &serde_json::from_str(&read("check.sarif")).unwrap());
}
