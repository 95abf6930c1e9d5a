//! What a run leaves for its pipeline: a summary, links, variables, and the report for programs.

use serde_json::Value;

use crate::world::World;

stories! {
    a_run_leaves_a_summary_links_and_variables_for_its_pipeline,
}

async fn a_run_leaves_a_summary_links_and_variables_for_its_pipeline(mut world: World) {
    world.desk.write("summary.md", "before\n");
    world.desk.write("outputs", "other=1\n");
    for (name, file) in [("GITHUB_STEP_SUMMARY", "summary.md"), ("GITHUB_OUTPUT", "outputs")] {
        world.desk.variables.push((name.to_owned(), file.to_owned()));
    }
    let ran = world
        .desk
        .dibump(&[
            "run",
            "--output=markdown=summary.md",
            "--output=dotenv=outputs",
            "--output=annotations=links.json",
            "--output=json=run.json",
            "--output=run.txt",
        ])
        .await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let read = |name: &str| String::from_utf8(world.desk.read(name)).unwrap();
    let report: Value = serde_json::from_str(&read("run.json")).unwrap();
    assert_eq!(report["schema"], "dibump.run/1");
    let schema: Value = serde_json::from_str(include_str!("../../config/run.schema.json")).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    let url = report["branches"][0]["merge_request"]["url"].as_str().unwrap();
    assert!(url.contains("/1"), "{url}");

    let summary = read("summary.md");
    assert!(summary.starts_with("before\n**dibump run**: 1 target branch: 1 created\n"), "{summary}");
    assert!(summary.contains(&format!("| created | `0.4.11` → `0.4.12` | [1](<{url}>) |")), "{summary}");
    let outputs = read("outputs");
    assert!(outputs.starts_with("other=1\nDIBUMP_EXIT_CODE=0\n"), "{outputs}");
    assert!(outputs.ends_with(&format!("DIBUMP_CREATED=1\nDIBUMP_MERGE_REQUESTS={url}\n")), "{outputs}");
    let links: Value = serde_json::from_str(&read("links.json")).unwrap();
    assert_eq!(links["dibump"][0]["external_link"]["url"], url);
    assert_eq!(read("run.txt"), ran.stdout, "a file without a form has that of the output");

    // What is replaced is replaced, what is collected is added to.
    world.desk.dibump(&["run", "--output=annotations=links.json", "--output=markdown=summary.md"]).await;
    assert_eq!(read("summary.md").matches("**dibump run**").count(), 2);
    assert!(read("links.json").contains("unchanged"));
    let wrong = world.desk.dibump(&["run", "--output=json="]).await;
    assert_eq!(wrong.exit, Some(2), "{wrong:#?}");
}
