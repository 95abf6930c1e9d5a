//! What a plan announces and what `check` finds, by the program, before and after the update of a real file.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::errors::{Errors, beyond, errors};

/// Updates a file at the default settings by the releases that were observed, and compares.
///
/// # Errors
/// An error that is new and was not announced, and the reverse; a file that is not written.
pub fn check(folder: &Path, id: &str, to: &str) -> Result<String, String> {
    let desk = tempfile::tempdir().unwrap();
    let observed = folder.join("observed.json");
    std::fs::copy(folder.join("replay").join(id).join("before.yaml"), desk.path().join("values.yaml"))
        .unwrap();
    let run = |arguments: &[&str]| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
            .args(arguments)
            .args(["values.yaml", "--format", "json", "--observed"])
            .arg(&observed)
            .current_dir(desk.path())
            .env_clear()
            .output()
            .unwrap();
        let error = || String::from_utf8_lossy(&output.stderr).into_owned();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", error()))
    };
    let before = errors(&run(&["check"])["findings"]);
    let plan = run(&["plan", "--to", to, "--write"]);
    let after = errors(&run(&["check"])["findings"]);
    let announced = errors(&plan["findings"]["new"]);
    let new = beyond(&before, after);
    let total = |errors: &Errors| errors.values().sum::<usize>();
    let told = format!("{} new errors, {} announced", total(&new), total(&announced));
    match (plan["outcome"] == "update", new == announced) {
        (true, true) => Ok(told),
        (true, false) => Err(format!("{told}: {new:?} {announced:?}")),
        (false, _) => Err(format!("not written: {} {}", plan["outcome"], plan["reason"])),
    }
}
