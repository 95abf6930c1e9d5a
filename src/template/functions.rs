//! The functions: Go's own (text/template, "Functions") and those of sprig and Helm, with their order of arguments.

mod arguments;
mod choice;
mod collections;
mod data;
mod mappings;
mod numbers;
mod text;

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::format::quoted;
use super::given::Given;
use super::shared::Shared;
use super::{LONGEST, ReadYaml, TemplateError};
use crate::budget::{Budget, Counted};
use arguments::{Arguments, or_null};
use choice::{coalesce, default, last, required, ternary};
use collections::{append, dict, dig, has, index, join, len, split};
use data::{from_json, from_yaml, to_json};
use mappings::{merge, part, set, unset};
use numbers::{add, int};
use text::{base64_decoded, lower, print, printf, regex_replace_all, replace, trunc, upper};

/// What a function gives, or why it gives nothing.
type Answer<'v> = Result<Given<'v>, TemplateError>;

/// A function by its name.
pub(super) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    run: for<'v> fn(&Arguments<'_, 'v>) -> Answer<'v>,
}

const ANY: usize = usize::MAX;

const fn of(
    name: &'static str,
    least: usize,
    most: usize,
    run: for<'v> fn(&Arguments<'_, 'v>) -> Answer<'v>,
) -> Function {
    Function { name, least, most, run }
}

static FUNCTIONS: &[Function] = &[
    of("and", 1, ANY, last),
    of("or", 1, ANY, last),
    of("not", 1, 1, |a| Ok(Given::new(is_empty(&a.given[0])))),
    of("eq", 2, ANY, |a| a.any_equal().map(Given::new)),
    of("ne", 2, 2, |a| a.any_equal().map(|equal| Given::new(!equal))),
    of("lt", 2, 2, |a| a.compared(Ordering::is_lt)),
    of("le", 2, 2, |a| a.compared(Ordering::is_le)),
    of("gt", 2, 2, |a| a.compared(Ordering::is_gt)),
    of("ge", 2, 2, |a| a.compared(Ordering::is_ge)),
    of("index", 1, ANY, index),
    of("len", 1, 1, len),
    of("print", 1, ANY, print),
    of("printf", 1, ANY, printf),
    of("println", 1, ANY, |a| Ok(Given::new(format!("{}\n", a.all_printed()?.join(" "))))),
    of("default", 1, 2, default),
    of("empty", 1, 1, |a| Ok(Given::new(is_empty(&a.given[0])))),
    of("coalesce", 1, ANY, coalesce),
    of("ternary", 3, 3, ternary),
    of("dig", 3, ANY, dig),
    of("required", 2, 2, required),
    of("quote", 0, ANY, |a| a.each_in_quotes(|text| quoted(&text))),
    of("squote", 0, ANY, |a| a.each_in_quotes(|text| format!("'{text}'"))),
    of("replace", 3, 3, replace),
    of("trim", 1, 1, |a| Ok(Given::new(a.text(0)?.trim()))),
    of("trimPrefix", 2, 2, |a| Ok(Given::new(a.text(1)?.strip_prefix(a.text(0)?).unwrap_or(a.text(1)?)))),
    of("trimSuffix", 2, 2, |a| Ok(Given::new(a.text(1)?.strip_suffix(a.text(0)?).unwrap_or(a.text(1)?)))),
    of("hasPrefix", 2, 2, |a| Ok(Given::new(a.text(1)?.starts_with(a.text(0)?)))),
    of("hasSuffix", 2, 2, |a| Ok(Given::new(a.text(1)?.ends_with(a.text(0)?)))),
    of("contains", 2, 2, |a| Ok(Given::new(a.text(1)?.contains(a.text(0)?)))),
    of("lower", 1, 1, |a| Ok(Given::new(a.text(0)?.chars().map(lower).collect::<String>()))),
    of("upper", 1, 1, |a| Ok(Given::new(a.text(0)?.chars().map(upper).collect::<String>()))),
    of("toString", 1, 1, |a| a.printed(a.given[0].demanded()?).map(Given::new)),
    of("regexFind", 2, 2, |a| Ok(Given::new(a.regex()?.find(a.text(1)?).map_or("", |found| found.as_str())))),
    of("regexMatch", 2, 2, |a| Ok(Given::new(a.regex()?.is_match(a.text(1)?)))),
    of("regexReplaceAll", 3, 3, regex_replace_all),
    of("trunc", 2, 2, trunc),
    of("splitList", 2, 2, |a| Ok(Given::Value(Shared::list(a.split()?.into_iter().map(Shared::from))))),
    of("split", 2, 2, split),
    of("join", 2, 2, join),
    // Another name of the same.
    of("tuple", 0, ANY, |a| Ok(Given::Value(Shared::list(a.given.iter().map(or_null))))),
    of("list", 0, ANY, |a| Ok(Given::Value(Shared::list(a.given.iter().map(or_null))))),
    of("first", 1, 1, |a| Ok(Given::at(a.list(0)?.item(0), "first"))),
    of("last", 1, 1, |a| a.list(0).map(|list| Given::at(list.items().last(), "last"))),
    of("has", 2, 2, has),
    of("dict", 0, ANY, dict),
    of("get", 2, 2, |a| {
        Ok(a.map(0)?.entry(a.text(1)?).map_or_else(|| Given::new(""), |found| Given::at(Some(found), "null")))
    }),
    of("hasKey", 2, 2, |a| Ok(Given::new(a.map(0)?.entry(a.text(1)?).is_some()))),
    of("append", 2, 2, append),
    of("deepCopy", 1, 1, |a| match a.given[0].value() {
        Some(value) => Ok(Given::Value(value.copied(a.budget)?)),
        None => Ok(a.given[0].clone()),
    }),
    of("set", 3, 3, set),
    of("unset", 2, 2, unset),
    of("pick", 1, ANY, |a| part(a, true)),
    of("omit", 1, ANY, |a| part(a, false)),
    of("merge", 1, ANY, |a| merge(a, false)),
    of("mustMerge", 1, ANY, |a| merge(a, false)),
    of("mergeOverwrite", 1, ANY, |a| merge(a, true)),
    of("mustMergeOverwrite", 1, ANY, |a| merge(a, true)),
    of("toJson", 1, 1, to_json),
    of("mustToJson", 1, 1, to_json),
    of("fromJson", 1, 1, from_json),
    of("fromYaml", 1, 1, from_yaml),
    of("fail", 1, 1, |a| Err(TemplateError::Failed(a.text(0)?.to_owned()))),
    of("kindIs", 2, 2, |a| Ok(Given::new(a.text(0)? == or_null(&a.given[1]).go_kind()))),
    of("int", 1, 1, int),
    of("add", 0, ANY, add),
    of("b64enc", 1, 1, |a| Ok(Given::new(BASE64.encode(a.text(0)?)))),
    of("b64dec", 1, 1, base64_decoded),
    of("trimAll", 2, 2, |a| {
        let cutset: Vec<char> = a.text(0)?.chars().collect();
        Ok(Given::new(a.text(1)?.trim_matches(cutset.as_slice())))
    }),
    of("indent", 2, 2, |a| a.indented().map(Given::new)),
    of("nindent", 2, 2, |a| a.indented().map(|text| Given::new(format!("\n{text}")))),
    of("include", 2, 2, |_| Err(TemplateError::NeedsChart("include".to_owned()))),
    of("tpl", 2, 2, |_| Err(TemplateError::NeedsChart("tpl".to_owned()))),
    // Outside of a cluster nothing is found (Helm, "Using the lookup function").
    of(LOOKUP, 4, 4, |_| Ok(Given::Value(Shared::map([])))),
];

