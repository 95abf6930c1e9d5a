//! Pages that are printed from the code: variables of the environment, settings, commands. Links lead somewhere, and the book
//! has every page.
//!
//! After a change on purpose: `UPDATE_DOCS=1 cargo test --test it pages`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use dibump::wiring::VARIABLES;
use regex::Regex;
use serde_json::Value;

use crate::fake::oci::{FakeRegistry, Image};
use crate::world::Desk;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a page with what the code makes, or writes it.
fn is_printed(path: &str, page: &str) {
    let path = root().join("docs").join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "{} has drifted", path.display());
}

const ENVIRONMENT: &str = "\
# Variables of the environment

Every variable that dibump reads. Blanks and line ends around a value are removed, and an empty one counts as not set.
dibump also reads the variables that the configuration names (`token_env`, `username_env`, `password_env`, …).
";

#[test]
fn the_page_of_variables_is_that_of_the_code() {
    let group = |group: &dibump::wiring::VariableGroup| {
        let row =
            |variable: &dibump::wiring::Variable| format!("| `{}` | {} |\n", variable.name, variable.meaning);
        let rows: String = group.variables.iter().map(row).collect();
        format!("\n## {}\n\n| variable | meaning |\n|---|---|\n{rows}", group.title)
    };
    is_printed(
        "environment.md",
        &format!("{ENVIRONMENT}{}", VARIABLES.iter().map(group).collect::<String>()),
    );
}

/// What looks like a variable that somebody else sets or that is ours, as a literal of the code or an argument's `env`.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""((?:DIBUMP|CI|GITLAB|GITHUB|XDG|DOCKER|REGISTRY|JOB|KUBE)[A-Z0-9]*(?:_[A-Z0-9]+)*)""#)
        .unwrap()
});

#[test]
fn every_variable_that_the_code_reads_is_in_the_table() {
    let known: BTreeSet<&str> =
        VARIABLES.iter().flat_map(|group| group.variables).map(|variable| variable.name).collect();
    let mut read = BTreeSet::new();
    for path in files(&root().join("src"), "rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        if !path.ends_with("wiring/variables.rs") && !path.ends_with("tests.rs") {
            read.extend(VARIABLE.captures_iter(code).map(|found| found[1].to_owned()));
        }
    }
    // Settings of the package and of the build.
    let ours = ["DIBUMP_HOME", "DIBUMP_IMAGE", "DIBUMP_COMMIT"];
    let unknown: Vec<&String> =
        read.iter().filter(|name| !known.contains(name.as_str()) && !ours.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in src/wiring/variables.rs");
    let unread: Vec<&&str> =
        known.iter().filter(|name| name.starts_with("DIBUMP_") && !read.contains(**name)).collect();
    assert!(unread.is_empty(), "{unread:?} are in src/wiring/variables.rs, and nothing reads them");
}

const CONFIGURATION: &str = "\
# Settings of `dibump.yaml`

Every key of the file, printed from its [schema](../config/schema.json). [config/example.yaml](../config/example.yaml) shows them
in use, and `dibump config show` prints how dibump understands a file.
";

#[test]
fn the_page_of_settings_is_that_of_the_schema() {
    let schema = dibump::config::schema();
    let mut page = format!("{CONFIGURATION}\n## The file\n\n{}", keys(&schema));
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let description = said(definition);
        if definition["properties"].is_object() {
            page += &format!("\n## {}\n\n{description}\n\n{}", title(name), keys(definition));
        } else if let Some(words) = definition["oneOf"].as_array() {
            let rows = words
                .iter()
                .map(|word| format!("| `{}` | {} |\n", word["const"].as_str().unwrap_or("…"), said(word)));
            page += &format!(
                "\n## {}\n\n{description}\n\n| word | meaning |\n|---|---|\n{}",
                title(name),
                rows.collect::<String>()
            );
        } else if let Some(forms) = definition["anyOf"].as_array() {
            let forms: Vec<String> = forms.iter().map(kind).collect();
            page += &format!("\n## {}\n\n{description} It is {}.\n", title(name), forms.join(", or "));
        }
    }
    is_printed("configuration.md", &page);
}

fn keys(schema: &Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(key, value): (&String, &Value)| {
        let needed = if required.contains(&key.as_str()) { ", needed" } else { "" };
        format!("| `{key}` | {}{needed} | {} |\n", kind(value), said(value).replace('|', "\\|"))
    };
    let rows: String = schema["properties"].as_object().unwrap().iter().map(row).collect();
    format!("| key | value | meaning |\n|---|---|---|\n{rows}")
}

