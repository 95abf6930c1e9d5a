//! Expressions of a template, by Go's grammar (text/template, "Pipelines", "Arguments").

use serde_json::{Number, Value};

use super::cursor::is_word;
use super::{Base, Call, Command, OF_THE_CHART, Operand, Parser, Pipeline};
use crate::template::TemplateError;
use crate::template::functions::{self, Function};

impl<'t> Parser<'t> {
    pub(super) fn pipeline(&mut self) -> Result<Pipeline<'t>, TemplateError> {
        let mut pipeline = Pipeline { first: self.command()?, then: Vec::new() };
        while self.cursor.take("|") {
            match self.command()? {
                Command::Call(call) => pipeline.then.push(call),
                Command::Operand(_) => return Err(self.cursor.wrong("only functions stand behind `|`")),
            }
        }
        Ok(pipeline)
    }

    fn command(&mut self) -> Result<Command<'t>, TemplateError> {
        self.cursor.space();
        let start = self.cursor.at;
        let word = self.cursor.word();
        let is_name = word.starts_with(|c: char| !c.is_ascii_digit());
        if is_name && constant(word).is_none() {
            let function = function(word)?;
            return Ok(Command::Call(Call { function, arguments: self.arguments()? }));
        }
        self.cursor.at = start;
        let operand = self.operand()?;
        if !self.arguments()?.is_empty() {
            if let Operand::Path(Base::Dot | Base::Root, names) = &operand
                && let Some(first) = names.first().filter(|name| **name != "Values")
            {
                return Err(TemplateError::NeedsChart(format!(".{first}")));
            }
            return Err(self.cursor.wrong_at(start, "only functions take arguments"));
        }
        match operand {
            Operand::Literal(Value::Null) => Err(self.cursor.wrong_at(start, "`nil` is an argument only")),
            operand => Ok(Command::Operand(operand)),
        }
    }

    /// Operands, each behind white space, to whatever ends a command.
    fn arguments(&mut self) -> Result<Vec<Operand<'t>>, TemplateError> {
        let mut arguments = Vec::new();
        loop {
            let spaced = self.cursor.space();
            let rest = self.cursor.rest();
            if rest.is_empty()
                || rest.starts_with(['|', ')'])
                || rest.starts_with("}}")
                || self.cursor.closes_trimming()
            {
                return Ok(arguments);
            }
            if !spaced {
                return Err(self.cursor.unexpected());
            }
            arguments.push(self.operand()?);
        }
    }

    fn operand(&mut self) -> Result<Operand<'t>, TemplateError> {
        match self.cursor.rest().chars().next() {
            Some('.') => Ok(Operand::Path(Base::Dot, self.fields()?)),
            Some('$') => self.variable(),
            Some('(') => self.group(),
            Some('"') => self.quoted(),
            Some('`') => self.raw(),
            Some('0'..='9' | '+' | '-') => self.number(),
            Some(c) if is_word(c) => self.word_operand(),
            _ => Err(self.cursor.unexpected()),
        }
    }

    fn word_operand(&mut self) -> Result<Operand<'t>, TemplateError> {
        let start = self.cursor.at;
        let word = self.cursor.word();
        match constant(word) {
            Some(constant) => Ok(Operand::Literal(constant)),
            None => match function(word)? {
                function if function.stands_alone() => {
                    let first = Command::Call(Call { function, arguments: Vec::new() });
                    Ok(Operand::Group(Box::new(Pipeline { first, then: Vec::new() }), self.fields()?))
                }
                _ => Err(self.cursor.wrong_at(start, "a function as an argument stands in parentheses")),
            },
        }
    }

    fn variable(&mut self) -> Result<Operand<'t>, TemplateError> {
        let start = self.cursor.at;
        let base = match self.cursor.variable() {
            Some(name) => self.known(name, start).map(|()| Base::Variable(name))?,
            None => {
                self.cursor.at += 1;
                Base::Root
            }
        };
        Ok(Operand::Path(base, self.fields()?))
    }

    fn fields(&mut self) -> Result<Vec<&'t str>, TemplateError> {
        let mut names = Vec::new();
        while self.cursor.rest().starts_with('.') {
            self.cursor.at += 1;
            match self.cursor.word() {
                "" if names.is_empty() => break,
                "" => return Err(self.cursor.wrong("a name is missing behind `.`")),
                name => names.push(name),
            }
        }
        Ok(names)
    }

    fn group(&mut self) -> Result<Operand<'t>, TemplateError> {
        let start = self.cursor.at;
        self.cursor.at += 1;
        let pipeline = self.deeper(Self::pipeline)?;
        if !self.cursor.take(")") {
            return Err(self.cursor.wrong_at(start, "`(` without `)`"));
        }
        Ok(Operand::Group(Box::new(pipeline), self.fields()?))
    }

    fn number(&mut self) -> Result<Operand<'t>, TemplateError> {
        let start = self.cursor.at;
        let of_number = |c: char| is_word(c) || matches!(c, '+' | '-' | '.');
        let text = self.cursor.take_while(of_number);
        let whole = text.parse::<i64>().ok().map(Number::from);
        let number = whole.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
        number.map(|number| Operand::Literal(Value::Number(number))).ok_or_else(|| {
            self.cursor.wrong_at(start, &format!("`{text}` is not a number that is understood here"))
        })
    }

    fn raw(&mut self) -> Result<Operand<'t>, TemplateError> {
        match self.cursor.rest()[1..].split_once('`') {
            Some((text, _)) => {
                self.cursor.at += text.len() + 2;
                // As Go reads them, carriage returns are not part of it.
                Ok(Operand::Literal(Value::String(text.replace('\r', ""))))
            }
            None => Err(self.cursor.wrong("a quote that is not closed")),
        }
    }

    fn quoted(&mut self) -> Result<Operand<'t>, TemplateError> {
        let start = self.cursor.at;
        self.cursor.at += 1;
        let mut text = String::new();
        while let Some(c) = self.cursor.next() {
            match c {
                '"' => return Ok(Operand::Literal(Value::String(text))),
                '\\' => text.push(
                    self.escape().ok_or_else(|| self.cursor.wrong("an escape that is not understood"))?,
                ),
                '\n' => break,
                _ => text.push(c),
            }
        }
        Err(self.cursor.wrong_at(start, "a quote that is not closed"))
    }

    /// What stands behind a backslash. Bytes that are no character by themselves are not understood.
    fn escape(&mut self) -> Option<char> {
        let digits = match self.cursor.next()? {
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
        let hex = self.cursor.rest().get(..digits)?;
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+'))?;
        self.cursor.at += digits;
        char::from_u32(number).filter(|c| digits > 2 || c.is_ascii())
    }
}

fn function(name: &str) -> Result<&'static Function, TemplateError> {
    if OF_THE_CHART.contains(&name) {
        return Err(TemplateError::NeedsChart(name.to_owned()));
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
