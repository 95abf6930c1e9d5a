//! Work grows with the size of a file, not with its square: four times as much of anything takes about four times as long.
//!
//! Processor time is compared, of a file with itself, so that other work beside it does not count.

use serde_json::json;

use crate::world::{Desk, VALUES};

/// So many of a thing there are at first.
const FEW: usize = 2_000;
/// So much more of it then.
const TIMES: usize = 4;
/// So much more work that may be: twice what it is for what grows evenly.
const MOST: f64 = 2.0 * TIMES as f64;

/// What a file has many of, and what the releases have.
struct Shape {
    name: &'static str,
    /// The image `n` of 0.4.11 and of 0.4.12; empty where there is none.
    published: [fn(usize) -> String; 2],
    /// The entry `n` of the mapping, in whole lines.
    listed: fn(usize) -> String,
    /// What stands below the mapping: a first line, and then a line for each `n`.
    below: (&'static str, fn(usize) -> String),
}

/// Files of whose parts each was once compared with each other one.
const SHAPES: [Shape; 17] = [
    Shape { name: "lines of which each moves", published: [old, new], listed, below: NOTHING },
    Shape {
        name: "families",
        published: [|n| family(n, 7), |n| family(n, 8)],
        listed: families,
        below: NOTHING,
    },
    Shape {
        name: "families with a new OS release",
        published: [|n| family(n, 7), |n| family(n, 7).replace("-1-plain", "-2-plain")],
        listed: families,
        below: NOTHING,
    },
    Shape {
        name: "families with a default, and a newer Kubernetes",
        published: [|n| family(n, 7), |n| family(n, 7).replace("-1-30-", "-1-31-")],
        listed: |n| format!("  {}: {{default_enabled: true}}\n", family(n, 7)),
        below: NOTHING,
    },
    Shape {
        name: "OS releases of one family",
        published: [|n| os_release(n), |n| os_release(n + 100_000)],
        listed: |n| format!("  {}: {{}}\n", os_release(n)),
        below: NOTHING,
    },
    Shape {
        name: "patches of one minor",
        published: [|n| key(30, n), |n| if n == 0 { key(30, 100_000) } else { String::new() }],
        listed: |n| format!("  {}: {{}}\n", key(30, n)),
        below: NOTHING,
    },
    Shape {
        name: "pairs of which one moves",
        published: [|n| key(n / 2, 7 + n % 2), |n| if n % 2 == 0 { key(n / 2, 9) } else { String::new() }],
        listed: |n| format!("  {}: {{enabled: {}}}\n", key(n / 2, 7 + n % 2), n % 2 == 0),
        below: NOTHING,
    },
    Shape {
        name: "values of their own, and as many new images",
        published: [|n| if n % 2 == 0 { old(n) } else { String::new() }, new],
        listed: |n| if n % 2 == 0 { format!("  {}: {{note: v{n}}}\n", old(n)) } else { String::new() },
        below: NOTHING,
    },
    Shape {
        name: "keys that are written twice",
        published: [old, new],
        listed: |n| listed(n).repeat(2),
        below: NOTHING,
    },
    Shape {
        name: "images of the user's own",
        published: [old, new],
        listed,
        below: ("os_images:\n", |n| {
            format!("  own{n}: {{uri: 'https://x.example/{n}', sha256: '{n:064x}'}}\n")
        }),
    },
    Shape {
        name: "selectors of the server",
        published: [old, new],
        listed,
        below: ("os_image_server_additional_selectors:\n", |n| {
            format!("  s{n}: {{os: ubuntu, k8s-version: v1.{n}.7}}\n")
        }),
    },
    Shape {
        name: "enabled keys and a map of versions",
        published: [old, new],
        listed: |n| format!("  {}: {{enabled: true}}\n", old(n)),
        below: ("k8s_version_map:\n", |n| format!("  '1.{n}': v1.{n}.7\n")),
    },
    Shape {
        name: "maps of versions",
        published: [old, new],
        listed,
        below: ("", |n| format!("m{n}: {{k8s_version_map: {{'1.{n}': v1.{n}.7}}}}\n")),
    },
    Shape {
        name: "clusters",
        published: [old, new],
        listed,
        below: ("", |n| {
            format!("c{n}: {{cluster: {{k8s_version: v1.{n}.7, capm3: {{image_key: {}}}}}}}\n", old(n))
        }),
    },
    Shape {
        name: "machines",
        published: [old, new],
        listed,
        below: ("cluster:\n  machine_deployments:\n", |n| {
            format!("    md{n}: {{capm3: {{image_key: {}}}}}\n", old(n))
        }),
    },
    Shape {
        name: "registries",
        published: [old, new],
        listed: |n| format!("  {}: {{os_images_oci_registry: unknown}}\n", old(n)),
        below: ("os_images_oci_registries:\n", |n| format!("  r{n}: {{tag: 1.{n}.0}}\n")),
    },
    Shape {
        name: "producers",
        published: [old, new],
        listed,
        below: ("v: 1.0.0\nos_images_oci_registries:\n", |n| {
            format!("  r{n}: {{url: 'oci://x.example/o{n}', tag: '{{{{ .Values.v }}}}'}}\n")
        }),
    },
];

const NOTHING: (&str, fn(usize) -> String) = ("", |_| String::new());

fn key(minor: usize, patch: usize) -> String {
    format!("ubuntu-noble-plain-rke2-1-{minor}-{patch}")
}

fn old(n: usize) -> String {
    key(n, 7)
}

fn new(n: usize) -> String {
    key(n, 8)
}

fn listed(n: usize) -> String {
    format!("  {}: {{}}\n", old(n))
}

fn family(n: usize, patch: usize) -> String {
    format!("os{n}x-1-plain-rke2-1-30-{patch}")
}

fn families(n: usize) -> String {
    format!("  {}: {{}}\n", family(n, 7))
}

fn os_release(n: usize) -> String {
    format!("ubuntu-{n}-plain-rke2-1-30-7")
}

impl Shape {
    fn values(&self, many: usize) -> String {
        let all = |line: fn(usize) -> String| (0..many).map(line).collect::<String>();
        let (first, below) = self.below;
        let head = "sylva_diskimagebuilder_version: 0.4.11\nsylva_diskimagebuilder_images:\n";
        [head, &all(self.listed), first, &all(below)].concat()
    }

    fn releases(&self, many: usize) -> String {
        let release = |(version, name): (&str, fn(usize) -> String)| {
            let names = (0..many).map(name).filter(|name| !name.is_empty());
            json!({"version": version, "artifacts": names.map(|name| json!({"name": name})).collect::<Vec<_>>()})
        };
        let releases = ["0.4.11", "0.4.12"].into_iter().zip(self.published).map(release);
        json!({"schema": "dibump.releases/1", "releases": releases.collect::<Vec<_>>()}).to_string()
    }

    /// The seconds of processor time of a plan for a file with so many; it checks the file before and after.
    async fn seconds(&self, many: usize) -> f64 {
        let desk = Desk::new();
        desk.write(VALUES, self.values(many));
        desk.write("releases.json", self.releases(many));
        desk.processor_seconds(&["plan", VALUES, "--observed", "releases.json"]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_grows_with_the_size_of_a_file_and_not_with_its_square() {
    let mut told = Vec::new();
    for shape in &SHAPES {
        let (few, many) = (shape.seconds(FEW).await, shape.seconds(FEW * TIMES).await);
        println!("{}: {few:.2} s, {many:.2} s with {TIMES} times as many", shape.name);
        if many > few.max(0.1) * MOST {
            told.push(format!("{}: {few:.2} s became {many:.2} s", shape.name));
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}
