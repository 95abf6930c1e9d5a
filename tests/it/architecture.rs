//! The direction of dependencies in `src/`: between modules by a table, between files by the absence of circles.
//!
//! Unit tests (`#[cfg(test)]` to the end of a file, and `tests.rs`) are not held to it, and neither are comments. The
//! picture that CONTRIBUTING speaks of: `cargo test --test it architecture::picture -- --nocapture`.

mod files;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use files::{Files, Place, attributes, is_for_tests, visible_type};
use source::{Source, code_of, leaves_by_super, modules_named, parsed, sources};

/// Every module of `src/`, from the bottom up, and the modules that it may use besides itself. An arrow that is not here
/// is a decision: make it in ARCHITECTURE.md first.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    // The core: values in, values out.
    ("budget", &[]),
    ("release", &[]),
    ("schedule", &[]),
    ("template", &["budget"]),
    ("values", &["budget", "template"]),
    ("sylva", &["values", "template"]),
    ("signature", &["budget", "release", "values", "template", "sylva"]),
    ("reconcile", &["release", "values", "sylva"]),
    ("os_image", &["budget", "release", "values", "template", "sylva", "signature"]),
    ("image_store", &["release", "os_image"]),
    ("check", &["budget", "release", "values", "sylva", "signature", "reconcile", "os_image"]),
    ("markdown", &[]),
    ("plan", &["budget", "release", "values", "sylva", "signature", "reconcile", "check"]),
    ("merge_request", &["release", "signature", "markdown", "plan"]),
    // Ports: traits, their types and errors.
    ("registry", &["release", "signature"]),
    ("blob", &["release", "registry"]),
    ("image_folder", &["release", "image_store"]),
    ("catalogue", &["release"]),
    ("forge", &["merge_request"]),
    ("store", &["release", "signature"]),
    ("cluster", &[]),
    // How the errors of core and ports end: one table.
    ("ending", &["budget", "release", "values", "signature", "reconcile", "os_image", "image_store", "merge_request", "plan",
                 "registry", "catalogue", "forge", "cluster"]),
    // Adapters, over one transport. What both forges do alike stands below them.
    ("http", &["ending"]),
    ("forge_api", &["release", "catalogue", "forge", "ending", "http"]),
    ("oci", &["release", "signature", "registry", "blob", "catalogue", "ending", "http"]),
    ("web", &["registry", "blob", "ending", "http"]),
    ("gitlab", &["release", "registry", "catalogue", "forge", "http", "forge_api"]),
    ("github", &["release", "registry", "catalogue", "forge", "http", "forge_api"]),
    ("kube", &["cluster", "http"]),
    ("disk", &["release", "signature", "image_store", "registry", "image_folder", "catalogue", "store", "ending"]),
    // The application, over ports only.
    ("observe", &["release", "signature", "os_image", "merge_request", "plan", "registry", "catalogue", "forge", "blob", "store",
                  "ending"]),
    ("apply", &["merge_request", "forge", "cluster", "observe"]),
    ("pull", &["release", "os_image", "image_store", "registry", "blob", "image_folder", "ending"]),
    ("run", &["budget", "release", "signature", "merge_request", "plan", "forge", "ending", "observe", "apply"]),
    ("serve", &["schedule"]),
    // The edge: what people write and read, and what is made of it.
    ("config", &["release", "values", "schedule", "signature", "reconcile", "check", "merge_request", "plan", "registry",
                 "forge", "ending", "run"]),
    // Decides, like the core, and writes what people will read and edit.
    ("onboarding", &["budget", "release", "values", "sylva", "reconcile", "plan", "config"]),
    ("wiring", &["release", "signature", "merge_request", "registry", "blob", "catalogue", "forge", "store", "cluster", "ending",
                 "http", "oci", "web", "gitlab", "github", "kube", "disk", "observe", "apply", "run", "config"]),
    ("report", &["release", "signature", "reconcile", "os_image", "image_store", "check", "markdown", "merge_request", "plan", "forge",
                 "cluster", "ending", "pull", "run"]),
    // Local files are what its commands work on; a secret and the count of requests are types of `http`.
    ("cli", &["budget", "release", "values", "sylva", "schedule", "signature", "reconcile", "os_image",
              "image_store", "check", "merge_request", "plan", "registry", "blob", "image_folder", "cluster", "ending", "http",
              "disk", "observe", "apply", "pull", "run", "serve", "config", "onboarding", "wiring", "report"]),
];

