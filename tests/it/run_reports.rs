//! What a run leaves for its pipeline: a summary, links, variables, and the report for programs.

use serde_json::Value;

use crate::said::about;
use crate::world::{VALUES, World, values_at};

stories! {
    what_is_unchanged_is_one_line_unless_somebody_asks,
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
    assert!(summary.starts_with("before\n**dibump run**: "), "{summary}");
    reads!(about(&summary, "dibump run"), @"**dibump run**: 1 target branch: 1 created");
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

async fn what_is_unchanged_is_one_line_unless_somebody_asks(world: World) {
    world.run().await;
    let mr = world.merge_requests().remove(0);
    let run = |arguments: &'static [&'static str]| world.desk.dibump(arguments);
    let ran = run(&["run"]).await;
    let (line, counts) = ran.stdout.split_once("\n\n").unwrap();
    let start = "sylva/sylva-core main (diskimage-builder) → unchanged  !1 ";
    assert!(line.starts_with(start) && !line.contains('\n'), "{mr:#?}: {}", ran.stdout);
    assert_eq!(counts, "1 target branch: 1 unchanged\n");
    assert_eq!(run(&["run", "-q"]).await.stdout, counts);
    reads!(about(&run(&["run", "-v"]).await.stdout, "image keys"), @"image keys: 2 renamed");

    world.desk.write(VALUES, values_at(12));
    assert_eq!(run(&["plan"]).await.stdout, "values.yaml: up to date with 0.4.12\n");
    assert_eq!(run(&["plan", "-q"]).await.stdout, "");
    reads!(about(&run(&["plan", "-v"]).await.stdout, "image keys"), @"image keys: 2 kept");
}
