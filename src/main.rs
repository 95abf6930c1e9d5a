//! The `dibump` program. Everything is in the library; see its documentation.

fn main() -> std::process::ExitCode {
    dibump::cli::main()
}
