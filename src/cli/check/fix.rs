//! `check --fix`: the safe fixes, through the same edit as `plan --write`, each file at once.

use std::collections::BTreeMap;
use std::path::Path;

use crate::budget::Budget;
use crate::check::{Finding, Fix, Report};
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::cli::local::Local;
use crate::disk::values_file::ValuesFile;
use crate::plan::schema::{Schema, SchemaAnswer, path_of};
use crate::plan::{PlanError, Survey, Surveyed};
use crate::report::check::Fixed;
use crate::report::{YELLOW, paint, printable};
use crate::values::{Change, EditError, EditNote};

/// Applies what can be fixed, and reads the files again. A fix that cannot be made safely is said and left out.
pub(super) fn apply(
    context: &Context,
    local: &mut Local<'_>,
    survey: &Survey,
    report: &Report,
) -> Result<Vec<Fixed>, Failure> {
    let mut fixed = Vec::new();
    let mut written = BTreeMap::new();
    for surveyed in std::iter::once(&survey.primary).chain(&survey.overlays) {
        let findings = report.findings.iter().filter(|finding| finding.place.path == surveyed.path);
        let fixes = findings.filter_map(|finding| Some((finding, finding.fix.as_ref()?)));
        if let Some(text) = edited(context, surveyed, &fixes.collect::<Vec<_>>(), &mut fixed)? {
            written.insert(surveyed.path.clone(), text);
        }
    }
    for file in &mut local.files {
        if let Some(text) = written.get(&file.path.display().to_string()) {
            file.write(text.as_bytes())?;
            *file = ValuesFile::read(&file.path)?;
        }
    }
    Ok(fixed)
}

/// The text with every fix that can be made; `None` where there is none.
fn edited(
    context: &Context,
    file: &Surveyed,
    fixes: &[(&Finding, &Fix)],
    fixed: &mut Vec<Fixed>,
) -> Result<Option<String>, Failure> {
    let schema = if fixes.is_empty() { None } else { schema(&file.path)? };
    let budget = Budget::default();
    let complain = |finding: &Finding, fix: &Fix, why: &str| {
        let place = format!("{}:{}", finding.place.path, finding.place.at);
        let text = format!("{place}: not fixed ({}): {why}", fix.description);
        context.output.complain(&format!("{} {}\n", paint(YELLOW, "warning:"), printable(&text)));
    };
    let (mut changes, mut text): (Vec<Change>, Option<String>) = (Vec::new(), None);
    for (finding, fix) in fixes {
        if let Some(rule) = forbidden(schema.as_ref(), file, fix, &budget)? {
            complain(finding, fix, &format!("{} does not allow the key ({rule})", path_of(&file.path)));
            continue;
        }
        changes.push(fix.change.clone());
        match file.document.edit(&changes) {
            Ok(edited) => {
                text = Some(edited.text().to_owned());
                let description = fix.description.clone();
                fixed.push(Fixed { place: finding.place.clone(), description });
                for note in edited.notes.iter().filter(|_| matches!(fix.change, Change::Remove { .. })) {
                    if let EditNote::CommentBelowStays { .. } = note {
                        context.output.complain(&format!("{} {note}\n", paint(YELLOW, "note:")));
                    }
                }
            }
            Err(error @ EditError::Sops { .. }) => {
                return Err(PlanError::Edit { path: file.path.clone(), error }.into());
            }
            Err(error) => {
                changes.pop();
                complain(finding, fix, &error.to_string());
            }
        }
    }
    Ok(text)
}

/// The chart's schema beside the file.
fn schema(values: &str) -> Result<Option<Schema>, Failure> {
    let path = path_of(values);
    if !crate::disk::exists(Path::new(&path)) {
        return Ok(None);
    }
    let schema = Schema::parse(&crate::disk::read_small(Path::new(&path))?);
    schema.map(Some).map_err(|error| Failure::from(PlanError::Schema { path, error }))
}

fn forbidden(
    schema: Option<&Schema>,
    file: &Surveyed,
    fix: &Fix,
    budget: &Budget,
) -> Result<Option<String>, PlanError> {
    let (Some(schema), Some(key)) = (schema, fix.new_key.as_deref()) else { return Ok(None) };
    let answer = schema.at(&file.mapping.path, budget).and_then(|mapping| mapping.allows(key));
    match answer.map_err(|error| PlanError::Exceeded { path: path_of(&file.path), error })? {
        SchemaAnswer::Forbidden(rule) => Ok(Some(rule)),
        SchemaAnswer::Allowed | SchemaAnswer::Unjudged(_) => Ok(None),
    }
}
