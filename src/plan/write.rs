//! From keys to bytes: each file is edited once, at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::decide::FileKeys;
use super::decided::Decided;
use super::findings::{Findings, judge};
use super::kubernetes_versions;
use super::references::{ReferenceFiles, follow};
use super::schema::{self, Schema, SchemaAnswer};
use super::values_from::{self, FollowedLists, Lists, Untold};
use super::written::Written;
use super::{Plan, PlanError, PlannedFile, Surveyed};
use crate::budget::{Budget, Exceeded};
use crate::check::KnownValue;
use crate::reconcile::kubernetes_versions::Coupled;
use crate::reconcile::{Departure, Reconciliation};
use crate::release::hold::Hold;
use crate::values::{Change, Document, EditNote, Entry, Mapping, NewValue, Position};

/// Files beside the target's own that a plan looks at, by their paths.
#[derive(Debug, Default)]
pub struct Beside {
    /// The charts' schemas: of those that [`Decided::schemas`] names, the ones that exist.
    pub schemas: BTreeMap<String, Vec<u8>>,
    /// Files that may name image keys.
    pub references: BTreeMap<String, Vec<u8>>,
    /// The lists that [`wanted_lists`](super::wanted_lists) names.
    pub lists: Lists,
}

/// A file of the target after the changes of all producers.
struct EditedFile {
    before: Arc<str>,
    after: Arc<str>,
    /// Its document, where it changes.
    document: Option<Arc<Document>>,
    notes: Vec<String>,
}

/// Makes the texts: each file is edited once, for all producers of the files together.
///
/// # Errors
/// An edit that cannot be made safely; a key that a chart's schema does not allow, or a schema that cannot be read.
pub fn write(mut members: Vec<Decided<'_>>, beside: Beside) -> Result<Vec<Plan>, PlanError> {
    if members.len() > 1 {
        couple_together(&mut members);
    }
    let known_values = follow_lists(&mut members, &beside.lists)?;
    let mut files = edit(&members)?;
    let mut written = Vec::with_capacity(members.len());
    for Decided { input, known, keys } in members {
        let mut planned = Vec::with_capacity(keys.files.len());
        for ((file, keys), edited) in input.survey.files().zip(keys.files).zip(&mut files) {
            let mut file_plan = PlannedFile::new(file, keys, edited);
            obey(&mut file_plan, file, &beside.schemas, input.budget)?;
            planned.push(file_plan);
        }
        let plan = Plan {
            files: planned,
            from: keys.from,
            verdict: keys.verdict,
            choice: keys.choice,
            references: ReferenceFiles::default(),
            signatures: keys.signatures,
            findings: Findings::default(),
        };
        written.push(Written { input, known, plan });
    }
    let others = follow(&mut written, beside.references)?;
    let after = files.into_iter().map(|file| file.document).collect::<Vec<_>>();
    judge(&mut written, &after, &others, &known_values)?;
    Ok(written.into_iter().map(|written| written.plan).collect())
}

