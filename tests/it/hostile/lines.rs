//! A line is ours from its beginning: text from a registry, a forge or a file begins none, moves no cursor and turns no text.

use crate::fake::oci::Image;
use crate::world::{PREFIX, Ran, VALUES, World};

/// What GitHub's runner takes for a command at the beginning of a line, after what ends a line, moves the cursor, or
/// turns the text.
const EVIL: &str = "x\n::evil::\r::evil::\u{1b}[2J\u{9b}2J\u{202e}\u{2066}\u{2028}::evil::\u{85}::evil::\0";

/// The same as YAML writes it in double quotes.
const IN_YAML: &str = r"x\n::evil::\r::evil::\e[2J\u009b2J\u202e\u2066\L::evil::\N::evil::";

/// Lines that text from outside begins, and characters that no line may hold.
fn faults(text: &str, what: &str) -> Vec<String> {
    let begun = text.split('\n').filter(|line| line.trim_start().starts_with("::evil"));
    let mut faults: Vec<String> = begun.map(|line| format!("{what} begins a line: {line:?}")).collect();
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    let is_strange = |c: char| c.is_control() && c != '\n' || turns(c);
    let strange = text.split('\n').filter(|line| line.chars().any(is_strange));
    faults.extend(strange.map(|line| format!("{what} holds what moves or turns: {line:?}")));
    faults
}

fn all_faults(ran: &Ran, what: &str) -> Vec<String> {
    [faults(&ran.stdout, &format!("stdout of {what}")), faults(&ran.stderr, &format!("stderr of {what}"))]
        .concat()
}

/// A registry whose annotations, a file whose keys and comments, and a forge whose words mean harm.
async fn world() -> World {
    let world = World::new().await;
    for (patch, keys) in [
        (11, &["os", "os-release"][..]),
        (12, &["flavor", "k8s-flavor", "k8s-version", "os", "os-release"][..]),
    ] {
        let name = format!("ubuntu-noble-plain-rke2-1-30-{patch}");
        let said = keys.iter().fold(Image::new(&name), |image, key| {
            image.with(&format!("sylvaproject.org/diskimage/{key}"), EVIL)
        });
        let said = said
            .with("org.opencontainers.image.revision", EVIL)
            .with("sylvaproject.org/diskimage/commit-tag", EVIL);
        world.registry.release(PREFIX, &format!("0.4.{patch}"), &[said]);
    }
    let values = format!(
        "# \u{202e}evil\nsylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n  \
         ubuntu-noble-plain-rke2-1-30-11: {{os: \"{IN_YAML}\"}}\n  \"{IN_YAML}\": {{}}\ncluster:\n  capo:\n    \
         image_key: \"{IN_YAML}\"\n  capm3: {{os_image_selector: {{os: \"{IN_YAML}\"}}}}\n  k8s_version: \"{IN_YAML}\"\n"
    );
    world.desk.write(VALUES, &values);
    world.hub.commit("main", "Evil", &[(VALUES, values.as_bytes())]);
    world.add("policy: {inconsistent: off, incomplete: off, big_jump: off}");
    world
}

#[tokio::test]
async fn nothing_from_outside_begins_a_line_of_any_output() {
    let world = world().await;
    let commands: [&[&str]; 26] = [
        &["plan", VALUES],
        &["plan", VALUES, "-vv"],
        &["plan", VALUES, "--format", "json"],
        &["plan", VALUES, "--to", "0.4.12", "--images", "all"],
        &["check", VALUES],
        &["check", VALUES, "--format", "json"],
        &["check", VALUES, "--format", "markdown"],
        &["check", VALUES, "--format", "junit"],
        &["check", VALUES, "--format", "code-quality"],
        &["check", VALUES, "--format", "sarif"],
        &["artifacts", "0.4.12"],
        &["artifacts", "0.4.12", "--format", "markdown"],
        &["artifacts", "0.4.12", "--format", "json"],
        &["releases"],
        &["releases", "--format", "markdown"],
        &["releases", "--diff", "0.4.11..0.4.12"],
        &["releases", "--diff", "0.4.11..0.4.12", "--format", "markdown"],
        &["os-images", "-f", VALUES],
        &["os-images-info", "-f", VALUES],
        &["os-images-info", "-f", VALUES, "--format", "json"],
        &["machine-image", "-f", VALUES],
        &["config", "validate"],
        &["config", "show"],
        &["run", "--dry-run"],
        &["run", "-vv", "--output", "markdown=run.md", "--output", "json=run.json"],
        &["run", "--output", "dotenv=run.env", "--output", "annotations=run.links"],
    ];
    let mut faults = Vec::new();
    for command in commands {
        let ran = world.desk.dibump(command).await;
        assert_ne!(ran.exit, Some(2), "{command:?} is no command: {ran:#?}");
        faults.extend(all_faults(&ran, &format!("{command:?}")));
    }
    for file in ["run.md", "run.json", "run.env", "run.links"] {
        faults.extend(self::faults(&String::from_utf8(world.desk.read(file)).unwrap(), file));
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_cannot_be_read_writes_no_line_either() {
    let world = world().await;
    for (name, text) in [
        (
            "version",
            format!("sylva_diskimagebuilder_version: \"{IN_YAML}\"\ndiskimage_builder_os_images: {{}}\n"),
        ),
        ("twice", format!("\"{IN_YAML}\": 1\n\"{IN_YAML}\": 2\nsylva_diskimagebuilder_version: 0.4.11\n")),
        ("syntax", "a: [\u{1b}[2J\n::evil::".to_owned()),
    ] {
        world.desk.write(VALUES, &text);
        for command in [&["plan", VALUES][..], &["check", VALUES], &["os-images", "-f", VALUES]] {
            let ran = world.desk.dibump(command).await;
            assert_eq!(all_faults(&ran, &format!("{name}: {command:?}")), Vec::<String>::new());
        }
    }
    world.desk.write(
        "dibump.yaml",
        format!("version: 1\nproducers: [{{registry: \"{IN_YAML}\", \"{IN_YAML}\": 1}}]\ntargets: []\n"),
    );
    let ran = world.desk.dibump(&["config", "validate"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert_eq!(all_faults(&ran, "config validate"), Vec::<String>::new());
}
