//! Timing of whole processes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// Runs a command to its end; it must succeed.
pub fn time(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    let took = begin.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

/// The median of some times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The largest resident set of any child process so far, in MiB. Measure the one of interest before its peers run.
pub fn peak_of_children() -> f64 {
    getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts").max_rss() as f64 / 1024.0
}

/// One row of the table.
pub fn row(what: &str, ours: &str, beside: &str) {
    println!("| {what} | {ours} | {beside} |");
}

/// A duration in milliseconds.
pub fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
