//! From a tree to text.

use std::cell::Cell;

use serde_json::Value;

use super::functions::{Function, LOOKUP, is_empty};
use super::given::Given;
use super::parse::{Base, Call, Command, Condition, Leap, Operand, Piece, Pipeline};
use super::shared::{Made, Shared};
use super::{LONGEST_OUTPUT, TemplateError, With};
use crate::budget::Counted;

/// What the tree says. The flag is set where it asked a cluster, which is not there.
pub(super) fn text_of(
    nodes: &[Piece<'_>],
    with: With<'_>,
    asked_a_cluster: &Cell<bool>,
) -> Result<String, TemplateError> {
    let (variables, made) = (Vec::new(), Made::default());
    let mut writer = Writer { with, asked_a_cluster, dot: None, variables, text: String::new(), made };
    writer.write(nodes)?;
    Ok(writer.text)
}

/// A tree on its way to text.
struct Writer<'v, 'b, 't> {
    with: With<'v>,
    asked_a_cluster: &'b Cell<bool>,
    /// What `with` and `range` made `.`; `None` is everything: the values, and what only the chart has.
    dot: Option<Given<'v>>,
    variables: Vec<(&'t str, Given<'v>)>,
    text: String,
    /// Last, because what holds something of it goes before.
    made: Made<'v>,
}

impl<'v, 't> Writer<'v, '_, 't> {
    /// Writes nodes, up to where they leave the iteration that they stand in.
    fn write(&mut self, nodes: &[Piece<'t>]) -> Result<Option<Leap>, TemplateError> {
        for node in nodes {
            self.with.budget.spend(Counted::Template, 1)?;
            let mut leap = None;
            match node {
                Piece::Text(part) => self.text.push_str(part),
                Piece::Print(pipeline) => {
                    let given = self.pipeline(pipeline)?;
                    given.demanded()?.print(&mut self.text, LONGEST_OUTPUT, self.with.budget)?;
                }
                Piece::Set { name, declares, value } => {
                    let value = self.pipeline(value)?;
                    self.set(name, *declares, value);
                }
                Piece::If { condition, then, otherwise } => {
                    leap = self.branch(condition, then, otherwise, false)?;
                }
                Piece::With { condition, then, otherwise } => {
                    leap = self.branch(condition, then, otherwise, true)?;
                }
                Piece::Range { names, over, each, otherwise } => {
                    leap = self.range(names, over, each, otherwise)?;
                }
                Piece::Leap(of_range) => leap = Some(*of_range),
            }
            if self.text.len() > LONGEST_OUTPUT {
                return Err(TemplateError::TooLong(LONGEST_OUTPUT));
            }
            if leap.is_some() {
                return Ok(leap);
            }
        }
        Ok(None)
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
        then: &[Piece<'t>],
        otherwise: &[Piece<'t>],
        becomes_dot: bool,
    ) -> Result<Option<Leap>, TemplateError> {
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
        each: &[Piece<'t>],
        otherwise: &[Piece<'t>],
    ) -> Result<Option<Leap>, TemplateError> {
        let over = self.pipeline(over)?;
        let items = match over.value() {
            None => Vec::new(),
            Some(value) => value.numbered().ok_or_else(|| TemplateError::Unfit {
                name: "range".to_owned(),
                problem: format!("takes a list or a mapping and has {}", value.kind()),
            })?,
        };
        self.with.budget.spend(Counted::Template, items.len() as u64)?;
        if items.is_empty() {
            // A `break` there can only be meant for a `range` further out, and Go takes it for this one.
            let leap = self.within(None, self.dot.clone(), otherwise)?;
            return Ok(leap.filter(|leap| *leap == Leap::Continue));
        }
        for (key, item) in items {
            let item = Given::at(Some(item), "null");
            let key = Given::Value(key);
            let variables = match names {
                [] => Vec::new(),
                [value] => vec![(*value, item.clone())],
                [first, value, ..] => vec![(*first, key), (*value, item.clone())],
            };
            if self.within(variables, Some(item), each)? == Some(Leap::Break) {
                break;
            }
        }
        Ok(None)
    }

    /// Writes a block. Its variables are gone behind it; those of outside keep what it gave them.
    fn within(
        &mut self,
        variables: impl IntoIterator<Item = (&'t str, Given<'v>)>,
        dot: Option<Given<'v>>,
        nodes: &[Piece<'t>],
    ) -> Result<Option<Leap>, TemplateError> {
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
                self.asked_a_cluster.set(true);
            }
            return self.made(function.call(&[], self.with.budget, self.with.read_yaml));
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
        if let Some(all) = arguments.last().filter(|last| self.is_all(last)) {
            let problem = "cannot dig in all values (Helm fails there too); name a mapping below them";
            match function.name {
                "dig" => return Err(function.unfit(problem)),
                // Nothing can change them, so that a copy is the same.
                "deepCopy" => return Ok(all.clone()),
                _ => {}
            }
        }
        self.made(function.call(&arguments, self.with.budget, self.with.read_yaml))
    }

    /// Whether it is `.Values` itself, of which Go has another type than of the mappings below it.
    fn is_all(&self, given: &Given<'_>) -> bool {
        matches!(given.value(), Some(Shared::At(value)) if std::ptr::eq(*value, self.with.values))
    }

    /// What a function gave, kept to the end.
    fn made(&self, answer: Result<Given<'v>, TemplateError>) -> Result<Given<'v>, TemplateError> {
        answer.inspect(|given| self.made.keep(given.value()))
    }

    fn operand(&self, operand: &Operand<'t>) -> Result<Given<'v>, TemplateError> {
        self.with.budget.spend(Counted::Template, 1)?;
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
                    let all = Given::at(Some(Shared::At(self.with.values)), ".Values");
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
            problem: format!("is not a mapping, so it has no `{name}`"),
        }),
    }
}
