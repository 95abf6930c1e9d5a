//! The files of a project that may name image keys: read only where something changes, and told to the reviewer.

use futures::{StreamExt, TryStreamExt};

use super::{Job, WIDTH};
use crate::forge::{CommitId, ForgeError};
use crate::merge_request::Outcome;
use crate::merge_request::text::{Following, ReferenceSummary, VersionChange};
use crate::plan::{Plan, Request, Target};
use crate::release::choice::Known;

/// Follows the moves of image keys in the files that `references:` matches. The files are listed once, and not at all
/// where the target has no `references:` or nothing changes. A list that was cut is unknown: nothing is proposed then.
pub(super) async fn follow(
    job: &Job,
    request: Request<'_>,
    known: &Known,
    plan: &mut Plan,
    head: &CommitId,
) -> Result<(), Outcome> {
    let globs = &job.target.references;
    if globs.is_empty() || !plan.is_change() {
        return Ok(());
    }
    let paths = job.forge.paths(head).await.map_err(|error| Outcome::of(&error))?;
    let ours = paths.into_iter().filter(|path| globs.match_path(path) && !plan.is_own(path));
    let reads: Vec<_> = ours.map(|path| read(job, path, head)).collect();
    let read = futures::stream::iter(reads).buffered(WIDTH).try_collect::<Vec<_>>().await;
    let contents = read.map_err(|error| Outcome::of(&error))?;
    let contents = contents.into_iter().flatten().collect();
    plan.follow(request, known, contents).map_err(|error| Outcome::of(&error))
}

async fn read(job: &Job, path: String, head: &CommitId) -> Result<Option<(String, Vec<u8>)>, ForgeError> {
    let bytes = job.forge.file(&path, head).await?;
    Ok(bytes.map(|bytes| (path, bytes)))
}

/// What the text for the reviewer says of what follows the image keys.
pub(super) fn following(plan: &Plan) -> Following {
    let own = plan.files.iter().flat_map(|file| &file.kubernetes_versions);
    let sets = own.chain(plan.references.files.iter().flat_map(|file| &file.kubernetes_versions));
    let versions = sets.map(|set| VersionChange {
        of: format!("{} {}", set.k8s_flavor, set.minor),
        from: set.from.clone(),
        to: set.to.clone(),
    });
    let own = plan.files.iter().map(|file| (&file.path, &file.references));
    let others = plan.references.files.iter().map(|file| (&file.path, &file.references));
    let named = own.chain(others).filter(|(_, references)| !references.followed.is_empty());
    let references = named.map(|(path, references)| ReferenceSummary {
        path: path.clone(),
        renamed: references.followed.len(),
    });
    Following { kubernetes_versions: versions.collect(), references: references.collect() }
}

/// The flags by which `plan` follows as the target does, quoted for a shell.
pub(super) fn flags(target: &Target) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let globs = target.references.written().iter().map(|glob| format!(" --references {}", quoted(glob)));
    let rules = target
        .kubernetes_versions
        .texts()
        .into_iter()
        .map(|rule| format!(" --kubernetes-versions {}", quoted(&rule)));
    globs.chain(rules).collect()
}
