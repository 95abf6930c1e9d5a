//! Holds the consumer's commands against what Helm made of sylva-core's real chart: which images a deployment has, which
//! image each machine gets and from which URL, and which images are served.
//!
//! `cargo test --test sylva` runs the excerpt of this repository, and sylva-core's own files where they lie beside the
//! checkout. `cargo test --test sylva -- FOLDER` runs those of another folder: `FOLDER/<commit>/expected.json` with the
//! files that its cases name, and `FOLDER/selector-inheritance.json`. Anything but equality fails.
//!
//! `cargo test --test sylva -- REPOSITORY`, with a repository of sylva-core (bare or a `.git` folder), says of every version
//! of its values file whether the producer is found without a flag.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test fails by panicking, and sets up its own files and processes"
)]

#[path = "sylva/case.rs"]
mod case;
#[path = "sylva/history.rs"]
mod history;
#[path = "sylva/inheritance.rs"]
mod inheritance;
#[path = "sylva/init.rs"]
mod init;
#[path = "sylva/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use case::Commit;

/// How an answer stands to Helm's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is the same, or both refuse.
    Equal,
    /// There is an answer, and it is another one.
    Different(String),
    /// Helm has an answer, and there is none.
    Refused(String),
}

/// Verdicts by what was asked and in which case.
pub type Verdicts = Vec<(&'static str, String, Verdict)>;

fn main() -> ExitCode {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sylva-core");
    let named: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .flat_map(std::path::absolute)
        .collect();
    let folders = match named.as_slice() {
        [] => vec![own.clone(), own.join("../../../../shared/data/sylva-core")],
        _ => named.clone(),
    };
    let (repositories, folders): (Vec<_>, Vec<_>) =
        folders.into_iter().partition(|folder| folder.join("objects").is_dir());
    repositories.iter().for_each(|repository| history::report(repository));
    let mut all_equal = true;
    for folder in folders.iter().filter(|folder| !named.is_empty() || folder.is_dir()) {
        all_equal &= report(folder, &verdicts(folder));
    }
    if all_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every case of a folder, two at a time.
fn verdicts(folder: &Path) -> Verdicts {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut commits: Vec<Commit> = entries
        .filter_map(|entry| Some(entry.unwrap().path()).filter(|path| path.join("expected.json").is_file()))
        .map(|path| Commit::read(&path))
        .collect();
    commits.sort_by(|a, b| a.folder.cmp(&b.folder));
    let asked = Mutex::new(commits.iter().flat_map(Commit::cases).collect::<Vec<_>>());
    let verdicts = Mutex::new([inheritance::verdicts(folder), init::verdicts(folder)].concat());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((commit, case)) = next(&asked) {
                    let found = commit.verdicts(case);
                    verdicts.lock().unwrap().extend(found);
                }
            });
        }
    });
    let mut verdicts = verdicts.into_inner().unwrap();
    verdicts.sort();
    verdicts
}

fn next<T>(asked: &Mutex<Vec<T>>) -> Option<T> {
    asked.lock().unwrap().pop()
}

/// Prints what is not equal, and how often each kind is; whether all are.
fn report(folder: &Path, verdicts: &Verdicts) -> bool {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (kind, case, verdict) in verdicts {
        let counts = counts.entry(kind).or_default();
        match verdict {
            Verdict::Equal => counts[0] += 1,
            Verdict::Different(how) => {
                counts[1] += 1;
                println!("{case}: {kind}: different: {how}");
            }
            Verdict::Refused(why) => {
                counts[2] += 1;
                println!("{case}: {kind}: refused: {why}");
            }
        }
    }
    println!("{}", folder.display());
    for (kind, [equal, different, refused]) in &counts {
        println!("test {kind} ... {equal} equal, {different} different, {refused} refused");
    }
    assert!(!verdicts.is_empty(), "{}: no case was found", folder.display());
    counts.values().all(|[_, different, refused]| different + refused == 0)
}