/// The first modules of the table: no I/O, no clock, no async, no logging.
const CORE: usize = 14;

/// One protocol each.
const ADAPTERS: &[&str] = &["oci", "web", "gitlab", "github", "kube", "disk"];

/// What the core does not speak of.
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

/// Circles of files that are natural, each with the reason. There is none.
const NATURAL_CIRCLES: &[(&[&str], &str)] = &[];

fn may_use(module: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, used)| *used)
}

fn fail_on(violations: &[String], rule: &str) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}

#[test]
fn every_module_is_in_the_table_and_uses_only_what_stands_above_it() {
    let mut violations = Vec::new();
    let names: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (i, (name, used)) in MAY_USE.iter().enumerate() {
        let later = used.iter().filter(|used| !names[..i].contains(used));
        violations.extend(later.map(|later| format!("`{name}` uses `{later}`, which stands below it")));
    }
    let unnamed = sources().into_iter().filter(|source| may_use(source.module()).is_none());
    violations.extend(unnamed.map(|source| format!("no row for {}", source.path.display())));
    fail_on(&violations, "give the module its row in ARCHITECTURE.md and in tests/it/architecture.rs");
}

#[test]
fn modules_use_only_the_modules_that_the_table_gives_them() {
    let mut violations = Vec::new();
    for source in sources() {
        let Some(allowed) = may_use(source.module()) else { continue };
        for used in modules_named(&source.code).iter().filter(|used| may_use(used).is_some()) {
            if used != source.module() && !allowed.contains(&used.as_str()) {
                let path = source.path.display();
                violations.push(format!("`{}` must not use `{used}` ({path})", source.module()));
            }
        }
    }
    fail_on(&violations, "against the direction of the table in ARCHITECTURE.md");
}

#[test]
fn every_arrow_of_the_table_is_used() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources() {
        used.entry(source.module().to_owned()).or_default().extend(modules_named(&source.code));
    }
    let unused = MAY_USE.iter().flat_map(|(name, allowed)| {
        let used = used.get(*name).cloned().unwrap_or_default();
        allowed
            .iter()
            .filter(move |arrow| !used.contains(**arrow))
            .map(move |arrow| format!("{name} → {arrow}"))
    });
    fail_on(&Vec::from_iter(unused), "take the arrows out of the table that are not used any more");
}

#[test]
fn no_module_is_left_by_super() {
    let climbing: Vec<String> = sources()
        .iter()
        .filter(|source| leaves_by_super(&source.code, source.modules.len()))
        .map(|source| source.path.display().to_string())
        .collect();
    fail_on(&climbing, "another module is named by `crate::`, so that this test sees it");
}

#[test]
fn files_form_no_circles_but_the_natural_ones() {
    let natural = |circle: &Vec<String>| NATURAL_CIRCLES.iter().any(|(files, _)| circle == files);
    let circles: Vec<Vec<String>> = circles();
    let others = circles.iter().filter(|circle| !natural(circle)).map(|circle| circle.join(" ↔ "));
    fail_on(&Vec::from_iter(others), "files that can only be understood together");
    let gone = NATURAL_CIRCLES.iter().filter(|(files, _)| !circles.iter().any(|circle| circle == files));
    let gone = gone.map(|(files, why)| format!("{} ({why})", files.join(" ↔ ")));
    fail_on(&Vec::from_iter(gone), "exceptions that are not needed any more");
}

#[test]
fn the_core_has_no_io_no_clock_no_async_and_no_logging() {
    let mut violations = Vec::new();
    let core: Vec<&str> = MAY_USE[..CORE].iter().map(|(name, _)| *name).collect();
    for source in sources().iter().filter(|source| core.contains(&source.module())) {
        for word in NOT_IN_CORE.iter().filter(|word| source.code.contains(**word)) {
            violations.push(format!("`{word}` in {}", source.path.display()));
        }
    }
    fail_on(&violations, "the core takes values and returns values");
}

#[test]
fn only_wiring_names_adapters_together() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.module() != "wiring") {
        let named = modules_named(&source.code);
        let others: Vec<_> =
            ADAPTERS.iter().filter(|a| named.contains(**a) && **a != source.module()).collect();
        if others.len() > 1 {
            violations.push(format!("{others:?} in {}", source.path.display()));
        }
    }
    fail_on(&violations, "adapters are chosen in one place");
}

