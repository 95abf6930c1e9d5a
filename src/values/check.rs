//! The second opinions: two other YAML readers read the edited text, and must find the old nodes with the plan's changes.
//!
//! Nothing here looks at byte ranges or at what the edit wrote: the expected events come from the tree of the old
//! text and from the plan alone. One reader is Helm's own, libyaml, because an edit that Helm reads in another way
//! breaks a deployment; the other is yaml-rust2.

mod comparison;
mod libyaml;
mod reader;
mod yaml_rust2;

use self::comparison::{ByNode, Reading};
use self::libyaml::Libyaml;
use self::reader::Reader;
use self::yaml_rust2::YamlRust2;
use super::planned::Plans;
use super::region::Region;
use super::{Document, EditError};

/// What a reader says of an edited text.
#[derive(Debug)]
enum Opinion {
    /// The text says what was planned.
    Agrees,
    /// The reader does not read the old text as we do, for this reason, so that its trouble is not the edit's.
    Abstains(Option<EditError>),
}

/// Compares the edited text with the plan.
///
/// A reader that reads the old text as we do must find the plan in the new one. Where one of them cannot read the old
/// text, the other decides: a spelling that yaml-rust2 does not know is no fault of the edit. `regions` are those of the
/// text, where it has some.
pub(crate) fn says_the_plan<'a>(
    document: &'a Document,
    plans: &Plans<'_>,
    text: &'a str,
    regions: Option<&[Region<'a>]>,
) -> Result<(), EditError> {
    let plan = &ByNode::new(plans);
    let helm = opinion(document, plan, text, regions, Libyaml::new)?;
    let second = opinion(document, plan, text, regions, YamlRust2::new)?;
    match (helm, second) {
        // Helm reads the old text, and finds something else in it than we do.
        (Opinion::Abstains(Some(EditError::NotAsPlanned { at, expected, found })), _) => {
            Err(EditError::ReadOtherwise { at, expected, found })
        }
        (Opinion::Abstains(error), Opinion::Abstains(other)) => Err(unread(error.or(other))),
        _ => Ok(()),
    }
}

/// Where the changes can be read by themselves, the rest being the old text byte for byte, that is enough. Everywhere
/// else, and whenever that reading finds fault, the whole text is read and has the last word.
fn opinion<'a, R: Reader>(
    document: &'a Document,
    plan: &ByNode<'_>,
    text: &'a str,
    regions: Option<&[Region<'a>]>,
    reader: impl Fn(&'a str) -> Option<R>,
) -> Result<Opinion, EditError> {
    if regions.is_some_and(|regions| regions_say_the_plan(document, plan, regions, &reader)) {
        return Ok(Opinion::Agrees);
    }
    let Some(after) = whole_says_the_plan(document, plan, text, &reader) else {
        return Ok(Opinion::Abstains(None));
    };
    let Err(error) = after else { return Ok(Opinion::Agrees) };
    match whole_says_the_plan(document, &ByNode::default(), document.text(), &reader) {
        Some(Ok(())) => Err(error),
        Some(Err(before)) => Ok(Opinion::Abstains(Some(before))),
        None => Ok(Opinion::Abstains(None)),
    }
}

/// Whether the changes say the plan, each region read by itself.
fn regions_say_the_plan<'a, R: Reader>(
    document: &Document,
    plan: &ByNode<'_>,
    regions: &[Region<'a>],
    reader: impl Fn(&'a str) -> Option<R>,
) -> bool {
    regions.iter().all(|region| {
        let reader = reader(region.text);
        reader.is_some_and(|reader| Reading::new(document, plan, reader).entries(&region.pairs).is_ok())
    })
}

/// Compares a whole text with the plan; `None` where the reader has no answer.
fn whole_says_the_plan<'a, R: Reader>(
    document: &Document,
    plan: &ByNode<'_>,
    text: &'a str,
    reader: impl Fn(&'a str) -> Option<R>,
) -> Option<Result<(), EditError>> {
    // Not every reader takes a byte order mark for what it is.
    let reader = reader(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    Some(Reading::new(document, plan, reader).file())
}

/// No other reader reads the old text as we do.
fn unread(error: Option<EditError>) -> EditError {
    match error {
        Some(EditError::Unreadable { at, message, .. }) => EditError::NoSecondReader { at, message },
        Some(EditError::NotAsPlanned { at, expected, found }) => {
            EditError::ReadOtherwise { at, expected, found }
        }
        other => other.unwrap_or(EditError::OutsideTheRanges),
    }
}

#[cfg(test)]
mod tests;
