//! `os-images-info`: one bad image never hides the others, and strings stay strings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Consumer, HARDENED, KUBEADM, RKE2, images};
use crate::bare_metal::sha256;
use crate::fake::oci::Fault;
use crate::said::about;
use crate::world::{PREFIX, Ran};

/// The values in a ConfigMap, by a reader that nobody here wrote (libyaml).
fn values(config_map: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
    let map: Value = yaml_serde::from_str(config_map).unwrap();
    let values: Value = yaml_serde::from_str(map["data"]["values.yaml"].as_str().unwrap()).unwrap();
    serde_json::from_value(values["os_images"].clone()).unwrap()
}

fn keys(ran: &Ran) -> Vec<String> {
    values(&ran.stdout).into_keys().collect()
}

#[tokio::test]
async fn annotations_and_properties_are_told_and_the_users_win() {
    let consumer = Consumer::new().await;
    consumer.values("os_images:\n  mine: {uri: 'https://h/mine.raw', sha256: 'x', md5: '1_000', 'no': 'no', '1.10': '0x1F'}\n");
    let ran = consumer.run("os-images-info", &[]).await;
    assert_eq!((ran.exit, ran.stderr.as_str()), (Some(0), ""), "{ran:#?}");
    let told = values(&ran.stdout);
    let text = |key: &str, name: &str| told[key][name].as_str().unwrap().to_owned();
    assert_eq!(told.len(), 4);
    assert_eq!(text(KUBEADM, "os-release"), "15.6");
    assert_eq!(text(KUBEADM, "size"), "22000000000");
    assert_eq!(text(KUBEADM, "hardened"), "false");
    assert_eq!(text(KUBEADM, "sha256"), sha256(KUBEADM));
    assert_eq!(text(KUBEADM, "uri"), format!("{}/{KUBEADM}:0.4.12", consumer.registry.prefix(PREFIX)));
    assert_eq!(text("mine", "md5"), "1_000");
    assert_eq!(text("mine", "no"), "no");
    assert_eq!(text("mine", "1.10"), "0x1F");
    assert!(!told[KUBEADM].contains_key("sylva_dib_image"), "only the chart's own job reads it");
    assert!(!told[KUBEADM].contains_key("org.opencontainers.image.created"), "nobody asked for it");
    let again = consumer.run("os-images-info", &[]).await;
    assert_eq!(again.stdout, ran.stdout, "the same input gives the same bytes");
}

