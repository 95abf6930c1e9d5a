//! What a registry says decides what may be claimed.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::release::{Artifact, Coverage};
use crate::signature::{Keys, PublicKey, Rejection, Requirement, Unverified};

const VALUES: &str = "\
version: 0.4.12
images:
  ubuntu-noble-plain-rke2-1-31-8: {}
  ubuntu-noble-plain-rke2-1-30-9: {}
cluster: {k8s_version: 'v1.29.1'}
";

fn artifact(name: &str) -> Artifact {
    Artifact::named(name.parse().unwrap(), &Naming::default())
}

fn release(coverage: Coverage, names: &[&str]) -> Release {
    Release::with_coverage("0.4.12".parse().unwrap(), coverage, names.iter().map(|name| artifact(name)))
}

fn partial() -> Coverage {
    Coverage::Partial { reason: "no list".to_owned() }
}

/// The report of a file, its verdicts being these.
fn report(text: &str, release: &Release, signatures: &BTreeMap<ImageKey, Verdict>) -> Report {
    report_with(text, &[], release, signatures)
}

/// The report of a file and of others that speak of its images.
fn report_with(
    text: &str,
    others: &[(&str, &str)],
    release: &Release,
    signatures: &BTreeMap<ImageKey, Verdict>,
) -> Report {
    let read = |text: &str| Document::parse(text.as_bytes().to_vec()).unwrap();
    let others: Vec<(&str, Document)> = others.iter().map(|(path, text)| (*path, read(text))).collect();
    let references = others.iter().map(|(path, document)| Reference { path, document });
    let references: Vec<Reference<'_>> = references.collect();
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let (key, images) = ("version".parse::<KeyPath>().unwrap(), "images".parse().unwrap());
    let version = document.scalar(&key).unwrap().map(|scalar| (key.clone(), scalar));
    let mapping = document.mapping(&images).unwrap().unwrap();
    let registries = document.value(&"registries".parse().unwrap()).unwrap();
    check(&CheckInputs {
        primary: CheckedFile {
            path: "values.yaml",
            document: &document,
            version: version.as_ref(),
            mapping: &mapping,
        },
        overlays: &[],
        references: &references,
        deployment: &[],
        named: NamedRelease::Release(release),
        previous: None,
        ownership: &Ownership::from_values(registries.as_ref(), &key),
        others: &[],
        images: Images::Auto,
        naming: &Naming::default(),
        signatures,
        requirement: &requirement(signatures),
        values: &[],
        lacking: &[],
        severities: &Severities::default(),
    })
}

/// Verdicts are there because they were required.
fn requirement(signatures: &BTreeMap<ImageKey, Verdict>) -> Requirement {
    let pem = include_str!("../../tests/data/cosign.pub");
    match signatures.is_empty() {
        true => Requirement::NotRequired(Unverified::Off),
        false => Requirement::Required(Keys::new([PublicKey::from_pem(pem).unwrap()]).unwrap()),
    }
}

fn found(report: &Report) -> Vec<String> {
    report.findings.iter().map(|finding| format!("{} {}", finding.place.at, finding.id)).collect()
}

fn unsigned() -> BTreeMap<ImageKey, Verdict> {
    BTreeMap::new()
}

