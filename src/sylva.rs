//! How sylva-core's chart names what we read: the keys of its values, in one place (sylva-units, `values.yaml`).
//!
//! Names only, and what follows from names alone. What stands at a key is read by [`crate::values`].

use serde_json::Value;

use crate::values::KeyPath;

/// The release of diskimage-builder.
pub const VERSION: &str = "sylva_diskimagebuilder_version";
/// The mapping of image keys: in the proposal (sylva-core issue #729), and in sylva-core since 2024.
pub const IMAGES: [&str; 2] = ["diskimage_builder_os_images", "sylva_diskimagebuilder_images"];
/// The project of Sylva's own builder, whose releases [`VERSION`] names.
pub const BUILDER: &str = "sylva-projects/sylva-elements/diskimage-builder";
/// The registries of images.
pub const REGISTRIES: &str = "os_images_oci_registries";
/// The field of an entry of [`REGISTRIES`] with the release whose images it serves.
pub const TAG: &str = "tag";
/// The field of an image that names an entry of [`REGISTRIES`].
pub const REGISTRY_FIELD: &str = "os_images_oci_registry";
/// The entry of [`REGISTRIES`] that serves an image which names none (sylva-core before 2025).
const USUAL_REGISTRY: &str = "sylva";
/// What the addresses of Sylva's own registries begin with.
pub const BASE_REGISTRY: &str = "sylva_base_oci_registry";
/// The group of projects that [`BASE_REGISTRY`] stands for.
pub const BASE_REGISTRY_GROUP: &str = "sylva-projects";
/// The public key of one registry's images, in its entry of [`REGISTRIES`] and in rendered `os_images`.
pub const COSIGN_KEY: &str = "cosign_publickey";
/// The public key of all OS images.
pub const SECURITY_KEY: [&str; 3] = ["security", "os_images", "cosign_public_key"];
/// Whether a deployment leaves signatures of OS images unchecked.
pub const SKIP_SIGNING_CHECK: [&str; 3] = ["security", "os_images", "skip_signing_check"];
/// The deployment's images; the user's own in values, all of them once rendered.
pub const OS_IMAGES: &str = "os_images";
/// The field of a rendered image that says that diskimage-builder made it.
pub const DIB_IMAGE: &str = "sylva_dib_image";

/// The field of a rendered image that names the entry of [`REGISTRIES`] which it is of (sylva-core since 1.6).
pub const IMAGE_REGISTRY_KEY: &str = "oci-image-registry-key";

/// The key of a machine's image in [`OS_IMAGES`].
pub const IMAGE_KEY: &str = "image_key";
/// A machine's image by what it is.
pub const SELECTOR: &str = "os_image_selector";
/// Selectors of images that are served besides those of the cluster's own machines.
pub const ADDITIONAL_SELECTORS: &str = "os_image_server_additional_selectors";
/// The images that a bootstrap cluster keeps besides those that it uses (sylva-core in 2024).
pub const BOOTSTRAP_IMAGES: &str = "bootstrap_os_images_override_enabled";
/// What the values of a bootstrap cluster have, and no others: the rule that makes a list of [`BOOTSTRAP_IMAGES`].
pub const BOOTSTRAP_RULE: [&str; 2] = ["_internal", "_bootstrap_os_images_override_enabled"];

/// The Kubernetes version of a cluster, or of some of its machines.
pub const K8S_VERSION: &str = "k8s_version";
/// The Kubernetes minor of a cluster, which its version is looked up by.
pub const K8S_VERSION_SHORT: &str = "k8s_version_short";
/// The mapping of Kubernetes minors to versions.
pub const K8S_VERSION_MAP: &str = "k8s_version_map";
/// What provides a cluster's machines and sets them up.
pub const CAPI_PROVIDERS: &str = "capi_providers";
/// Whose machines a cluster has.
pub const INFRA_PROVIDER: [&str; 2] = [CAPI_PROVIDERS, "infra_provider"];
/// Which Kubernetes is set up on them.
pub const BOOTSTRAP_PROVIDER: [&str; 2] = [CAPI_PROVIDERS, "bootstrap_provider"];
/// The image of a machine by its address, which no registry is asked for.
pub const MACHINE_IMAGE_URL: &str = "machine_image_url";

/// The host that serves images by their file names, and how it is spoken to.
pub const PROVISIONING_HOST: &str = "image_provisioning_host";
/// The scheme of [`PROVISIONING_HOST`].
pub const PROVISIONING_SCHEME: &str = "image_provisioning_scheme";

