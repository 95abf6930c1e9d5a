//! The chain of the proposal (sylva-core issue #729), from its first block of values to the image of a machine: the page
//! docs/bare-metal.md, whose files are written and whose commands are run here.
//!
//! After a change on purpose: `UPDATE_DOCS=1 cargo test --test it bare_metal`.

use std::path::Path;

use crate::fake::oci::{FakeRegistry, Image};
use crate::world::{Desk, NETWORK, PREFIX};

/// What the page calls the registry.
const HOST: &str = "registry.example";

/// An image of diskimage-builder 0.1.6, by its name.
fn image(name: &str) -> Image {
    let [os, release, flavor, k8s_flavor, k8s] =
        <[&str; 5]>::try_from(name.split('-').collect::<Vec<_>>()).unwrap();
    let k8s = if k8s_flavor == "rke2" { format!("{k8s}-rke2r1") } else { k8s.to_owned() };
    described(name, [os, release, flavor, k8s_flavor, &k8s])
}

/// An image with the annotations of diskimage-builder: os, release, flavor, Kubernetes flavor and version.
pub(crate) fn described(name: &str, [os, os_release, flavor, k8s_flavor, k8s_version]: [&str; 5]) -> Image {
    let annotations = [
        ("os", os),
        ("os-release", os_release),
        ("flavor", flavor),
        ("hardened", if flavor == "hardened" { "true" } else { "false" }),
        ("k8s-flavor", k8s_flavor),
        ("k8s-version", k8s_version),
        ("filename", &format!("{name}.raw")),
        ("sha256", &sha256(name)),
        ("md5", &"0".repeat(32)),
        ("image-format", if os == "ubuntu" { "raw" } else { "qcow2" }),
        ("size", "22000000000"),
    ];
    annotations.iter().fold(Image::new(name), |image, (key, value)| {
        image.with(&format!("sylvaproject.org/diskimage/{key}"), value)
    })
}

/// What stands for the hash of an image.
pub(crate) fn sha256(name: &str) -> String {
    crate::fake::oci::digest(name.as_bytes()).replace("sha256:", "")
}

/// A desk whose configuration speaks HTTP to a registry with the images.
pub(crate) async fn desk(version: &str, names: &[&str]) -> (Desk, FakeRegistry) {
    let registry = FakeRegistry::start().await;
    registry.release(PREFIX, version, &names.iter().map(|name| image(name)).collect::<Vec<_>>());
    let desk = Desk::new();
    let producer =
        format!("- {{registry: '{}', plain_http: true, discovery: [catalog]}}", registry.prefix(PREFIX));
    desk.write("dibump.yaml", format!("version: 1\nproducers:\n{producer}\ntargets: []\n{NETWORK}"));
    (desk, registry)
}

/// The files of sylva-core that the page speaks of.
fn sylva_core(desk: &Desk) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sylva-core/fd968edcf");
    std::fs::create_dir(desk.path("sylva-core")).unwrap();
    for (name, file) in [
        ("values.yaml", "values.yaml"),
        ("rke2-capm3.yaml", "environments/rke2-capm3/values.yaml"),
        ("os-images-info.yaml", "os-images-info/01.yaml"),
    ] {
        desk.write(&format!("sylva-core/{name}"), std::fs::read(folder.join(file)).unwrap());
    }
}

/// A part of the page.
enum Part {
    Text(String),
    /// The commands of a block, each with what it printed.
    Console(Vec<String>),
}

#[tokio::test]
async fn the_page_is_what_happens() {
    let names = [
        "ubuntu-jammy-plain-rke2-1.26.9",
        "ubuntu-jammy-plain-rke2-1.25.15",
        "opensuse-15.5-plain-rke2-1.26.9",
        "ubuntu-jammy-hardened-rke2-1.26.9",
        "ubuntu-jammy-plain-kubeadm-1.26.9",
    ];
    let (desk, registry) = desk("0.1.6", &names).await;
    sylva_core(&desk);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bare-metal.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let mut page = String::new();
    for part in parts(&written) {
        match part {
            Part::Text(text) => {
                if let Some((name, _)) =
                    text.strip_prefix("```yaml\n# ").and_then(|text| text.split_once('\n'))
                {
                    desk.write(name, text.trim_start_matches("```yaml\n").trim_end_matches("```\n"));
                }
                page.push_str(&text);
            }
            Part::Console(commands) => {
                page.push_str("```console\n");
                for command in commands {
                    let printed = printed(&desk, &command.replace(HOST, registry.host())).await;
                    let printed = printed.replace(registry.host(), HOST);
                    page.push_str(&format!("$ {command}\n{}", printed));
                }
            }
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "docs/bare-metal.md has drifted");
    assert!(registry.unexpected().is_empty(), "{:?}", registry.unexpected());
}

/// The page, cut before each fence.
fn parts(page: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut commands: Option<Vec<String>> = None;
    for line in page.split_inclusive('\n') {
        match (&mut commands, line.trim_end()) {
            (None, "```console") => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                commands = Some(Vec::new());
            }
            (None, "```yaml") => {
                parts.push(Part::Text(std::mem::take(&mut text)));
                text.push_str(line);
            }
            (None, "```") => parts.push(Part::Text(std::mem::take(&mut text) + line)),
            (None, _) => text.push_str(line),
            (Some(_), "```") => {
                parts.push(Part::Console(commands.take().unwrap()));
                text.push_str(line);
            }
            (Some(commands), line) => commands.extend(line.strip_prefix("$ ").map(str::to_owned)),
        }
    }
    parts.push(Part::Text(text));
    parts
}

/// What a command prints, stdout first.
async fn printed(desk: &Desk, command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["cat", file] => String::from_utf8(desk.read(file)).unwrap(),
        ["dibump", arguments @ ..] => {
            let ran = desk.dibump(arguments).await;
            ran.stdout + &ran.stderr
        }
        other => panic!("the page knows dibump and cat, not {other:?}"),
    }
}