#[test]
fn only_what_was_proven_is_a_finding() {
    let living = ["ubuntu-noble-plain-rke2-1-31-8"];
    let complete = report(VALUES, &release(Coverage::Complete, &living), &unsigned());
    assert_eq!(found(&complete), ["4:3 dead-key", "5:25 kubernetes-version"]);
    assert_eq!(complete.findings[1].message, "Kubernetes `v1.29.1` fits no listed image");
    assert!(complete.unknown.is_empty());

    let part = report(VALUES, &release(partial(), &living), &unsigned());
    assert_eq!(found(&part), ["5:25 kubernetes-version"], "whatever it is, by its name it is no 1.29");
    assert_eq!(
        part.unknown,
        ["0.4.12, known in part (no list): whether it has ubuntu-noble-plain-rke2-1-30-9"]
    );

    let mut denied = release(partial(), &living);
    denied.absent = BTreeSet::from(["ubuntu-noble-plain-rke2-1-30-9".parse().unwrap()]);
    let denied = report(VALUES, &denied, &unsigned());
    assert_eq!(found(&denied), ["4:3 dead-key", "5:25 kubernetes-version"]);
    assert!(denied.unknown.is_empty() && denied.findings.iter().all(|finding| finding.fix.is_none()));

    let unknown = report(VALUES, &Release::unknown("0.4.12".parse().unwrap(), "503"), &unsigned());
    assert_eq!(found(&unknown), ["5:25 kubernetes-version"]);
    assert_eq!(unknown.unknown, ["0.4.12: 503"]);
}

/// Helm lays a referenced file over the mapping, so what it lists is there for it, and for no other file.
#[test]
fn a_referenced_file_is_judged_with_what_it_lists_itself() {
    let chart = VALUES.replace("v1.29.1", "v1.31.8").replace("  ubuntu-noble-plain-rke2-1-30-9: {}\n", "");
    let living = ["ubuntu-noble-plain-rke2-1-31-8", "ubuntu-noble-plain-kubeadm-1-30-9"];
    let release = release(Coverage::Complete, &living);
    let kubeadm = "images: {ubuntu-noble-plain-kubeadm-1-30-9: {}}\n";
    let names = "cluster: {k8s_version: v1.30.9, capo: {image_key: ubuntu-noble-plain-kubeadm-1-30-9}}\n";
    let both = format!("{kubeadm}{names}");
    let nested = "spec: {values: {images: {ubuntu-noble-plain-kubeadm-1-30-9: {}}, cluster: {capo: {image_key: \
                  ubuntu-noble-plain-kubeadm-1-30-9}}}}\n";
    let dead = "images: {ubuntu-noble-plain-kubeadm-1-30-8: {}}\n";
    let own = format!("version: 0.4.11\n{dead}{names}");
    let table = [
        (both.as_str(), vec![]),
        (nested, vec![]),
        (names, vec!["1:24 kubernetes-version", "1:51 unknown-image-key"]),
        (dead, vec!["1:10 dead-key"]),
        (own.as_str(), vec![]),
    ];
    for (text, expected) in table {
        // What another environment lists does not help this one.
        let others = [("other.yaml", kubeadm), ("env.yaml", text)];
        let report = report_with(&chart, &others, &release, &unsigned());
        assert_eq!(found(&report), expected, "{text}");
        assert!(report.findings.iter().all(|finding| finding.fix.is_none()));
        assert_eq!(report.skipped.is_empty(), text != own, "a version of its own is said");
    }
}

#[test]
fn a_cluster_whose_machines_boot_no_image_needs_none_for_its_version() {
    let release = release(Coverage::Complete, &["ubuntu-noble-plain-rke2-1-31-8"]);
    let chart = VALUES.replace("v1.29.1", "v1.31.8").replace("  ubuntu-noble-plain-rke2-1-30-9: {}\n", "");
    for (infrastructure, expected) in [("capd", 0), ("capm3", 1), ("'{{ .x }}'", 1), ("", 1)] {
        let text = format!(
            "cluster: {{k8s_version: v1.29.2, capi_providers: {{infra_provider: {infrastructure}}}}}\n"
        );
        let report = report_with(&chart, &[("env.yaml", &text)], &release, &unsigned());
        assert_eq!(found(&report).len(), expected, "{infrastructure}: {:?}", found(&report));
    }
}

