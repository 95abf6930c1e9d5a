//! `os-images`: each image exists, and what is wrong is said at once with its place.

use super::{Consumer, HARDENED, KUBEADM, RKE2};
use crate::fake::oci::Fault;
use crate::world::PREFIX;

#[tokio::test]
async fn each_image_is_asked_for_once_and_an_image_that_is_not_there_is_named_with_its_nearest() {
    let consumer = Consumer::new().await;
    let ran = consumer.run("os-images", &[]).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains(&format!("uri: {}/{HARDENED}:0.4.12", consumer.registry.prefix(PREFIX))));
    assert_eq!(consumer.registry.count("/manifests/"), 3);
    assert!(consumer.registry.unexpected().is_empty());

    consumer.desk.write(
        "my.yaml",
        "k8s: v1.31.8+rke2r1\nsylva_diskimagebuilder_images:\n  \
         ubuntu-noble-plain-rke2-1-31-7: {os_images_oci_registry: sylva}\n  \
         'ubuntu-noble-hardened-rke2-{{ .Values.k8s | trimPrefix \"v\" | replace \"+\" \"-\" }}': {os_images_oci_registry: sylva}\n",
    );
    let ran = consumer.run("os-images", &["-f", "my.yaml"]).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""));
    assert!(ran.stderr.starts_with("error: 2 values cannot be used:"), "{}", ran.stderr);
    assert!(ran.stderr.contains("my.yaml:3:3: no artifact of"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the nearest is `ubuntu-noble-plain-rke2-1-31-8`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("| regexFind \"[0-9.]+\" | replace \".\" \"-\" }}`, which gives `ubuntu-noble-hardened-rke2-1-31-8`"), "{}", ran.stderr);
}

