//! Every version of sylva-core's values file that a repository has: is the producer found without a flag?

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use dibump::budget::Budget;
use dibump::plan::{FileSpec, Mention, Parsed, Target, producers};

const FILE: &str = "charts/sylva-units/values.yaml";
const VERSION: &str = "sylva_diskimagebuilder_version";

/// Prints how often the producer of the version is found, and by what.
///
/// # Panics
/// Where fewer than 99 in 100 are found.
pub fn report(repository: &Path) {
    let blobs = Mutex::new(blobs(repository));
    let counts: Mutex<BTreeMap<&str, usize>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut reader = Reader::start(repository);
                while let Some(blob) = super::next(&blobs) {
                    if let Some(found) = found(reader.read(&blob)) {
                        *counts.lock().unwrap().entry(found).or_default() += 1;
                    }
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    let of = |wanted: fn(&&str) -> bool| -> usize {
        counts.iter().filter(|(found, _)| wanted(found)).map(|(_, count)| count).sum()
    };
    let (readable, missed) = (of(|found| *found != BROKEN), of(|found| found.starts_with("nothing")));
    let share = |count: usize| 100.0 * count as f64 / readable.max(1) as f64;
    println!("{readable} versions of {FILE} are YAML and set {VERSION}; its producer is found by");
    for (found, count) in counts.iter().filter(|(found, _)| **found != BROKEN) {
        println!("  {found}: {count} ({:.1} %)", share(*count));
    }
    println!("{} more are {BROKEN}", of(|found| *found == BROKEN));
    assert!(readable > 0 && share(readable - missed) >= 99.0, "{missed} of {readable} are not found");
}

/// Somebody committed a conflict, or a text that Helm's reader refuses as well.
const BROKEN: &str = "no YAML";

/// By what the producer of the version is found; `None` where the file sets no version.
fn found(bytes: Vec<u8>) -> Option<&'static str> {
    let text = String::from_utf8_lossy(&bytes);
    text.lines()
        .any(|line| line.strip_prefix(VERSION).is_some_and(|rest| rest.starts_with(':')))
        .then_some(())?;
    let spec = FileSpec { path: FILE.to_owned(), overlay: false, version_key: None, images_key: None };
    let target = Target { files: vec![spec], ..Target::default() };
    let parsed = Parsed::new(&target, BTreeMap::from([(FILE.to_owned(), bytes.clone())]));
    let Ok(parsed) = parsed else {
        let is_yaml = yaml_serde::from_slice::<serde_json::Value>(&bytes).is_ok();
        return Some(if is_yaml { "nothing: only dibump cannot read the file" } else { BROKEN });
    };
    let Ok(producers) = producers(&target, &parsed, &Budget::default()) else {
        return Some("nothing: an error");
    };
    let found = producers.into_iter().find(|producer| producer.version_key.to_string() == VERSION);
    Some(match found.map(|producer| producer.mention) {
        Some(Mention::Registry(_)) => "an entry of the registries",
        Some(Mention::Comment(_)) => "a comment for Renovate",
        None => "nothing: no mention",
    })
}

/// The different contents that the file ever had.
fn blobs(repository: &Path) -> Vec<String> {
    let log = ["log", "--all", "--format=", "--raw", "--no-abbrev", "--", FILE];
    let output = Command::new("git").arg("-C").arg(repository).args(log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = String::from_utf8(output.stdout).unwrap();
    let mut blobs: Vec<String> =
        log.lines().filter_map(|line| line.split(' ').nth(3)).map(str::to_owned).collect();
    blobs.retain(|blob| blob.bytes().any(|byte| byte != b'0'));
    blobs.sort();
    blobs.dedup();
    blobs
}

/// `git cat-file --batch`
struct Reader {
    git: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Reader {
    fn start(repository: &Path) -> Self {
        let mut git = Command::new("git");
        git.arg("-C").arg(repository).args(["cat-file", "--batch"]);
        let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (git.stdin.take().unwrap(), BufReader::new(git.stdout.take().unwrap()));
        Self { git, stdin, stdout }
    }

    fn read(&mut self, blob: &str) -> Vec<u8> {
        writeln!(self.stdin, "{blob}").unwrap();
        let mut head = String::new();
        self.stdout.read_line(&mut head).unwrap();
        let size: usize = head.trim().rsplit(' ').next().unwrap().parse().unwrap();
        let mut bytes = vec![0; size + 1];
        self.stdout.read_exact(&mut bytes).unwrap();
        bytes.truncate(size);
        bytes
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        drop(self.git.kill());
        drop(self.git.wait());
    }
}
