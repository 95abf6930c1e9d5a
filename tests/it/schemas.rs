//! The shapes of what dibump reads and prints are committed under `config/`, and do not drift from the code.
//!
//! After a change on purpose: `UPDATE_SCHEMAS=1 cargo test --test it schemas`.

use std::path::Path;

use dibump::disk::releases::ReleasesFile;
use dibump::report::{
    check::json::CheckReport, machine_image::MachineImages, os_images::OsImages,
    os_images_info::OsImagesInfo, plan_json::PlanReport, pull::PullReport, release_diff_json::ReleaseDiff,
    run_json::RunReport,
};
use schemars::schema_for;
use serde_json::Value;

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    let schemas: [(&str, Value); 10] = [
        ("schema.json", dibump::config::schema()),
        ("releases.schema.json", schema_for!(ReleasesFile).to_value()),
        ("plan.schema.json", schema_for!(PlanReport).to_value()),
        ("release-diff.schema.json", schema_for!(ReleaseDiff).to_value()),
        ("check.schema.json", schema_for!(CheckReport).to_value()),
        ("run.schema.json", schema_for!(RunReport).to_value()),
        ("os-images.schema.json", schema_for!(OsImages).to_value()),
        ("os-images-info.schema.json", schema_for!(OsImagesInfo).to_value()),
        ("pull.schema.json", schema_for!(PullReport).to_value()),
        ("machine-image.schema.json", schema_for!(MachineImages).to_value()),
    ];
    for (name, mut schema) in schemas {
        // A name and the version of the format: what programs print names the same.
        let kind = name.strip_suffix("schema.json").unwrap().trim_end_matches('.');
        let kind = if kind.is_empty() { "config" } else { kind };
        // Of the whole file, and not of the type: a report that holds another one would have two.
        schema["$id"] = format!("urn:dibump:{kind}:1").into();
        jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("config/{name}: {error}"));
        if kind != "config" {
            let printed = schema["properties"]["schema"]["description"].as_str().unwrap();
            assert_eq!(printed, format!("`dibump.{kind}/1`."));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, text, "config/{name} is not that of the code");
    }
}