/// The function that asks a cluster.
pub(super) const LOOKUP: &str = "lookup";

/// Functions whose arguments do not matter: what they ask is not here.
const OF_OUTSIDE: [&str; 3] = ["include", "tpl", LOOKUP];

/// The function called `name`.
pub(super) fn named(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).collect()
}

impl Function {
    /// Whether it may stand without arguments, and so be one itself.
    pub(super) fn stands_alone(&self) -> bool {
        self.least == 0
    }

    /// Whether it takes so many arguments.
    pub(super) fn takes(&self, count: usize) -> Result<(), TemplateError> {
        if (self.least..=self.most).contains(&count) {
            return Ok(());
        }
        let wanted = match (self.least, self.most) {
            (least, ANY) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let arguments = if matches!(wanted.as_str(), "1" | "at least 1") { "argument" } else { "arguments" };
        Err(self.unfit(format!("takes {wanted} {arguments} and has {count}")))
    }

    /// Whether it asks what is not here, so that its arguments do not matter.
    pub(super) fn is_of_outside(&self) -> bool {
        OF_OUTSIDE.contains(&self.name)
    }

    /// What it gives for arguments of the right number.
    pub(super) fn call<'v>(&self, given: &[Given<'v>], budget: &Budget, read_yaml: ReadYaml) -> Answer<'v> {
        let texts = given.iter().filter_map(Given::value).filter_map(Shared::text);
        budget.spend(Counted::TemplateBytes, texts.map(|text| text.len() as u64).sum())?;
        let answer = (self.run)(&Arguments { function: self, given, budget, read_yaml })?;
        match answer.value().and_then(Shared::text) {
            Some(text) if text.len() > LONGEST => Err(TemplateError::TooLong(LONGEST)),
            _ => Ok(answer),
        }
    }

    pub(super) fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Unfit { name: self.name.to_owned(), problem: problem.into() }
    }
}

/// What Go and sprig take for empty; nothing is, too.
pub(super) fn is_empty(given: &Given<'_>) -> bool {
    given.value().is_none_or(Shared::is_empty)
}
