//! A registry is asked for tags and manifests, and answers rightly, wrongly, late or not at all.

use std::collections::BTreeSet;
use std::time::Duration;

use dibump::catalogue::{Candidates, Catalogue as _, CatalogueError};
use dibump::http::{Transport, TransportSettings};
use dibump::oci::{Credentials, OciCatalog, OciRegistry};
use dibump::registry::{Prefix, Registry as _, RegistryError, Repository};
use dibump::release::{Digest, ImageKey, Tag};
use serde_json::json;

use crate::fake::oci::{FakeRegistry, Fault, Image, LinkStyle, OCI_MANIFEST, Paging, digest, flux_manifest};
use crate::world::PATIENCE;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Waits of milliseconds between tries, and nothing from the environment.
pub(crate) fn impatient() -> TransportSettings {
    TransportSettings {
        request_timeout: PATIENCE,
        give_up_after: PATIENCE,
        read_timeout: PATIENCE,
        backoff: Duration::from_millis(1),
        max_retry_after: Duration::from_secs(2),
        proxy_from_environment: false,
        ..TransportSettings::default()
    }
}

pub(crate) fn registry_with(fake: &FakeRegistry, credentials: Credentials) -> OciRegistry {
    let transport = Transport::new(impatient()).unwrap();
    OciRegistry::new(transport, fake.host(), true, credentials).unwrap()
}

pub(crate) fn anonymous(fake: &FakeRegistry) -> OciRegistry {
    registry_with(fake, Credentials::Anonymous)
}

pub(crate) fn repositories(fake: &FakeRegistry, names: &[&str]) -> Vec<Repository> {
    let prefix: Prefix = fake.prefix("group/dib").parse().unwrap();
    names.iter().map(|name| prefix.repository(&name.parse().unwrap())).collect()
}

pub(crate) fn tag() -> Tag {
    "0.4.12".parse().unwrap()
}

async fn one_tag_list(fake: &FakeRegistry) -> Result<Option<Vec<String>>, RegistryError> {
    anonymous(fake).tags(&repositories(fake, &["a"])).await.remove(0)
}

/// A registry whose repository `a` has this many tags, `0.0.0` and up.
async fn with_tags(number: usize, paging: Paging) -> FakeRegistry {
    let fake = FakeRegistry::start().await;
    for patch in 0..number {
        fake.release("group/dib", &format!("0.0.{patch}"), &[Image::new("a")]);
    }
    fake.paging(paging);
    fake
}

fn reason(error: &RegistryError) -> &str {
    match error {
        RegistryError::Invalid { reason, .. }
        | RegistryError::NotUnderstood { reason, .. }
        | RegistryError::Broken { reason, .. }
        | RegistryError::Unusable { reason, .. } => reason,
        other => panic!("expected an invalid answer, got {other:?}"),
    }
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_questions() {
    let fake = FakeRegistry::start().await;
    let names: Vec<String> = (0..50).map(|n| format!("image-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        fake.release("group/dib", &format!("0.0.{n}"), &[Image::new(name)]);
    }
    fake.fault(Fault::delay(Duration::from_millis(50)).on("image-1/"));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answers = anonymous(&fake).tags(&repositories(&fake, &names)).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().unwrap(), [format!("0.0.{n}")]);
    }
    assert_eq!(fake.requests().len(), 50);
    assert!(fake.unexpected().is_empty());
}

#[tokio::test]
async fn an_absent_repository_has_no_tags_and_an_empty_one_has_none_of_them() {
    let fake = FakeRegistry::start().await;
    fake.push("group/dib/empty", "", flux_manifest(&json!({})).to_string(), OCI_MANIFEST);
    fake.tags_are_null();
    let answers = anonymous(&fake).tags(&repositories(&fake, &["absent", "empty"])).await;
    assert_eq!(answers[0].as_ref().unwrap(), &None);
    assert_eq!(answers[1].as_ref().unwrap(), &Some(Vec::new()));
}

#[tokio::test]
async fn a_list_in_pages_is_read_to_its_end_however_the_link_is_written() {
    for style in [LinkStyle::Relative, LinkStyle::Absolute, LinkStyle::ZeroN, LinkStyle::WrongPath] {
        let fake = with_tags(7, Paging::Linked { size: 3, style }).await;
        assert_eq!(one_tag_list(&fake).await.unwrap().unwrap().len(), 7, "{style:?}");
        assert_eq!(fake.count("/tags/list"), 3, "{style:?}");
    }
}

