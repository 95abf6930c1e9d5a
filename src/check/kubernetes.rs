//! Kubernetes versions of clusters: does any listed image have them.
//!
//! Compared is what both sides say (sylva-core's images and values): a `v` in front does not count, `+rke2r1` and
//! `-rke2r1` are the same, a version without a revision fits any, and a name of the newest scheme has no patch.

use std::collections::BTreeSet;
use std::ops::Range;

use super::deployment::CheckedDeployment;
use super::images::{ImageShelf, KnownImage};
use super::notes::{Notes, PendingFinding, TOO_MANY, place};
use super::places::key;
use super::{Id, Read};
use crate::os_image::cluster::is_template;
use crate::reconcile::kubernetes_versions::places::{WithoutImages, is_in_map, is_judged};
use crate::release::{K8sVersion, named};
use crate::values::Field;

/// A version as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    span: Range<usize>,
    version: K8sVersion,
}

/// What a version is held against.
struct Against<'a> {
    images: Vec<&'a KnownImage>,
    /// Whether the text is a template, of which a branch may be for clusters that no listed image serves.
    template: bool,
}

/// Judges every Kubernetes version of a file, which may be part of a deployment: those of a map by the images of the chart,
/// those of clusters by all images.
pub(super) fn judge(
    read: &Read<'_>,
    deployment: Option<&CheckedDeployment<'_>>,
    [of_chart, all]: [&ImageShelf; 2],
    notes: &mut Notes,
) {
    let without_images = WithoutImages::of(&read.fields);
    for field in read.fields.iter().filter(|field| is_judged(&field.path)) {
        let Some(text) = field.text.filter(|_| boots_images(&without_images, deployment, field)) else {
            continue;
        };
        let shelf = if is_in_map(&field.path) { of_chart } else { all };
        if shelf.images.is_empty() {
            continue;
        }
        let template = is_template(text);
        let tokens = if template { tokens(read, field) } else { whole(field) };
        let others = tokens.iter().filter_map(|token| token.version.revision.clone()).collect::<Vec<_>>();
        for token in &tokens {
            if !notes.may_compare(shelf.images.len()) {
                let place = place(read.path, read.document, key(field), token.span.clone());
                notes.skip(Id::KubernetesVersion, place, TOO_MANY);
                continue;
            }
            let images = shelf.images.iter().filter(|image| is_for(&token.version, &others, image)).collect();
            judge_token(read, field, token, &Against { images, template }, shelf, notes);
        }
    }
}

/// Whether the machines that a version is for boot images: those of a version map may, whatever the file's cluster is.
fn boots_images(
    without_images: &WithoutImages<'_>,
    deployment: Option<&CheckedDeployment<'_>>,
    field: &Field<'_>,
) -> bool {
    let cluster = field.path.split_last().map(|(_, cluster)| cluster).unwrap_or_default();
    let of_deployment = deployment.is_none_or(CheckedDeployment::boots_images);
    is_in_map(&field.path) || (of_deployment && !without_images.has(cluster))
}

/// Whether a version speaks of images of this kind. Beside a version with a revision, one without is for the others:
/// `ternary "v1.31.8+rke2r1" "v1.31.8"`.
fn is_for(version: &K8sVersion, revisions: &[String], image: &KnownImage) -> bool {
    let Some(flavor) = &image.k8s_flavor else { return true };
    let is_of = |revision: &String| revision.starts_with(flavor.as_str());
    match &version.revision {
        Some(revision) => is_of(revision),
        None => !revisions.iter().any(is_of),
    }
}

fn judge_token(
    read: &Read<'_>,
    field: &Field<'_>,
    token: &Token,
    against: &Against<'_>,
    shelf: &ImageShelf,
    notes: &mut Notes,
) {
    let mut known = against.images.iter().filter_map(|image| image.k8s_version.as_ref());
    let is_other_branch = against.images.is_empty() && against.template;
    if is_other_branch || known.any(|version| token.version.agrees_with(version)) {
        return;
    }
    let place = place(read.path, read.document, key(field), token.span.clone());
    if shelf.is_open {
        return notes.skip(Id::KubernetesVersion, place, "a template may list further images");
    }
    if let Some(image) = against.images.iter().find(|image| image.k8s_version.is_none()) {
        let why = format!("nothing says which Kubernetes version `{}` has", image.candidate.key);
        return notes.skip(Id::KubernetesVersion, place, why);
    }
    let written = read.document.text().get(token.span.clone()).unwrap_or_default();
    notes.find(PendingFinding {
        id: Id::KubernetesVersion,
        place,
        subject: format!("{} {written}", field.path.join(".")),
        message: format!("Kubernetes `{written}` fits no listed image"),
        help: listed(&token.version, shelf),
        fix: None,
    });
}

/// What the listed images have: of this minor, else at all.
fn listed(version: &K8sVersion, shelf: &ImageShelf) -> Option<String> {
    let versions: BTreeSet<&K8sVersion> =
        shelf.images.iter().filter_map(|image| image.k8s_version.as_ref()).collect();
    let of_minor: Vec<&&K8sVersion> = versions.iter().filter(|other| other.minor == version.minor).collect();
    Some(match of_minor.as_slice() {
        [] => format!("listed images have {}", named(versions)),
        some => format!("of {} listed images have {}", version.minor, named(some)),
    })
}

/// The version that a text is.
fn whole(field: &Field<'_>) -> Vec<Token> {
    let quote = usize::from(field.quoted);
    let span = field.span.start + quote..field.span.end.saturating_sub(quote);
    let version = field.text.and_then(|text| text.trim().parse().ok());
    version.map(|version| Token { span, version }).into_iter().collect()
}

/// The versions in a template: numbers with a patch, or with a `v` in front, that are no part of a longer word.
fn tokens(read: &Read<'_>, field: &Field<'_>) -> Vec<Token> {
    let text = read.document.text().get(field.span.clone()).unwrap_or_default();
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | '/');
    let mut found = Vec::new();
    let mut start = 0;
    for word in text.split(|c: char| !part(c)) {
        let span = field.span.start + start..field.span.start + start + word.len();
        start += word.len() + text[start + word.len()..].chars().next().map_or(0, char::len_utf8);
        let version = word.parse::<K8sVersion>().ok();
        let version = version.filter(|version| version.patch.is_some() || word.starts_with('v'));
        found.extend(version.map(|version| Token { span, version }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_a_template_is_looked_at() {
        let text = "cluster:\n  k8s_version: '{{ eq .x \"1\" | ternary \"v1.31.8+rke2r1\" \"v1.31.9\" }} v1beta2 1.30 a/v1.2.3'\n";
        let document = crate::values::Document::parse(text.as_bytes().to_vec()).unwrap();
        let read = Read::new("values.yaml", &document);
        let found: Vec<&str> =
            tokens(&read, &read.fields[1]).iter().map(|token| &text[token.span.clone()]).collect();
        assert_eq!(found, ["v1.31.8+rke2r1", "v1.31.9"]);
    }
}