/// The infrastructures of a cluster whose machines boot OS images.
pub const INFRASTRUCTURES: [&str; 3] = ["capm3", "capo", "capv"];

/// The entry that serves an image which names none: the only one, or the usual one.
pub fn usual_registry<'a>(mut names: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    match (names.clone().count(), names.next()) {
        (1, only) => only,
        (_, first) => first.into_iter().chain(names).find(|name| *name == USUAL_REGISTRY),
    }
}

/// The entries of [`REGISTRIES`] whose `tag` is the version at `version_key`, or refers to it.
pub fn registries_of<'a>(
    registries: Option<&'a Value>,
    version_key: &KeyPath,
) -> impl Iterator<Item = &'a str> {
    let own = generation_at(version_key).map(str::to_owned);
    let follows = move |name: &String, entry: &Value| match &own {
        Some(own) => own == name,
        None => entry.get("tag").and_then(Value::as_str).is_some_and(|tag| refers_to(tag, version_key)),
    };
    let entries = registries.and_then(Value::as_object).into_iter().flatten();
    entries.filter(move |(name, entry)| follows(name, entry)).map(|(name, _)| name.as_str())
}

/// The entry of [`REGISTRIES`] whose own `tag` is at `version_key`: a generation, which follows no version of the file.
pub fn generation_at(version_key: &KeyPath) -> Option<&str> {
    match version_key.0.as_slice() {
        [.., registries, name, tag] if registries == REGISTRIES && tag == TAG => Some(name),
        _ => None,
    }
}

/// Whether a template reads the version key. The file may hold the chart's values below a path of its own
/// (`spec.values` of a HelmRelease), so a template's path is compared with the end of the key's.
fn refers_to(template: &str, version_key: &KeyPath) -> bool {
    let key = &version_key.0;
    let is_its = |path: KeyPath| key.len() >= path.0.len() && key[key.len() - path.0.len()..] == path.0[..];
    versions_of(template).any(is_its)
}

/// The values that the `tag` of an entry reads; none where it is written out.
pub fn versions_of(tag: &str) -> impl Iterator<Item = KeyPath> {
    let paths = if tag.contains("{{") { crate::template::paths(tag) } else { Vec::new() };
    paths.into_iter().map(KeyPath)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registry_follows_the_version_that_its_tag_reads() {
        let table = [
            ("{{ .Values.sylva_diskimagebuilder_version }}", "sylva_diskimagebuilder_version", true),
            ("{{.Values.sylva_diskimagebuilder_version}}", "sylva_diskimagebuilder_version", true),
            ("{{- $.Values.dib.version | quote -}}", "dib.version", true),
            ("{{ .Values.dib_version }}", "spec.values.dib_version", true),
            ("{{ .Values.dib_version_old }}", "dib_version", false),
            ("{{ .Values.kiwi_version }}", "dib_version", false),
            ("{{ .Values.dib.version }}", "version", false),
            ("0.4.12", "dib_version", false),
            (".Values.dib_version", "dib_version", false),
        ];
        for (tag, key, follows) in table {
            let registries = json!({"sylva": {"url": "oci://r.example/p", "tag": tag}});
            let found: Vec<&str> = registries_of(Some(&registries), &key.parse().unwrap()).collect();
            assert_eq!(found == ["sylva"], follows, "{tag}");
        }
        let registries = json!({"sylva": {"tag": "{{ .Values.v }}"}, "sylva-n-1": {"tag": "0.11.13"}});
        for (key, expected) in [
            ("v", "sylva"),
            ("os_images_oci_registries.sylva-n-1.tag", "sylva-n-1"),
            ("spec.values.os_images_oci_registries.sylva-n-1.tag", "sylva-n-1"),
        ] {
            let found: Vec<&str> = registries_of(Some(&registries), &key.parse().unwrap()).collect();
            assert_eq!(found, [expected], "{key}");
        }
        let key = "v".parse().unwrap();
        for none in [None, Some(json!({"a": {}, "b": null})), Some(json!([1]))] {
            assert_eq!(registries_of(none.as_ref(), &key).count(), 0);
        }
    }

    #[test]
    fn an_image_without_a_registry_has_the_only_one_or_the_usual_one() {
        let usual = |names: &'static [&'static str]| usual_registry(names.iter().copied());
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&["kiwi"]), Some("kiwi"));
        assert_eq!(usual(&["kiwi", "sylva"]), Some("sylva"));
        assert_eq!(usual(&["kiwi", "other"]), None);
    }
}
