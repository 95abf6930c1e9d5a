//! Timing and peak memory of whole processes.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

/// The argument with which this program runs a command as its only child and says how much memory that took.
const PEAK_OF: &str = "--peak-of";

/// Runs a command to its end; it must succeed.
pub(crate) fn time(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    let took = begin.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

/// The processor time of a command and its children, in user and system mode; it must succeed. Nothing else may run as a
/// child at the same time.
pub(crate) fn processor(command: &mut Command) -> Duration {
    let spent = || {
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
        let micros =
            |time: nix::sys::time::TimeVal| u64::try_from(time.num_microseconds()).unwrap_or_default();
        Duration::from_micros(micros(usage.user_time()) + micros(usage.system_time()))
    };
    let before = spent();
    time(command);
    spent() - before
}

/// The medians of two commands that alternate, after one run of each that does not count.
pub(crate) fn pairs(
    runs: usize,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) -> (Duration, Duration) {
    ours();
    theirs();
    let times: Vec<(Duration, Duration)> = (0..runs).map(|_| (ours(), theirs())).collect();
    let (ours, theirs) = times.into_iter().unzip();
    (median(ours), median(theirs))
}

/// The median of some times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The largest resident set of a command, in MiB. A process between counts it: a child begins with the resident set
/// of its parent, and this one, with its servers, is larger than what is measured.
pub(crate) fn peak(command: &Command) -> f64 {
    let this = std::env::current_exe().expect("this program has a path");
    let mut between = Command::new(this);
    between.env_clear().arg(PEAK_OF).arg(command.get_program()).args(command.get_args());
    between.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = between.output().expect("this program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The process between, if this is it.
pub(crate) fn is_between() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != PEAK_OF) {
        return false;
    }
    let program = arguments.next().expect("a program");
    time(Command::new(program).args(arguments));
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    println!("{}", usage.max_rss() as f64 / 1024.0);
    true
}

/// The instructions that a command takes, as valgrind counts them; `None` without valgrind. The same command takes the same
/// on every machine of one kind, however busy it is.
pub(crate) fn instructions(command: &Command) -> Option<u64> {
    let mut counted = Command::new("valgrind");
    counted.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    counted.arg(command.get_program()).args(command.get_args());
    let output = counted.stdin(Stdio::null()).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{counted:?}: {told}");
    let count = told.lines().find_map(|line| line.split_once("refs:"))?.1;
    count.trim().replace(',', "").parse().ok()
}

/// One row of the table.
pub(crate) fn row(what: &str, ours: &str, beside: &str) {
    println!("| {what} | {ours} | {beside} |");
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}
