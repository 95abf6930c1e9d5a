//! What the reviewer is told of what follows the image keys.

use crate::merge_request::text::{Following, ReferenceSummary, VersionChange};
use crate::plan::{Plan, Target};

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
