//! From text to a tree, by Go's grammar (text/template, "Actions", "Pipelines", "Arguments"). Whatever needs the chart,
//! and every function that is not known, is refused here: also in a branch that would not be taken.

use serde_json::{Number, Value};

use super::TemplateError;
use super::functions::{self, Function};

/// Deeper nesting is no values file.
const DEEPEST: usize = 64;

/// Actions and functions that only the chart can serve.
const OF_THE_CHART: [&str; 7] = ["include", "tpl", "tuple", "lookup", "template", "define", "block"];

/// What Go's templates have and the subset has not.
const UNSUPPORTED: [&str; 4] = ["range", "with", "break", "continue"];

/// A part of a template.
pub(super) enum Node<'t> {
    /// Text that stays.
    Text(&'t str),
    /// A pipeline whose result is printed.
    Print(Pipeline),
    /// One of two branches.
    If { condition: Pipeline, then: Vec<Node<'t>>, otherwise: Vec<Node<'t>> },
}

/// A value that goes through functions, each of which takes it as its last argument.
pub(super) struct Pipeline {
    pub(super) first: Command,
    pub(super) then: Vec<Call>,
}

/// What a pipeline begins with.
pub(super) enum Command {
    Operand(Operand),
    Call(Call),
}

/// A function with the arguments that are written behind it.
pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Operand>,
}

/// An argument.
pub(super) enum Operand {
    Literal(Value),
    /// The names behind `.Values`.
    Path(Vec<String>),
    /// A pipeline in parentheses, and the names behind it.
    Group(Box<Pipeline>, Vec<String>),
}

/// The tree of `text`.
pub(super) fn parse(text: &str) -> Result<Vec<Node<'_>>, TemplateError> {
    let mut parser = Parser { text, at: 0, depth: 0, trims: false };
    match parser.nodes()? {
        (nodes, Ending::Text) => Ok(nodes),
        (_, Ending::End) => Err(parser.wrong("`end` without `if`")),
        (_, Ending::Else | Ending::ElseIf) => Err(parser.wrong("`else` without `if`")),
    }
}

/// What ended a list of nodes.
enum Ending {
    Text,
    End,
    Else,
    ElseIf,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Whether the action before closed with `-}}`, which takes the white space behind it along.
    trims: bool,
}

