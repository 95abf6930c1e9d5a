//! From a tree to text.

use std::cell::Cell;

use serde_json::Value;

use super::functions::{Function, LOOKUP, is_empty};
use super::parse::{Base, Call, Command, Condition, Node, Operand, Pipeline};
use super::shared::Shared;
use super::{LONGEST_OUTPUT, TemplateError};
use crate::budget::{Budget, Of};

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
    /// Set where the tree asked a cluster, which is not there.
    pub(super) asked_a_cluster: &'b Cell<bool>,
}

/// What the tree says.
pub(super) fn text_of(nodes: &[Node<'_>], scope: Scope<'_, '_>) -> Result<String, TemplateError> {
    let mut writer = Writer { scope, dot: None, variables: Vec::new(), text: String::new() };
    writer.write(nodes)?;
    Ok(writer.text)
}

/// A tree on its way to text.
struct Writer<'v, 'b, 't> {
    scope: Scope<'v, 'b>,
    /// What `with` and `range` made `.`; `None` is everything: the values, and what only the chart has.
    dot: Option<Given<'v>>,
    variables: Vec<(&'t str, Given<'v>)>,
    text: String,
}

impl<'v, 't> Writer<'v, '_, 't> {
    fn write(&mut self, nodes: &[Node<'t>]) -> Result<(), TemplateError> {
        for node in nodes {
            self.scope.budget.spend(Of::Template, 1)?;
            match node {
                Node::Text(part) => self.text.push_str(part),
                Node::Print(pipeline) => {
                    let given = self.pipeline(pipeline)?;
                    given.demanded()?.print(&mut self.text, LONGEST_OUTPUT, self.scope.budget)?;
                }
                Node::Set { name, declares, value } => {
                    let value = self.pipeline(value)?;
                    self.set(name, *declares, value);
                }
                Node::If { condition, then, otherwise } => self.branch(condition, then, otherwise, false)?,
                Node::With { condition, then, otherwise } => self.branch(condition, then, otherwise, true)?,
                Node::Range { names, over, each, otherwise } => self.range(names, over, each, otherwise)?,
            }
            if self.text.len() > LONGEST_OUTPUT {
                return Err(TemplateError::TooLong(LONGEST_OUTPUT));
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &'t str, declares: bool, value: Given<'v>) {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some((_, known)) if !declares => *known = value,
            _ => self.variables.push((name, value)),
        }
    }

    fn branch(
        &mut self,
        condition: &Condition<'t>,
        then: &[Node<'t>],
        otherwise: &[Node<'t>],
        becomes_dot: bool,
    ) -> Result<(), TemplateError> {
        let value = self.pipeline(&condition.value)?;
        let holds = !is_empty(&value);
        let variables = condition.name.map(|name| (name, value.clone()));
        let dot = if becomes_dot && holds { Some(value) } else { self.dot.clone() };
        self.within(variables, dot, if holds { then } else { otherwise })
    }

    fn range(
        &mut self,
        names: &[&'t str],
        over: &Pipeline<'t>,
        each: &[Node<'t>],
        otherwise: &[Node<'t>],
    ) -> Result<(), TemplateError> {
        let over = self.pipeline(over)?;
        let items = match over.value() {
            None => Vec::new(),
            Some(value) => value.numbered().ok_or_else(|| TemplateError::Unfit {
                name: "range".to_owned(),
                problem: format!("takes a list or a mapping and has {}", value.kind()),
            })?,
        };
        self.scope.budget.spend(Of::Template, items.len() as u64)?;
        if items.is_empty() {
            return self.within(None, self.dot.clone(), otherwise);
        }
        for (key, item) in items {
            let item = Given::at(Some(item), "null");
            let key = Given::Value(key);
            let variables = match names {
                [] => Vec::new(),
                [value] => vec![(*value, item.clone())],
                [first, value, ..] => vec![(*first, key), (*value, item.clone())],
            };
            self.within(variables, Some(item), each)?;
        }
        Ok(())
    }

    /// Writes a block. Its variables are gone behind it; those of outside keep what it gave them.
    fn within(
        &mut self,
        variables: impl IntoIterator<Item = (&'t str, Given<'v>)>,
        dot: Option<Given<'v>>,
        nodes: &[Node<'t>],
    ) -> Result<(), TemplateError> {
        let (outside, known) = (std::mem::replace(&mut self.dot, dot), self.variables.len());
        self.variables.extend(variables);
        let written = self.write(nodes);
        self.variables.truncate(known);
        self.dot = outside;
        written
    }

    fn pipeline(&self, pipeline: &Pipeline<'t>) -> Result<Given<'v>, TemplateError> {
        // What goes into a function that asks elsewhere does not matter.
        let begins = pipeline.then.iter().rposition(|call| call.function.is_of_outside());
        let mut given = match &pipeline.first {
            _ if begins.is_some() => Given::Nothing(String::new()),
            Command::Operand(operand) => self.operand(operand)?,
            Command::Call(call) => self.call(call, None)?,
        };
        for call in pipeline.then.iter().skip(begins.unwrap_or_default()) {
            given = self.call(call, Some(given))?;
        }
        Ok(given)
    }

    fn call(&self, call: &Call<'t>, piped: Option<Given<'v>>) -> Result<Given<'v>, TemplateError> {
        let function = call.function;
        function.takes(call.arguments.len() + usize::from(piped.is_some()))?;
        if function.is_of_outside() {
            if function.name == LOOKUP {
                self.scope.asked_a_cluster.set(true);
            }
            return function.call(&[], self.scope.budget);
        }
        let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
        for operand in &call.arguments {
            let given = self.operand(operand)?;
            if decides(function, &given) {
                return Ok(given);
            }
            arguments.push(given);
        }
        arguments.extend(piped);
        let is_all = |given: &Given<'_>| match given.value() {
            Some(Shared::At(value)) => std::ptr::eq(*value, self.scope.values),
            _ => false,
        };
        if function.name == "dig" && arguments.last().is_some_and(is_all) {
            let problem =
                "cannot dig in all values (Helm fails there too); name a mapping below them".to_owned();
            return Err(TemplateError::Unfit { name: function.name.to_owned(), problem });
        }
        function.call(&arguments, self.scope.budget)
    }

    fn operand(&self, operand: &Operand<'t>) -> Result<Given<'v>, TemplateError> {
        self.scope.budget.spend(Of::Template, 1)?;
        match operand {
            Operand::Literal(Value::Null) => Ok(Given::Nothing("nil".to_owned())),
            Operand::Literal(value) => Ok(Given::new(value.clone())),
            Operand::Path(base, names) => self.path(*base, names),
            Operand::Group(pipeline, names) => {
                let mut given = self.pipeline(pipeline)?;
                let mut path = "(…)".to_owned();
                for name in names {
                    given = field(given, name, &mut path)?;
                }
                Ok(given)
            }
        }
    }

    fn path(&self, base: Base<'t>, names: &[&str]) -> Result<Given<'v>, TemplateError> {
        match (base, &self.dot) {
            (Base::Variable(name), _) => {
                let known = self.variables.iter().rev().find(|(known, _)| *known == name);
                let value = known.map_or_else(|| Given::Nothing(name.to_owned()), |(_, value)| value.clone());
                below(value, names, &format!("${name}"))
            }
            (Base::Dot, Some(dot)) => below(dot.clone(), names, "."),
            (Base::Root, _) | (Base::Dot, None) => match names {
                ["Values", names @ ..] => {
                    let all = Given::at(Some(Shared::At(self.scope.values)), ".Values");
                    below(all, names, ".Values")
                }
                names => Err(TemplateError::NeedsChart(format!(".{}", names.first().unwrap_or(&"")))),
            },
        }
    }
}

/// `and` and `or` do not look at what stands behind the argument that decides.
fn decides(function: &Function, given: &Given<'_>) -> bool {
    match function.name {
        "and" => is_empty(given),
        "or" => !is_empty(given),
        _ => false,
    }
}

/// The value that `names` lead to from another one. As in Go, only the last of them may be missing.
fn below<'v>(mut given: Given<'v>, names: &[&str], path: &str) -> Result<Given<'v>, TemplateError> {
    let mut path = path.to_owned();
    for name in names {
        given.demanded()?;
        given = field(given, name, &mut path)?;
    }
    Ok(given)
}

/// The value of a mapping at `name`; nothing has nothing in it.
fn field<'v>(given: Given<'v>, name: &str, path: &mut String) -> Result<Given<'v>, TemplateError> {
    let holder = path.clone();
    if !path.ends_with('.') {
        path.push('.');
    }
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
