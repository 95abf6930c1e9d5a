//! `dibump.yaml`, in two steps: as written (`raw`), then as meant ([`Config`]).
//!
//! Everything that is wrong is said at once, each with line, field and the nearest valid name. Nothing here reads a file,
//! the environment or a server; the file holds names of environment variables and never a secret.

mod address;
mod asked;
mod draft;
mod duration;
mod fleet;
mod following;
mod meaning;
mod meant;
mod merge_request;
mod place;
mod policy;
mod producer;
mod quick_actions;
mod raw;
mod shape;
mod show;
mod target;
mod values_from;

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ending::{Ending, Ends};
use crate::values::Position;
pub use address::{InvalidAddress, address};
pub use draft::{Draft, DraftProducer, DraftTarget};
pub use duration::{InvalidDuration, duration};
use meaning::Meaning;
pub use meant::{
    AppNames, Config, ConfiguredProducer, ConfiguredSource, ConfiguredTarget, CredentialNames,
    CredentialSource, Discovery, ForgeKind, ForgeSettings, InvalidSource, KeySource, NamedBy, Network, Query,
    TargetBranch,
};
use place::{FieldPath, Places};
use raw::{RawConfig, RawTargets};
pub use show::show;

/// What the schema is called, with the version of the format. It is a name: no address is promised.
const SCHEMA_ID: &str = "urn:dibump:config:1";

/// Everything that is wrong with a configuration and the files that it includes, file by file, in the order of each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    /// At least one.
    pub errors: Vec<ConfigError>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The name of the file, as the user knows it.
    pub file: String,
    /// Where it stands; `None` where only the file as a whole can be named.
    pub at: Option<Position>,
    /// The path of the field, as in `targets[2].branches[0].policy.range`; empty for the file as a whole.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// A valid name that may have been meant.
    pub nearest: Option<String>,
}

/// Files that a configuration names, as its reader gives them. Nothing here reads a file by itself.
#[derive(Clone, Copy, Default)]
pub struct NamedFiles<'a> {
    /// A file of targets: what errors call it, and its text or why there is none.
    pub include: Option<&'a IncludeFile<'a>>,
    /// A certificate, a key or a file of releases, where it is to be looked at now and not when it is used.
    pub used: Option<&'a UsedFile<'a>>,
}

/// Gives a file of targets by its name in the configuration.
pub type IncludeFile<'a> = dyn Fn(&str) -> (String, Result<String, String>) + 'a;

/// Gives the bytes of a file, or says why there are none.
pub type UsedFile<'a> = dyn Fn(&Path) -> Result<Vec<u8>, String> + 'a;

/// Reads a configuration without the files that it includes. `name` is what errors call the file.
pub fn load(name: &str, text: &str) -> Result<Config, ConfigErrors> {
    load_with(name, text, NamedFiles::default())
}

/// Reads a configuration and the files of targets that it includes.
pub fn load_with(name: &str, text: &str, files: NamedFiles<'_>) -> Result<Config, ConfigErrors> {
    let mut all = Vec::new();
    let Some(written) = read::<RawConfig>(name, text, &mut all) else {
        return Err(ConfigErrors { errors: all });
    };
    let mut meaning = Meaning::new(&written, files.used);
    let (mut config, producers) = meaning.config(&written.raw);
    let included = meaning.included(&written.raw, files.include);
    all.extend(meaning.into_errors(name));
    let mut targets = Vec::new();
    for (name, text) in included {
        if let Some(more) = read::<RawTargets>(&name, &text, &mut all) {
            let known = config.as_ref().map(|config| config.targets.as_slice()).unwrap_or_default();
            let mut meaning = Meaning::new(&more, files.used);
            targets.extend(meaning.targets(&written.raw, &more.raw, producers.as_deref(), known));
            all.extend(meaning.into_errors(&name));
        }
    }
    match config.take() {
        Some(config) if all.is_empty() => {
            Ok(Config { targets: [config.targets, targets].concat(), ..config })
        }
        _ => Err(ConfigErrors { errors: in_order(all) }),
    }
}

/// File by file in the order in which they were read, and each from its top.
fn in_order(mut errors: Vec<ConfigError>) -> Vec<ConfigError> {
    let mut files: Vec<String> = errors.iter().map(|error| error.file.clone()).collect();
    files.dedup();
    let place = |error: &ConfigError| files.iter().position(|file| *file == error.file);
    errors.sort_by_key(|error| (place(error), error.at));
    errors
}

/// The JSON schema of `dibump.yaml`, committed as `config/schema.json`.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(RawConfig);
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    schema.to_value()
}

/// A text in its form as written, and where everything stands in it.
struct Written<T> {
    raw: T,
    places: Places,
    /// Fields whose values do not fit: something else stands there in `raw`.
    mended: Vec<FieldPath>,
}

/// Reads a text; what does not fit is added to `errors`. `None` where nothing can be made of the text.
fn read<T: JsonSchema + DeserializeOwned>(
    name: &str,
    text: &str,
    errors: &mut Vec<ConfigError>,
) -> Option<Written<T>> {
    let mut fail = |error: ConfigError| errors.push(ConfigError { file: name.to_owned(), ..error });
    let mut document: Value = parse(text).map_err(&mut fail).ok()?;
    let places = Places::of(text).map_err(|error| fail(at_mark(&error))).ok()?;
    let misfits = shape::misfits(&schemars::schema_for!(T).to_value(), &mut document);
    let mended: Vec<FieldPath> = misfits.iter().map(|misfit| misfit.mended.clone()).collect();
    misfits.into_iter().for_each(|misfit| fail(located(&places, misfit)));
    let raw = match mended.is_empty() {
        true => parse(text).map_err(&mut fail).ok()?,
        false => serde_json::from_value(document).ok()?,
    };
    Some(Written { raw, places, mended })
}

/// Only `true` and `false` are booleans, so that a label `no` stays a label.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
    serde_yaml::from_str_with_options(text, options).map_err(|error| {
        let position = |at: serde_yaml::Location| (at.line() as usize, at.column() as usize);
        let at = error.location().map(position).filter(|(line, _)| *line > 0);
        let at = at.map(|(line, column)| Position { line, column });
        let problem = error.without_snippet().to_string();
        ConfigError { file: String::new(), at, field: String::new(), problem, nearest: None }
    })
}

fn at_mark(error: &granit_parser::ScanError) -> ConfigError {
    let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
    let problem = error.info().to_owned();
    ConfigError { file: String::new(), at: Some(at), field: String::new(), problem, nearest: None }
}

fn located(places: &Places, misfit: shape::Misfit) -> ConfigError {
    let at = if misfit.name { places.key(&misfit.field) } else { places.value(&misfit.field) };
    let (field, problem) = (misfit.field.to_string(), misfit.problem);
    ConfigError { file: String::new(), at, field, problem, nearest: misfit.nearest }
}

/// A configuration stays wrong until a person mends it.
impl Ends for ConfigErrors {
    fn ending(&self) -> Ending {
        Ending::Person
    }

    fn several(&self) -> Vec<String> {
        let place = |error: &ConfigError| error.at.map(|at| format!(":{at}")).unwrap_or_default();
        self.errors.iter().map(|error| format!("{}{}: {error}", error.file, place(error))).collect()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.several().join("\n"))
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