/// Kubernetes versions follow the images of all producers: what each decided of them by its own is replaced.
fn couple_together(members: &mut [Decided<'_>]) {
    let Some(first) = members.iter().position(|member| !member.keys.files.is_empty()) else { return };
    let images = kubernetes_versions::of_all(members.iter().map(Decided::listing));
    let coupled = images
        .map(|images| kubernetes_versions::in_files(&members[first].input, &images))
        .unwrap_or_default();
    let nothing = vec![Coupled::default(); coupled.len()];
    for (place, member) in members.iter_mut().enumerate() {
        member.keys.couple(if place == first { coupled.clone() } else { nothing.clone() });
    }
}

/// Values follow lists, in the files of the first producer that changes something; or nothing is planned. What the lists say.
fn follow_lists(members: &mut [Decided<'_>], lists: &Lists) -> Result<Vec<KnownValue>, PlanError> {
    let followed = values_from::follow(members, lists)?;
    let mut changing = members.iter_mut().filter(|member| member.keys.is_change());
    match followed {
        FollowedLists::Followed(files, known) => {
            changing.next().into_iter().for_each(|first| first.keys.follow(files.clone()));
            return Ok(known);
        }
        FollowedLists::Untold(Untold::Held(hold)) => {
            changing.for_each(|member| member.keys.hold(Hold::clone(&hold)))
        }
        FollowedLists::Untold(Untold::Unknown(why)) => {
            changing.for_each(|member| member.keys.become_unknown(why.clone()))
        }
    }
    Ok(Vec::new())
}

/// Each file of the target, edited where something changes.
fn edit(members: &[Decided<'_>]) -> Result<Vec<EditedFile>, PlanError> {
    let files = members.first().into_iter().flat_map(|first| first.input.survey.files()).enumerate();
    let edit = |(place, file): (usize, &Surveyed)| {
        let keys = members.iter().filter_map(|member| member.keys.files.get(place));
        let changes: Vec<Change> = keys.flat_map(FileKeys::changes).cloned().collect();
        let before = file.document.shared_text();
        if changes.is_empty() {
            let after = Arc::clone(&before);
            return Ok(EditedFile { before, after, document: None, notes: Vec::new() });
        }
        let edited = file.document.edit(&changes);
        let edited = edited.map_err(|error| PlanError::Edit { path: file.path.clone(), error })?;
        // The reconciliation itself says which comments above an entry stay, and why.
        let below = edited.notes.iter().filter(|note| matches!(note, EditNote::CommentBelowStays { .. }));
        let notes = below.map(ToString::to_string).collect();
        let document = Some(Arc::new(edited.document));
        let after = document.as_ref().map_or_else(|| Arc::clone(&before), |after| after.shared_text());
        Ok(EditedFile { before, after, document, notes })
    };
    files.map(edit).collect()
}

impl PlannedFile {
    fn new(file: &Surveyed, keys: FileKeys, edited: &mut EditedFile) -> Self {
        let FileKeys { reconciliation, references, coupled, values, .. } = keys;
        let mut notes: Vec<String> = reconciliation.notes.iter().map(ToString::to_string).collect();
        notes.extend(references.notes(&file.path));
        notes.extend(coupled.notes.iter().map(ToString::to_string));
        notes.extend(values.notes);
        notes.append(&mut edited.notes);
        Self {
            path: file.path.clone(),
            before: Arc::clone(&edited.before),
            after: Arc::clone(&edited.after),
            in_use: in_use(&file.mapping, &reconciliation),
            reconciliation,
            references,
            kubernetes_versions: coupled.set,
            kubernetes_lines: coupled.lines,
            values: values.set,
            notes,
            not_found: coupled.not_found,
        }
    }
}

/// The keys that are enabled, and what becomes of them; those that go without a successor are not among them.
fn in_use(mapping: &Mapping, reconciliation: &Reconciliation) -> Vec<(String, String)> {
    let enabled: BTreeSet<&str> =
        mapping.entries.iter().filter(|entry| entry.is_enabled()).map(|entry| entry.key.as_str()).collect();
    let kept = reconciliation.kept.iter().map(|kept| (kept.key.clone(), kept.key.clone()));
    let renamed = reconciliation.renamed.iter().map(|renamed| (renamed.from.clone(), renamed.to.to_string()));
    let superseded = reconciliation.removed.iter().filter_map(|removed| match &removed.why {
        Departure::Superseded { by } => Some((removed.key.clone(), by.to_string())),
        _ => None,
    });
    kept.chain(renamed).chain(superseded).filter(|(from, _)| enabled.contains(from.as_str())).collect()
}

/// Refuses new entries that the chart's schema does not allow; what could not be checked becomes a note.
fn obey(
    planned: &mut PlannedFile,
    file: &Surveyed,
    schemas: &BTreeMap<String, Vec<u8>>,
    budget: &Budget,
) -> Result<(), PlanError> {
    let path = schema::path_of(&file.path);
    let Some(bytes) = schemas.get(&path) else { return Ok(()) };
    let schema = Schema::parse(bytes).map_err(|error| PlanError::Schema { path: path.clone(), error })?;
    let exceeded = |error| PlanError::Exceeded { path: path.clone(), error };
    let mapping = schema.at(&file.mapping.path, budget).map_err(exceeded)?;
    let mut unjudged = None;
    for entry in
        planned.reconciliation.changes.iter().filter_map(|change| NewEntry::of(change, &file.mapping))
    {
        match entry.judged(&mapping).map_err(exceeded)? {
            SchemaAnswer::Allowed => {}
            SchemaAnswer::Unjudged(keyword) => unjudged = Some(keyword),
            SchemaAnswer::Forbidden(rule) => {
                let (file, key, at) = (file.path.clone(), entry.key.to_owned(), entry.at);
                return Err(PlanError::LeavesSchema { path: file, at, key, schema: path, rule });
            }
        }
    }
    let note = |keyword| format!("whether {path} allows the new entries was not checked: {keyword}");
    planned.notes.extend(unjudged.map(note));
    Ok(())
}

/// An entry that comes in, by a new key or as a whole.
struct NewEntry<'a> {
    key: &'a str,
    value: Value,
    /// The entry that is renamed or copied.
    model: Option<&'a Entry>,
    /// That entry, or the mapping.
    at: Position,
}

impl<'a> NewEntry<'a> {
    fn of(change: &'a Change, mapping: &'a Mapping) -> Option<Self> {
        match change {
            Change::Rename { entry, to, .. } => {
                let model = mapping.entries.get(*entry)?;
                Some(Self { key: to, value: model.value.clone(), model: Some(model), at: model.at })
            }
            Change::Insert { key, value, .. } => {
                let model = match value {
                    NewValue::Like(entry) | NewValue::Reworded(entry, _) => mapping.entries.get(*entry),
                    NewValue::Fields(_) => None,
                };
                Some(Self { key, value: value.data(mapping), model, at: mapping.at })
            }
            _ => None,
        }
    }

    /// What the schema says of it. Where it does not allow what the entry is made from either, only the key is new.
    fn judged(&self, mapping: &schema::MappingSchemas<'_>) -> Result<SchemaAnswer, Exceeded> {
        let answer = mapping.allows_entry(self.key, &self.value)?;
        match (&answer, self.model) {
            (SchemaAnswer::Forbidden(rule), Some(model))
                if mapping.allows_entry(&model.key, &model.value)?
                    == SchemaAnswer::Forbidden(rule.clone()) =>
            {
                mapping.allows(self.key)
            }
            _ => Ok(answer),
        }
    }
}
