//! From changes to checked text: plan, byte ranges, text, check. Nothing is returned that was not checked.

use granit_parser::ScalarStyle;

use super::edit_error::{EditError, EditNote};
use super::planned::{MappingPlan, Plans};
use super::planned_texts::{How, PlannedText};
use super::quotes::written;
use super::region::Region;
use super::text_edit::{Replacement, TextEdit};
use super::tree::{Kind, Pair};
use super::{Change, Document, MappingStyle, block, check, flow, sops};

/// A text with its changes made and checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Edited {
    /// The file as it is now.
    pub document: Document,
    /// The bytes that changed.
    pub edits: TextEdit,
    /// What a reviewer should look at.
    pub notes: Vec<EditNote>,
}

impl Edited {
    /// The new text.
    pub fn text(&self) -> &str {
        self.document.text()
    }
}

impl Document {
    /// The text with the changes made: bytes outside the changed ranges are as they were, and other readers, Helm's
    /// among them, find exactly the changes that were asked for.
    ///
    /// # Errors
    /// What cannot be changed safely, with line and column; then nothing changes.
    pub fn edit(&self, changes: &[Change]) -> Result<Edited, EditError> {
        if !changes.is_empty() {
            sops::refuse(self)?;
        }
        let plans = Plans::new(self, changes)?;
        sops::refuse_encrypted(self, &plans)?;
        let mut notes = Vec::new();
        let mut replacements = Vec::new();
        for (_, pair, value) in &plans.scalars {
            replacements.extend(self.set_scalar(*pair, value)?);
        }
        for text in plans.texts.iter() {
            replacements.extend(self.text_changes(text)?);
        }
        for plan in &plans.mappings {
            replacements.extend(self.renames(plan)?);
            replacements.extend(self.entry_changes(plan, &mut notes)?);
        }
        let edits = TextEdit::new(replacements)?;
        let text = edits.apply(self.text()).ok_or(EditError::OutsideTheRanges)?;
        if !edits.leaves_the_rest(self.text(), &text) {
            return Err(EditError::OutsideTheRanges);
        }
        let regions = Region::all(self, &plans, &text);
        check::says_the_plan(self, &plans, &text, regions.as_deref())?;
        let document = match regions.and_then(|regions| self.tree().spliced(&regions)) {
            Some(tree) => Self::with_tree(text, tree),
            None => Self::parse(text.into_bytes())?,
        };
        Ok(Edited { document, edits, notes })
    }

    fn set_scalar(&self, pair: Pair, value: &str) -> Result<Option<Replacement>, EditError> {
        let Kind::Scalar(style) = self.tree().kind(pair.value) else { return Ok(None) };
        let range = self.tree().span(pair.value);
        if self.text_of(pair.value) == value && !range.is_empty() {
            return Ok(None);
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
            || self.slice(range.clone()).contains('\n')
        {
            return Err(self.layout(range.start, "the value has more than one line"));
        }
        if !range.is_empty() {
            return Ok(Some(Replacement { range, text: written(value, style, self.in_flow(pair.key)) }));
        }
        let at = self.value_start(pair)?;
        let text = format!(" {}", written(value, style, self.in_flow(pair.key)));
        Ok(Some(Replacement { range: at..at, text }))
    }

    fn text_changes(&self, text: &PlannedText<'_>) -> Result<Vec<Replacement>, EditError> {
        let range = self.tree().span(text.node);
        match (&text.how, self.tree().kind(text.node)) {
            (How::Parts(parts), _) => Ok(parts.iter().map(|part| (*part).clone()).collect()),
            (How::Whole, Kind::Scalar(style)) if self.text_at(text.node).is_one_line => {
                let text = written(&text.value, style, self.in_flow(text.node));
                Ok(vec![Replacement { range, text }])
            }
            (How::Whole, _) => Err(self.layout(range.start, "the text has no line of its own")),
        }
    }

    fn renames(&self, plan: &MappingPlan<'_>) -> Result<Vec<Replacement>, EditError> {
        let flow = self.in_flow(plan.owner.value);
        let rename = |(entry, to): (&usize, &&str)| {
            let key = plan.pairs[*entry].key;
            let range = self.tree().span(key);
            match self.tree().kind(key) {
                _ if range.is_empty() || self.slice(range.clone()).contains('\n') => {
                    Err(self.layout(range.start, "the key has no line of its own"))
                }
                Kind::Scalar(style) => Ok(Replacement { range, text: written(to, style, flow) }),
                _ => Err(self.layout(range.start, "the key is not plain or quoted text")),
            }
        };
        let changed = |(entry, to): &(&usize, &&str)| self.text_of(plan.pairs[**entry].key) != **to;
        plan.renamed.iter().filter(changed).map(rename).collect()
    }

    fn entry_changes(
        &self,
        plan: &MappingPlan<'_>,
        notes: &mut Vec<EditNote>,
    ) -> Result<Vec<Replacement>, EditError> {
        if plan.removed.is_empty() && plan.inserted.is_empty() && plan.enabled.is_empty() {
            return Ok(Vec::new());
        }
        let style = match self.tree().kind(plan.owner.value) {
            Kind::Mapping { flow: false } => MappingStyle::Block,
            Kind::Mapping { flow: true } => MappingStyle::Flow,
            _ => MappingStyle::Null,
        };
        match style {
            MappingStyle::Block => block::replacements(self, plan, notes),
            MappingStyle::Flow if !plan.pairs.is_empty() => flow::replacements(self, plan),
            _ if self.in_flow(plan.owner.key) => flow::first_entries(self, plan),
            _ => block::first_entries(self, plan),
        }
    }
}
