//! `dibump releases --diff A..B`: what changes between two releases.

use super::args::{ReleasesArgs, TableFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::reading::{found, looked_up, observed};
use super::{Context, lookup};
use crate::release::data::ReleaseData;
use crate::release::diff::ReleaseDifference;
use crate::release::policy::Policy;
use crate::release::span::Span;
use crate::release::{Coverage, Release, Version};
use crate::report::{release_diff, release_diff_json};

pub(super) fn run(
    context: &Context,
    args: &ReleasesArgs,
    span: &Span,
    policy: &Policy,
) -> Result<Exit, Failure> {
    let now = context.environment.now;
    let ((from, to), known) = match lookup::observed(&args.lookup)? {
        Some(file) => {
            let known = observed(&args.lookup, file)?;
            (ends(span, &known, policy)?, known)
        }
        None => {
            let (ends, known, _) = looked_up(context, &args.lookup, async |snapshot| {
                let ends = ends(span, snapshot.known(), policy)?;
                snapshot.read(&ends.0, now).await?;
                snapshot.read(&ends.1, now).await?;
                Ok(ends)
            })?;
            (ends, known)
        }
    };
    let (from, to) = (found(&known, &from)?, found(&known, &to)?);
    let difference = ReleaseDifference::between(from, to);
    match args.format {
        TableFormat::Text => context.output.print(&release_diff::text(&difference, context.width()))?,
        TableFormat::Markdown => context.output.print(&release_diff::markdown(&difference))?,
        TableFormat::Json => context.output.json(&release_diff_json::report(&difference))?,
    }
    let is_unknown = |release: &Release| matches!(release.coverage, Coverage::Unknown { .. });
    Ok(if is_unknown(from) || is_unknown(to) { Exit::Retry } else { Exit::Done })
}

/// The two releases. An open end is one that the policy admits: no snapshot, and within `--range`.
fn ends(span: &Span, known: &ReleaseData, policy: &Policy) -> Result<(Version, Version), Failure> {
    let admitted = known.candidates.keys().filter(|version| policy.admits(version, None).is_ok());
    span.ends(admitted).map_err(Failure::person)
}
