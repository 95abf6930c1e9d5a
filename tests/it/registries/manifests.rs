//! Manifests in every shape, and how they are sent.

use serde_json::{Value, json};

use super::*;
use crate::fake::oci::{INDEX, OCI_MANIFEST, Quirk, digest, flux_manifest};

/// Pushes every image anew, in another shape.
fn shaped(registry: &FakeRegistry, push: impl Fn(&str, &str, Value)) {
    for patch in [11, 12] {
        for image in images(patch) {
            let path = format!("{PREFIX}/{}", image.name);
            push(&path, &format!("0.4.{patch}"), flux_manifest(&json!(image.annotations)));
        }
    }
    assert!(registry.requests().is_empty());
}

fn artifacts(registry: &FakeRegistry) {
    shaped(registry, |path, tag, mut manifest| {
        manifest["artifactType"] = json!("application/vnd.acme.disk.v1");
        manifest["config"]["mediaType"] = json!("application/vnd.oci.empty.v1+json");
        manifest["layers"][0]["mediaType"] = json!("application/vnd.acme.disk.v1+zstd");
        registry.push(path, tag, manifest.to_string(), OCI_MANIFEST);
    });
}

fn docker_manifests(registry: &FakeRegistry) {
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    shaped(registry, |path, tag, mut manifest| {
        manifest["mediaType"] = json!(docker);
        registry.push(path, tag, manifest.to_string(), docker);
    });
}

fn untyped_manifests(registry: &FakeRegistry) {
    shaped(registry, |path, tag, mut manifest| {
        manifest.as_object_mut().unwrap().remove("mediaType");
        registry.push(path, tag, manifest.to_string(), OCI_MANIFEST);
    });
}

/// An image of an index: what it is beside its manifest's digest.
fn entry(registry: &FakeRegistry, path: &str, manifest: &Value, more: &Value) -> Value {
    let bytes = manifest.to_string();
    let mut entry =
        json!({"mediaType": OCI_MANIFEST, "digest": digest(bytes.as_bytes()), "size": bytes.len()});
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    registry.push(path, "", bytes, OCI_MANIFEST);
    entry
}

fn platform(architecture: &str) -> Value {
    json!({"platform": {"os": "linux", "architecture": architecture}})
}

fn index(registry: &FakeRegistry, path: &str, tag: &str, entries: &[Value]) {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.push(path, tag, index.to_string(), INDEX);
}

fn attested(registry: &FakeRegistry) {
    shaped(registry, |path, tag, manifest| {
        let attestation = json!({
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        });
        let entries = [
            entry(registry, path, &manifest, &platform("amd64")),
            entry(registry, path, &json!({"layers": [], "config": {}}), &attestation),
        ];
        index(registry, path, tag, &entries);
    });
}

/// Two platforms an image; those of `single` have one.
fn of_two_platforms(registry: &FakeRegistry, single: &str) {
    shaped(registry, |path, tag, manifest| {
        let mut other = manifest.clone();
        other["annotations"]["org.opencontainers.image.created"] = json!("2026-05-04T03:02:02Z");
        let own = entry(registry, path, &manifest, &platform("amd64"));
        let other = entry(registry, path, &other, &platform("arm64"));
        let both = [own.clone(), other];
        let entries = if !single.is_empty() && path.contains(single) { &[own][..] } else { &both[..] };
        index(registry, path, tag, entries);
    });
}

#[tokio::test]
async fn manifests() {
    each_is_answered(
        &[
            ("an artifact type", artifacts, 0, UPDATE),
            ("Docker's type", docker_manifests, 0, UPDATE),
            ("no type inside", untyped_manifests, 0, UPDATE),
            ("an attestation beside the image", attested, 0, UPDATE),
            (
                "two platforms, and others with one",
                |registry| of_two_platforms(registry, "opensuse"),
                0,
                UPDATE,
            ),
            (
                "two platforms",
                |registry| of_two_platforms(registry, ""),
                3,
                "an index of 2 images (linux/amd64, linux/arm64)",
            ),
            (
                "HEAD 405",
                |registry| {
                    registry.quirk(Quirk::HeadIs(405));
                },
                0,
                UPDATE,
            ),
            (
                "HEAD 404",
                |registry| {
                    registry.quirk(Quirk::HeadIs(404));
                },
                0,
                UPDATE,
            ),
            (
                "sent as bytes",
                |registry| {
                    registry.quirk(Quirk::Type(Some("application/octet-stream")));
                },
                0,
                UPDATE,
            ),
            (
                "sent with a charset",
                |registry| {
                    registry.quirk(Quirk::Type(Some(
                        "application/vnd.oci.image.manifest.v1+json; charset=utf-8",
                    )));
                },
                0,
                UPDATE,
            ),
            (
                "sent without a type",
                |registry| {
                    registry.quirk(Quirk::Type(None));
                },
                0,
                UPDATE,
            ),
            (
                "no digest",
                |registry| {
                    registry.quirk(Quirk::Digest(None));
                },
                0,
                UPDATE,
            ),
            (
                "no digest and no type",
                |registry| {
                    registry.quirk(Quirk::Digest(None)).quirk(Quirk::Type(None));
                },
                0,
                UPDATE,
            ),
            (
                "a digest in quotes",
                |registry| {
                    registry.quirk(Quirk::Digest(Some("\"{}\"")));
                },
                0,
                UPDATE,
            ),
            (
                "another digest",
                |registry| {
                    registry.quirk(Quirk::Digest(Some(
                        "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                    )));
                },
                4,
                "its bytes have the digest",
            ),
            (
                "on another host",
                |registry| {
                    registry.quirk(Quirk::Redirects);
                },
                0,
                UPDATE,
            ),
            (
                "on another host, with tokens",
                |registry| bearer(registry.quirk(Quirk::Redirects), TokenRules::default()),
                0,
                UPDATE,
            ),
            (
                "on another host, with Basic",
                |registry| {
                    registry.quirk(Quirk::Redirects).access(basic());
                },
                0,
                UPDATE,
            ),
            (
                "the sign-in page of a network",
                |registry| {
                    registry.quirk(Quirk::SignInPage);
                },
                3,
                "a web page (200 OK) where a registry was expected",
            ),
        ],
        "auto",
        "plan",
    )
    .await;
}
