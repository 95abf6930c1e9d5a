//! Clients that nobody here wrote, as `tests/run` installs them. Their scripts are in `tests/clients`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::world::PATIENCE;

/// What is pinned, as `tests/run` notes it once it is installed.
const PINS: [&str; 2] =
    [include_str!("../clients/requirements.txt"), include_str!("../clients/package-lock.json")];

/// Where they are installed, below the target folder.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    let installed = std::fs::read_to_string(folder.join("pins")).unwrap_or_default();
    assert!(installed == PINS.concat(), "run tests/run, which installs the clients that tests/clients pins");
    folder
}

/// Runs a script in Python, which has python-gitlab.
pub(crate) async fn python(script: &str, arguments: &[&str]) {
    let mut command = Command::new(folder().join("python/bin/python"));
    // Isolated: neither variables nor a user's own packages are looked at.
    command.args(["-I", "-c", script]).args(arguments);
    succeeds(command).await;
}

/// Runs a script in Node.js, which has Octokit: a module that is given as text is at home in the working directory.
pub(crate) async fn node(script: &str, arguments: &[&str]) {
    let mut command = Command::new(folder().join("node"));
    command.args(["--input-type=module", "--eval", script]).args(arguments);
    succeeds(command).await;
}

/// A program of a package of Debian, which `tests/run` installs where it is missing. It gets no variables.
pub(crate) fn debian(program: &str) -> Command {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&search).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(program)).find(|path| path.is_file());
    let mut command =
        Command::new(found.unwrap_or_else(|| panic!("{program} is not installed: run tests/run")));
    command.env_clear().kill_on_drop(true);
    command
}

async fn succeeds(mut command: Command) {
    command.env_clear().current_dir(folder());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output());
    let output = output.await.expect("it ends").expect("it starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{stdout}{stderr}", output.status);
}