impl<'t> Parser<'t> {
    fn nodes(&mut self) -> Result<(Vec<Node<'t>>, Ending), TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let (text, opened) = self.text_before_action();
            if !text.is_empty() {
                nodes.push(Node::Text(text));
            }
            if !opened {
                return Ok((nodes, Ending::Text));
            }
            if self.rest().starts_with("/*") {
                self.comment()?;
                continue;
            }
            self.space();
            let start = self.at;
            match self.word() {
                "end" => return self.close().map(|()| (nodes, Ending::End)),
                "else" => return Ok((nodes, self.after_else()?)),
                "if" => nodes.push(self.branches()?),
                _ => {
                    self.at = start;
                    nodes.push(Node::Print(self.pipeline()?));
                    self.close()?;
                }
            }
        }
    }

    /// The text up to the next action, whose opening is taken; white space is cut where `-` asks for it.
    fn text_before_action(&mut self) -> (&'t str, bool) {
        let rest = self.rest();
        let (text, opened) = rest.split_once("{{").map_or((rest, false), |(text, _)| (text, true));
        self.at += text.len() + if opened { 2 } else { 0 };
        let text = if std::mem::take(&mut self.trims) { text.trim_start_matches(is_space) } else { text };
        // Without white space behind it the dash is the sign of a number.
        if opened && self.rest().strip_prefix('-').is_some_and(|rest| rest.starts_with(is_space)) {
            self.at += 1;
            self.space();
            return (text.trim_end_matches(is_space), opened);
        }
        (text, opened)
    }

    fn comment(&mut self) -> Result<(), TemplateError> {
        let Some(end) = self.rest().find("*/") else {
            return Err(self.wrong("a comment that is not closed"));
        };
        self.at += end + 2;
        self.close()
    }

    fn after_else(&mut self) -> Result<Ending, TemplateError> {
        let start = self.at;
        self.space();
        if self.word() == "if" {
            return Ok(Ending::ElseIf);
        }
        self.at = start;
        self.close().map(|()| Ending::Else)
    }

    /// What follows `if`, to its `end`. `else if` is an `if` in the other branch, and shares the `end`.
    fn branches(&mut self) -> Result<Node<'t>, TemplateError> {
        self.deeper(|parser| {
            let start = parser.at;
            let condition = parser.pipeline()?;
            parser.close()?;
            let (then, ending) = parser.nodes()?;
            let otherwise = match ending {
                Ending::End => Vec::new(),
                Ending::ElseIf => vec![parser.branches()?],
                Ending::Else => match parser.nodes()? {
                    (nodes, Ending::End) => nodes,
                    (_, Ending::Text) => return Err(parser.wrong_at(start, "`if` without `end`")),
                    _ => return Err(parser.wrong("a second `else`")),
                },
                Ending::Text => return Err(parser.wrong_at(start, "`if` without `end`")),
            };
            Ok(Node::If { condition, then, otherwise })
        })
    }

    fn pipeline(&mut self) -> Result<Pipeline, TemplateError> {
        let mut pipeline = Pipeline { first: self.command()?, then: Vec::new() };
        while self.take("|") {
            match self.command()? {
                Command::Call(call) => pipeline.then.push(call),
                Command::Operand(_) => return Err(self.wrong("only functions stand behind `|`")),
            }
        }
        Ok(pipeline)
    }

    fn command(&mut self) -> Result<Command, TemplateError> {
        self.space();
        let start = self.at;
        let word = self.word();
        let is_name = word.starts_with(|c: char| !c.is_ascii_digit());
        if is_name && constant(word).is_none() {
            let function = function(word)?;
            return Ok(Command::Call(Call { function, arguments: self.arguments()? }));
        }
        self.at = start;
        let operand = self.operand()?;
        if !self.arguments()?.is_empty() {
            return Err(self.wrong_at(start, "only functions take arguments"));
        }
        match operand {
            Operand::Literal(Value::Null) => Err(self.wrong_at(start, "`nil` is an argument only")),
            operand => Ok(Command::Operand(operand)),
        }
    }

    /// Operands, each behind white space, to whatever ends a command.
    fn arguments(&mut self) -> Result<Vec<Operand>, TemplateError> {
        let mut arguments = Vec::new();
        loop {
            let spaced = self.space();
            let rest = self.rest();
            if rest.is_empty()
                || rest.starts_with(['|', ')'])
                || rest.starts_with("}}")
                || self.closes_trimming()
            {
                return Ok(arguments);
            }
            if !spaced {
                return Err(self.unexpected());
            }
            arguments.push(self.operand()?);
        }
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        match self.rest().chars().next() {
            Some('.') => self.path(),
            Some('$') => {
                self.at += 1;
                let name = self.word();
                if self.rest().starts_with('.') && name.is_empty() {
                    return self.path();
                }
                Err(TemplateError::Unsupported(format!("${name}")))
            }
            Some('(') => self.group(),
            Some('"') => self.quoted(),
            Some('`') => self.raw(),
            Some('0'..='9' | '+' | '-') => self.number(),
            Some(c) if is_word(c) => self.word_operand(),
            _ => Err(self.unexpected()),
        }
    }

    fn word_operand(&mut self) -> Result<Operand, TemplateError> {
        let start = self.at;
        let word = self.word();
        match constant(word) {
            Some(constant) => Ok(Operand::Literal(constant)),
            None => {
                function(word)?;
                Err(self.wrong_at(start, "a function as an argument stands in parentheses"))
            }
        }
    }

    fn path(&mut self) -> Result<Operand, TemplateError> {
        let mut names = self.fields()?.into_iter();
        match names.next() {
            Some(first) if first == "Values" => Ok(Operand::Path(names.collect())),
            first => Err(TemplateError::NeedsChart(format!(".{}", first.unwrap_or_default()))),
        }
    }

    fn fields(&mut self) -> Result<Vec<String>, TemplateError> {
        let mut names = Vec::new();
        while self.rest().starts_with('.') {
            self.at += 1;
            match self.word() {
                "" if names.is_empty() => break,
                "" => return Err(self.wrong("a name is missing behind `.`")),
                name => names.push(name.to_owned()),
            }
        }
        Ok(names)
    }

    fn group(&mut self) -> Result<Operand, TemplateError> {
        let start = self.at;
        self.at += 1;
        let pipeline = self.deeper(Self::pipeline)?;
        if !self.take(")") {
            return Err(self.wrong_at(start, "`(` without `)`"));
        }
        Ok(Operand::Group(Box::new(pipeline), self.fields()?))
    }

    fn number(&mut self) -> Result<Operand, TemplateError> {
        let start = self.at;
        let of_number = |c: char| is_word(c) || matches!(c, '+' | '-' | '.');
        let text = self.take_while(of_number);
        let whole = text.parse::<i64>().ok().map(Number::from);
        let number = whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
        number
            .map(|number| Operand::Literal(Value::Number(number)))
            .ok_or_else(|| self.wrong_at(start, &format!("`{text}` is no number that is understood here")))
    }

    fn raw(&mut self) -> Result<Operand, TemplateError> {
        match self.rest()[1..].split_once('`') {
            Some((text, _)) => {
                self.at += text.len() + 2;
                // As Go reads them, carriage returns are not part of it.
                Ok(Operand::Literal(Value::String(text.replace('\r', ""))))
            }
            None => Err(self.wrong("a quote that is not closed")),
        }
    }

    fn quoted(&mut self) -> Result<Operand, TemplateError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => return Ok(Operand::Literal(Value::String(text))),
                '\\' => {
                    text.push(self.escape().ok_or_else(|| self.wrong("an escape that is not understood"))?)
                }
                '\n' => break,
                _ => text.push(c),
            }
        }
        Err(self.wrong_at(start, "a quote that is not closed"))
    }

    /// What stands behind a backslash. Bytes that are no character by themselves are not understood.
    fn escape(&mut self) -> Option<char> {
        let digits = match self.next()? {
            'a' => return Some('\u{7}'),
            'b' => return Some('\u{8}'),
            'f' => return Some('\u{c}'),
            'n' => return Some('\n'),
            'r' => return Some('\r'),
            't' => return Some('\t'),
            'v' => return Some('\u{b}'),
            c @ ('\\' | '"') => return Some(c),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let hex = self.rest().get(..digits)?;
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))?;
        self.at += digits;
        char::from_u32(number).filter(|c| digits > 2 || c.is_ascii())
    }

    /// The end of an action.
    fn close(&mut self) -> Result<(), TemplateError> {
        self.space();
        if self.closes_trimming() {
            self.at += 3;
            self.trims = true;
            return Ok(());
        }
        if self.take("}}") { Ok(()) } else { Err(self.unexpected()) }
    }

    /// `-}}` behind white space.
    fn closes_trimming(&self) -> bool {
        self.rest().starts_with("-}}") && self.text[..self.at].ends_with(is_space)
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        if self.depth == DEEPEST {
            return Err(self.wrong("nested too deeply"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Skips white space, and says whether there was any.
    fn space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    fn word(&mut self) -> &'t str {
        self.take_while(is_word)
    }

    fn unexpected(&self) -> TemplateError {
        match self.rest().chars().next() {
            Some(c) => self.wrong(&format!("`{}` is not expected here", c.escape_debug())),
            None => self.wrong("an action that is not closed"),
        }
    }

    fn wrong(&self, problem: &str) -> TemplateError {
        self.wrong_at(self.at, problem)
    }

    fn wrong_at(&self, at: usize, problem: &str) -> TemplateError {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        TemplateError::Syntax { line, column, problem: problem.to_owned() }
    }
}

fn function(name: &str) -> Result<&'static Function, TemplateError> {
    if OF_THE_CHART.contains(&name) {
        return Err(TemplateError::NeedsChart(name.to_owned()));
    }
    if UNSUPPORTED.contains(&name) {
        return Err(TemplateError::Unsupported(name.to_owned()));
    }
    functions::named(name).ok_or_else(|| TemplateError::UnknownFunction(name.to_owned()))
}

fn constant(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "nil" => Some(Value::Null),
        _ => None,
    }
}

/// What Go's templates take for white space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
