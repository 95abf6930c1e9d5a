//! A deployment of sylva-core, from its values to the images of its machines: the chart's own values file and that of an
//! environment, merged and rendered. It is all processor time: nothing is asked of anybody.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::DIBUMP;
use crate::measure::{median, ms, peak, processor, row};

const RUNS: usize = 31;

/// A row for the excerpts of this repository, and one for sylva-core's own files where they lie beside the checkout.
pub(crate) fn all() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places =
        [("an excerpt", "tests/data/sylva-core"), ("sylva-core's own values", "../shared/data/sylva-core")];
    for (what, folder) in places {
        let chart = root.join(folder).join("fd968edcf");
        if !chart.is_dir() {
            row(&format!("values to machine images, {what}"), "not measured: not there", "");
            continue;
        }
        for command in [["machine-image"].as_slice(), &["os-images", "--served", "--offline"]] {
            measured(what, &chart, command);
        }
    }
}

fn measured(what: &str, chart: &Path, arguments: &[&str]) {
    let files: Vec<PathBuf> =
        ["values.yaml", "management.values.yaml", "environments/rke2-capm3/values.yaml"]
            .iter()
            .map(|file| chart.join(file))
            .filter(|file| file.is_file())
            .collect();
    let size: u64 = files.iter().map(|file| file.metadata().expect("a file").len()).sum();
    let run = || {
        let mut command = Command::new(DIBUMP);
        command.args(arguments).arg("--os-images-info").arg(chart.join("os-images-info/01.yaml")).env_clear();
        for file in &files {
            command.arg("-f").arg(file);
        }
        command
    };
    let peak = peak(&run());
    let took = median((0..RUNS).map(|_| processor(&mut run())).collect());
    let command = arguments.join(" ");
    let what = format!("`{command}` of a deployment, {what} ({} KB), processor time", size / 1000);
    row(&what, &format!("{}, {peak:.1} MiB", ms(took)), "");
}
