//! The command line: flags to values, commands, exit codes.

mod args;
mod check;
mod cluster;
mod config;
mod deployment;
mod exit;
mod failure;
mod found;
mod generations;
mod init;
mod known;
mod local;
mod log;
mod lookup;
mod machine_image;
mod manual;
mod os_images;
mod os_images_info;
mod output;
mod plan;
mod producers;
mod progress;
mod pull;
mod reached;
mod reading;
mod references;
mod release_diff;
mod releases;
mod run;
mod serve;
mod serve_images;
mod served;
mod session;
mod tls;
mod watchdog;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;

pub use exit::Exit;

use crate::config::{Config, NamedFiles, UsedFile, load_with};
use crate::disk;
use crate::release::without_user_info;
use crate::report;
use crate::wiring::Environment;
use args::{Cli, Command};
use failure::Failure;
use output::Output;
use watchdog::TimeToEnd;

/// What every command works with.
#[derive(Clone)]
struct Context {
    environment: Environment,
    global: args::Global,
    output: Output,
    /// What the process was given, without its name.
    arguments: Arc<[OsString]>,
    /// When `--max-time` is over.
    deadline: Option<Instant>,
    /// Whether it was said that some credentials belong to nobody; once is enough.
    told_of_unclaimed: Arc<AtomicBool>,
}

/// The program, from its arguments to its exit code.
pub fn main() -> ExitCode {
    let (cli, arguments) = match command_line() {
        Ok(line) => line,
        Err(error) => return said(&error),
    };
    let output = Output::new(cli.global.color);
    let environment = match Environment::of_process() {
        Ok(environment) => environment,
        Err(error) => {
            output.complain(&Failure::usage(error.to_string()).render());
            return Exit::Usage.into();
        }
    };
    log::start(&cli.global);
    let deadline = deadline(cli.global.max_time);
    let told_of_unclaimed = Arc::default();
    let context = Context { environment, global: cli.global, output, arguments, deadline, told_of_unclaimed };
    let patience = match &cli.command {
        Command::Serve(_) => TimeToEnd::OF_DAEMON,
        Command::ServeImages(args) => TimeToEnd::until_downloads_end(args.grace),
        _ => TimeToEnd::OF_COMMAND,
    };
    let command = || watchdog::watch(&context, patience).and_then(|()| dispatch(&context, cli.command));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(command));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            context.output.complain(&failure.render());
            failure.exit
        }
        Err(_) => Exit::Bug,
    };
    exit.into()
}

/// The command line as it is meant, and as it was given.
#[expect(clippy::disallowed_methods, reason = "a pull writes down how it can be repeated")]
fn command_line() -> Result<(Cli, Arc<[OsString]>), clap::Error> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = Cli::try_parse_from(&arguments)?;
    Ok((cli, arguments.into_iter().skip(1).collect()))
}

fn dispatch(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Plan(args) => plan::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Run(args) => run::run(context, &args),
        Command::Serve(args) => serve::run(context, &args),
        Command::Releases(args) => releases::releases(context, &args),
        Command::Artifacts(args) => releases::artifacts(context, &args),
        Command::OsImages(args) => os_images::run(context, &args),
        Command::OsImagesInfo(args) => os_images_info::run(context, &args),
        Command::MachineImage(args) => machine_image::run(context, &args),
        Command::Init(args) => init::run(context, &args),
        Command::Pull(args) => pull::run(context, &args),
        Command::ServeImages(args) => serve_images::run(context, &args),
        Command::Config(command) => config::run(context, &command),
        Command::Completions { shell } => manual::completions(context, shell),
        Command::Man { write } => manual::pages(context, write.as_deref()),
    }
}

fn read_text(path: &Path) -> Result<String, Failure> {
    let text = String::from_utf8(disk::read_small(path)?);
    text.map_err(|_| Failure::person(anyhow::anyhow!("{} is not UTF-8", path.display())))
}

/// Help and version are answers; anything else is a wrong command line, which may be quoted with a password in a URL.
fn said(error: &clap::Error) -> ExitCode {
    let (output, text) = (Output::new(args::Color::Auto), error.render().ansi().to_string());
    let exit = match error.use_stderr() {
        true => {
            output.complain(&without_user_info(&text));
            Exit::Usage
        }
        false => match output.print(&text) {
            Ok(()) => Exit::Done,
            Err(failure) => {
                output.complain(&failure.render());
                failure.exit
            }
        },
    };
    exit.into()
}

#[expect(clippy::disallowed_methods, reason = "a deadline begins when the command does")]
fn deadline(limit: Option<std::time::Duration>) -> Option<Instant> {
    Instant::now().checked_add(limit?)
}

impl Context {
    /// The configuration: the named file, else the one that is found.
    fn config(&self) -> Result<Option<Config>, Failure> {
        self.config_with(None)
    }

    /// The configuration of a command that cannot do without.
    fn required_config(&self) -> Result<Config, Failure> {
        self.config()?.ok_or_else(found::none)
    }

    /// The same; where `used` is given, the files that the configuration names are looked at, too.
    fn config_with(&self, used: Option<&UsedFile<'_>>) -> Result<Option<Config>, Failure> {
        let path = match &self.global.config {
            Some(path) => path.as_path(),
            None => match found::configuration()? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let include = |file: &str| {
            let path = path.with_file_name(file);
            (path.display().to_string(), read_text(&path).map_err(|failure| failure.sentence()))
        };
        let files = NamedFiles { include: Some(&include), used };
        Ok(Some(load_with(&path.display().to_string(), &read_text(path)?, files)?))
    }

    /// How wide a line may be: as the terminal is, else as `COLUMNS` says. Without either nothing limits it.
    fn width(&self) -> Option<usize> {
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        let columns = || self.environment.get("COLUMNS").and_then(|columns| columns.parse().ok());
        terminal.map(|(terminal_size::Width(columns), _)| usize::from(columns)).or_else(columns)
    }

    /// Says what is wrong, beside what was done.
    fn error(&self, what: &str) {
        self.said(report::RED, "error", what);
    }

    /// Says what a person should look at.
    fn warn(&self, what: &str) {
        self.said(report::YELLOW, "warning", what);
    }

    /// Says what a person may like to know.
    fn note(&self, what: &str) {
        self.said(report::CYAN, "note", what);
    }

    fn said(&self, style: anstyle::Style, word: &str, what: &str) {
        let word = report::paint(style, format!("{word}:"));
        self.output.complain(&format!("{word} {}\n", report::printable(&without_user_info(what))));
    }
}
