//! Completions and manual pages: what clap makes of the command line, for shells and for `man`.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Generator;
use clap_mangen::Man;

use super::Context;
use super::args::{Cli, Shell};
use super::exit::Exit;
use super::failure::Failure;
use crate::disk;

/// Prints the completion script of one shell.
pub(super) fn completions(context: &Context, shell: Shell) -> Result<Exit, Failure> {
    let script = match shell {
        Shell::Bash => script(clap_complete::Shell::Bash),
        Shell::Elvish => script(clap_complete::Shell::Elvish),
        Shell::Fish => script(clap_complete::Shell::Fish),
        Shell::Nushell => script(clap_complete_nushell::Nushell),
        Shell::Powershell => script(clap_complete::Shell::PowerShell),
        Shell::Zsh => script(clap_complete::Shell::Zsh),
    };
    context.output.print(&script)?;
    Ok(Exit::Done)
}

fn script(shell: impl Generator) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dibump", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Prints the page of the program, or writes one for it and for each command into a folder.
pub(super) fn pages(context: &Context, folder: Option<&Path>) -> Result<Exit, Failure> {
    let mut program = Cli::command();
    program.build();
    match folder {
        None => context.output.print(&String::from_utf8_lossy(&page(&program)?))?,
        Some(folder) => write(&program, folder)?,
    }
    Ok(Exit::Done)
}

/// The page of a command and those of the commands below it.
fn write(command: &Command, folder: &Path) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    disk::write_whole(&folder.join(format!("{name}.1")), &page(command)?)?;
    command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
        .try_for_each(|below| write(below, folder))
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    // The date would be that of the build; without one the page depends on the program only.
    Man::new(command.clone()).render(&mut page).map_err(anyhow::Error::from).map_err(Failure::person)?;
    Ok(page)
}
