//! `os-images`: each image exists, and what is wrong is said at once with its place.

use super::{Consumer, HARDENED, KUBEADM, RKE2};
use crate::fake::oci::Fault;
use crate::world::PREFIX;

#[tokio::test]
async fn each_image_is_asked_for_once_and_a_missing_one_is_named() {
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
    reads!(ran.stderr, @r#"
    error: 2 values cannot be used:
      my.yaml:3:3: no artifact of oci://HOST/sylva/diskimage-builder is called `ubuntu-noble-plain-rke2-1-31-7` at 0.4.12; the nearest is `ubuntu-noble-plain-rke2-1-31-8`
      my.yaml:4:3: no artifact of oci://HOST/sylva/diskimage-builder is called `ubuntu-noble-hardened-rke2-1.31.8-rke2r1` at 0.4.12; write `ubuntu-noble-hardened-rke2-{{ .Values.k8s | trimPrefix "v" | replace "+" "-" | regexFind "[0-9.]+" | replace "." "-" }}`, which gives `ubuntu-noble-hardened-rke2-1-31-8`
    "#);
}

#[tokio::test]
async fn wrong_values_are_named_with_file_line_and_column() {
    let consumer = Consumer::new().await;
    let mut told = String::new();
    for my in [
        "a: [\n",
        "- a\n",
        "a: {{ .Values.x }}\n",
        "a: 1\na: 2\n",
        "os_images_oci_registries: {sylva: {tag: 0.10}}\n",
        "sylva_diskimagebuilder_version: '{{ include \"v\" . }}'\n",
        "sylva_diskimagebuilder_version: '{{ .Values.sylva_diskimagebuilder_version }}'\n",
        "sylva_diskimagebuilder_version: a/b\n",
        "os_images_oci_registries: {sylva: {url: 'https://h/x'}}\n",
        "sylva_diskimagebuilder_images: {x: {os_images_oci_registry: nowhere}}\n",
        "sylva_diskimagebuilder_images: {x: {enabled: 3}}\n",
        "diskimage_builder_os_images: {}\n",
    ] {
        consumer.desk.write("my.yaml", my);
        let ran = consumer.run("os-images", &["-f", "my.yaml"]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{my}: {ran:#?}");
        told += &ran.stderr;
    }
    reads!(told, @"
    error: my.yaml:1:4: not YAML: unclosed bracket '['
    hint: fix the YAML syntax here
    error: my.yaml:1:1: the file is a list (expected a mapping)
    hint: name a file of Helm values
    error: my.yaml:1:4: `a` is a template, which only Helm can read
    hint: put the template in quotes
    error: my.yaml:2:1: `a` is written twice with different values, first at 1:1
    hint: remove one of them
    error: my.yaml:1:36: `os_images_oci_registries.sylva.tag`: is a floating number (expected text; write it in quotes)
    error: my.yaml:1:1: `sylva_diskimagebuilder_version`: `include` needs the chart's own templates; write the value that it gives
    error: my.yaml:1:1: `sylva_diskimagebuilder_version`: `{{ .Values.sylva_diskimagebuilder_version }}` gives a template again and again
    error: values.yaml:2:65: `os_images_oci_registries.sylva.tag`: `a/b` cannot be a tag (letters, digits, `_`, `.` and `-`, at most 128)
    error: my.yaml:1:36: `os_images_oci_registries.sylva.url`: `https://h/x` is not a registry prefix (expected oci://HOST[:PORT]/PATH, as in oci://registry.example/group/diskimage-builder)
    error: my.yaml:1:33: `sylva_diskimagebuilder_images.x`: names the registry `nowhere`, which is not in os_images_oci_registries (it has sylva)
    error: my.yaml:1:37: `sylva_diskimagebuilder_images.x.enabled`: is a floating number (expected text; write it in quotes)
    error: the values have diskimage_builder_os_images and sylva_diskimagebuilder_images; say which with --form
    ");
    let ran = consumer.desk.dibump(&["os-images", "-f", "absent.yaml"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    let ran = consumer.desk.dibump(&["os-images"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    let mut told = ran.stderr;
    for setting in ["k8s", "a.\"image-1.26.9\".enabled=true", "list[x]=1", "list={a,b"] {
        let ran = consumer.run("os-images", &["--set", setting]).await;
        assert_eq!((ran.exit, ran.stdout.as_str()), (Some(2), ""), "{setting}: {ran:#?}");
        told += &ran.stderr;
    }
    reads!(told, @r#"
    error: no values file is named
    hint: name one with -f, or `-f -` for stdin
    error: invalid value 'k8s' for '--set <PATH=VALUE>': `k8s` has no value (expected PATH=VALUE, as in cluster.k8s_version=v1.31.8)

    For more information, try '--help'.
    error: invalid value 'a."image-1.26.9".enabled=true' for '--set <PATH=VALUE>': `a."image-1.26.9".enabled=true`: quotes are not read here; write `\.` for a dot in a key

    For more information, try '--help'.
    error: invalid value 'list[x]=1' for '--set <PATH=VALUE>': `list[x]=1`: expected an index from 0 to 65536 in the brackets, as in list[0]=value

    For more information, try '--help'.
    error: invalid value 'list={a,b' for '--set <PATH=VALUE>': `list={a,b`: the list has no end (expected {a,b}; write `\{` for a brace that is part of the value)

    For more information, try '--help'.
    "#);
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
    reads!(ran.stderr, @"note: my.yaml:2:1: `base` asks the cluster (`lookup`), which finds nothing here; give what it is there with --set base=VALUE");
    let set = format!("base={base}");
    let told = consumer.run("os-images", &["-f", "my.yaml", "--set", &set]).await;
    assert_eq!((told.stdout, told.stderr.as_str()), (ran.stdout, ""));
}

#[tokio::test]
async fn what_other_clusters_choose_is_served_or_told() {
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
    reads!(ran.stderr, @"
    note: one.yaml:1:116: `ubuntu-noble-plain-rke2-1-31-8` is not served yet: give os_image_server_additional_selectors of the management cluster a selector that matches it
    note: three.yaml:1:116: no image matches it, so none is served for it
    ");

    let ran = consumer.run("os-images", &["--workload-cluster", "values.yaml"]).await;
    assert_eq!(ran.exit, Some(2), "only of what is served: {ran:#?}");
}
