//! `dibump.yaml`, in two steps: as written (`raw`), then as meant ([`Config`]).
//!
//! Everything that is wrong is said at once, each with line, field and the nearest valid name. Nothing here reads a file,
//! the environment or a server; the file holds names of environment variables and never a secret.

mod duration;
mod fleet;
mod following;
mod meaning;
mod meant;
mod merge_request;
mod place;
mod policy;
mod producer;
mod raw;
mod shape;
mod show;
mod target;

use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ending::{Ending, Ends};
use crate::values::Position;
pub use duration::{InvalidDuration, duration};
use meaning::Meaning;
pub use meant::{
    AppNames, Config, CredentialNames, Discovery, ForgeKind, ForgeSettings, InvalidSource, KeySource,
    Network, Producer, Query, Source, Target, TargetBranch,
};
use place::Places;
use raw::{RawConfig, RawTargets};
pub use show::show;

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// The name of the file, as the user knows it.
    pub file: String,
    /// At least one.
    pub errors: Vec<ConfigError>,
}

/// A configuration stays wrong until a person mends it.
impl Ends for ConfigErrors {
    fn ending(&self) -> Ending {
        Ending::Person
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it stands; `None` where only the file as a whole can be named.
    pub at: Option<Position>,
    /// The path of the field, as in `targets[2].branches[0].policy.range`; empty for the file as a whole.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// A valid name that may have been meant.
    pub nearest: Option<String>,
}

/// Reads a configuration without the files that it includes. `name` is what errors call the file.
pub fn load(name: &str, text: &str) -> Result<Config, ConfigErrors> {
    load_with(name, text, &[])
}

/// Reads a configuration and the files of targets that it includes, each by the name that errors call it and its text.
pub fn load_with(name: &str, text: &str, files: &[(String, String)]) -> Result<Config, ConfigErrors> {
    let failed = |name: &str, mut errors: Vec<ConfigError>| {
        errors.sort_by_key(|error| error.at);
        ConfigErrors { file: name.to_owned(), errors }
    };
    let (raw, places) = read::<RawConfig>(text).map_err(|errors| failed(name, errors))?;
    let mut config = Meaning::of(&raw, &places).map_err(|errors| failed(name, errors))?;
    for (name, text) in files {
        let (targets, places) = read::<RawTargets>(text).map_err(|errors| failed(name, errors))?;
        let targets = Meaning::of_targets(&raw, &targets, &config, &places);
        config.targets.extend(targets.map_err(|errors| failed(name, errors))?);
    }
    Ok(config)
}

/// The files of targets that a configuration includes, as they are written; none where it cannot be read.
pub fn included(text: &str) -> Vec<String> {
    let raw = parse::<RawConfig>(text).map(|raw| raw.include).unwrap_or_default();
    raw.into_iter().filter_map(|include| include.file).collect()
}

/// The JSON schema of `dibump.yaml`, committed as `config/schema.json`.
pub fn schema() -> Value {
    schemars::schema_for!(RawConfig).to_value()
}

/// A text in its form as written, and where everything stands in it.
fn read<T: JsonSchema + DeserializeOwned>(text: &str) -> Result<(T, Places), Vec<ConfigError>> {
    let document: Value = parse(text).map_err(|error| vec![error])?;
    let places = Places::of(text).map_err(|error| vec![at_mark(&error)])?;
    let misfits = shape::misfits(&schemars::schema_for!(T).to_value(), &document);
    if !misfits.is_empty() {
        return Err(misfits.into_iter().map(|misfit| located(&places, misfit)).collect());
    }
    let raw = parse(text).map_err(|error| vec![error])?;
    Ok((raw, places))
}

/// Only `true` and `false` are booleans, so that a label `no` stays a label.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let position = |at: serde_yaml::Location| (at.line() as usize, at.column() as usize);
        let at = error.location().map(position).filter(|(line, _)| *line > 0);
        let at = at.map(|(line, column)| Position { line, column });
        let problem = error.without_snippet().to_string();
        ConfigError { at, field: String::new(), problem, nearest: None }
    })
}

fn at_mark(error: &granit_parser::ScanError) -> ConfigError {
    let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
    ConfigError { at: Some(at), field: String::new(), problem: error.info().to_owned(), nearest: None }
}

fn located(places: &Places, misfit: shape::Misfit) -> ConfigError {
    let at = if misfit.name { places.key(&misfit.field) } else { places.value(&misfit.field) };
    ConfigError { at, field: misfit.field.to_string(), problem: misfit.problem, nearest: misfit.nearest }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            let line_end = if i == 0 { "" } else { "\n" };
            let at = error.at.map(|at| format!(":{at}")).unwrap_or_default();
            write!(f, "{line_end}{}{at}: {error}", self.file)?;
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.field.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}", self.field, self.problem)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
