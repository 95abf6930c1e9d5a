//! A look-up that would never end, or fill any memory: what is cut counts as unknown, and memory stays small.

use super::{Received, Reply, Stranger, bounded};
use crate::fake::oci::flux_manifest;
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, PREFIX, Ran, VALUES};

const KEYS: [&str; 2] = ["ubuntu-noble-plain-rke2-1-30-11", "opensuse-15-6-plain-kubeadm-1-30-11"];

/// Plans by a registry with these repositories, whose lists of tags and manifests the story gives.
async fn planned(
    names: &[String],
    tags: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    manifest: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (Ran, Vec<Received>) {
    let paths: Vec<String> = names.iter().map(|name| format!("{PREFIX}/{name}")).collect();
    let catalog = serde_json::json!({ "repositories": paths }).to_string();
    let registry = Stranger::start(move |asked| match &asked.target {
        target if target.contains("/_catalog") => (200, Vec::new(), catalog.clone()),
        target if target.contains("/tags/list") => tags(asked),
        _ => manifest(asked),
    })
    .await;
    let desk = Desk::new();
    desk.write(VALUES, AT_0_4_11);
    let prefix = format!("oci://{}/{PREFIX}", registry.host);
    let arguments = ["plan", VALUES, "--registry", &prefix, "--plain-http", "--discovery", "catalog"];
    (bounded(&desk, &arguments).await, registry.received())
}

fn keys() -> Vec<String> {
    KEYS.map(str::to_owned).to_vec()
}

fn list(tags: impl Iterator<Item = String>) -> String {
    serde_json::json!({ "tags": tags.collect::<Vec<_>>() }).to_string()
}

fn nothing(_: &Received) -> Reply {
    (404, Vec::new(), r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#.to_owned())
}

/// What a run says that could not tell, whichever image was read first.
fn told(ran: &Ran) -> String {
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    let text = format!("{}{}", ran.stdout, ran.stderr);
    KEYS.iter().fold(text, |text, key| text.replace(key, "IMAGE"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_million_tags_is_unknown_and_never_whole() {
    let long = list((0..1_000_000).map(|patch| format!("0.5.{patch}")));
    let tags = move |_: &Received| (200, Vec::new(), long.clone());
    let (ran, asked) = planned(&keys(), tags, nothing).await;
    reads!(told(&ran), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/IMAGE/tags/list: more than 200000 entries; what is cut counts as unknown
    hint: nothing was changed; a later run may succeed
    ");
    assert!(asked.len() <= 4, "{}", asked.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tags_of_all_repositories_together_are_limited() {
    let long = list((0..180_000).map(|patch| format!("branch-{patch}")));
    let names: Vec<String> = (1..=6).map(|n| format!("ubuntu-noble-plain-rke2-1-30-{n}")).collect();
    let (ran, _) = planned(&names, move |_| (200, Vec::new(), long.clone()), nothing).await;
    reads!(told(&ran), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: HOST: more than 1000000 tags; what is cut counts as unknown
    hint: nothing was changed; a later run may succeed
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_tags_in_many_pages_are_limited_by_their_bytes() {
    let tags = |asked: &Received| {
        let page: u32 = asked.target.rsplit('=').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        let tags = (0..100_000).map(|tag| format!("{page:05}{tag:06}{}", "x".repeat(117)));
        let link = format!("<?last={}>; rel=\"next\"", page + 1);
        (200, vec![("link".to_owned(), link)], list(tags))
    };
    let (ran, asked) = planned(&keys()[..1], tags, nothing).await;
    reads!(told(&ran), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: HOST: more than 33554432 bytes of tags; what is cut counts as unknown
    hint: nothing was changed; a later run may succeed
    ");
    assert!(asked.len() <= 5, "{}", asked.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_in_all_repositories_are_limited() {
    let tags = |asked: &Received| {
        let from = if asked.target.contains("ubuntu") { 0 } else { 60_000 };
        (200, Vec::new(), list((from..from + 60_000).map(|patch| format!("0.5.{patch}"))))
    };
    let (ran, _) = planned(&keys(), tags, nothing).await;
    reads!(told(&ran), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: more than 100000 versions in all repositories; what is cut counts as unknown
    hint: nothing was changed; a later run may succeed
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_without_link_and_end_are_unknown_after_a_thousand() {
    let tags = |asked: &Received| {
        let last = asked.target.rsplit("last=").next().and_then(|last| last.rsplit('.').next());
        let first = last.and_then(|patch| patch.parse::<u32>().ok()).map_or(0, |patch| patch + 1);
        (200, Vec::new(), list((first..first + 50).map(|patch| format!("0.3.{patch}"))))
    };
    let (ran, asked) = planned(&keys()[..1], tags, nothing).await;
    reads!(told(&ran), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder: http://HOST/v2/sylva/diskimage-builder/IMAGE/tags/list?n=50&last=0.3.49949: more than 1000 pages; what is cut counts as unknown
    hint: nothing was changed; a later run may succeed
    ");
    assert!(asked.len() <= 1_003, "{}", asked.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn annotations_of_a_manifest_are_limited() {
    let mut all = String::new();
    for (count, length) in [(90_000, 20), (50, 60_000)] {
        let annotations: serde_json::Map<String, serde_json::Value> =
            (0..count).map(|n| (format!("a{n}"), "x".repeat(length).into())).collect();
        let manifest = flux_manifest(&annotations.into()).to_string();
        let tags =
            |_: &Received| (200, Vec::new(), list(["0.4.11".to_owned(), "0.4.12".to_owned()].into_iter()));
        let (ran, _) = planned(&keys(), tags, move |_| (200, Vec::new(), manifest.clone())).await;
        all += &about(&told(&ran), "http://");
    }
    reads!(all, @"
    ? 0.4.12  unknown: http://HOST/v2/sylva/diskimage-builder/IMAGE/manifests/0.4.12: more than 1000 annotations; what is cut counts as unknown  ?
    unknown: 0.4.12: http://HOST/v2/sylva/diskimage-builder/IMAGE/manifests/0.4.12: more than 1000 annotations; what is cut counts as unknown; nothing was changed
    ? 0.4.12  unknown: http://HOST/v2/sylva/diskimage-builder/IMAGE/manifests/0.4.12: more than 262144 bytes of annotations; what is cut counts as unknown  ?
    unknown: 0.4.12: http://HOST/v2/sylva/diskimage-builder/IMAGE/manifests/0.4.12: more than 262144 bytes of annotations; what is cut counts as unknown; nothing was changed
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn release_notes_are_limited_in_all_their_pages() {
    let gitlab = Stranger::start(|asked| {
        let page: u32 = asked.target.rsplit("&page=").next().and_then(|n| n.parse().ok()).unwrap_or(1);
        let entry = |n: u32| {
            let text = "x".repeat(150_000);
            serde_json::json!({"tag_name": format!("0.5.{}", page * 100 + n), "description": text})
        };
        let entries: Vec<_> = (0..100).map(entry).collect();
        let next = (page + 1).to_string();
        (200, vec![("x-next-page".to_owned(), next)], serde_json::Value::from(entries).to_string())
    })
    .await;
    let desk = Desk::new();
    desk.write(VALUES, AT_0_4_11);
    let (prefix, url) = (format!("oci://{}/{PREFIX}", gitlab.host), format!("http://{}", gitlab.host));
    let arguments = ["plan", VALUES, "--registry", &prefix, "--plain-http", "--discovery", "release-notes"];
    let arguments = [&arguments[..], &["--gitlab-url", &url, "--gitlab-project", PREFIX]].concat();
    reads!(told(&bounded(&desk, &arguments).await), @"
    error: couldn't look up the releases of oci://HOST/sylva/diskimage-builder (release-notes): releases of sylva/diskimage-builder at HOST: the list http://HOST/api/v4/projects/sylva%2Fdiskimage-builder/releases?per_page=100&page=5 is too long to be read as a whole
    hint: nothing was changed; a later run may succeed
    ");
    assert!(gitlab.received().len() <= 7, "{}", gitlab.received().len());
}
