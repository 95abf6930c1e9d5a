//! The direction of dependencies between the rooms of `src/`, read from its `crate::` paths.
//!
//! Unit tests (`#[cfg(test)]` to the end of a file, and `tests.rs`) are not held to it, and neither are comments.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Values in, values out.
const CORE: &[&str] = &[
    "budget",
    "release",
    "values",
    "template",
    "sylva",
    "signature",
    "reconcile",
    "os_image",
    "check",
    "schedule",
    "merge_request",
    "plan",
];
/// Traits, their types and errors.
const PORTS: &[&str] = &["registry", "catalogue", "forge", "store", "cluster"];
/// How errors end: of core and ports, by one table.
const ENDING: &str = "ending";
/// The one transport, which every adapter may use.
const HTTP: &str = "http";
/// One protocol each.
const ADAPTERS: &[&str] = &["oci", "gitlab", "github", "kube", "disk"];
/// Over ports only.
const APPLICATION: &[&str] = &["observe", "apply", "run", "serve"];
/// What people write and read, and what is made of it.
const EDGE: &[&str] = &["config", "wiring", "report", "cli"];

/// What no core room may speak of: it has no I/O, no clock, no async and no logging.
const NOT_IN_CORE: &[&str] = &[
    "tokio::",
    "reqwest::",
    "tracing::",
    "log::",
    "async_trait",
    "async fn",
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
];

/// The rooms that `room` may use besides itself; `None` for a room that is not in the table.
fn may_use(room: &str) -> Option<Vec<&'static str>> {
    let core_rooms: Option<&[&'static str]> = match room {
        "budget" | "release" | "schedule" => Some(&[]),
        "template" => Some(&["budget"]),
        "values" => Some(&["budget", "template"]),
        "sylva" => Some(&["values", "template"]),
        "signature" => Some(&["budget", "release", "values", "template", "sylva"]),
        "reconcile" => Some(&["release", "values", "sylva"]),
        "os_image" => Some(&["budget", "release", "values", "template", "sylva", "signature"]),
        "check" => {
            Some(&["budget", "release", "values", "template", "sylva", "signature", "reconcile", "os_image"])
        }
        "merge_request" => Some(&["release", "reconcile", "signature"]),
        "plan" => Some(&CORE[..CORE.len() - 1]),
        _ => None,
    };
    if let Some(rooms) = core_rooms {
        return Some(rooms.to_vec());
    }
    let groups: &[&[&'static str]] = match room {
        ENDING => &[CORE, PORTS],
        HTTP => &[&[ENDING]],
        _ if PORTS.contains(&room) => &[CORE],
        _ if ADAPTERS.contains(&room) => &[CORE, PORTS, &[ENDING, HTTP]],
        _ if APPLICATION.contains(&room) => &[CORE, PORTS, &[ENDING], APPLICATION],
        "config" => &[CORE, PORTS, &[ENDING, "run"]],
        "wiring" => &[CORE, PORTS, &[ENDING, HTTP], ADAPTERS, APPLICATION, &["config"]],
        "report" => &[CORE, PORTS, &[ENDING], APPLICATION],
        // Local files are what its commands work on; a secret and the count of requests are `http`'s types.
        "cli" => &[CORE, PORTS, APPLICATION, EDGE, &["disk", ENDING, HTTP]],
        _ => return None,
    };
    Some(groups.concat())
}