fn said(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// `RawMergeRequest` is for the code.
fn title(name: &str) -> String {
    let name = name.trim_start_matches("Raw");
    let apart = name.char_indices().map(|(i, c)| {
        if i > 0 && c.is_uppercase() { format!(" {}", c.to_lowercase()) } else { c.to_string() }
    });
    apart.collect()
}

/// What a value may be.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return format!(
            "[{}](#{})",
            title(name).to_lowercase(),
            title(name).to_lowercase().replace(' ', "-")
        );
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        let forms: Vec<String> = forms.iter().filter(|form| form["type"] != "null").map(kind).collect();
        return forms.join(" or ");
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
        }
        _ => vec!["value"],
    };
    match kinds[..] {
        ["array"] => format!("list of {}", kind(&schema["items"])),
        ["boolean"] => "true or false".to_owned(),
        _ => kinds.join(" or "),
    }
}

const COMMANDS: &str = "\
# Commands

The help of each command (`dibump COMMAND --help`). `dibump man --write FOLDER` writes the same as manual pages.
";

#[tokio::test]
async fn the_page_of_commands_is_what_they_say_of_themselves() {
    let desk = Desk::new();
    let help = async |command: &[&str]| {
        let ran = desk.dibump(&[command, &["--help"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        ran.stdout
    };
    let program = help(&[]).await;
    let commands = |help: &str| -> Vec<String> {
        let lines =
            help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names =
            lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        names.filter(|name| *name != "help").map(str::to_owned).collect()
    };
    let mut page = format!("{COMMANDS}\n```text\n{program}```\n");
    for command in commands(&program) {
        let own = help(&[&command]).await;
        page += &format!("\n## `dibump {command}`\n\n```text\n{own}```\n");
        for below in commands(&own) {
            page += &format!(
                "\n### `dibump {command} {below}`\n\n```text\n{}```\n",
                help(&[&command, &below]).await
            );
        }
    }
    is_printed("commands.md", &page);
}

/// Messages change, and a page about them must not keep the old ones.
#[test]
fn troubleshooting_speaks_of_messages_that_exist() {
    let texts =
        files(&root().join("src"), "rs").into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    let broken = Regex::new(r"\\\n\s*").unwrap();
    let sources = broken.replace_all(&texts.collect::<String>(), "").into_owned();
    let page = std::fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let code = Regex::new("`([^`]+)`").unwrap();
    let mut count = 0;
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let message = row.split(" | ").next().unwrap();
        for text in code.captures_iter(message).map(|found| found[1].to_owned()) {
            for part in text.split(['…', '(', ')']).flat_map(|part| part.split("HOST")).map(str::trim) {
                let part = part.trim_end_matches(" version_key").trim_end_matches("with 0.4.11").trim();
                count += 1;
                assert!(part.len() < 4 || sources.contains(part), "no message says `{part}`: {row}");
            }
        }
    }
    assert!(count > 20, "only {count} parts of messages");
}

/// Links of Markdown; those in code are none.
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());

#[test]
fn links_between_pages_lead_to_files_and_headings() {
    let mut pages =
        vec![root().join("README.md"), root().join("CONTRIBUTING.md"), root().join("SECURITY.md")];
    pages.extend(files(&root().join("docs"), "md"));
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for link in LINK.captures_iter(&without_code(&text)).map(|found| found[1].to_owned()) {
            count += 1;
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let is_elsewhere = link.starts_with("http") || link.starts_with("mailto:");
            if !is_elsewhere
                && !(target.exists() && (heading.is_empty() || headings(&target).contains(heading)))
            {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_book_has_every_page() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let linked: BTreeSet<PathBuf> =
        LINK.captures_iter(&summary).map(|found| root().join("docs").join(&found[1])).collect();
    let pages: BTreeSet<PathBuf> =
        files(&root().join("docs"), "md").into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(linked, pages);
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "README.md has {} lines", readme.lines().count());
}

/// Pages whose commands another test runs, or that another test prints.
const RUN_ELSEWHERE: [&str; 2] = ["bare-metal.md", "merge-request.md"];

/// The lines of the blocks of commands of a page, and of those that are not run the reason.
fn blocks(text: &str) -> Vec<(Option<&str>, Vec<&str>)> {
    let mut blocks: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    let (mut inside, mut above) = (false, "");
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("```") {
            Some(kind) if !inside && ["console", "sh", "shell", "bash"].contains(&kind) => {
                let reason = above.strip_prefix("<!-- no-run: ").and_then(|text| text.strip_suffix(" -->"));
                blocks.push((reason, Vec::new()));
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => blocks.last_mut().unwrap().1.push(line),
            None => {}
        }
        above = line;
    }
    blocks
}

#[test]
fn every_block_of_commands_is_run_or_says_why_not() {
    let pages = [vec![root().join("README.md")], files(&root().join("docs"), "md")].concat();
    let is_here = |page: &&PathBuf| {
        !RUN_ELSEWHERE.iter().any(|name| page.ends_with(name)) && !page.ends_with("quick-start.md")
    };
    for page in pages.iter().filter(is_here) {
        let text = std::fs::read_to_string(page).unwrap();
        for (reason, commands) in blocks(&text) {
            assert!(reason.is_some_and(|reason| reason.len() > 10), "{}: {commands:?}", page.display());
        }
    }
    assert_eq!(
        blocks("a\n```sh\nb\n```\n```yaml\nc\n```\n<!-- no-run: d -->\n```console\n$ e\n```"),
        [(None, vec!["b"]), (Some("d"), vec!["$ e"])]
    );
}

/// In order, in a checkout with the file that the page shows. The registry is ours, and speaks plain HTTP.
#[tokio::test]
async fn the_quick_start_runs_as_it_stands() {
    let text = std::fs::read_to_string(root().join("docs/quick-start.md")).unwrap();
    let registry = FakeRegistry::start().await;
    for (version, patch) in [("0.4.11", 11), ("0.4.12", 12)] {
        let image = Image::new(&format!("ubuntu-noble-plain-rke2-1-30-{patch}"));
        registry.release("base/sylva-elements/diskimage-builder", version, &[image]);
    }
    let file = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let desk = Desk::new();
    desk.write("values.yaml", format!("{file}sylva_base_oci_registry: {}\n", registry.prefix("base")));
    let program = env!("CARGO_BIN_EXE_dibump");
    std::fs::create_dir(desk.path("bin")).unwrap();
    let plain = "case $1 in plan|check|releases|init) set -- \"$@\" --plain-http;; esac";
    desk.write("bin/dibump", format!("#!/bin/sh\n{plain}\nexec {program} \"$@\"\n"));
    let run = async |command: &str| {
        let mut shell = tokio::process::Command::new("/bin/sh");
        let path = format!("{}:/usr/bin:/bin", desk.path("bin").display());
        shell
            .args(["-c", command])
            .current_dir(desk.path(""))
            .env_clear()
            .env("PATH", path)
            .env("DIBUMP_NOW", &desk.now);
        let output = shell.output().await.unwrap();
        assert!(output.status.success(), "{command}: {output:#?}");
    };
    run("chmod +x bin/dibump && git init -q . && git remote add origin git@gitlab.com:group/deployment.git && git add values.yaml").await;
    let mut count = 0;
    for (_, commands) in blocks(&text).into_iter().filter(|(reason, _)| reason.is_none()) {
        for command in commands.iter().filter_map(|line| line.strip_prefix("$ ")) {
            run(command).await;
            count += 1;
        }
    }
    assert!(count >= 9, "only {count} commands");
    assert!(
        String::from_utf8(desk.read("values.yaml"))
            .unwrap()
            .contains("sylva_diskimagebuilder_version: 0.4.12\n")
    );
}

/// The names by which both forges link the headings of a page.
fn headings(page: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let name = |line: &str| -> String {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>()
            .replace(' ', "-")
    };
    // The name is in code more often than not.
    let mut fenced = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        if line.starts_with('#') && !fenced {
            names.insert(name(line));
        }
    }
    names
}

fn without_code(text: &str) -> String {
    let mut fenced = false;
    let is_text = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    };
    text.lines().filter(is_text).collect::<Vec<_>>().join("\n")
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let below = |path: PathBuf| {
        if path.is_dir() { files(&path, kind) } else { vec![path] }
    };
    entries.into_iter().flat_map(below).filter(|path| path.extension().is_some_and(|of| of == kind)).collect()
}