#[tokio::test]
async fn tags_come_unsorted_and_all_the_same_whole() {
    let fake = FakeRegistry::start().await;
    for tag in ["0.4.9", "0.4.12", "0.0.1"] {
        fake.release("group/dib", tag, &[Image::new("a")]);
    }
    fake.paging(Paging::Linked { size: 2, style: LinkStyle::Relative });
    assert_eq!(one_tag_list(&fake).await.unwrap().unwrap(), ["0.4.9", "0.4.12", "0.0.1"]);
}

#[tokio::test]
async fn a_list_that_only_looks_cut_costs_one_more_request() {
    let fake = with_tags(50, Paging::Whole).await;
    assert_eq!(one_tag_list(&fake).await.unwrap().unwrap().len(), 50);
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_registry_that_cuts_its_list_without_a_link_is_asked_for_the_rest() {
    let fake = with_tags(120, Paging::Silent { size: 50 }).await;
    assert_eq!(one_tag_list(&fake).await.unwrap().unwrap().len(), 120);
}

#[tokio::test]
async fn a_registry_that_knows_no_last_is_taken_at_its_word() {
    let fake = with_tags(50, Paging::Whole).await;
    fake.fault(Fault::status(400).on("last="));
    assert_eq!(one_tag_list(&fake).await.unwrap().unwrap().len(), 50);
}

#[tokio::test]
async fn pages_that_lead_away_in_circles_or_nowhere_are_errors() {
    let mut told = String::new();
    for style in [LinkStyle::Circle, LinkStyle::Endless] {
        let fake = with_tags(5, Paging::Linked { size: 2, style }).await;
        let error = one_tag_list(&fake).await.unwrap_err();
        told += &format!("{}\n", reason(&error));
    }
    reads!(told, @"
    a list whose pages go in circles
    more than 1000 pages; what is cut counts as unknown
    ");
}

#[tokio::test]
async fn a_cut_list_is_an_error_and_never_a_short_list() {
    let other = Fault::status(200).body(r#"{"errors":[]}"#);
    for fault in
        [Fault::status(502), Fault::status(404), Fault::cut(), Fault::status(200).body("<html>"), other]
    {
        let fake = with_tags(5, Paging::Linked { size: 3, style: LinkStyle::Relative }).await;
        fake.fault(fault.clone().on("last="));
        let answer = one_tag_list(&fake).await;
        assert!(answer.is_err(), "{fault:?}: {answer:?}");
    }
}

#[tokio::test]
async fn one_failing_repository_fails_only_itself() {
    for failing in ["/a/", "/b/"] {
        let fake = FakeRegistry::start().await;
        fake.release("group/dib", "0.4.12", &[Image::new("a"), Image::new("b"), Image::new("c")]);
        fake.fault(Fault::status(500).on(failing));
        let answers = anonymous(&fake).tags(&repositories(&fake, &["a", "b", "c"])).await;
        let failed: Vec<bool> = answers.iter().map(Result::is_err).collect();
        assert_eq!(failed, [failing == "/a/", failing == "/b/", false]);
        // The first attempt and three repetitions.
        assert_eq!(fake.count(failing), 4);
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_is_asked_for_one_repository_only() {
    let fake = FakeRegistry::start().await;
    let (host, questions) = (fake.host().to_owned(), repositories(&fake, &["a", "b", "c"]));
    drop(fake);
    tokio::task::yield_now().await;
    let transport = Transport::new(impatient()).unwrap();
    let registry = OciRegistry::new(transport.clone(), &host, true, Credentials::Anonymous).unwrap();
    let answers = registry.tags(&questions).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(RegistryError::Unavailable { .. }))));
    assert_eq!(transport.requests().values().sum::<u64>(), 4);
}

#[tokio::test]
async fn a_web_page_is_no_absence() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(404).header("content-type", "text/html").body("<h1>Not found</h1>"));
    sign_in_pages_prove_nothing().await;
    let (registry, questions) = (anonymous(&fake), repositories(&fake, &["a"]));
    reads!(reason(registry.tags(&questions).await[0].as_ref().unwrap_err()), @"http://HOST/v2/group/dib/a/tags/list: a web page (404 Not Found) where a registry was expected");
    assert!(registry.exists(&questions, &tag()).await[0].is_err());
    assert!(registry.manifests(&questions, &tag()).await[0].is_err());
}

