//! The subset of Go's templates that values files use, as Helm renders it: text in, text out.
//!
//! Values by their path, literals, pipes, parentheses, variables, `if`, `with`, `range`, and those functions of Go and sprig
//! that need nothing but their arguments, also those that change a mapping which a function made. What it cannot do is an error that names it, never a guess: a chart's own
//! templates, what only a release or a cluster has. `lookup` finds nothing, as where Helm renders without a cluster. A value
//! that holds a template itself is text here; who wants it rendered asks again.
//!
//! The crate `gotmpl` does not fit: it accepts an `if` without its `end`, whatever mark stands behind the text, and a
//! missing value is either an error before `default` sees it or `<no value>` in the output.

mod evaluate;
mod format;
mod functions;
mod given;
mod parse;
mod paths;
mod shared;

use std::cell::Cell;

pub use paths::paths;
use serde_json::Value;
pub use shared::kind;

use crate::budget::{Budget, Counted, Exceeded};

/// The longest template, and the longest value that a function gives, in bytes.
const LONGEST: usize = 64 * 1024;

/// So many templates may stand in one another.
const DEEPEST: usize = 8;

/// The longest output, in bytes.
const LONGEST_OUTPUT: usize = 1024 * 1024;

/// Why a template gives no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("line {line}, column {column} of the template: {problem}")]
    Syntax {
        /// Its line, from 1.
        line: usize,
        /// Its column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Only Helm can give it, with the chart at hand.
    #[error("`{0}` needs the chart's own templates; write the value that it gives")]
    NeedsChart(String),
    /// No function of this name.
    #[error("`{0}` is not a function that is known here (known: {known})", known = functions::names().join(", "))]
    UnknownFunction(String),
    /// What would be printed or is demanded has no value: the path, or the function that gave nothing.
    #[error("`{0}` has no value; set it in the values file")]
    Missing(String),
    /// The template ends itself (`fail`), with words of its own.
    #[error("the template fails: {0}")]
    Failed(String),
    /// A value that holds others too deep, or itself.
    #[error("a list or mapping that is nested too deeply, or holds itself")]
    TooDeep,
    /// The template asks for a value with words of its own.
    #[error("a required value is missing: {0}")]
    Required(String),
    /// Arguments that the function does not take, or a path that leads through a value that holds no others.
    #[error("`{name}` {problem}")]
    Unfit {
        /// The function or path.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What it gives is a template again and again.
    #[error("`{0}` gives a template again and again")]
    Endless(String),
    /// Longer than any value of a values file is.
    #[error("a template, value or output of more than {0} bytes")]
    TooLong(usize),
    /// More work than any template of a values file is.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
}

/// How a text is read as a mapping in YAML, an empty one where it says nothing. It is Helm's reader, which `values` has.
pub type ReadYaml = fn(&str) -> Result<Value, String>;

/// What templates are rendered with.
#[derive(Debug, Clone, Copy)]
pub struct With<'v> {
    /// `.Values`.
    pub values: &'v Value,
    /// How much may be spent.
    pub budget: &'v Budget,
    /// What `fromYaml` reads with.
    pub read_yaml: ReadYaml,
}

/// The text that `text` renders to, as far as the budget goes. Text without an action comes back as it is.
pub fn render(text: &str, with: With<'_>) -> Result<String, TemplateError> {
    once(text, with).map(|resolved| resolved.text)
}

/// What a template renders to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The text.
    pub text: String,
    /// Whether a cluster was asked (`lookup`), which is not there: in one, the text may be another.
    pub asked_a_cluster: bool,
}

fn once(text: &str, with: With<'_>) -> Result<Resolved, TemplateError> {
    if !text.contains("{{") {
        return Ok(Resolved { text: text.to_owned(), asked_a_cluster: false });
    }
    if text.len() > LONGEST {
        return Err(TemplateError::TooLong(LONGEST));
    }
    with.budget.spend(Counted::TemplateBytes, text.len() as u64)?;
    let asked = Cell::new(false);
    let text = evaluate::text_of(&parse::parse(text)?, with, &asked)?;
    Ok(Resolved { text, asked_a_cluster: asked.get() })
}

/// The text that `text` renders to, and what that renders to in turn, until no action is left: as the charts of Sylva
/// interpret values that stand in values.
pub fn resolve(text: &str, with: With<'_>) -> Result<Resolved, TemplateError> {
    let mut resolved = Resolved { text: text.to_owned(), asked_a_cluster: false };
    for _ in 0..DEEPEST {
        if !resolved.text.contains("{{") {
            return Ok(resolved);
        }
        let next = once(&resolved.text, with)?;
        resolved = Resolved { asked_a_cluster: resolved.asked_a_cluster || next.asked_a_cluster, ..next };
    }
    match resolved.text.contains("{{") {
        true => Err(TemplateError::Endless(text.to_owned())),
        false => Ok(resolved),
    }
}

#[cfg(test)]
mod tests;
