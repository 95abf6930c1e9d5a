//! Values of a command line as Helm's `--set` reads them: `a.b=1,c[0]=x,d={x,y}`, where `\` takes the next character as it
//! is (Helm, `pkg/strvals/parser.go`). What Helm takes without a word and cannot be meant is refused: a key in quotes, an
//! empty key.

use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

use serde_json::{Map, Value};

/// A larger index is a mistake (Helm's `MaxIndex`).
const MAX_INDEX: usize = 65_536;

/// What one `--set` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting(Vec<Assignment>);

#[derive(Debug, Clone, PartialEq)]
struct Assignment {
    path: Vec<Step>,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Why a text is not what `--set` takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// A path without a value.
    #[error("`{0}` has no value (expected PATH=VALUE, as in cluster.k8s_version=v1.31.8)")]
    NoValue(String),
    /// A path with an empty key.
    #[error("`{0}` has an empty key (expected PATH=VALUE, as in cluster.k8s_version=v1.31.8)")]
    EmptyKey(String),
    /// A key in quotes, which Helm takes as part of the key.
    #[error("`{0}`: quotes are not read here; write `\\.` for a dot in a key")]
    Quoted(String),
    /// Something else than a number in brackets, or a number that is too large.
    #[error("`{0}`: expected an index from 0 to {MAX_INDEX} in the brackets, as in list[0]=value")]
    Index(String),
    /// A list without an end.
    #[error(
        "`{0}`: the list has no end (expected {{a,b}}; write `\\{{` for a brace that is part of the value)"
    )]
    OpenList(String),
    /// Text behind the end of a list.
    #[error("`{0}`: expected `,` behind the list")]
    BehindList(String),
}

/// Something else than a mapping or a list stands where a setting leads through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--set {path}: `{at}` is not a {wanted} in the values")]
pub struct Unsettable {
    path: String,
    at: String,
    wanted: &'static str,
}

impl Setting {
    /// Lays the values over those of the user's files.
    pub(super) fn lay_over(&self, users: &mut Map<String, Value>) -> Result<(), Unsettable> {
        let mut values = Value::Object(std::mem::take(users));
        for Assignment { path, value } in &self.0 {
            put(&mut values, path, 0, value)?;
        }
        if let Value::Object(map) = values {
            *users = map;
        }
        Ok(())
    }
}

fn put(into: &mut Value, path: &[Step], depth: usize, value: &Value) -> Result<(), Unsettable> {
    let wrong = |wanted| {
        let text = |steps: &[Step]| steps.iter().map(ToString::to_string).collect::<String>();
        let trimmed = |text: String| text.trim_start_matches('.').to_owned();
        Unsettable { path: trimmed(text(path)), at: trimmed(text(&path[..depth])), wanted }
    };
    match path.get(depth) {
        None => *into = value.clone(),
        Some(Step::Key(key)) => {
            if into.is_null() {
                *into = Value::Object(Map::new());
            }
            let map = into.as_object_mut().ok_or_else(|| wrong("mapping"))?;
            put(map.entry(key.clone()).or_insert(Value::Null), path, depth + 1, value)?;
        }
        Some(Step::Index(index)) => {
            if into.is_null() {
                *into = Value::Array(Vec::new());
            }
            let list = into.as_array_mut().ok_or_else(|| wrong("list"))?;
            if list.len() <= *index {
                list.resize(index + 1, Value::Null);
            }
            put(&mut list[*index], path, depth + 1, value)?;
        }
    }
    Ok(())
}

impl FromStr for Setting {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        let mut reader = Reader { text, rest: text.chars().peekable() };
        let mut assignments = Vec::new();
        while reader.rest.peek().is_some() {
            assignments.push(Assignment { path: reader.path()?, value: reader.value()? });
        }
        match assignments.is_empty() {
            true => Err(InvalidSetting::NoValue(text.to_owned())),
            false => Ok(Self(assignments)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, ".{}", key.replace('.', "\\.")),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    /// A path and the `=` behind it.
    fn path(&mut self) -> Result<Vec<Step>, InvalidSetting> {
        let mut path = Vec::new();
        loop {
            let (key, mut stop) = self.word(&['=', '.', '[', ',']);
            match key.as_str() {
                "" => return Err(InvalidSetting::EmptyKey(self.text.to_owned())),
                key if key.starts_with('"') => return Err(InvalidSetting::Quoted(self.text.to_owned())),
                _ => path.push(Step::Key(key)),
            }
            while stop == Some('[') {
                path.push(Step::Index(self.index()?));
                stop = self.rest.next();
            }
            match stop {
                Some('.') => {}
                Some('=') => return Ok(path),
                _ => return Err(InvalidSetting::NoValue(self.text.to_owned())),
            }
        }
    }

    /// A number and the bracket behind it.
    fn index(&mut self) -> Result<usize, InvalidSetting> {
        let (number, end) = self.word(&[']']);
        let index = number.parse().ok().filter(|index| *index <= MAX_INDEX && end.is_some());
        index.ok_or_else(|| InvalidSetting::Index(self.text.to_owned()))
    }

    /// A value or a list, and the comma behind it.
    fn value(&mut self) -> Result<Value, InvalidSetting> {
        if self.rest.next_if_eq(&'{').is_none() {
            let (word, _) = self.word(&[',']);
            return Ok(typed(&word));
        }
        let mut items = Vec::new();
        loop {
            let (word, stop) = self.word(&[',', '}']);
            // `{}` is an empty list, and `{a,}` has an empty item.
            if !(items.is_empty() && word.is_empty() && stop == Some('}')) {
                items.push(typed(&word));
            }
            match stop {
                Some(',') => {}
                Some(_) => break,
                None => return Err(InvalidSetting::OpenList(self.text.to_owned())),
            }
        }
        match self.rest.next() {
            None | Some(',') => Ok(Value::Array(items)),
            Some(_) => Err(InvalidSetting::BehindList(self.text.to_owned())),
        }
    }

    /// The text before one of these characters, which is taken along.
    fn word(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut word = String::new();
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => word.extend(self.rest.next()),
                next if stops.contains(&next) => return (word, Some(next)),
                next => word.push(next),
            }
        }
        (word, None)
    }
}