#[tokio::test]
async fn a_bad_image_is_left_out_and_named_and_the_others_are_there() {
    let consumer = Consumer::new().await;
    consumer.signed(&[RKE2, KUBEADM], "");
    let unsigned = consumer.run("os-images-info", &[]).await;
    assert_eq!(unsigned.exit, Some(5), "{unsigned:#?}");
    assert_eq!(keys(&unsigned), [KUBEADM, RKE2]);
    reads!(unsigned.stderr, @"error: values.yaml:6:3: `ubuntu-noble-hardened-rke2-1-31-8` is not signed");

    consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    let missing = consumer.run("os-images-info", &[]).await;
    assert_eq!(missing.exit, Some(3), "a person comes before a signature: {missing:#?}");
    assert_eq!(keys(&missing), [RKE2]);
    reads!(about(&missing.stderr, KUBEADM), @"error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry");
    let off = consumer.run("os-images-info", &["--signatures", "off"]).await;
    assert_eq!(keys(&off), [HARDENED, RKE2]);

    let all = consumer.run("os-images-info", &["--on-error", "fail"]).await;
    assert_eq!((all.exit, all.stdout.as_str()), (Some(3), ""), "{all:#?}");
    reads!(all.stderr, @"
    error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry
    error: values.yaml:6:3: `ubuntu-noble-hardened-rke2-1-31-8` is not signed
    note: nothing was written
    ");
}

#[tokio::test]
async fn a_signature_that_is_wrong_or_warned_of_is_told_apart() {
    let consumer = Consumer::new().await;
    consumer.signed(&[RKE2, HARDENED, KUBEADM], "");
    assert_eq!(consumer.run("os-images-info", &[]).await.exit, Some(0));
    let stranger = crate::fake::cosign::Signer::new();
    consumer.desk.write("stranger.pub", stranger.pem());
    let ran = consumer.run("os-images-info", &["--cosign-key", "stranger.pub"]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(about(&ran.stderr, KUBEADM), @"error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is wrongly signed (signed by another key, or changed since)");
    assert!(keys(&ran).is_empty());
    let ran = consumer.run("os-images-info", &["--cosign-key", "stranger.pub", "--signatures", "warn"]).await;
    assert_eq!((ran.exit, keys(&ran).len()), (Some(0), 3), "{ran:#?}");
    reads!(about(&ran.stderr, KUBEADM), @"warning: `opensuse-15-6-plain-kubeadm-1-31-8` is wrongly signed (signed by another key, or changed since)");
    consumer.signed(&[], "    skip_signing_check: true\n");
    let ran = consumer
        .run(
            "os-images-info",
            &["--signatures", "required", "--set", "security.os_images.cosign_public_key=null"],
        )
        .await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"
    error: values.yaml:10:5: signatures are required, and no public key is known
    hint: name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off` (--signatures off)
    ");
}

#[tokio::test]
async fn annotations_that_no_machine_could_use_are_refused() {
    let mut told = String::new();
    for (annotation, value) in [("sha256", "xyz"), ("image-format", "iso"), ("image-format", "")] {
        let consumer = Consumer::new().await;
        let [rke2, ..] = images();
        let broken = rke2.with(&format!("sylvaproject.org/diskimage/{annotation}"), value);
        consumer.registry.release(PREFIX, "0.4.12", &[broken]);
        let ran = consumer.run("os-images-info", &[]).await;
        assert_eq!(ran.exit, Some(5), "{ran:#?}");
        assert_eq!(keys(&ran), [KUBEADM, HARDENED]);
        told += &ran.stderr;
    }
    reads!(told, @"
    error: values.yaml:5:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: its sha256 is `xyz` (expected 64 lower-case hexadecimal digits)
    error: values.yaml:5:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: its format is `iso` (expected raw, qcow2, vdi, vmdk or live-iso)
    error: values.yaml:5:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: its format is `` (expected raw, qcow2, vdi, vmdk or live-iso)
    ");
    // An annotation that is no string, in a manifest that is what its digest says.
    let consumer = Consumer::new().await;
    let manifest =
        crate::fake::oci::flux_manifest(&serde_json::json!({"sylvaproject.org/diskimage/size": 1}));
    consumer.registry.push(
        &format!("{PREFIX}/{RKE2}"),
        "0.4.12",
        manifest.to_string(),
        crate::fake::oci::OCI_MANIFEST,
    );
    let ran = consumer.run("os-images-info", &[]).await;
    assert_eq!((ran.exit, keys(&ran).len()), (Some(3), 2), "{ran:#?}");
    reads!(ran.stderr, @"error: values.yaml:5:3: `ubuntu-noble-plain-rke2-1-31-8` has a broken manifest: http://HOST/v2/sylva/diskimage-builder/ubuntu-noble-plain-rke2-1-31-8/manifests/0.4.12: the annotation sylvaproject.org/diskimage/size is not text");
}

#[tokio::test]
async fn a_file_keeps_what_was_known_of_an_image_that_is_bad_now() {
    let consumer = Consumer::new().await;
    let output = ["--output", "info.yaml", "--on-error", "keep"];
    assert_eq!(consumer.run("os-images-info", &output).await.exit, Some(0));
    let before = String::from_utf8(consumer.desk.read("info.yaml")).unwrap();
    assert_eq!(values(&before).len(), 3);
    consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    consumer.registry.fault(Fault::status(500).on(HARDENED));
    let ran = consumer.run("os-images-info", &output).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"
    error: values.yaml:7:3: `opensuse-15-6-plain-kubeadm-1-31-8` is not in the registry; what was known of it before stays
    error: values.yaml:6:3: `ubuntu-noble-hardened-rke2-1-31-8` could not be read: couldn't reach http://HOST/v2/sylva/diskimage-builder/ubuntu-noble-hardened-rke2-1-31-8/manifests/0.4.12: it answered 500 Internal Server Error; what was known of it before stays
    ");
    assert_eq!(String::from_utf8(consumer.desk.read("info.yaml")).unwrap(), before);

    // What could not be read now and was never known is no reason to drop it: nothing is written.
    consumer.desk.write("info.yaml", "os_images: {}\n");
    let ran = consumer.run("os-images-info", &output).await;
    assert_eq!(consumer.desk.read("info.yaml"), b"os_images: {}\n", "{ran:#?}");
    let ran = consumer.run("os-images-info", &["--on-error", "keep"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    consumer.desk.write("info.yaml", "os_images: {a: {size: 1}}\n");
    let ran = consumer.run("os-images-info", &output).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: info.yaml: `os_images.a.size` is a floating number (expected text; write it in quotes)");
}

#[tokio::test]
async fn images_are_never_replaced_by_none_unless_that_is_said() {
    let consumer = Consumer::new().await;
    let output = ["--output", "info.yaml"];
    assert_eq!(consumer.run("os-images-info", &output).await.exit, Some(0));
    let before = consumer.desk.read("info.yaml");
    for name in [RKE2, HARDENED, KUBEADM] {
        consumer.registry.remove(&format!("{PREFIX}/{name}"), "0.4.12");
    }
    // What enables none says it in so many words.
    let none = "sylva_diskimagebuilder_images: {}\n";
    for (values, on_error) in
        [(None, "omit"), (Some(none), "omit"), (Some(none), "keep"), (Some(none), "fail")]
    {
        let _ = values.map(|values| consumer.desk.write("values.yaml", values));
        let ran = consumer.run("os-images-info", &[&output[..], &["--on-error", on_error]].concat()).await;
        assert_eq!(ran.exit, Some(5), "{values:?} {on_error}: {ran:#?}");
        reads!(about(&ran.stderr, " 3 images"), @"error: ConfigMap os-images-info has 3 images, and none would be left; nothing was written");
        assert_eq!(consumer.desk.read("info.yaml"), before);
    }
    let ran = consumer.run("os-images-info", &[&output[..], &["--allow-empty"]].concat()).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(values(&String::from_utf8(consumer.desk.read("info.yaml")).unwrap()).is_empty());
    // From none to none nothing is lost, and what cannot be read is not taken for none.
    assert_eq!(consumer.run("os-images-info", &output).await.exit, Some(0));
    consumer.desk.write("info.yaml", "something: else\n");
    assert_eq!(consumer.run("os-images-info", &output).await.exit, Some(3));
    assert_eq!(consumer.desk.read("info.yaml"), b"something: else\n");
}

#[tokio::test]
async fn values_without_a_mapping_are_refused_before_anything_is_written() {
    let consumer = Consumer::new().await;
    consumer.desk.write("info.yaml", "os_images: {a: {size: '1'}}\n");
    let values = String::from_utf8(consumer.desk.read("values.yaml")).unwrap();
    let misspelled = values.replace("sylva_diskimagebuilder_images", "sylva_diskimagebuilder_image");
    let mut told = BTreeSet::new();
    for (values, flags) in
        [("", &[][..]), (&misspelled, &["--on-error", "fail"]), (&values, &["--form", "proposal"])]
    {
        consumer.desk.write("values.yaml", values);
        for command in ["os-images", "os-images-info"] {
            let output: &[&str] = if command == "os-images" { &[] } else { &["--output", "info.yaml"] };
            let flags =
                if command == "os-images" && flags.first() == Some(&"--on-error") { &[] } else { flags };
            let ran = consumer.run(command, &[output, flags].concat()).await;
            assert_eq!(ran.exit, Some(3), "{ran:#?}");
            assert_eq!(ran.stdout, "", "{ran:#?}");
            told.insert(ran.stderr);
        }
    }
    reads!(Vec::from_iter(told).concat(), @"
    error: values.yaml: neither `diskimage_builder_os_images` nor `os_images` is set
    hint: pass the values of the chart as well (-f), and check the spelling of the key and --form
    error: values.yaml: neither `sylva_diskimagebuilder_images` nor `os_images` is set
    hint: pass the values of the chart as well (-f), and check the spelling of the key and --form
    ");
    consumer.desk.write("values.yaml", &values);
    for template in ["https://h/{{ file }}", "https://h/{{ key | shout }}", "https://h/{{ key"] {
        let ran =
            consumer.run("os-images-info", &["--output", "info.yaml", "--url-template", template]).await;
        assert_eq!(ran.exit, Some(2), "{ran:#?}");
    }
    assert_eq!(consumer.desk.read("info.yaml"), b"os_images: {a: {size: '1'}}\n");
}

#[tokio::test]
async fn programs_get_the_faults_as_data() {
    let consumer = Consumer::new().await;
    consumer.registry.remove(&format!("{PREFIX}/{KUBEADM}"), "0.4.12");
    let ran = consumer.run("os-images-info", &["--format", "json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["schema"], "dibump.os-images-info/1");
    assert_eq!(report["images"].as_object().unwrap().len(), 2);
    assert_eq!(report["faults"][0]["fault"], "missing");
    assert_eq!(report["faults"][0]["key"], KUBEADM);
}

/// Names each property whose value Helm does not read as a text.
const NO_TEXTS: &str = r#"{{ range $key, $image := .Values.os_images }}{{ range $name, $value := $image }}{{ if not (kindIs "string" $value) }}{{ $key }}.{{ $name }} {{ end }}{{ end }}{{ end }}{{ len .Values.os_images }}"#;

#[tokio::test]
async fn helm_reads_every_value_of_the_config_map_as_a_text() {
    let consumer = Consumer::new().await;
    let looks: Vec<String> =
        ["no", "y", "1_000", "0x1F", "1e3", ".inf", "2024-01-01", "12:30", "~", "", "=", "<<", "010"]
            .iter()
            .enumerate()
            .map(|(i, text)| format!("p{i}: '{text}'"))
            .collect();
    consumer.values(&format!("os_images:\n  mine: {{uri: 'https://h', {}}}\n", looks.join(", ")));
    let ran = consumer.run("os-images-info", &[]).await;
    let map: Value = yaml_serde::from_str(&ran.stdout).unwrap();
    let values = map["data"]["values.yaml"].as_str().unwrap().to_owned();
    let case = crate::helm::Case { template: NO_TEXTS.to_owned(), values: vec![String::new(), values] };
    let helm = crate::helm::helm(&[case]).await;
    assert_eq!(helm, [crate::helm::Helm::Text("4".to_owned())]);
}
