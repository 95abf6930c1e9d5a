//! Cold start, and the edit of a file as large as that of sylva-core (387 KB, 9,818 lines).

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use dibump::values::Document;
use serde_json::json;

use crate::DIBUMP;
use crate::measure::{instructions, median, ms, pairs, peak, row, time};

const RUNS: usize = 31;
const LINES: usize = 9_818;

/// `dibump --version`.
pub(crate) fn cold_start() {
    let times = (0..RUNS).map(|_| time(Command::new(DIBUMP).arg("--version"))).collect();
    row("cold start (`--version`)", &ms(median(times)), "");
}

/// `plan --observed … --write` beside `sed -i`, on fresh copies of one file.
pub(crate) fn large_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, observed) = (folder.path().join("values.yaml"), folder.path().join("releases.json"));
    let before = values("0.4.11", "1-31-7");
    assert_eq!(before.lines().count(), LINES);
    std::fs::write(&observed, releases()).expect("a file");

    let plan = || {
        let mut command = Command::new(DIBUMP);
        command.args(["plan", "--to", "0.4.12", "--write", "--format", "diff", "--observed"]);
        command.arg(&observed).arg(&file).env_clear();
        command
    };
    let fresh = |path: &Path| std::fs::write(path, &before).expect("a file");
    fresh(&file);
    let peak = peak(&plan());
    assert_eq!(
        std::fs::read_to_string(&file).expect("a file"),
        values("0.4.12", "1-31-8"),
        "unplanned lines changed"
    );

    let of = |command: &mut Command| {
        fresh(&file);
        time(command)
    };
    let script =
        "s/^sylva_diskimagebuilder_version: .*/sylva_diskimagebuilder_version: 0.4.12/;s/1-31-7:/1-31-8:/";
    let sed = || of(Command::new("sed").args(["-i", script]).arg(&file));
    let (ours, theirs) = pairs(RUNS, || of(&mut plan()), sed);
    let ours = format!("{}, {peak:.1} MiB, 0 unplanned lines", ms(ours));
    row("edit a values file of 9,818 lines, whole process", &ours, &format!("`sed -i` {}", ms(theirs)));
    fresh(&file);
    in_parses("the same", &plan(), &file);
    of_sylva_core(folder.path());
}

/// The edit of sylva-core's own file, with 64 releases that were observed, where both lie beside the checkout.
fn of_sylva_core(folder: &Path) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let (file, observed) = (folder.join("sylva-core.yaml"), data.join("observed.json"));
    let Ok(values) = std::fs::read(data.join("sylva-core/fd968edcf/values.yaml")) else {
        return row("edit sylva-core's own values file", "not measured: not there", "");
    };
    std::fs::write(&file, values).expect("a file");
    let mut command = Command::new(DIBUMP);
    command.args(["plan", "--to", "0.4.11", "--write", "--observed"]).arg(observed).arg(&file);
    in_parses("edit sylva-core's own values file, 64 releases", &command, &file);
}

/// What a command costs, in parses of one file.
fn in_parses(what: &str, command: &Command, file: &Path) {
    let parses = |count: &str| {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args([PARSES, count]).arg(file);
        instructions(&command)
    };
    // The file is parsed before it is edited.
    let parse = parses("2").zip(parses("1")).map(|(two, one)| two - one);
    let (Some(parse), Some(all)) = (parse, instructions(command)) else {
        return row(&format!("{what}, instructions"), "not measured: needs valgrind", "");
    };
    let millions = |count: u64| format!("{:.0} million", count as f64 / 1e6);
    let ours = format!("{}, {:.2} × a parse", millions(all), all as f64 / parse as f64);
    row(&format!("{what}, instructions"), &ours, &format!("one parse {}", millions(parse)));
}

/// The argument with which this program parses a file so many times.
const PARSES: &str = "--parses";

/// Parses a file, if that is what this process is for.
pub(crate) fn is_parser() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [PARSES, count, file] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        return false;
    };
    let bytes = std::fs::read(file).expect("a file");
    for _ in 0..count.parse::<usize>().expect("a number") {
        Document::parse(bytes.clone()).expect("YAML");
    }
    true
}

const FAMILIES: [&str; 6] = [
    "ubuntu-noble-hardened-rke2",
    "ubuntu-noble-plain-rke2",
    "ubuntu-noble-plain-kubeadm",
    "opensuse-15-6-plain-rke2",
    "opensuse-15-6-hardened-rke2",
    "opensuse-15-6-plain-kubeadm",
];

/// A file in the manner of a large chart: nested settings, templates in strings, comments.
fn values(version: &str, patch: &str) -> String {
    let mut text = String::from("# Values of a large chart.\nunits:\n");
    let mut lines = 2;
    let mut unit = 0;
    let mapping = 6 + FAMILIES.len() * 2;
    while lines < LINES - mapping {
        let block = [
            format!("  unit-{unit}:"),
            format!("    enabled: {}  # see the documentation of unit-{unit}", unit % 3 == 0),
            "    depends_on:".to_owned(),
            format!("      namespace-defs: '{{{{ tuple . \"unit-{unit}\" | include \"unit-enabled\" }}}}'"),
            "    # the chart is pinned, its values are not".to_owned(),
            "    helmrelease_spec:".to_owned(),
            format!("      chart: {{spec: {{chart: unit-{unit}, version: 1.{unit}.0}}}}"),
            "      values: >-".to_owned(),
            "        {{ .Values.cluster.name }} is served by {{ .Values.registry | quote }}".to_owned(),
            String::new(),
        ];
        for line in block.iter().take(LINES - mapping - lines) {
            writeln!(text, "{line}").expect("a string");
            lines += 1;
        }
        unit += 1;
    }
    writeln!(text, "# renovate: depName=diskimage-builder\nsylva_diskimagebuilder_version: {version}\n")
        .expect("a string");
    writeln!(text, "sylva_diskimagebuilder_images:").expect("a string");
    for family in FAMILIES {
        writeln!(text, "  {family}-{patch}:\n    os_images_oci_registry: sylva").expect("a string");
    }
    text.push_str("\nlast: line\n");
    text
}

fn releases() -> String {
    let release = |version: &str, patch: &str| {
        let artifacts = FAMILIES.map(|family| json!({"name": format!("{family}-{patch}")}));
        json!({"version": version, "artifacts": artifacts})
    };
    let all = [("0.4.11", "1-31-7"), ("0.4.12", "1-31-8")].map(|(version, patch)| release(version, patch));
    json!({"schema": "dibump.releases/1", "releases": all}).to_string()
}
