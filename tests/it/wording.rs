//! Everything that a person reads is plain English: "is not a list" and not "is no list", "unknown key" and not "there is no
//! key". Read are the string literals of `src/`, the help, the descriptions of settings, and the pages.
//!
//! Tests look for codes, ids and names, and compare what people read whole: a change of words is one command (`said.rs`).
//! Their names are short enough to scan.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// Comments, and literals of any kind.
static TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r##"(?s)//[^\n]*|r#".*?"#|r"[^"]*"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)'"##).unwrap()
});

static STILTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:(?:is|are) no\b(?: longer)?|nobody\b|whoever\b|of no use\b)").unwrap()
});

/// A literal that is looked for in a text, with three words of prose in it.
static PROSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"\b(?:contains|starts_with|ends_with|matches|find)\(\s*&?(?:format!\(\s*)?"[^"\n]*?\b[\w`']+,? [a-z']{2,},? [\w`'{]{2,}[^"\n]*"#,
    )
    .unwrap()
});

/// Where doc comments become help and descriptions of settings.
const SHOWN_COMMENTS: [&str; 2] = ["src/cli/args", "src/config"];

const PAGES: [&str; 6] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs", "config", "examples"];

#[test]
fn no_text_that_a_person_reads_is_stilted() {
    let sources = files(&root().join("src"), &["rs"]);
    let texts: Vec<(PathBuf, String)> = sources.iter().flat_map(|path| shown(path)).collect();
    assert!(texts.len() > 3000, "only {} texts were found", texts.len());
    let pages = PAGES.iter().flat_map(|page| files(&root().join(page), &["md", "yaml", "json", "rs"]));
    let lines = pages.flat_map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        text.lines().map(|line| (path.clone(), line.to_owned())).collect::<Vec<_>>()
    });
    let wrong = texts.into_iter().chain(lines).filter(|(_, text)| is_stilted(text));
    let wrong: Vec<String> = wrong.map(|(path, text)| format!("{}: {text}", path.display())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn tests_look_for_no_prose_in_a_text() {
    let of_src = files(&root().join("src"), &["rs"])
        .into_iter()
        .filter(|path| path.to_str().unwrap().contains("tests"));
    let mut found = Vec::new();
    for path in of_src.chain(files(&root().join("tests"), &["rs"])) {
        let text = fs::read_to_string(&path).unwrap();
        for prose in PROSE.find_iter(&text) {
            let line = text[..prose.start()].matches('\n').count() + 1;
            found.push(format!(
                "{}:{line}: {}",
                path.strip_prefix(root()).unwrap().display(),
                prose.as_str()
            ));
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}

/// The longest name of a test, in characters.
const LONGEST_NAME: usize = 74;

#[test]
fn names_of_tests_can_be_scanned() {
    let name = Regex::new(r"(?m)^\s*(?:async )?fn (\w+)\(").unwrap();
    let sources =
        files(&root().join("src"), &["rs"]).into_iter().chain(files(&root().join("tests"), &["rs"]));
    let texts: Vec<String> = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    let names = texts.iter().flat_map(|text| name.captures_iter(text)).map(|found| found[1].to_owned());
    let long: Vec<String> = names.filter(|name| name.len() > LONGEST_NAME).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn what_is_stilted_is_found() {
    for (text, expected) in [
        ("`x` is no list", true),
        ("there are no\\\n     others", true),
        ("Nobody knows", true),
        ("it is of no use", true),
        ("it is no longer there", false),
        ("it has no list", false),
    ] {
        assert_eq!(is_stilted(text), expected, "{text}");
    }
    let found: Vec<&str> =
        TOKENS.find_iter(r##"f(r#"a"b"#, "c\"d", 'e', '"') // "g""##).map(|it| it.as_str()).collect();
    assert_eq!(found, ["r#\"a\"b\"#", r#""c\"d""#, "'e'", "'\"'", "// \"g\""]);
}

fn is_stilted(text: &str) -> bool {
    STILTED.find_iter(text).any(|found| !found.as_str().to_lowercase().ends_with("longer"))
}

/// The literals of a source file, and its doc comments where they are shown; tests are not.
fn shown(path: &Path) -> Vec<(PathBuf, String)> {
    let relative = path.strip_prefix(root()).unwrap().to_owned();
    if relative.ends_with("tests.rs") || relative.components().any(|part| part.as_os_str() == "tests") {
        return Vec::new();
    }
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let module = relative.with_extension("");
    let comments = SHOWN_COMMENTS.iter().any(|folder| module.starts_with(folder));
    let is_shown = |token: &&str| !token.starts_with("//") || (comments && token.starts_with("///"));
    let tokens = TOKENS.find_iter(text).map(|token| token.as_str()).filter(is_shown);
    tokens.map(|token| (relative.clone(), token.to_owned())).collect()
}

/// All files of these kinds at or below a path.
fn files(path: &Path, kinds: &[&str]) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        return entries.flat_map(|path| files(&path, kinds)).collect();
    }
    let is_of = path.extension().is_some_and(|kind| kinds.iter().any(|of| *of == kind));
    if is_of { vec![path.to_owned()] } else { Vec::new() }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
