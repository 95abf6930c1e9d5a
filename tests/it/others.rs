//! What lies below a producer's prefix and is not a disk image: charts, documentation, caches.

use serde_json::{Value, json};

use crate::fake::oci::Image;
use crate::said::{about, says};
use crate::world::{AT_0_4_11, Desk, PREFIX, SOURCE, VALUES, World, values_at};

/// A repository whose name fits no scheme.
fn docs(annotations: &[(&str, &str)]) -> Image {
    let mut image = Image::new("docs");
    image.annotations =
        annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    image
}

stories! {
    what_is_no_image_counts_in_no_gate_and_makes_no_candidate,
}

async fn what_is_no_image_counts_in_no_gate_and_makes_no_candidate(world: World) {
    let stray = docs(&[("org.opencontainers.image.created", "2030-01-01T00:00:00Z")]);
    for version in ["0.4.12", "9.8.0", "9.9.9"] {
        world.registry.release(PREFIX, version, std::slice::from_ref(&stray));
    }
    world.registry.release(&format!("{PREFIX}/snapshots"), "0.4.12", &[Image::new("cache")]);
    let ran = world.run().await;
    says(&ran, "created");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    let text = &world.merge_requests()[0].text;
    assert!(!text.contains("9.9.9") && !text.contains("docs"), "{text}");

    let releases = world.desk.dibump(&["releases"]).await;
    assert!(!releases.stdout.contains("9.9.9"), "{releases:#?}");
}

#[tokio::test]
async fn artifacts_names_what_is_no_image() {
    let world = World::new().await;
    world.registry.release(PREFIX, "0.4.12", &[docs(&[])]);
    let text = world.desk.dibump(&["artifacts", "0.4.12"]).await;
    reads!(about(&text.stdout, "0.4.12"), @"
    0.4.12: 2 artifacts, 2.0 MiB, complete
    0.4.12 (no disk images, by their names and annotations): docs
    ");

    let json = world.desk.dibump(&["artifacts", "0.4.12", "--format", "json"]).await;
    let read: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(read["releases"][0]["others"][0]["name"], "docs");
    world.desk.write("releases.json", &json.stdout);
    let again = world.desk.dibump(&["artifacts", "0.4.12", "--observed", "releases.json"]).await;
    assert_eq!(again.stdout, text.stdout);
}

#[tokio::test]
async fn annotations_of_an_image_or_a_place_in_a_file_make_it_one() {
    let world = World::new().await;
    let annotated = docs(&[("sylvaproject.org/diskimage/os", "ubuntu")]);
    world.registry.release(PREFIX, "0.4.13", &[annotated]);
    world.desk.write(VALUES, AT_0_4_11);
    let ran = world.desk.dibump(&["plan", VALUES]).await;
    assert!(ran.stdout.contains("0.4.13: `accept: [0.4.13]`"), "{ran:#?}");

    let desk = Desk::new();
    let release = |version: &str, names: &[&str]| {
        let artifacts: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        json!({"version": version, "artifacts": artifacts})
    };
    let key = "ubuntu-noble-plain-rke2-1-30-11";
    let releases =
        [release("0.4.11", &[key, "own"]), release("0.4.12", &[key, "own"]), release("9.9.9", &["docs"])];
    desk.write("releases.json", json!({"schema": "dibump.releases/1", "releases": releases}).to_string());
    let plan = async |listed: &str| {
        let values =
            format!("sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n{listed}");
        desk.write(VALUES, values);
        desk.dibump(&["plan", VALUES, "--observed", "releases.json", "--images", "listed"]).await
    };
    let ran = plan(&format!("  {key}: {{}}\n")).await;
    assert!(ran.stdout.contains("update 0.4.11 → 0.4.12") && !ran.stdout.contains("9.9.9"), "{ran:#?}");
    // A listed key that fits no scheme is judged like any other image.
    let ran = plan(&format!("  {key}: {{}}\n  own: {{}}\n")).await;
    assert!(ran.stdout.contains("held (inconsistent)") && ran.stdout.contains("own"), "{ran:#?}");
}

#[tokio::test]
async fn a_release_known_in_part_names_only_the_keys_that_nothing_replaces() {
    let desk = Desk::new();
    let part = |version: &str, name: &str| json!({"version": version, "state": "partial", "artifacts": [{"name": name}]});
    let (old, new) = ("ubuntu-noble-plain-rke2-1-31-8", "ubuntu-noble-plain-rke2-1-31-9");
    let releases = [part("0.4.11", old), part("0.4.12", new)];
    desk.write("releases.json", json!({"schema": "dibump.releases/1", "releases": releases}).to_string());
    let stuck = "ubuntu-noble-plain-rke2-1-28-9";
    let mapping = format!("diskimage_builder_os_images:\n  {old}: {{}}\n  {stuck}: {{}}\n");
    desk.write(VALUES, format!("sylva_diskimagebuilder_version: 0.4.11\n{mapping}"));
    let arguments = ["plan", VALUES, "--observed", "releases.json", "--to", "0.4.12"];
    let ran = desk.dibump(&arguments).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    reads!(about(&ran.stdout, stuck), @"
    ! ubuntu-noble-plain-rke2-1-28-9: stays, though no artifact was found
    unknown: the release is known in part, and nothing proven replaces ubuntu-noble-plain-rke2-1-28-9; nothing was changed
    ");
    let json = desk.dibump(&[&arguments[..], &["--format", "json"]].concat()).await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["files"][0]["dead"], json!([stuck]));
}