#[tokio::test]
async fn wrong_values_are_named_with_file_line_and_column() {
    let consumer = Consumer::new().await;
    for (my, said) in [
        ("a: [\n", "my.yaml:1:4: not YAML: unclosed"),
        ("- a\n", "my.yaml:1:1: the file is a list"),
        ("a: {{ .Values.x }}\n", "put the template in quotes"),
        ("a: 1\na: 2\n", "my.yaml:2:1: `a` is written twice with different values, first at 1:1"),
        (
            "os_images_oci_registries: {sylva: {tag: 0.10}}\n",
            "my.yaml:1:36: `os_images_oci_registries.sylva.tag`: is a floating number",
        ),
        (
            "sylva_diskimagebuilder_version: '{{ include \"v\" . }}'\n",
            "`include` needs the chart's own templates",
        ),
        (
            "sylva_diskimagebuilder_version: '{{ .Values.sylva_diskimagebuilder_version }}'\n",
            "again and again",
        ),
        ("sylva_diskimagebuilder_version: a/b\n", "`a/b` is not a tag"),
        (
            "os_images_oci_registries: {sylva: {url: 'https://h/x'}}\n",
            "my.yaml:1:36: `os_images_oci_registries.sylva.url`",
        ),
        (
            "sylva_diskimagebuilder_images: {x: {os_images_oci_registry: nowhere}}\n",
            "which is not in os_images_oci_registries (it has sylva)",
        ),
        (
            "sylva_diskimagebuilder_images: {x: {enabled: 3}}\n",
            "`sylva_diskimagebuilder_images.x.enabled`: is a floating number",
        ),
        ("diskimage_builder_os_images: {}\n", "say which with --form"),
    ] {
        consumer.desk.write("my.yaml", my);
        let ran = consumer.run("os-images", &["-f", "my.yaml"]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{my}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    let ran = consumer.desk.dibump(&["os-images", "-f", "absent.yaml"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    let ran = consumer.desk.dibump(&["os-images"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("name one with -f"), "{ran:#?}");
    for (setting, said) in [
        ("k8s", "has no value"),
        ("a.\"image-1.26.9\".enabled=true", "write `\\.` for a dot in a key"),
        ("list[x]=1", "expected an index"),
        ("list={a,b", "the list has no end"),
    ] {
        let ran = consumer.run("os-images", &["--set", setting]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(2), ""), "{setting}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{setting}: {}", ran.stderr);
    }
    let ran = consumer.run("os-images", &["--set", "sylva_diskimagebuilder_version.x=1"]).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{ran:#?}");
}

#[tokio::test]
async fn values_are_set_as_helm_sets_them() {
    let consumer = Consumer::new().await;
    let images = "diskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1.31.8: {}\n  other: {}\n";
    consumer.desk.write("dotted.yaml", format!("sylva_diskimagebuilder_version: 0.4.12\n{images}"));
    let enabled = async |setting: &str| {
        let arguments = ["os-images", "-f", "dotted.yaml", "--offline", "--format", "json", "--set", setting];
        let ran = consumer.desk.dibump(&arguments).await;
        assert_eq!(ran.exit, Some(0), "{setting}: {ran:#?}");
        ran.stdout.matches("ubuntu-noble-plain-rke2-1.31.8").count() > 0
    };
    assert!(
        enabled(r"diskimage_builder_os_images.ubuntu-noble-plain-rke2-1\.31\.8.enabled=true,other=1").await
    );
    // Helm takes `yes` for a text, and what is not escaped for another key.
    assert!(!enabled("diskimage_builder_os_images.ubuntu-noble-plain-rke2-1.31.8.enabled=true").await);
}

#[tokio::test]
async fn a_registry_that_refuses_us_is_a_matter_for_a_person() {
    let consumer = Consumer::new().await;
    consumer.registry.fault(Fault::status(403).on("/manifests/"));
    let ran = consumer.run("os-images", &[]).await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{ran:#?}");
    assert!(ran.stderr.contains("DIBUMP_REGISTRY_USERNAME"), "{ran:#?}");
}

#[tokio::test]
async fn a_value_that_asks_a_cluster_is_read_as_helm_does_without_one_and_named() {
    let consumer = Consumer::new().await;
    let base = consumer.registry.prefix("sylva");
    let url = "os_images_oci_registries: {sylva: {url: '{{ .Values.base }}/diskimage-builder'}}\n";
    let base_of = format!(
        "base: '{{{{ lookup \"v1\" \"Secret\" .Release.Namespace \"values\" | dig \"data\" \"base\" \"\" | default \"{base}\" }}}}'\n"
    );
    consumer.desk.write("my.yaml", format!("{url}{base_of}"));
    let ran = consumer.run("os-images", &["-f", "my.yaml"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains(&format!("uri: {base}/diskimage-builder/{HARDENED}:0.4.12")), "{ran:#?}");
    assert!(ran.stderr.starts_with("note: my.yaml:2:1: `base` asks the cluster"), "{ran:#?}");
    assert!(ran.stderr.contains("--set base=VALUE"), "{ran:#?}");
    let set = format!("base={base}");
    let told = consumer.run("os-images", &["-f", "my.yaml", "--set", &set]).await;
    assert_eq!((told.stdout, told.stderr.as_str()), (ran.stdout, ""));
}

#[tokio::test]
async fn what_other_clusters_choose_is_served_too_and_told_where_nobody_serves_it_yet() {
    let consumer = Consumer::new().await;
    let cluster = |key: &str| {
        format!(
            "cluster: {{capi_providers: {{infra_provider: capm3, bootstrap_provider: cabpr}}, k8s_version: v1.31.8+rke2r1, capm3: {key}}}\n"
        )
    };
    let desk = &consumer.desk;
    desk.write("management.yaml", cluster("{os_image_selector: {os: ubuntu, hardened: 'true'}}"));
    desk.write("one.yaml", cluster(&format!("{{image_key: {RKE2}}}")));
    desk.write("two.yaml", cluster(&format!("{{image_key: {HARDENED}}}")));
    desk.write("three.yaml", cluster("{os_image_selector: {os: opensuse, hardened: 'true'}}"));
    let served = ["-f", "management.yaml", "--served"];
    let others = ["one.yaml", "two.yaml", "three.yaml"].map(|file| format!("values.yaml,{file}"));
    let others = others.iter().flat_map(|files| ["--workload-cluster", files]);
    let alone = consumer.run("os-images", &served).await;
    assert_eq!((alone.exit, alone.stderr.as_str()), (Some(0), ""));
    assert!(alone.stdout.contains(HARDENED) && !alone.stdout.contains(RKE2), "{alone:#?}");

    let ran = consumer.run("os-images", &served.into_iter().chain(others).collect::<Vec<_>>()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains(HARDENED) && ran.stdout.contains(RKE2) && !ran.stdout.contains(KUBEADM));
    let notes: Vec<&str> = ran.stderr.lines().collect();
    let [not_yet, none] = notes.as_slice() else { panic!("{ran:#?}") };
    assert!(not_yet.starts_with("note: one.yaml:1:") && not_yet.contains(RKE2), "{not_yet}");
    assert!(not_yet.contains("os_image_server_additional_selectors"), "{not_yet}");
    assert!(none.starts_with("note: three.yaml:1:") && none.contains("no image matches it"), "{none}");

    let ran = consumer.run("os-images", &["--workload-cluster", "values.yaml"]).await;
    assert_eq!(ran.exit, Some(2), "only of what is served: {ran:#?}");
}
