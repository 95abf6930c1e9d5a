//! The program, as a pipeline runs it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What a run said.
pub struct Ran {
    pub exit: Option<i32>,
    /// The report; null where there is none.
    pub report: Value,
    pub stderr: String,
}

/// Runs a command in a folder, with its report as JSON.
pub fn dibump(folder: &Path, arguments: &[String]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_dibump"))
        .args(arguments)
        .args(["--format", "json"])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    Ran {
        exit: output.status.code(),
        report: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Whether the program ended as it should where something cannot be answered: it said why, and is no bug.
    pub fn is_refusal(&self) -> bool {
        matches!(self.exit, Some(3..=5)) && self.stderr.contains("error: ")
    }

    /// The image of each machine and its URL.
    pub fn machines(&self) -> Vec<(String, Option<String>, String)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let images = self.report["images"].as_array().into_iter().flatten();
        let machine = |image: &Value| {
            let url = text(&image["image"]["url"]).unwrap_or_default();
            (text(&image["machines"]).unwrap_or_default(), text(&image["key"]), url)
        };
        images.map(machine).collect()
    }
}
