//! `tests/run`: what it says, and what it does to the machine, with other programs in place of apt-get and cargo.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `tests/run` finds on the machine, and what it called.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    /// It has Node.js of one version, and its packages bring one of another; all else is there.
    fn new(node: &str, packaged: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        machine.node(node);
        machine.program("npm", "");
        for name in ["docker-registry", "nginx", "curl", "wget", "aria2c", "wrk"] {
            machine.program(name, "");
        }
        machine.program("python3", "echo 3.13.5");
        machine.program("sudo", "[ \"$1\" != -n ] || shift; exec \"$@\"");
        let candidate = format!("echo nodejs:; echo '  Candidate: {packaged}+dfsg-1~deb12u1'");
        machine.program("apt-cache", &candidate);
        let node = machine.path("bin/node");
        let install = format!(
            "case \"$1\" in install) printf '#!/bin/sh\\necho {packaged}\\n' > '{}';; esac",
            node.display()
        );
        machine.program(
            "apt-get",
            &format!("echo \"apt-get $*\" >> '{}'; {install}", machine.path("called").display()),
        );
        machine.program("cargo", &format!("echo \"cargo $1\" >> '{}'", machine.path("called").display()));
        machine.clients();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        write_program(&self.path("bin").join(name), script);
    }

    fn node(&self, version: &str) {
        self.program("node", &format!("echo {version}"));
    }

    /// What pip and npm would install.
    fn clients(&self) {
        let pins = ["requirements.txt", "package-lock.json"];
        let pins = pins.map(|name| std::fs::read(root().join("tests/clients").join(name)).unwrap());
        for name in ["python/bin/python", "node"] {
            write_program(&self.path("target/clients").join(name), "");
        }
        std::fs::write(self.path("target/clients/pins"), pins.concat()).unwrap();
    }

    /// How it ends, what it says, and which of apt-get and cargo it called.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = Command::new(root().join("tests/run"))
            .args(arguments)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("CARGO_TARGET_DIR", self.path("target"))
            .output()
            .unwrap();
        let called = std::fs::read_to_string(self.path("called")).unwrap_or_default();
        (output.status.code(), String::from_utf8(output.stderr).unwrap(), called)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn write_program(path: &Path, script: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

const TESTS: &str = "cargo test\ncargo test\ncargo test\n";

#[test]
fn where_all_is_there_nothing_is_said_and_the_tests_are_run() {
    assert_eq!(Machine::new("20.19.2", "").run(&[]), (Some(0), String::new(), TESTS.to_owned()));
    assert_eq!(
        Machine::new("20.19.2", "").run(&["--no-install"]),
        (Some(0), String::new(), TESTS.to_owned())
    );
}

#[test]
fn it_says_what_it_will_install_and_then_installs_it() {
    let (exit, said, called) = Machine::new("18.20.4", "20.19.2").run(&[]);
    assert_eq!(exit, Some(0), "{said}");
    insta::assert_snapshot!(said, @r"
    tests/run: Node.js with npm 18.20.4 is too old (20 or newer is needed)
    tests/run: will install with apt-get, as root: nodejs npm
    ");
    assert_eq!(
        called,
        format!("apt-get update -qq\napt-get install -y -qq --no-install-recommends nodejs npm\n{TESTS}")
    );
}

#[test]
fn a_package_that_is_too_old_is_said_before_anything_is_installed() {
    let (exit, said, called) = Machine::new("18.20.4", "18.20.4").run(&[]);
    assert_eq!((exit, called.as_str()), (Some(1), ""), "{said}");
    reads!(said, @"
    tests/run: Node.js with npm 18.20.4 is too old (20 or newer is needed)
    tests/run: will install with apt-get, as root: nodejs npm
    tests/run: nodejs 18.20.4 of this system is too old (20 or newer is needed): use Debian 13 or newer, or have it in PATH; nothing was installed
    ");
}

#[test]
fn the_system_is_left_alone_where_that_is_asked() {
    let machine = Machine::new("18.20.4", "20.19.2");
    let (exit, said, called) = machine.run(&["--no-install"]);
    assert_eq!((exit, called.as_str()), (Some(1), ""), "{said}");
    insta::assert_snapshot!(said, @r"
    tests/run: Node.js with npm 18.20.4 is too old (20 or newer is needed)
    tests/run: nothing was installed; on Debian 13 or newer: apt-get install nodejs npm
    ");
    machine.node("20.19.2");
    std::fs::remove_file(machine.path("target/clients/pins")).unwrap();
    let (exit, said, called) = machine.run(&["--no-install"]);
    assert_eq!((exit, called.as_str()), (Some(1), ""), "{said}");
    reads!(said, @"tests/run: the clients that tests/clients pins are not installed below FOLDER/target/clients; nothing was installed");
    assert!(!machine.path("target/clients/pins").exists());
}

#[test]
fn another_argument_is_a_wrong_command_line() {
    let (exit, said, called) = Machine::new("20.19.2", "").run(&["--no-instal"]);
    assert_eq!((exit, called.as_str()), (Some(2), ""));
    assert_eq!(said, "tests/run: usage: tests/run [--no-install]\n");
}
