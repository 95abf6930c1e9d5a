//! Two builders in one mapping, as sylva-core has them since 2025: each with a version, a registry entry and a key of its own.
//!
//! The files are those of `tests/data/two-builders`; sylva-core's whole file lies beside the checkout, where it does.

use std::path::{Path, PathBuf};

use crate::world::{Desk, Ran, VALUES};

/// A desk with these files of `tests/data/two-builders`, the first of them as the values file.
fn desk(values: &str, others: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.write(VALUES, read(values));
    for name in others {
        desk.write(name, read(name));
    }
    desk
}

fn read(name: &str) -> Vec<u8> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/two-builders").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

async fn plan(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["plan", VALUES], more].concat()).await
}

const FIRST: [&str; 8] = [
    "--observed",
    "kiwi-first.json",
    "--version-key",
    "sylva_kiwi_imagebuilder_version",
    "--images",
    "all",
    "--format",
    "diff",
];

#[tokio::test]
async fn the_first_image_of_a_registry_names_it_as_the_chart_demands() {
    let desk = desk("first-key.yaml", &["kiwi-first.json", "values.schema.json"]);
    let ran = plan(&desk, &FIRST).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let added =
        "\n+  leapmicro-6-0-plain-rke2-1-31-8:\n+    os_images_oci_registry: sylva-kiwi-imagebuilder\n";
    assert!(ran.stdout.contains(added), "{}", ran.stdout);
    assert!(ran.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.2\n"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_value_that_the_charts_schema_refuses_is_not_written() {
    let desk = desk("first-key.yaml", &["kiwi-first.json", "values.schema.json"]);
    let schema = String::from_utf8(read("values.schema.json")).unwrap();
    let values = read("first-key.yaml");
    desk.write("values.schema.json", schema.replace("\"required\": [", "\"required\": [\"size\", "));
    let ran = plan(&desk, &[&FIRST[..], &["--write"]].concat()).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    let told = "values.schema.json does not allow `leapmicro-6-0-plain-rke2-1-31-8` (required: size)";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(desk.read(VALUES), values);
}

#[tokio::test]
async fn a_mapping_with_no_key_of_a_builder_does_not_get_all_of_its_images() {
    let values = String::from_utf8(read("first-key.yaml")).unwrap();
    let values = values
        .replace("ubuntu-noble-plain-rke2-1-31-8:", "leapmicro-6-0-plain-rke2-1-31-8:")
        .replace("sylva_kiwi_imagebuilder_version: 0.1.1", "sylva_kiwi_imagebuilder_version: 0.1.2");
    let desk = desk("first-key.yaml", &["kiwi.json"]);
    desk.write(VALUES, values);
    let version = "sylva_kiwi_imagebuilder_version";
    let ran = plan(&desk, &["--observed", "kiwi.json", "--version-key", version]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("other registries list every artifact of 0.1.2"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("+  leapmicro"), "{}", ran.stdout);
}
