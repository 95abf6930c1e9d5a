//! From text to a tree, by Go's grammar (text/template, "Actions", "Variables"). A function that is not known is refused
//! here: also in a branch that would not be taken. What needs the chart or a cluster is known, and asked for only where it
//! is reached.

mod cursor;
mod expression;

use serde_json::Value;

use super::TemplateError;
use super::functions::Function;
use cursor::{Cursor, is_space};

/// Deeper nesting is no values file.
const DEEPEST: usize = 64;

/// Actions of which the chart's own templates are the subject.
const OF_THE_CHART: [&str; 3] = ["template", "define", "block"];

/// A part of a template.
pub(super) enum Piece<'t> {
    /// Text that stays.
    Text(&'t str),
    /// A pipeline whose result is printed.
    Print(Pipeline<'t>),
    /// A variable is declared, or gets another value.
    Set { name: &'t str, declares: bool, value: Pipeline<'t> },
    /// One of two branches.
    If { condition: Condition<'t>, then: Vec<Piece<'t>>, otherwise: Vec<Piece<'t>> },
    /// The first branch with the value as `.`, if it is not empty; else the second.
    With { condition: Condition<'t>, then: Vec<Piece<'t>>, otherwise: Vec<Piece<'t>> },
    /// The first branch for each item, as `.`; the second if there is none.
    Range { names: Vec<&'t str>, over: Pipeline<'t>, each: Vec<Piece<'t>>, otherwise: Vec<Piece<'t>> },
    /// The iteration of the `range` around it ends here.
    Leap(Leap),
}

/// What follows an iteration that ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leap {
    /// What stands behind the `range`.
    Break,
    /// The next item.
    Continue,
}

/// What `if` and `with` look at, and the variable that holds it within their branches.
pub(super) struct Condition<'t> {
    pub(super) name: Option<&'t str>,
    pub(super) value: Pipeline<'t>,
}

/// A value that goes through functions, each of which takes it as its last argument.
pub(super) struct Pipeline<'t> {
    pub(super) first: Command<'t>,
    pub(super) then: Vec<Call<'t>>,
}

/// What a pipeline begins with.
pub(super) enum Command<'t> {
    Operand(Operand<'t>),
    Call(Call<'t>),
}

/// A function with the arguments that are written behind it.
pub(super) struct Call<'t> {
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Operand<'t>>,
}

/// An argument.
pub(super) enum Operand<'t> {
    Literal(Value),
    /// Where a path begins, and the names behind it.
    Path(Base<'t>, Vec<&'t str>),
    /// A pipeline in parentheses, and the names behind it.
    Group(Box<Pipeline<'t>>, Vec<&'t str>),
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base<'t> {
    /// `.`: everything, or what `with` and `range` made of it.
    Dot,
    /// `$`: everything.
    Root,
    /// `$name`.
    Variable(&'t str),
}

/// The tree of `text`.
pub(super) fn parse(text: &str) -> Result<Vec<Piece<'_>>, TemplateError> {
    let mut parser =
        Parser { cursor: Cursor::new(text), depth: 0, ranges: 0, trims: false, variables: Vec::new() };
    match parser.nodes()? {
        (nodes, Ending::Text) => Ok(nodes),
        (_, Ending::End) => Err(parser.cursor.wrong("`end` without `if`, `with` or `range`")),
        (_, Ending::Else | Ending::ElseIf | Ending::ElseWith) => {
            Err(parser.cursor.wrong("`else` without `if`, `with` or `range`"))
        }
    }
}

/// What ended a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
    ElseWith,
}

struct Parser<'t> {
    cursor: Cursor<'t>,
    depth: usize,
    /// So many `range` are around the cursor.
    ranges: usize,
    /// Whether the action before closed with `-}}`, which takes the white space behind it along.
    trims: bool,
    /// The variables that can be named here.
    variables: Vec<&'t str>,
}