/// A source file of the library: the room that it belongs to, and its code without comments and unit tests.
struct Source {
    path: PathBuf,
    room: String,
    /// How many modules deep it lies: 1 for `release.rs`, 2 for `release/key.rs`.
    depth: usize,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    paths.iter().filter_map(|path| source(&root, path)).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// `lib.rs` and `main.rs` are the front door, not rooms; a file of unit tests is none of our business.
fn source(root: &Path, path: &Path) -> Option<Source> {
    let below = path.strip_prefix(root).unwrap().with_extension("");
    let modules: Vec<&str> = below.iter().map(|part| part.to_str().unwrap()).collect();
    if ["lib", "main"].contains(&modules[0]) || modules.contains(&"tests") {
        return None;
    }
    let code = code_of(&fs::read_to_string(path).unwrap());
    Some(Source { path: path.to_owned(), room: modules[0].to_owned(), depth: modules.len(), code })
}

/// The text up to its unit tests, without line comments. No string in `src/` needs `//` to be told from a comment here:
/// cutting one short can only hide a path inside a string, which is no dependency.
fn code_of(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that `code` names by `crate::room` or inside `crate::{…}`.
fn rooms_named(code: &str) -> BTreeSet<String> {
    code.split("crate::").skip(1).flat_map(first_names).collect()
}

fn first_names(after: &str) -> Vec<String> {
    match after.strip_prefix('{') {
        Some(group) => top_level_items(group).iter().map(|item| identifier(item)).collect(),
        None => vec![identifier(after)],
    }
}

fn identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The comma-separated items of a `{…}` group whose opening brace was already taken.
fn top_level_items(group: &str) -> Vec<String> {
    let (mut items, mut depth) = (vec![String::new()], 0_usize);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => {
                items.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        items.last_mut().unwrap().push(c);
    }
    items.retain(|item| !item.trim().is_empty());
    items
}

/// Whether `code` climbs out of its room by `super::` instead of naming the other one.
fn leaves_by_super(code: &str, depth: usize) -> bool {
    let chain = "super::".repeat(depth);
    let deeper = "super::".repeat(depth + 1);
    let top_level = |line: &str| line.starts_with("use ") || line.starts_with("pub use ");
    code.contains(&deeper) || code.lines().any(|line| top_level(line) && line.contains(&chain))
}

fn fail_on(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

#[test]
fn every_room_is_in_the_table() {
    let missing: BTreeSet<String> = sources()
        .iter()
        .filter(|source| may_use(&source.room).is_none())
        .map(|source| format!("`{}` ({})", source.room, source.path.display()))
        .collect();
    let rule =
        "a room that is not in the table: give it a row in ARCHITECTURE.md and in tests/it/architecture.rs";
    fail_on(&Vec::from_iter(missing), rule);
}

#[test]
fn rooms_use_only_the_rooms_that_the_table_gives_them() {
    let mut violations = Vec::new();
    for source in sources() {
        let Some(allowed) = may_use(&source.room) else { continue };
        for used in rooms_named(&source.code) {
            let is_room = may_use(&used).is_some();
            if is_room && used != source.room && !allowed.contains(&used.as_str()) {
                let path = source.path.display();
                violations.push(format!("`{}` must not use `{used}` ({path})", source.room));
            }
        }
    }
    fail_on(&violations, "against the direction of the table in ARCHITECTURE.md");
}

#[test]
fn no_room_is_left_by_super() {
    let climbing: Vec<String> = sources()
        .iter()
        .filter(|source| leaves_by_super(&source.code, source.depth))
        .map(|source| source.path.display().to_string())
        .collect();
    fail_on(&climbing, "another room is named by `crate::`, so that this test sees it");
}

#[test]
fn the_core_has_no_io_no_clock_no_async_and_no_logging() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| CORE.contains(&source.room.as_str())) {
        for word in NOT_IN_CORE.iter().filter(|word| source.code.contains(**word)) {
            violations.push(format!("`{word}` in {}", source.path.display()));
        }
    }
    fail_on(&violations, "the core takes values and returns values");
}

#[test]
fn only_wiring_names_adapters_together() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.room != "wiring") {
        let named = rooms_named(&source.code);
        let others: Vec<_> = ADAPTERS.iter().filter(|a| named.contains(**a) && **a != source.room).collect();
        if others.len() > 1 {
            violations.push(format!("{others:?} in {}", source.path.display()));
        }
    }
    fail_on(&violations, "adapters are chosen in one place");
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let code = "use crate::{forge::{Branch, CommitId}, plan, };\nlet x = crate::values::KeyPath::default();";
    let expected = ["forge", "plan", "values"].map(str::to_owned);
    assert_eq!(rooms_named(code), BTreeSet::from(expected));
    assert_eq!(rooms_named(&code_of("/// See [`crate::cli`].\nfn f() {} // crate::run\n")), BTreeSet::new());
    assert!(leaves_by_super("use super::forge;", 1));
    assert!(!leaves_by_super("use super::Version;", 2));
    assert!(leaves_by_super("    fn f() { super::super::forge::g() }", 1));
}