/// Booleans, null and whole numbers; everything else is a text, `1.30` and `yes` too.
fn typed(word: &str) -> Value {
    match word {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        "0" => 0.into(),
        _ if word.starts_with('0') => word.into(),
        _ => word.parse::<i64>().map_or_else(|_| word.into(), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What `--set` makes of these values.
    fn set(mut values: Value, texts: &[&str]) -> Result<Value, String> {
        let Value::Object(users) = &mut values else { panic!("a mapping") };
        for text in texts {
            let setting: Setting = text.parse().map_err(|error: InvalidSetting| error.to_string())?;
            setting.lay_over(users).map_err(|error| error.to_string())?;
        }
        Ok(values)
    }

    /// The table of Helm's own tests (`pkg/strvals/parser_test.go`), as far as it is meant.
    #[test]
    fn values_are_set_as_helm_sets_them() {
        for (text, expected) in [
            ("name1=null,f=false,t=true", json!({"name1": null, "f": false, "t": true})),
            ("name1=value1,name2=value2", json!({"name1": "value1", "name2": "value2"})),
            ("leading_zeros=00009", json!({"leading_zeros": "00009"})),
            ("zero_int=0,long_int=1234567890", json!({"zero_int": 0, "long_int": 1_234_567_890})),
            ("float=1.30,yes=yes,negative=-3", json!({"float": "1.30", "yes": "yes", "negative": -3})),
            (r"name1=one\,two,name2=three\,four", json!({"name1": "one,two", "name2": "three,four"})),
            (r"name1=one\=two,name2=three\=four", json!({"name1": "one=two", "name2": "three=four"})),
            ("name1=one two three,name2=", json!({"name1": "one two three", "name2": ""})),
            (r"outer.in\.ner=value", json!({"outer": {"in.ner": "value"}})),
            ("outer.middle.inner=value,outer.b=1", json!({"outer": {"middle": {"inner": "value"}, "b": 1}})),
            ("name1={value1,value2}", json!({"name1": ["value1", "value2"]})),
            ("name1={value1,value2},name2={}", json!({"name1": ["value1", "value2"], "name2": []})),
            (r"name1={1,a\,b,}", json!({"name1": [1, "a,b", ""]})),
            ("list[0]=foo,list[2]=bar", json!({"list": ["foo", null, "bar"]})),
            ("list[0].foo=bar,list[0].hello=world", json!({"list": [{"foo": "bar", "hello": "world"}]})),
            ("nested[1][1]=1", json!({"nested": [null, [null, 1]]})),
            (r"a=\{b}", json!({"a": "{b}"})),
            ("url=https://h/x?a=b", json!({"url": "https://h/x?a=b"})),
        ] {
            assert_eq!(set(json!({}), &[text]), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_there_is_kept_unless_it_is_named() {
        let there = json!({"a": {"x": 1, "l": [1, 2]}, "b": 1});
        assert_eq!(
            set(there.clone(), &["a.l[1]=3", "a.y=2"]),
            Ok(json!({"a": {"x": 1, "l": [1, 3], "y": 2}, "b": 1}))
        );
        assert_eq!(set(there.clone(), &["a=text"]), Ok(json!({"a": "text", "b": 1})));
        for (text, said) in [
            ("b.c=1", "--set b.c: `b` is not a mapping in the values"),
            ("a.x[0]=1", "--set a.x[0]: `a.x` is not a list in the values"),
            ("a.l.y=1", "--set a.l.y: `a.l` is not a mapping in the values"),
        ] {
            assert_eq!(set(there.clone(), &[text]).unwrap_err(), said);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, said) in [
            ("", "has no value"),
            ("name1", "`name1` has no value"),
            ("name1=a,name2", "has no value"),
            ("name1,name2=a", "has no value"),
            ("a..b=1", "has an empty key"),
            ("=1", "has an empty key"),
            (r#"a."b.c"=1"#, r"write `\.` for a dot in a key"),
            ("list[x]=1", "expected an index"),
            ("list[-1]=1", "expected an index"),
            ("list[0=1", "expected an index"),
            ("list[65537]=1", "expected an index"),
            ("list[0]x=1", "has no value"),
            ("name={a,b", "the list has no end"),
            ("name={a}b", "expected `,` behind the list"),
        ] {
            let error = set(json!({}), &[text]).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
