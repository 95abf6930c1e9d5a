//! The files of `src/` as they are read here: code without comments and unit tests, and the modules that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file of the library: the module that it belongs to, and its code without comments and unit tests.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// The modules on the way to it: `release`, `key` for `release/key.rs`.
    pub(super) modules: Vec<String>,
    pub(super) code: String,
}

pub(super) fn sources() -> Vec<Source> {
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

/// `lib.rs` and `main.rs` are the front door; a file of unit tests is not held to any of this.
fn source(root: &Path, path: &Path) -> Option<Source> {
    let below = path.strip_prefix(root).unwrap().with_extension("");
    let modules: Vec<&str> = below.iter().map(|part| part.to_str().unwrap()).collect();
    if ["lib", "main"].contains(&modules[0]) || modules.contains(&"tests") {
        return None;
    }
    let code = code_of(&fs::read_to_string(path).unwrap());
    let modules = modules.into_iter().map(str::to_owned).collect();
    Some(Source { path: path.to_owned(), modules, code })
}

/// A file as the compiler reads it.
pub(super) fn parsed(path: &Path) -> syn::File {
    let text = fs::read_to_string(path).unwrap();
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The text up to its unit tests, without line comments. No string in `src/` needs `//` to be told from a comment here:
/// cutting one short can only hide a path inside a string, which is no dependency.
pub(super) fn code_of(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that `code` names by `crate::module` or inside `crate::{…}`.
pub(super) fn modules_named(code: &str) -> BTreeSet<String> {
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

/// Whether `code` climbs out of its module by `super::` instead of naming the other one.
pub(super) fn leaves_by_super(code: &str, depth: usize) -> bool {
    let chain = "super::".repeat(depth);
    let deeper = "super::".repeat(depth + 1);
    let top_level = |line: &str| line.starts_with("use ") || line.starts_with("pub use ");
    code.contains(&deeper) || code.lines().any(|line| top_level(line) && line.contains(&chain))
}

impl Source {
    /// The module of the table that it belongs to.
    pub(super) fn module(&self) -> &str {
        &self.modules[0]
    }
}