impl<'t> Parser<'t> {
    fn nodes(&mut self) -> Result<(Vec<Piece<'t>>, Ending), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let (text, opened) = self.text_before_action();
            if !text.is_empty() {
                nodes.push(Piece::Text(text));
            }
            if !opened {
                return Ok((nodes, Ending::Text));
            }
            if self.cursor.rest().starts_with("/*") {
                self.comment()?;
                continue;
            }
            self.cursor.space();
            let start = self.cursor.at;
            match self.cursor.word() {
                "end" => return self.close().map(|()| (nodes, Ending::End)),
                "else" => return Ok((nodes, self.after_else()?)),
                "if" => nodes.push(self.if_or_with("if")?),
                "with" => nodes.push(self.if_or_with("with")?),
                "range" => nodes.push(self.range()?),
                "break" => nodes.push(self.leap(Leap::Break, "break", start)?),
                "continue" => nodes.push(self.leap(Leap::Continue, "continue", start)?),
                _ => {
                    self.cursor.at = start;
                    nodes.push(self.statement()?);
                    self.close()?;
                }
            }
        }
    }

    /// The text up to the next action, whose opening is taken; white space is cut where `-` asks for it.
    fn text_before_action(&mut self) -> (&'t str, bool) {
        let cursor = &mut self.cursor;
        let rest = cursor.rest();
        let (text, opened) = rest.split_once("{{").map_or((rest, false), |(text, _)| (text, true));
        cursor.at += text.len() + if opened { 2 } else { 0 };
        let text = if std::mem::take(&mut self.trims) { text.trim_start_matches(is_space) } else { text };
        // Without white space behind it the dash is the sign of a number.
        if opened && cursor.rest().strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space)) {
            cursor.at += 1;
            cursor.space();
            return (text.trim_end_matches(is_space), opened);
        }
        (text, opened)
    }

    fn comment(&mut self) -> Result<(), TemplateError> {
        let Some(end) = self.cursor.rest().find("*/") else {
            return Err(self.cursor.wrong("a comment that is not closed"));
        };
        self.cursor.at += end + 2;
        self.close()
    }

    fn after_else(&mut self) -> Result<Ending, TemplateError> {
        let start = self.cursor.at;
        self.cursor.space();
        match self.cursor.word() {
            "if" => return Ok(Ending::ElseIf),
            "with" => return Ok(Ending::ElseWith),
            _ => self.cursor.at = start,
        }
        self.close().map(|()| Ending::Else)
    }

    /// A pipeline, or a variable that gets its value.
    fn statement(&mut self) -> Result<Piece<'t>, TemplateError> {
        let start = self.cursor.at;
        if let Some(name) = self.cursor.variable() {
            self.cursor.space();
            let declares = self.cursor.take(":=");
            if declares || self.cursor.take("=") {
                let value = self.pipeline()?;
                match declares {
                    true => self.variables.push(name),
                    false => self.known(name, start)?,
                }
                return Ok(Piece::Set { name, declares, value });
            }
            self.cursor.at = start;
        }
        Ok(Piece::Print(self.pipeline()?))
    }

    /// What follows `if` or `with`, to its `end`.
    fn if_or_with(&mut self, word: &'static str) -> Result<Piece<'t>, TemplateError> {
        self.block(word, |parser| {
            let condition = parser.condition()?;
            parser.close()?;
            let (then, otherwise) = parser.branches(word)?;
            Ok(match word {
                "if" => Piece::If { condition, then, otherwise },
                _ => Piece::With { condition, then, otherwise },
            })
        })
    }

    /// What follows `range`, to its `end`.
    fn range(&mut self) -> Result<Piece<'t>, TemplateError> {
        self.block("range", |parser| {
            let names = parser.names_of_range();
            let over = parser.pipeline()?;
            parser.close()?;
            parser.variables.extend(&names);
            parser.ranges += 1;
            let (each, otherwise) = parser.branches("range")?;
            Ok(Piece::Range { names, over, each, otherwise })
        })
    }

    fn leap(&mut self, leap: Leap, word: &str, start: usize) -> Result<Piece<'t>, TemplateError> {
        if self.ranges == 0 {
            return Err(self.cursor.wrong_at(start, &format!("`{word}` outside of `range`")));
        }
        self.close().map(|()| Piece::Leap(leap))
    }

    /// Variables that are declared within are not known behind.
    fn block(
        &mut self,
        word: &str,
        read: impl FnOnce(&mut Self) -> Result<Piece<'t>, TemplateError>,
    ) -> Result<Piece<'t>, TemplateError> {
        let (start, known) = (self.cursor.at, self.variables.len());
        let block = self.deeper(read);
        self.variables.truncate(known);
        block.map_err(|error| match error {
            // It is told where the block begins, not where the text ends.
            TemplateError::Syntax { problem, .. } if problem == WITHOUT_END => {
                self.cursor.wrong_at(start, &format!("`{word}` without `end`"))
            }
            error => error,
        })
    }

    fn condition(&mut self) -> Result<Condition<'t>, TemplateError> {
        self.cursor.space();
        let start = self.cursor.at;
        let name = self.cursor.variable().filter(|_| {
            self.cursor.space();
            self.cursor.take(":=")
        });
        if name.is_none() {
            self.cursor.at = start;
        }
        let value = self.pipeline()?;
        self.variables.extend(name);
        Ok(Condition { name, value })
    }

    /// `$value :=` or `$key, $value :=`; nothing where the pipeline begins at once.
    fn names_of_range(&mut self) -> Vec<&'t str> {
        self.cursor.space();
        let start = self.cursor.at;
        let mut names = Vec::new();
        while let Some(name) = self.cursor.variable() {
            names.push(name);
            self.cursor.space();
            if names.len() == 2 || !self.cursor.take(",") {
                break;
            }
            self.cursor.space();
        }
        if names.is_empty() || !self.cursor.take(":=") {
            self.cursor.at = start;
            names.clear();
        }
        names
    }

    /// Both branches of a block. `else if` is an `if` in the other branch, and shares the `end`.
    fn branches(&mut self, word: &str) -> Result<(Vec<Piece<'t>>, Vec<Piece<'t>>), TemplateError> {
        let (then, ending) = self.nodes()?;
        if word == "range" {
            self.ranges -= 1;
        }
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::ElseIf if word == "if" => vec![self.if_or_with("if")?],
            Ending::ElseWith if word == "with" => vec![self.if_or_with("with")?],
            Ending::ElseIf | Ending::ElseWith => {
                return Err(self.cursor.wrong("`else` with another word than its block begins with"));
            }
            Ending::Else => match self.nodes()? {
                (nodes, Ending::End) => nodes,
                (_, Ending::Text) => return Err(self.cursor.wrong(WITHOUT_END)),
                _ => return Err(self.cursor.wrong("a second `else`")),
            },
            Ending::Text => return Err(self.cursor.wrong(WITHOUT_END)),
        };
        Ok((then, otherwise))
    }

    /// The end of an action.
    fn close(&mut self) -> Result<(), TemplateError> {
        self.cursor.space();
        if self.cursor.closes_trimming() {
            self.cursor.at += 3;
            self.trims = true;
            return Ok(());
        }
        if self.cursor.take("}}") { Ok(()) } else { Err(self.cursor.unexpected()) }
    }

    fn known(&self, name: &str, at: usize) -> Result<(), TemplateError> {
        match self.variables.contains(&name) {
            true => Ok(()),
            false => Err(self.cursor.wrong_at(at, &format!("`${name}` is not declared here"))),
        }
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth == DEEPEST {
            return Err(self.cursor.wrong("nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

const WITHOUT_END: &str = "a block without `end`";
