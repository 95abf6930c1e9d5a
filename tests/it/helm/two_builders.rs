//! What becomes of a file of two builders, rendered by Helm's engine with sylva-core's schema on: the small file of this
//! repository, and sylva-core's whole file, where it lies beside the checkout.

use std::path::{Path, PathBuf};

use super::{Case, Helm, helm_with_schema};
use crate::world::{Desk, VALUES};

/// Each listed image with the tag under which it is looked for, and the Kubernetes version of each bootstrap provider.
const TEMPLATE: &str = r#"
{{- range $key, $image := .Values.sylva_diskimagebuilder_images }}
{{ $key }}:{{ tpl (index $.Values.os_images_oci_registries $image.os_images_oci_registry).tag $ }}
{{- end }}
{{- range $provider := list "cabpr" "cabpk" "cabpck" }}
{{- $cluster := dict "capi_providers" (dict "bootstrap_provider" $provider) }}
{{- $values := dict "Values" (dict "cluster" $cluster) "Template" $.Template }}
{{ $provider }}:
{{- range $minor, $version := $.Values._internal.k8s_version_map }} {{ tpl $version $values }}{{ end }}
{{- end }}
"#;

/// What Helm says of an image without a registry, by the schema of sylva-core.
const HELM_SAYS: &str = "missing property 'os_images_oci_registry'";

/// What a deployment says: the chart's own values alone leave two ways open.
const DEPLOYMENT: &str = "cluster_virtual_ip: 192.0.2.1\n";

/// The folders with both files and the releases of both builders.
fn folders() -> impl Iterator<Item = PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/data/two-builders", "../shared/data/sylva-core/two-builders"];
    folders.map(|folder| root.join(folder)).into_iter().filter(|folder| folder.is_dir())
}

async fn rendered(values: &str, schema: &str) -> Helm {
    let values = vec![values.to_owned(), DEPLOYMENT.to_owned()];
    let mut answers = helm_with_schema(&[Case { template: TEMPLATE.to_owned(), values }], schema).await;
    answers.remove(0)
}

#[tokio::test]
async fn the_result_for_both_builders_is_what_helm_and_the_charts_schema_accept() {
    for folder in folders() {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let (before, schema) = (read(VALUES), read("values.schema.json"));
        let desk = Desk::new();
        desk.write(VALUES, &before).write("values.schema.json", &schema);
        let mut check = vec!["check", VALUES];
        for name in ["diskimage-builder.json", "kiwi.json"] {
            desk.write(name, read(name));
            check.extend(["--observed", name]);
        }
        let clean = async || {
            let ran = desk.dibump(&check).await;
            assert_eq!(ran.exit, Some(0), "{} {ran:#?}", folder.display());
        };
        clean().await;
        let plan = [&["plan", "--write"], &check[1..]].concat();
        let ran = desk.dibump(&plan).await;
        assert_eq!(ran.exit, Some(0), "{} {ran:#?}", folder.display());
        clean().await;
        let after = String::from_utf8(desk.read(VALUES)).unwrap();
        let Helm::Text(was) = rendered(&before, &schema).await else { panic!("{}", folder.display()) };
        let is = match rendered(&after, &schema).await {
            Helm::Text(text) => text,
            Helm::Error(error) => panic!("{}: {error}", folder.display()),
        };
        let images = |text: &str| text.lines().filter(|line| line.contains(":0.")).count();
        assert_eq!((images(&was), images(&is)), (20, 21), "{was} {is}");
        for line in [
            "leapmicro-6-0-plain-rke2-1-30-13:0.1.3",
            "leapmicro-6-0-plain-rke2-1-31-9:0.1.3",
            "ubuntu-noble-plain-ck8s-1-31-6:0.4.13",
            "cabpr: v1.29.15+rke2r1 v1.30.13+rke2r1 v1.31.9+rke2r1",
            "cabpk: v1.29.15 v1.30.13 v1.31.9",
            "cabpck: v1.29.15 v1.30.13 v1.31.6",
        ] {
            assert!(is.lines().any(|other| other == line), "{line} {is}");
        }
        assert!(!is.contains("1-31-8") && was.contains("cabpck: v1.29.15 v1.30.12 v1.31.6"), "{was} {is}");
        // The schema is asked indeed.
        let registry = ":\n    os_images_oci_registry: sylva-kiwi-imagebuilder\n";
        assert!(after.contains(registry), "{after}");
        let refused = rendered(&after.replacen(registry, ": {}\n", 1), &schema).await;
        assert!(matches!(&refused, Helm::Error(error) if error.contains(HELM_SAYS)), "{refused:?}");
    }
}