#[test]
fn a_bad_signature_and_one_that_could_not_be_checked_never_look_alike() {
    let release = release(Coverage::Complete, &["ubuntu-noble-plain-rke2-1-31-8"]);
    let table = [
        (Verdict::Unsigned, "3:3 unsigned-image", 0),
        (Verdict::Bad(vec![Rejection::NoSignature]), "3:3 bad-signature", 0),
        (Verdict::Unknown { reason: "503".to_owned() }, "3:3 unchecked-signature", 1),
    ];
    for (verdict, expected, unknown) in table {
        let signatures = BTreeMap::from([("ubuntu-noble-plain-rke2-1-31-8".parse().unwrap(), verdict)]);
        let report = report(VALUES, &release, &signatures);
        assert_eq!(found(&report)[0], expected);
        assert_eq!(report.unknown.len(), unknown, "{expected}");
        let bad = report.findings[0].severity == Severity::Error;
        assert_eq!(bad, unknown == 0, "{expected}");
    }
    assert!(!found(&report(VALUES, &release, &unsigned())).iter().any(|found| found.contains("sign")));
}

#[test]
fn a_comment_ignores_its_line_or_the_one_below_and_only_with_a_reason() {
    let release = release(Coverage::Complete, &["ubuntu-noble-plain-rke2-1-31-8"]);
    let with = |above: &str, behind: &str| {
        let text = VALUES.replace(
            "  ubuntu-noble-plain-rke2-1-30-9: {}\n",
            &format!("{above}  ubuntu-noble-plain-rke2-1-30-9: {{}}{behind}\n"),
        );
        let report = report(&text, &release, &unsigned());
        let rest: Vec<String> = report.findings.iter().map(|finding| finding.id.to_string()).collect();
        (report.ignored.len(), rest.join(" ").replace("kubernetes-version", "").trim().to_owned())
    };
    let ignored = |rest: &str| (1, rest.to_owned());
    let not_ignored = |rest: &str| (0, rest.to_owned());
    assert_eq!(with("", " # dibump: ignore[dead-key] because of x"), ignored(""));
    assert_eq!(with("  # dibump: ignore[dead-key]: x\n", ""), ignored(""));
    assert_eq!(
        with("  # dibump: ignore[dead-key, duplicate-key] x\n  # more\n", ""),
        ignored("unused-ignore")
    );
    assert_eq!(
        with("  # dibump: ignore[dead-key] because\n", ""),
        not_ignored("ignore-without-reason dead-key")
    );
    assert_eq!(with("", " # dibump: ignore[dead-kye] x"), not_ignored("dead-key unused-ignore"));
    assert_eq!(with("", " # dibump: ignore dead-key x"), not_ignored("dead-key unused-ignore"));
    assert_eq!(with("  # dibump: ignore[dead-key] x\n\n", ""), not_ignored("unused-ignore dead-key"));
    assert_eq!(
        with("", " # dibump: ignore[unsigned-image] x"),
        not_ignored("dead-key"),
        "nobody asked for signatures"
    );
}

#[test]
fn an_entry_of_which_nothing_says_whose_it_is_is_not_called_dead() {
    let text = VALUES
        .replace("1-31-8: {}", "1-31-8: {os_images_oci_registry: a}")
        .replace("1-30-9: {}", "1-30-9: {os_images_oci_registry: b}");
    let release = release(Coverage::Complete, &["ubuntu-noble-plain-rke2-1-31-8"]);
    assert!(found(&report(&text, &release, &unsigned())).contains(&"4:3 stray-key".to_owned()));
    let ours = format!("{text}registries: {{a: {{tag: '{{{{ .Values.version }}}}'}}}}\n");
    assert!(!found(&report(&ours, &release, &unsigned())).iter().any(|found| found.starts_with("4:")));
}

#[test]
fn a_template_in_the_mapping_may_list_anything() {
    let text = VALUES
        .replace("cluster: {", "cluster: {capm3: {image_key: nothing}, ")
        .replace("images:\n", "images:\n  '{{ .x }}': {}\n");
    let release = release(Coverage::Complete, &["ubuntu-noble-plain-rke2-1-31-8"]);
    let report = report(&text, &release, &unsigned());
    assert_eq!(found(&report), ["5:3 dead-key"]);
    assert_eq!(report.skipped.len(), 2, "{:#?}", report.skipped);
}
