//! What stands after the colon of a new entry: a copy, or fields of its own, written as other entries write theirs.

use granit_parser::ScalarStyle;

use super::copied::copied_value;
use super::planned::{MappingPlan, PlannedValue};
use super::quotes::written;
use super::tree::{Kind, Pair};
use super::{Document, EditError, NewValue};

/// How deep a value stands below its key where no entry shows it.
const STEP: &str = "  ";

/// What stands after the colon of a new entry: blanks or a line end, and the value.
pub(crate) fn new_value(
    document: &Document,
    plan: &MappingPlan<'_>,
    value: PlannedValue<'_>,
) -> Result<String, EditError> {
    match value {
        PlannedValue::Like(pair) => copied_value(document, pair),
        PlannedValue::Reworded(pair, words) => Ok(NewValue::reworded(&copied_value(document, pair)?, words)),
        PlannedValue::Fields([]) => Ok(" {}".to_owned()),
        PlannedValue::Fields(fields) => own_fields(document, plan, fields),
    }
}

/// Fields in lines of their own or in braces, as the first entry that has any.
fn own_fields(
    document: &Document,
    plan: &MappingPlan<'_>,
    fields: &[(String, String)],
) -> Result<String, EditError> {
    let model = plan.pairs.iter().find(|pair| !document.entry_pairs(pair.value).is_empty());
    let model = model.map(|pair| (document.tree().kind(pair.value), document.entry_pairs(pair.value)));
    let empty_in_braces = plan.pairs.is_empty() && document.in_flow(plan.owner.key);
    let in_braces = match &model {
        Some((kind, _)) => *kind == (Kind::Mapping { flow: true }),
        None => empty_in_braces || (!plan.pairs.is_empty() && document.in_flow(plan.owner.value)),
    };
    let children = model.map(|(_, children)| children).unwrap_or_default();
    let field = |(name, text): &(String, String)| {
        let style = style_of(document, &children, name);
        let key = written(name, ScalarStyle::Plain, in_braces);
        format!("{key}: {}", written(text, style, in_braces))
    };
    let texts: Vec<String> = fields.iter().map(field).collect();
    if in_braces {
        return Ok(format!(" {{{}}}", texts.join(", ")));
    }
    let indentation = match children.first() {
        Some(child) => document.indentation(*child)?.to_owned(),
        None => match plan.pairs.first() {
            Some(pair) => format!("{}{STEP}", document.indentation(*pair)?),
            None => format!("{}{STEP}{STEP}", document.indentation(plan.owner)?),
        },
    };
    let end = document.line_end(document.tree().head(plan.owner.key));
    Ok(texts.into_iter().map(|text| format!("{end}{indentation}{text}")).collect())
}

/// The quotes of a field of this name.
fn style_of(document: &Document, children: &[Pair], name: &str) -> ScalarStyle {
    let field = children.iter().find(|child| document.text_of(child.key) == name);
    match field.map(|field| document.tree().kind(field.value)) {
        Some(Kind::Scalar(style @ (ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted))) => style,
        _ => ScalarStyle::Plain,
    }
}