#[test]
fn a_name_stands_for_one_type() {
    let several = names_of_several_types().into_iter();
    let told = several.map(|(name, places)| format!("{name}: {}", places.join(", ")));
    fail_on(&Vec::from_iter(told), "names of several types where both are seen");
}

/// Circles of files, names of several types, and lines of code of each module; for people, with `--nocapture`.
#[test]
fn picture() {
    let circles = circles();
    println!("circles of files: {}", circles.len());
    circles.iter().for_each(|circle| println!("  {}", circle.join(" ↔ ")));
    let several = names_of_several_types();
    let types: usize = several.values().map(Vec::len).sum();
    println!("names of several types: {} for {types} types", several.len());
    several.iter().for_each(|(name, places)| println!("  {name}: {}", places.join(", ")));
    println!("lines of code, without comments, blank lines and unit tests:");
    let mut lines: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for source in sources() {
        let (files, code) = lines.entry(source.module().to_owned()).or_default();
        *files += 1;
        *code += source.code.lines().filter(|line| !line.trim().is_empty()).count();
    }
    for (name, _) in MAY_USE {
        let (files, code) = lines.get(*name).copied().unwrap_or_default();
        println!("  {name:14} {code:6} in {files:3} files");
    }
    assert_eq!(lines.len(), MAY_USE.len());
}

fn circles() -> Vec<Vec<String>> {
    let circles = Files::of(&sources()).circles();
    circles.iter().map(|circle| circle.iter().map(|place| place.join("/")).collect()).collect()
}

/// Names that stand for several types where both are seen, with the files that define them.
fn names_of_several_types() -> BTreeMap<String, Vec<String>> {
    let mut types: BTreeMap<String, Vec<(String, Place)>> = BTreeMap::new();
    for source in sources() {
        for item in
            parsed(&source.path).items.iter().filter(|item| !attributes(item).iter().any(is_for_tests))
        {
            if let Some((name, seen_in)) = visible_type(item, &source.modules) {
                types.entry(name).or_default().push((source.modules.join("/"), seen_in));
            }
        }
    }
    let meets = |(file, here): &(String, Place), all: &[(String, Place)]| {
        all.iter().any(|(other, there)| other != file && (here.starts_with(there) || there.starts_with(here)))
    };
    let several = types.into_iter().map(|(name, all)| {
        let meeting = all.iter().filter(|one| meets(one, &all)).map(|(file, _)| file.clone()).collect();
        (name, meeting)
    });
    several.filter(|(_, meeting): &(String, Vec<String>)| !meeting.is_empty()).collect()
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    let code = "use crate::{forge::{Branch, CommitId}, plan, };\nlet x = crate::values::KeyPath::default();";
    let expected = ["forge", "plan", "values"].map(str::to_owned);
    assert_eq!(modules_named(code), BTreeSet::from(expected));
    assert_eq!(
        modules_named(&code_of("/// See [`crate::cli`].\nfn f() {} // crate::run\n")),
        BTreeSet::new()
    );
    assert!(leaves_by_super("use super::forge;", 1));
    assert!(!leaves_by_super("use super::Version;", 2));
    assert!(leaves_by_super("    fn f() { super::super::forge::g() }", 1));
}

#[test]
fn a_circle_is_found_through_a_re_export() {
    let folder = tempfile::tempdir().unwrap();
    let file = |modules: &[&str], text: &str| {
        let path = folder.path().join(modules.join("_"));
        fs::write(&path, text).unwrap();
        let modules = modules.iter().map(|module| (*module).to_owned()).collect();
        Source { path, modules, code: text.to_owned() }
    };
    let files = [
        file(&["a"], "mod x; mod y; pub use x::X;"),
        file(&["a", "x"], "use super::y::Y; pub struct X; fn f(_: Y) {}"),
        file(
            &["a", "y"],
            "pub struct Y; #[cfg(test)] mod tests { use super::super::X; } fn g() { super::X::made() }",
        ),
        file(&["b"], "fn h(_: crate::a::X) {}"),
    ];
    let circles = Files::of(&files).circles();
    assert_eq!(circles, [[vec!["a".to_owned(), "x".to_owned()], vec!["a".to_owned(), "y".to_owned()]]]);
}
