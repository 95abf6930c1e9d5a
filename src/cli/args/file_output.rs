//! Where a report goes: `FORMAT=FILE`.

use std::path::PathBuf;

use clap::ValueEnum;

/// A report beside the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct FileOutput<F> {
    /// Its form; that of the output unless given.
    pub(in crate::cli) format: Option<F>,
    /// Its file.
    pub(in crate::cli) path: PathBuf,
}

/// `FORMAT=FILE`, or a file alone. What stands before the `=` is a format unless it is the begin of a path.
pub(super) fn output<F: ValueEnum>(text: &str) -> Result<FileOutput<F>, String> {
    let (format, path) = match text.split_once('=') {
        Some((name, path)) if !name.contains(['/', '\\', '.']) => match F::from_str(name, false) {
            Ok(format) => (Some(format), path),
            Err(_) => return Err(unknown_format::<F>(name, text)),
        },
        _ => (None, text),
    };
    match path {
        "" => Err("names no file (expected FILE or FORMAT=FILE)".to_owned()),
        path => Ok(FileOutput { format, path: path.into() }),
    }
}

fn unknown_format<F: ValueEnum>(name: &str, text: &str) -> String {
    let values = F::value_variants().iter().filter_map(F::to_possible_value);
    let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
    format!("unknown format `{name}` (expected {}; for a file of this name write ./{text})", names.join(", "))
}
