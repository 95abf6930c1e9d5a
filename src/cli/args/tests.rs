use clap::CommandFactory as _;

use super::*;

#[test]
fn each_command_shows_an_example_that_can_be_typed_and_what_is_global_last() {
    let mut program = Cli::command();
    program.build();
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let (name, help) = (command.get_name(), command.clone().render_long_help().to_string());
        let example = help.lines().find_map(|line| line.strip_prefix("Example: "));
        let example = example.unwrap_or_else(|| panic!("{name} has no example"));
        let typed = Cli::try_parse_from(example.split_whitespace());
        assert!(typed.is_ok(), "{example}: {}", typed.unwrap_err());
        assert!(example.starts_with(&format!("dibump {name}")), "{example}");
        let mut headings = help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
        assert_eq!(headings.next_back(), Some("Global options:"), "{name}");
    }
}