/// The sign-in page of a network, which stands before everything.
async fn sign_in_pages_prove_nothing() {
    let fake = FakeRegistry::start().await;
    fake.fault(
        Fault::status(200).header("content-type", "text/html; charset=utf-8").body("<h1>Sign in</h1>"),
    );
    let (registry, questions) = (anonymous(&fake), repositories(&fake, &["a"]));
    assert!(registry.tags(&questions).await[0].is_err());
    assert!(registry.exists(&questions, &tag()).await[0].is_err());
    assert!(registry.manifests(&questions, &tag()).await[0].is_err());
}

#[tokio::test]
async fn a_server_that_is_no_registry_proves_no_absence() {
    let fake = FakeRegistry::start().await;
    fake.fault(Fault::status(404).body("404 page not found"));
    for answer in anonymous(&fake).tags(&repositories(&fake, &["a", "b", "c"])).await {
        let error = answer.unwrap_err();
        assert!(reason(&error).contains("no registry"), "{error}");
    }
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn existence_costs_one_head_and_a_get_where_head_is_not_allowed() {
    let fake = FakeRegistry::start().await;
    fake.release("group/dib", "0.4.12", &[Image::new("a"), Image::new("b")]);
    fake.release("group/dib", "0.4.11", &[Image::new("old")]);
    fake.fault(Fault::status(405).method("HEAD").on("/b/"));
    let registry = anonymous(&fake);
    let answers = registry.exists(&repositories(&fake, &["a", "b", "old", "absent"]), &tag()).await;
    let answers: Vec<bool> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [true, true, false, false]);
    let methods: Vec<String> = fake.requests().into_iter().map(|logged| logged.method).collect();
    assert_eq!(methods.iter().filter(|method| *method == "HEAD").count(), 4);
    assert_eq!(methods.len(), 5);
}

async fn one_manifest(fake: &FakeRegistry) -> Result<Option<dibump::registry::Manifest>, RegistryError> {
    anonymous(fake).manifests(&repositories(fake, &["a"]), &tag()).await.remove(0)
}

#[tokio::test]
async fn a_manifest_is_known_by_the_digest_of_its_bytes() {
    let fake = FakeRegistry::start().await;
    let text = format!(" {}\n", flux_manifest(&json!({"sylvaproject.org/diskimage/os": "ubuntu"})));
    let pushed = fake.push("group/dib/a", "0.4.12", text, OCI_MANIFEST);
    fake.fault(Fault::right_but("content-type", &format!("{OCI_MANIFEST}; charset=utf-8")));
    let manifest = one_manifest(&fake).await.unwrap().unwrap();
    assert_eq!(manifest.digest.as_str(), pushed);
    assert_eq!(manifest.annotations["sylvaproject.org/diskimage/os"], "ubuntu");
    assert_eq!(manifest.size, 1_048_576);
    let absent = anonymous(&fake).manifests(&repositories(&fake, &["b"]), &tag()).await.remove(0);
    assert_eq!(absent.unwrap(), None);
}

#[tokio::test]
async fn a_manifest_without_annotations_has_none() {
    let fake = FakeRegistry::start().await;
    let mut manifest = flux_manifest(&json!({}));
    manifest.as_object_mut().unwrap().remove("annotations");
    fake.push("group/dib/a", "0.4.12", manifest.to_string(), OCI_MANIFEST);
    assert!(one_manifest(&fake).await.unwrap().unwrap().annotations.is_empty());
}

