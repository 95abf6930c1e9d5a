//! From changes to checked text: plan, byte ranges, text, check. Nothing is returned that was not checked.

use granit_parser::ScalarStyle;

use super::planned::{MappingPlan, Plans};
use super::planned_texts::{How, PlannedText};
use super::quotes::written;
use super::region::Region;
use super::text_edit::{Overlap, Replacement, TextEdit};
use super::tree::{Kind, Pair};
use super::{Change, Document, KeyPath, MappingStyle, Position, ValuesError, block, check, flow, sops};

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

/// Something about an edit that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditNote {
    /// The comment lines directly above a removed entry stayed.
    CommentAboveStays {
        /// The key of the entry that went.
        key: String,
        /// The first line of the comment, in the old text.
        at: Position,
    },
    /// A comment below a removed entry that is indented like a part of it stayed.
    CommentBelowStays {
        /// The key of the entry that went.
        key: String,
        /// The comment, in the old text.
        at: Position,
    },
}

impl std::fmt::Display for EditNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CommentAboveStays { key, at } => write!(f, "the comment above {key} ({at}) stays"),
            Self::CommentBelowStays { key, at } => write!(f, "the comment below {key} ({at}) stays"),
        }
    }
}

/// Why an edit was not made. The file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The place cannot be read.
    #[error(transparent)]
    Values(#[from] ValuesError),
    /// There is no such key.
    #[error("`{path}` was not found")]
    NoSuchKey {
        /// The path.
        path: KeyPath,
    },
    /// What is to change is written twice; with one of them changed, the file would say two things.
    #[error("{second}: `{path}` is written twice, first at {first}; remove one of them")]
    WrittenTwice {
        /// The path.
        path: KeyPath,
        /// The first.
        first: Position,
        /// The second.
        second: Position,
    },
    /// The mapping has fewer entries.
    #[error("`{path}` has no entry number {entry}")]
    NoSuchEntry {
        /// The mapping.
        path: KeyPath,
        /// The index that was named.
        entry: usize,
    },
    /// An entry is to change in two ways that exclude one another.
    #[error("entry number {entry} of `{path}` is changed in two ways")]
    Contradiction {
        /// The mapping.
        path: KeyPath,
        /// The entry.
        entry: usize,
    },
    /// All entries would go.
    #[error("{at}: the edit empties the mapping `{path}`")]
    EmptiesMapping {
        /// The mapping.
        path: KeyPath,
        /// Its key.
        at: Position,
    },
    /// The entry is to go, or be copied, and something else refers to it.
    #[error("{at}: the anchor in `{key}` is used elsewhere")]
    AnchorUsedElsewhere {
        /// The entry.
        key: String,
        /// The anchor.
        at: Position,
    },
    /// The entry is to be copied and refers to something else.
    #[error("{at}: `{key}` holds an alias, and is not copied")]
    CopiesAlias {
        /// The entry.
        key: String,
        /// The alias.
        at: Position,
    },
    /// A way of writing that cannot be edited safely.
    #[error("{at}: cannot be edited safely: {why}")]
    Layout {
        /// Where.
        at: Position,
        /// What is in the way.
        why: &'static str,
    },
    /// A scalar is to change in two ways that exclude one another.
    #[error("{at}: the text is changed in two ways")]
    ChangedTwice {
        /// The scalar.
        at: Position,
    },
    /// sops keeps a checksum of the whole file, which the edit would make wrong.
    #[error(
        "{at}: the file is encrypted by sops, whose `mac` covers all of its values: after the edit it could not be \
         decrypted; edit it with sops, or let sops write it with `mac_only_encrypted: true`"
    )]
    Sops {
        /// The key `mac`.
        at: Position,
    },
    /// sops binds an encrypted value to its keys, and its checksum to the encrypted values.
    #[error("{at}: `{key}` holds a value that sops encrypted, and can only be changed with sops")]
    Encrypted {
        /// The entry.
        key: String,
        /// Where it stands.
        at: Position,
    },
    /// Two changes meet.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// A reader that read the old text does not read the new one.
    #[error("{at}: {reader} cannot read the edited text: {message}; nothing was written")]
    Unreadable {
        /// Whose reader it is.
        reader: &'static str,
        /// Where it stopped, in the new text.
        at: Position,
        /// What it said.
        message: String,
    },
    /// No second reader reads the old text, so that none can check an edit of it.
    #[error(
        "{at}: no second YAML reader can check an edit of this file: {message}; write it more plainly here"
    )]
    NoSecondReader {
        /// Where one of them stopped, in the old text.
        at: Position,
        /// What it said.
        message: String,
    },
    /// Another reader finds something else in the old text.
    #[error("{at}: Helm reads this otherwise (it finds {found}, dibump {expected}); write it more plainly")]
    ReadOtherwise {
        /// Where, in the old text.
        at: Position,
        /// What we find.
        expected: String,
        /// What the other reader finds.
        found: String,
    },
    /// The new text does not say what was planned.
    #[error(
        "{at}: the edited text does not say what was planned (expected {expected}, found {found}); nothing was written"
    )]
    NotAsPlanned {
        /// Where, in the new text.
        at: Position,
        /// What the plan says.
        expected: String,
        /// What the text says.
        found: String,
    },
    /// A byte outside the planned ranges would change.
    #[error("bytes outside the planned ranges would change; nothing was written")]
    OutsideTheRanges,
}

impl EditError {
    /// Whether sops forbids the edit. An update that leaves such a file out is half an update, and must be refused.
    pub fn is_of_sops(&self) -> bool {
        matches!(self, Self::Sops { .. } | Self::Encrypted { .. })
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

    pub(crate) fn layout(&self, offset: usize, why: &'static str) -> EditError {
        EditError::Layout { at: self.position(offset), why }
    }
}
