//! The same six commands before what the real cosign 2 and 3 signed (`tests/vectors/identity.json`).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{VALUES, is_refused, path};
use crate::fake::cosign::signature_tag;
use crate::fake::oci::{FakeRegistry, OCI_MANIFEST};
use crate::said::says;
use crate::world::{Ran, World};

const NAME: &str = "ubuntu-noble-hardened-rke2-1-31";
const PLAIN: &str = "ubuntu-noble-plain-rke2-1-31";

#[derive(Deserialize)]
struct Vectors {
    keys: BTreeMap<String, String>,
    cases: Vec<Case>,
}

/// A genuine image.
#[derive(Deserialize)]
struct Case {
    name: String,
    manifest: String,
    evidence: Vec<Evidence>,
    expected: String,
}

/// What the registry had beside it.
#[derive(Deserialize)]
struct Evidence {
    layout: String,
    manifest: String,
    blobs: BTreeMap<String, String>,
}

impl Vectors {
    fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/identity.json");
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    fn case(&self, what: &str, layout: &str) -> &Case {
        let name = format!("{what} ({layout})");
        self.cases.iter().find(|case| case.name == name).expect("a case of this name")
    }
}

impl Case {
    /// The registry hands it out as this.
    fn serve(&self, registry: &FakeRegistry, name: &str, version: &str) {
        let path = path(name);
        let digest = registry.push(&path, version, self.manifest.as_str(), OCI_MANIFEST);
        for evidence in &self.evidence {
            evidence.blobs.values().for_each(|blob| {
                registry.blob(blob.clone().into_bytes());
            });
            match evidence.layout.as_str() {
                "classic" => {
                    registry.push(&path, &signature_tag(&digest), evidence.manifest.as_str(), OCI_MANIFEST);
                }
                _ => registry.refer(&path, &digest, evidence.manifest.clone()),
            }
        }
    }
}

/// A file at 0.5.11, and a registry with this as the hardened image of 0.5.12.
async fn story(vectors: &Vectors, layout: &str, what: &str) -> World {
    let world = World::new().await;
    vectors.case("rollback: the same image of the release before", layout).serve(
        &world.registry,
        NAME,
        "0.5.11",
    );
    vectors.case("substitution: the plain image of the same release", layout).serve(
        &world.registry,
        PLAIN,
        "0.5.12",
    );
    vectors.case(what, layout).serve(&world.registry, NAME, "0.5.12");
    world.desk.write("cosign.pub", &vectors.keys["producer"]);
    world.configure("[catalog]", "    cosign_public_keys: [{file: cosign.pub}]\n");
    values_at(&world, "0.5.11", &[NAME]);
    world
}

fn values_at(world: &World, version: &str, names: &[&str]) {
    let registry = world.registry.prefix(crate::world::PREFIX);
    let images: String =
        names.iter().map(|name| format!("  {name}: {{os_images_oci_registry: sylva}}\n")).collect();
    let text = format!(
        "sylva_diskimagebuilder_version: {version}\nsylva_diskimagebuilder_images:\n{images}\
         os_images_oci_registries:\n  sylva:\n    url: {registry}\n    \
         tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'\nimage_provisioning_host: 192.0.2.10\n"
    );
    world.hub.commit("main", "values", &[(VALUES, text.as_bytes())]);
    world.desk.write(VALUES, text);
}

async fn consumer(world: &World) -> [Ran; 4] {
    values_at(world, "0.5.12", &[NAME, PLAIN]);
    [
        world.desk.dibump(&["check", VALUES]).await,
        world.desk.dibump(&["artifacts", "0.5.12"]).await,
        world.desk.dibump(&["os-images-info", "-f", VALUES]).await,
        world.desk.dibump(&["machine-image", NAME, "-f", VALUES]).await,
    ]
}

#[tokio::test]
async fn what_cosign_signed_is_accepted_by_all_six_commands() {
    let vectors = Vectors::read();
    for layout in ["classic", "bundle"] {
        let world = story(&vectors, layout, "the image itself").await;
        let plan = world.desk.dibump(&["plan", VALUES]).await;
        assert!(plan.stdout.contains("update 0.5.11 → 0.5.12"), "{layout}: {plan:#?}");
        let run = world.desk.dibump(&["run", "--dry-run"]).await;
        says(&run, "would create");
        let consumer = consumer(&world).await;
        assert!(consumer.iter().all(|ran| ran.exit == Some(0)), "{layout}: {consumer:#?}");
    }
}

#[tokio::test]
async fn substitution_and_rollback_after_cosign_are_refused_by_six_commands() {
    let vectors = Vectors::read();
    let is_attack = |case: &&Case| case.name.starts_with("substitution") || case.name.starts_with("rollback");
    let attacks: Vec<&Case> = vectors.cases.iter().filter(is_attack).collect();
    assert_eq!(attacks.len(), 10);
    for case in attacks {
        let (what, layout) = case.name.strip_suffix(')').unwrap().rsplit_once(" (").unwrap();
        let world = story(&vectors, layout, what).await;
        for arguments in [&["plan", VALUES][..], &["run"]] {
            let held = world.desk.dibump(arguments).await;
            assert_eq!(held.exit, Some(0), "{}: {held:#?}", case.name);
            assert!(held.stdout.contains("held (unsigned)"), "{}: {held:#?}", case.name);
            assert!(held.stdout.contains(&case.expected), "{}: {held:#?}", case.name);
        }
        assert!(world.merge_requests().is_empty(), "{}", case.name);
        let told = is_refused(&consumer(&world).await, NAME, &case.name);
        assert!(told.matches(&case.expected).count() >= 4, "{}: {told}", case.name);
    }
}