#[tokio::test]
async fn lies_about_a_manifest_are_errors_that_name_them() {
    let flux = |annotations| flux_manifest(&annotations).to_string();
    let honest = flux(json!({}));
    let huge = flux(json!({"x": "y".repeat(5 << 20)}));
    let wrong_digest = format!("sha256:{}", "0".repeat(64));
    let mut told = String::new();
    for (bytes, fault) in [
        (honest.clone(), Some(Fault::right_but("docker-content-digest", &wrong_digest))),
        (honest.clone(), Some(Fault::right_but("content-type", INDEX))),
        (flux(json!({"sylvaproject.org/diskimage/size": 7})), None),
        (huge, None),
        (honest.clone(), Some(Fault::right_but("content-type", &format!("{INDEX}; charset=utf-8")))),
        ("[]".to_owned(), None),
        ("{}".to_owned(), None),
        (r#"{"layers":[{"mediaType":"x","digest":"y","size":-1}]}"#.to_owned(), None),
    ] {
        let fake = FakeRegistry::start().await;
        fake.push("group/dib/a", "0.4.12", bytes, OCI_MANIFEST);
        if let Some(fault) = fault {
            fake.fault(fault);
        }
        let error = one_manifest(&fake).await.unwrap_err();
        told += &format!("{}\n", reason(&error));
    }
    reads!(told, @"
    its bytes have the digest sha256:750de7c7daea4752a1180eb52ad2f1a35bcec0d2fc06a0874fee54509029f9cc, announced was sha256:0000000000000000000000000000000000000000000000000000000000000000
    sent as application/vnd.oci.image.index.v1+json, but calls itself application/vnd.oci.image.manifest.v1+json
    the annotation sylvaproject.org/diskimage/size is not text
    an answer of more than 4194304 bytes
    sent as application/vnd.oci.image.index.v1+json, but calls itself application/vnd.oci.image.manifest.v1+json
    not a manifest: invalid length 0, expected an object at line 1 column 2
    a manifest without layers
    layers of impossible size
    ");
}

#[tokio::test]
async fn an_index_of_one_manifest_stands_for_it_and_any_other_is_refused() {
    let fake = FakeRegistry::start().await;
    let inner = flux_manifest(&json!({"k": "v"})).to_string();
    let entry = |digest: &str| json!({"mediaType": OCI_MANIFEST, "digest": digest, "size": inner.len()});
    let index = |entries| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    let pushed = fake.push("group/dib/a", "", inner.clone(), OCI_MANIFEST);
    // The digest is what the tag stands for: that is what a deployment pulls and a signer signs.
    let outer = fake.push("group/dib/a", "0.4.12", index(vec![entry(&pushed)]), INDEX);
    let manifest = one_manifest(&fake).await.unwrap().unwrap();
    assert_eq!((manifest.digest.as_str(), manifest.annotations["k"].as_str()), (outer.as_str(), "v"));
    let mut told = String::new();
    for number in [0, 2] {
        fake.push("group/dib/a", "0.4.12", index(vec![entry(&pushed); number]), INDEX);
        let error = one_manifest(&fake).await.unwrap_err();
        told += &format!("{}\n", reason(&error));
    }
    reads!(told, @"
    an index of 0 images, expected one
    an index of 2 images (no platform, no platform), and the other images do not say for which platform they are
    ");
}

#[tokio::test]
async fn an_index_is_followed_to_a_digest_and_to_nothing_else() {
    let digest = digest(b"an image");
    let (short, upper) = (digest[..70].to_owned(), digest.to_uppercase());
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let traversing = "../../../../other/manifests/x".to_owned();
    let mut told = String::new();
    for entry in [
        "latest",
        "",
        &short,
        &upper,
        &sha512,
        &traversing,
        &format!("{digest}?x=1"),
        &format!("{digest}/.."),
    ] {
        let fake = FakeRegistry::start().await;
        fake.push("group/dib/a", "latest", flux_manifest(&json!({})).to_string(), OCI_MANIFEST);
        let index = json!({"manifests": [{"mediaType": OCI_MANIFEST, "digest": entry, "size": 1}]});
        fake.push("group/dib/a", "0.4.12", index.to_string(), INDEX);
        let error = one_manifest(&fake).await.unwrap_err();
        told += &format!("{}\n", reason(&error));
        assert_eq!(fake.requests().len(), 1, "nothing else is asked: {:?}", fake.requests());
    }
    reads!(told, @"
    an index of one manifest: `latest` is not a sha256 digest
    an index of one manifest: `` is not a sha256 digest
    an index of one manifest: `sha256:a5df3fde7b200c3fa2791144c7e05c5c2bced4c6ad863d3a4cf76c972c1712f` is not a sha256 digest
    an index of one manifest: `SHA256:A5DF3FDE7B200C3FA2791144C7E05C5C2BCED4C6AD863D3A4CF76C972C1712F9` is not a sha256 digest
    an index of one manifest: `sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` is not a sha256 digest
    an index of one manifest: `../../../../other/manifests/x` is not a sha256 digest
    an index of one manifest: `sha256:a5df3fde7b200c3fa2791144c7e05c5c2bced4c6ad863d3a4cf76c972c1712f9?x=1` is not a sha256 digest
    an index of one manifest: `sha256:a5df3fde7b200c3fa2791144c7e05c5c2bced4c6ad863d3a4cf76c972c1712f9/..` is not a sha256 digest
    ");
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_requested_digest_are_refused() {
    let fake = FakeRegistry::start().await;
    let (honest, forged) =
        (flux_manifest(&json!({})).to_string(), flux_manifest(&json!({"k": "v"})).to_string());
    let wanted = digest(honest.as_bytes());
    let index = json!({"manifests": [{"mediaType": OCI_MANIFEST, "digest": wanted, "size": 1}]});
    fake.push("group/dib/a", "0.4.12", index.to_string(), INDEX);
    fake.fault(Fault::status(200).header("content-type", OCI_MANIFEST).body(&forged).on(&wanted));
    let error = one_manifest(&fake).await.unwrap_err();
    assert!(reason(&error).contains(Digest::of(forged.as_bytes()).as_str()), "{error}");
}

#[tokio::test]
async fn nothing_is_asked_of_another_host() {
    let (fake, other) = (FakeRegistry::start().await, FakeRegistry::start().await);
    let answers = anonymous(&fake).tags(&repositories(&other, &["a"])).await;
    assert!(answers[0].is_err());
    assert!(other.requests().is_empty());
}

async fn candidates(fake: &FakeRegistry) -> Result<Candidates, CatalogueError> {
    OciCatalog::new(anonymous(fake), fake.prefix("group/dib").parse().unwrap()).candidates().await
}

#[tokio::test]
async fn the_catalogue_gives_the_names_directly_below_the_prefix() {
    let fake = FakeRegistry::start().await;
    fake.release("group/dib", "0.4.12", &[Image::new("a"), Image::new("b"), Image::new("c")]);
    fake.release("group/dib/snapshots", "0.4.12", &[Image::new("s")]);
    fake.release("other", "0.4.12", &[Image::new("o")]);
    fake.paging(Paging::Linked { size: 2, style: LinkStyle::Relative });
    let Candidates::Names(names) = candidates(&fake).await.unwrap() else { panic!("names were expected") };
    let text = |names: BTreeSet<ImageKey>| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(text(names.published), ["a", "b", "c"]);
    assert_eq!(text(names.snapshots), ["s"]);
    assert_eq!(fake.count("_catalog"), 3);
}

#[tokio::test]
async fn a_catalogue_that_is_missing_or_forbidden_is_not_offered() {
    let fake = FakeRegistry::start().await;
    fake.release("group/dib", "0.4.12", &[Image::new("a")]);
    for status in [400, 401, 403, 404, 405] {
        let fake = FakeRegistry::start().await;
        fake.release("group/dib", "0.4.12", &[Image::new("a")]).fault(Fault::status(status).on("_catalog"));
        let answer = candidates(&fake).await;
        assert!(matches!(answer, Err(CatalogueError::NotOffered { .. })), "{status}: {answer:?}");
    }
    fake.without_catalog();
    assert!(matches!(candidates(&fake).await, Err(CatalogueError::NotOffered { .. })));
}

#[tokio::test]
async fn a_catalogue_that_refuses_our_page_size_is_asked_without_one() {
    let fake = FakeRegistry::start().await;
    fake.release("group/dib", "0.4.12", &[Image::new("a")]).fault(Fault::status(400).on("n=1000"));
    let Candidates::Names(names) = candidates(&fake).await.unwrap() else { panic!("names were expected") };
    assert_eq!(names.published.len(), 1);
}

#[tokio::test]
async fn a_catalogue_whose_second_page_fails_is_an_error() {
    let fake = FakeRegistry::start().await;
    fake.release("group/dib", "0.4.12", &[Image::new("a"), Image::new("b")]);
    fake.paging(Paging::Linked { size: 1, style: LinkStyle::Relative }).fault(Fault::status(503).on("last="));
    assert!(matches!(candidates(&fake).await, Err(CatalogueError::Unavailable { .. })));
}
