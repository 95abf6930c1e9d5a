//! From a tree to text. Every action is evaluated once at most: there are no loops.

use std::borrow::Cow;

use serde_json::Value;

use super::format::printed;
use super::functions::{Function, is_empty};
use super::parse::{Call, Command, Node, Operand, Pipeline};
use super::{LONGEST_OUTPUT, TemplateError};

/// What an expression gives.
#[derive(Clone)]
pub(super) enum Given<'v> {
    /// A value, never null.
    Value(Cow<'v, Value>),
    /// Nothing, and what gave it: a path or a function. It is no error before it is printed or demanded.
    Nothing(String),
}

impl<'v> Given<'v> {
    /// A value of our own.
    pub(super) fn new(value: impl Into<Value>) -> Self {
        Self::Value(Cow::Owned(value.into()))
    }

    /// What stands at `name`; null is nothing.
    pub(super) fn at(value: Option<&'v Value>, name: String) -> Self {
        match value {
            None | Some(Value::Null) => Self::Nothing(name),
            Some(value) => Self::Value(Cow::Borrowed(value)),
        }
    }

    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing(_) => None,
        }
    }

    /// The value, which must be there.
    pub(super) fn demanded(&self) -> Result<&Value, TemplateError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Nothing(name) => Err(TemplateError::Missing(name.clone())),
        }
    }
}

/// What the tree says where `.Values` is `values`.
pub(super) fn text_of(nodes: &[Node<'_>], values: &Value) -> Result<String, TemplateError> {
    let mut text = String::new();
    write(nodes, values, &mut text)?;
    Ok(text)
}

fn write(nodes: &[Node<'_>], values: &Value, text: &mut String) -> Result<(), TemplateError> {
    for node in nodes {
        match node {
            Node::Text(part) => text.push_str(part),
            Node::Print(pipeline) => text.push_str(&printed(pipeline_value(pipeline, values)?.demanded()?)),
            Node::If { condition, then, otherwise } => {
                let holds = !is_empty(&pipeline_value(condition, values)?);
                write(if holds { then } else { otherwise }, values, text)?;
            }
        }
        if text.len() > LONGEST_OUTPUT {
            return Err(TemplateError::TooLong(LONGEST_OUTPUT));
        }
    }
    Ok(())
}

fn pipeline_value<'v>(pipeline: &Pipeline, values: &'v Value) -> Result<Given<'v>, TemplateError> {
    let mut given = match &pipeline.first {
        Command::Operand(operand) => operand_value(operand, values)?,
        Command::Call(call) => call_value(call, None, values)?,
    };
    for call in &pipeline.then {
        given = call_value(call, Some(given), values)?;
    }
    Ok(given)
}

fn call_value<'v>(
    call: &Call,
    piped: Option<Given<'v>>,
    values: &'v Value,
) -> Result<Given<'v>, TemplateError> {
    let function = call.function;
    function.takes(call.arguments.len() + usize::from(piped.is_some()))?;
    let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
    for operand in &call.arguments {
        let given = operand_value(operand, values)?;
        if decides(function, &given) {
            return Ok(given);
        }
        arguments.push(given);
    }
    arguments.extend(piped);
    if function.name == "dig" && arguments.last().and_then(Given::value).is_some_and(|last| *last == *values)
    {
        let problem = "cannot dig in all values (Helm fails there too); name a mapping below them".to_owned();
        return Err(TemplateError::Unfit { name: function.name.to_owned(), problem });
    }
    function.call(&arguments)
}

/// `and` and `or` do not look at what stands behind the argument that decides.
fn decides(function: &Function, given: &Given<'_>) -> bool {
    match function.name {
        "and" => is_empty(given),
        "or" => !is_empty(given),
        _ => false,
    }
}

fn operand_value<'v>(operand: &Operand, values: &'v Value) -> Result<Given<'v>, TemplateError> {
    match operand {
        Operand::Literal(Value::Null) => Ok(Given::Nothing("nil".to_owned())),
        Operand::Literal(value) => Ok(Given::new(value.clone())),
        Operand::Path(names) => {
            let mut given = Given::at(Some(values), ".Values".to_owned());
            let mut path = ".Values".to_owned();
            for name in names {
                // As in Go, only the last name of a path may be missing.
                given.demanded()?;
                given = field(given, name, &mut path)?;
            }
            Ok(given)
        }
        Operand::Group(pipeline, names) => {
            let mut given = pipeline_value(pipeline, values)?;
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
        Given::Value(Cow::Borrowed(Value::Object(map))) => Ok(Given::at(map.get(name), path.clone())),
        Given::Value(value) => match value.as_object() {
            Some(map) => Ok(match map.get(name).filter(|value| !value.is_null()) {
                Some(value) => Given::new(value.clone()),
                None => Given::Nothing(path.clone()),
            }),
            None => Err(TemplateError::Unfit {
                name: holder,
                problem: format!("is no mapping, so it has no `{name}`"),
            }),
        },
    }
}
