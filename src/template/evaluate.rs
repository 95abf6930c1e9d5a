//! From a tree to text. Every action is evaluated once at most: there are no loops.

use super::functions::{Function, is_empty};
use super::parse::{Call, Command, Node, Operand, Pipeline};
use super::shared::Shared;
use super::{LONGEST_OUTPUT, TemplateError};
use crate::budget::{Budget, Of};
use serde_json::Value;

/// What an expression gives.
#[derive(Clone)]
pub(super) enum Given<'v> {
    /// A value, never null.
    Value(Shared<'v>),
    /// Nothing, and what gave it: a path or a function. It is no error before it is printed or demanded.
    Nothing(String),
}

impl<'v> Given<'v> {
    /// A value of our own.
    pub(super) fn new(value: impl Into<Value>) -> Self {
        Self::Value(Shared::from(value))
    }

    /// What stands at `name`; null is nothing.
    pub(super) fn at(value: Option<Shared<'v>>, name: &str) -> Self {
        match value.filter(|value| !value.is_null()) {
            Some(value) => Self::Value(value),
            None => Self::Nothing(name.to_owned()),
        }
    }

    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&Shared<'v>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing(_) => None,
        }
    }

    /// The value, which must be there.
    pub(super) fn demanded(&self) -> Result<&Shared<'v>, TemplateError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Nothing(name) => Err(TemplateError::Missing(name.clone())),
        }
    }
}

/// What trees are evaluated with.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v, 'b> {
    /// `.Values`.
    pub(super) values: &'v Value,
    pub(super) budget: &'b Budget,
}

/// What the tree says.
pub(super) fn text_of(nodes: &[Node<'_>], scope: Scope<'_, '_>) -> Result<String, TemplateError> {
    let mut text = String::new();
    write(nodes, scope, &mut text)?;
    Ok(text)
}

fn write(nodes: &[Node<'_>], scope: Scope<'_, '_>, text: &mut String) -> Result<(), TemplateError> {
    for node in nodes {
        match node {
            Node::Text(part) => text.push_str(part),
            Node::Print(pipeline) => {
                pipeline_value(pipeline, scope)?.demanded()?.print(text, LONGEST_OUTPUT, scope.budget)?;
            }
            Node::If { condition, then, otherwise } => {
                let holds = !is_empty(&pipeline_value(condition, scope)?);
                write(if holds { then } else { otherwise }, scope, text)?;
            }
        }
        if text.len() > LONGEST_OUTPUT {
            return Err(TemplateError::TooLong(LONGEST_OUTPUT));
        }
    }
    Ok(())
}

fn pipeline_value<'v>(pipeline: &Pipeline, scope: Scope<'v, '_>) -> Result<Given<'v>, TemplateError> {
    let mut given = match &pipeline.first {
        Command::Operand(operand) => operand_value(operand, scope)?,
        Command::Call(call) => call_value(call, None, scope)?,
    };
    for call in &pipeline.then {
        given = call_value(call, Some(given), scope)?;
    }
    Ok(given)
}

fn call_value<'v>(
    call: &Call,
    piped: Option<Given<'v>>,
    scope: Scope<'v, '_>,
) -> Result<Given<'v>, TemplateError> {
    let function = call.function;
    function.takes(call.arguments.len() + usize::from(piped.is_some()))?;
    let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
    for operand in &call.arguments {
        let given = operand_value(operand, scope)?;
        if decides(function, &given) {
            return Ok(given);
        }
        arguments.push(given);
    }
    arguments.extend(piped);
    let is_all = |given: &Given<'_>| match given.value() {
        Some(Shared::At(value)) => std::ptr::eq(*value, scope.values),
        _ => false,
    };
    if function.name == "dig" && arguments.last().is_some_and(is_all) {
        let problem = "cannot dig in all values (Helm fails there too); name a mapping below them".to_owned();
        return Err(TemplateError::Unfit { name: function.name.to_owned(), problem });
    }
    function.call(&arguments, scope.budget)
}

/// `and` and `or` do not look at what stands behind the argument that decides.
fn decides(function: &Function, given: &Given<'_>) -> bool {
    match function.name {
        "and" => is_empty(given),
        "or" => !is_empty(given),
        _ => false,
    }
}

fn operand_value<'v>(operand: &Operand, scope: Scope<'v, '_>) -> Result<Given<'v>, TemplateError> {
    scope.budget.spend(Of::Template, 1)?;
    match operand {
        Operand::Literal(Value::Null) => Ok(Given::Nothing("nil".to_owned())),
        Operand::Literal(value) => Ok(Given::new(value.clone())),
        Operand::Path(names) => {
            let mut given = Given::at(Some(Shared::At(scope.values)), ".Values");
            let mut path = ".Values".to_owned();
            for name in names {
                // As in Go, only the last name of a path may be missing.
                given.demanded()?;
                given = field(given, name, &mut path)?;
            }
            Ok(given)
        }
        Operand::Group(pipeline, names) => {
            let mut given = pipeline_value(pipeline, scope)?;
            let mut path = "(…)".to_owned();
            for name in names {
                given = field(given, name, &mut path)?;
            }
            Ok(given)
        }
    }
}

/// The value of a mapping at `name`; nothing has nothing in it.
fn field<'v>(given: Given<'v>, name: &str, path: &mut String) -> Result<Given<'v>, TemplateError> {
    let holder = path.clone();
    path.push('.');
    path.push_str(name);
    match given {
        Given::Nothing(_) => Ok(given),
        Given::Value(map) if map.is_map() => Ok(Given::at(map.entry(name), path)),
        Given::Value(_) => Err(TemplateError::Unfit {
            name: holder,
            problem: format!("is no mapping, so it has no `{name}`"),
        }),
    }
}
