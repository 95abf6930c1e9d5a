//! From keys to bytes: each file is edited once, at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::decide::FileKeys;
use super::findings::Findings;
use super::references::ReferenceFiles;
use super::schema::{self, Schema, SchemaAnswer};
use super::{KeyPlan, Plan, PlanError, PlanInput, PlannedFile, Surveyed};
use crate::budget::{Budget, Exceeded};
use crate::reconcile::{Departure, Reconciliation};
use crate::release::data::ReleaseData;
use crate::values::{Change, Document, EditNote, Entry, Mapping, NewValue, Position};

/// Files beside the target's own that a plan looks at, by their paths.
#[derive(Debug, Default)]
pub struct Beside {
    /// The charts' schemas: of those that [`KeyPlan::schemas`] names, the ones that exist.
    pub schemas: BTreeMap<String, Vec<u8>>,
    /// Files that may name image keys.
    pub references: BTreeMap<String, Vec<u8>>,
}

impl KeyPlan {
    /// The schema files that have a say: beside each file that gets new keys.
    pub fn schemas(&self, input: &PlanInput<'_>) -> Vec<String> {
        let files = input.survey.files().zip(&self.files);
        let gets_keys = files.filter(|(_, keys)| self.is_change() && keys.adds_keys());
        gets_keys.map(|(file, _)| schema::path_of(&file.path)).collect()
    }

    /// Makes the texts. `input` and `known` are what the keys were decided by.
    ///
    /// # Errors
    /// An edit that cannot be made safely; a key that a chart's schema does not allow, or a schema that cannot be read.
    pub fn write(
        self,
        input: &PlanInput<'_>,
        known: &ReleaseData,
        beside: Beside,
    ) -> Result<Plan, PlanError> {
        let files = input.survey.files().zip(self.files);
        let files = files.map(|(file, keys)| {
            let (mut planned, after) = edit(file, keys)?;
            obey(&mut planned, file, &beside.schemas, input.budget)?;
            Ok((planned, after))
        });
        let (files, after): (_, Vec<_>) = files.collect::<Result<Vec<_>, PlanError>>()?.into_iter().unzip();
        let mut plan = Plan {
            files,
            from: self.from,
            verdict: self.verdict,
            choice: self.choice,
            references: ReferenceFiles::default(),
            signatures: self.signatures,
            findings: Findings::default(),
        };
        let others = plan.follow(input, known, beside.references)?;
        plan.judge(input, known, after, &others)?;
        Ok(plan)
    }
}

/// The planned file, and its document where it changes.
fn edit(file: &Surveyed, keys: FileKeys) -> Result<(PlannedFile, Option<Document>), PlanError> {
    let changes: Vec<Change> = keys.changes().cloned().collect();
    let FileKeys { reconciliation, references, coupled, .. } = keys;
    let before = file.document.shared_text();
    let mut notes: Vec<String> = reconciliation.notes.iter().map(ToString::to_string).collect();
    notes.extend(references.notes(&file.path));
    notes.extend(coupled.notes.iter().map(ToString::to_string));
    let after = if changes.is_empty() {
        None
    } else {
        let edited = file.document.edit(&changes);
        let edited = edited.map_err(|error| PlanError::Edit { path: file.path.clone(), error })?;
        // The reconciliation itself says which comments above an entry stay, and why.
        let below = edited.notes.iter().filter(|note| matches!(note, EditNote::CommentBelowStays { .. }));
        notes.extend(below.map(ToString::to_string));
        Some(edited.document)
    };
    let planned = PlannedFile {
        path: file.path.clone(),
        after: after.as_ref().map_or_else(|| Arc::clone(&before), Document::shared_text),
        before,
        in_use: in_use(&file.mapping, &reconciliation),
        reconciliation,
        references,
        kubernetes_versions: coupled.set,
        notes,
        not_found: coupled.not_found,
    };
    Ok((planned, after))
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
    let note = |keyword| format!("whether {path} allows the new entries was not judged: {keyword}");
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
                    NewValue::Like(entry) => mapping.entries.get(*entry),
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
