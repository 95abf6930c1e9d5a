//! The command line of a pull, so that a server can repeat it.

use std::ffi::OsString;

use clap::Parser as _;

use crate::cli::args::images::PullArgs;
use crate::cli::args::{Cli, Command, Global};
use crate::release::without_user_info;

/// Parts of names under which values keep what others must not see.
const SECRET_NAMES: [&str; 4] = ["password", "passwd", "secret", "token"];

/// The arguments as they may be written down. None where a secret is among them, where standard input is read, or where
/// they are not UTF-8.
pub(super) fn storable(arguments: &[OsString]) -> Option<Vec<String>> {
    let arguments: Vec<String> =
        arguments.iter().map(|argument| argument.to_str().map(str::to_owned)).collect::<Option<_>>()?;
    let is_free = |argument: &String| without_user_info(argument) == *argument && argument != "-";
    let names_no_secret = |argument: &String| {
        let name = argument.split('=').nth(usize::from(argument.starts_with("--set="))).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        !argument.contains('=') || !SECRET_NAMES.iter().any(|secret| name.contains(secret))
    };
    arguments.iter().all(|argument| is_free(argument) && names_no_secret(argument)).then_some(arguments)
}

/// A pull by its arguments, without the program's name.
///
/// # Errors
/// They are those of another command, or of none.
pub(in crate::cli) fn parse(arguments: &[OsString]) -> Result<(PullArgs, Global), String> {
    let program = OsString::from("dibump");
    let cli = Cli::try_parse_from(std::iter::once(&program).chain(arguments));
    match cli.map_err(|error| without_user_info(error.to_string().trim_end()).into_owned())? {
        Cli { command: Command::Pull(args), global } => Ok((*args, global)),
        Cli { .. } => Err("they are not those of `dibump pull`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_kept_unless_it_has_a_secret() {
        let line = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        let good = "-q pull --into i -f values.yaml --set a.b=c --set=d=e --registry oci://h/p";
        assert_eq!(storable(&line(good)).unwrap().join(" "), good);
        assert_eq!(parse(&line(good)).unwrap().0.into.to_str(), Some("i"));
        for bad in ["oci://u:p@h/p", "-f -", "--set a.Password=x", "--set=a.apiToken=x"] {
            assert_eq!(storable(&line(&format!("pull --into i {bad}"))), None, "{bad}");
        }
        assert!(parse(&line("check")).is_err() && parse(&line("pull")).is_err());
    }
}
