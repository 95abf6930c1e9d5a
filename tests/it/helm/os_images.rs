//! `os-images` against charts that were written for this, rendered by Helm with the same values.

use serde_json::Value;

use super::{Case, Helm, helm};
use crate::world::Desk;

/// A chart's templates.
#[derive(Debug, Clone, Copy)]
enum Chart {
    Proposal,
    SylvaCore,
}

/// Values files, the chart's own first, and whether they must be refused.
struct Deployment {
    chart: Chart,
    name: &'static str,
    files: &'static [&'static str],
    refused: bool,
}

const fn gives(chart: Chart, name: &'static str, files: &'static [&'static str]) -> Deployment {
    Deployment { chart, name, files, refused: false }
}

const fn refuses(chart: Chart, name: &'static str, files: &'static [&'static str]) -> Deployment {
    Deployment { chart, name, files, refused: true }
}

const SIX: &str = "\
sylva_diskimagebuilder_version: 0.1.6
diskimage_builder_os_images:
  ubuntu-jammy-plain-rke2-1.26.9: {}
  ubuntu-jammy-plain-rke2-1.25.15: {}
  opensuse-15.5-plain-rke2-1.26.9: {}
  ubuntu-jammy-hardened-rke2-1.26.9: {}
  ubuntu-jammy-plain-kubeadm-1.26.9: {}
  ubuntu-jammy-plain-kubeadm-1.26.9: {}
";

const BY_VERSION: &str = "\
cluster: {k8s_version: 1.26.9}
diskimage_builder_os_images:
  'opensuse-15.5-plain-rke2-{{ .Values.cluster.k8s_version }}': {enabled: true}
";

const UNITS: &str = "\
sylva_base_oci_registry: oci://registry.example/sylva
os_images_oci_registries:
  sylva:
    url: '{{ .Values.sylva_base_oci_registry }}/diskimage-builder'
    tag: '{{ .Values.sylva_diskimagebuilder_version }}'
    cosign_publickey: '{{ .Values.security.key }}'
  kiwi:
    url: oci://registry.example/kiwi
    tag: 0.5.11
    enabled: '{{ .Values.kiwi }}'
kiwi: true
security: {key: \"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\\n\"}
sylva_diskimagebuilder_version: 0.4.12
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-31-8: {os_images_oci_registry: sylva}
  opensuse-15-6-plain-kubeadm-1-31-8: {os_images_oci_registry: sylva}
  leapmicro-6-0-plain-rke2-1-31: {os_images_oci_registry: kiwi}
os_images: {}
";

const OLDER: &str = "\
os_images_oci_registries:
  sylva: {url: 'oci://registry.example/sylva', tag: '{{ .Values.sylva_diskimagebuilder_version }}'}
sylva_diskimagebuilder_version: 0.2.10
sylva_diskimagebuilder_images:
  ubuntu-jammy-hardened-rke2-1-28-8: {default_enabled: true}
  ubuntu-jammy-plain-rke2-1-28-8: {}
  opensuse-15-5-plain-rke2-1-28-8: {}
";

const P: Chart = Chart::Proposal;
const S: Chart = Chart::SylvaCore;

const DEPLOYMENTS: &[Deployment] = &[
    gives(P, "nothing is enabled", &[SIX]),
    gives(P, "one by its Kubernetes version", &[SIX, BY_VERSION]),
    gives(
        P,
        "a template beside its own key",
        &[
            SIX,
            BY_VERSION,
            "diskimage_builder_os_images: {opensuse-15.5-plain-rke2-1.26.9: {enabled: true}}\n",
        ],
    ),
    gives(P, "the last file wins", &[SIX, BY_VERSION, "cluster: {k8s_version: 1.25.15}\n"]),
    gives(P, "null deletes", &[SIX, BY_VERSION, "diskimage_builder_os_images: null\n"]),
    gives(
        P,
        "null, and a mapping after it",
        &[SIX, "diskimage_builder_os_images: null\n", "diskimage_builder_os_images: {a: {enabled: true}}\n"],
    ),
    refuses(
        P,
        "an entry that only the user has is made nothing",
        &[
            SIX,
            "diskimage_builder_os_images: {a: {enabled: true}, ubuntu-jammy-plain-rke2-1.26.9: {enabled: true}}\n",
            "diskimage_builder_os_images: {a: null}\n",
        ],
    ),
    gives(
        P,
        "enabled by a template",
        &[
            SIX,
            "wanted: true\ndiskimage_builder_os_images:\n  a: {enabled: '{{ .Values.wanted }}'}\n  b: {enabled: '{{ not .Values.wanted }}'}\n",
        ],
    ),
    gives(
        P,
        "enabled as YAML 1.1 writes it",
        &[SIX, "diskimage_builder_os_images: {a: {enabled: yes}, b: {enabled: off}}\n"],
    ),
    gives(
        P,
        "a version of a version",
        &[
            SIX,
            "a: '{{ .Values.b }}'\nb: 0.9.0\nsylva_diskimagebuilder_version: '{{ .Values.a }}'\ndiskimage_builder_os_images: {a: {enabled: true}}\n",
        ],
    ),
    gives(
        P,
        "what a cluster says, as names have it",
        &[
            SIX,
            "cluster: {k8s_version: v1.31.8+rke2r1}\ndiskimage_builder_os_images:\n  'a-{{ .Values.cluster.k8s_version | regexFind \"[0-9.]+\" | replace \".\" \"-\" }}': {enabled: true}\n  'b-{{ .Values.cluster.k8s_version | trimPrefix \"v\" | splitList \"+\" | first }}': {enabled: true}\n",
        ],
    ),
    gives(
        P,
        "an anchor and a merge key",
        &[
            "x: &on {enabled: true}\nsylva_diskimagebuilder_version: 0.1.6\ndiskimage_builder_os_images:\n  a: *on\n  b: {<<: *on}\n  c: {<<: *on, enabled: false}\n",
        ],
    ),
    gives(
        P,
        "the user's own images",
        &[
            SIX,
            "v: 1\nos_images:\n  mine: {uri: 'https://h/{{ .Values.v }}.raw', sha256: abc, size: 22000000000, hardened: false, more: {a: '{{ .Values.v }}', b: [1, x]}}\n",
        ],
    ),
    refuses(
        P,
        "the same key twice",
        &[SIX, BY_VERSION, "os_images: {opensuse-15.5-plain-rke2-1.26.9: {uri: 'https://h'}}\n"],
    ),
    refuses(P, "a key that can be none", &[SIX, BY_VERSION, "cluster: {k8s_version: v1.26.9+rke2r1}\n"]),
    refuses(P, "a version that is a number", &[SIX, BY_VERSION, "sylva_diskimagebuilder_version: 0.10\n"]),
    refuses(P, "no version", &[SIX, BY_VERSION, "sylva_diskimagebuilder_version: null\n"]),
    refuses(P, "enabled, but how", &[SIX, "diskimage_builder_os_images: {a: {enabled: perhaps}}\n"]),
    refuses(P, "an entry that is not a mapping", &[SIX, "diskimage_builder_os_images: {a: true}\n"]),
    refuses(
        P,
        "a template of another chart",
        &[SIX, "diskimage_builder_os_images: {'a-{{ include \"nothing\" . }}': {enabled: true}}\n"],
    ),
    refuses(
        P,
        "a template that is not closed",
        &[SIX, "diskimage_builder_os_images: {'a-{{ .Values.x': {enabled: true}}\n"],
    ),
    refuses(
        P,
        "a function that there is not",
        &[SIX, "diskimage_builder_os_images: {'a-{{ nosuch 1 }}': {enabled: true}}\n"],
    ),
    refuses(
        P,
        "a value that is required",
        &[SIX, "diskimage_builder_os_images: {'a-{{ required \"say it\" .Values.x }}': {enabled: true}}\n"],
    ),
    refuses(
        P,
        "a path through nothing",
        &[SIX, "diskimage_builder_os_images: {'a-{{ .Values.x.y }}': {enabled: true}}\n"],
    ),
    gives(S, "two registries", &[UNITS]),
    gives(S, "one is switched off", &[UNITS, "kiwi: false\n"]),
    gives(
        S,
        "another base",
        &[UNITS, "sylva_base_oci_registry: oci://mirror.example/a\nsecurity: {key: ''}\n"],
    ),
    gives(
        S,
        "a registry of the user",
        &[
            UNITS,
            "os_images_oci_registries: {own: {url: 'oci://h.example/own', tag: main}}\nsylva_diskimagebuilder_images: {x-1: {os_images_oci_registry: own}}\n",
        ],
    ),
    gives(
        S,
        "an image of the user beside",
        &[UNITS, "os_images: {mine: {uri: 'oci://h.example/mine:1', md5: x}}\n"],
    ),
    gives(S, "all are deleted", &[UNITS, "sylva_diskimagebuilder_images: null\n"]),
    gives(
        S,
        "one is deleted",
        &[UNITS, "sylva_diskimagebuilder_images: {opensuse-15-6-plain-kubeadm-1-31-8: null}\n"],
    ),
    gives(
        S,
        "a template as key",
        &[
            UNITS,
            "v: 1-32\nsylva_diskimagebuilder_images: {'ubuntu-noble-plain-rke2-{{ .Values.v }}': {os_images_oci_registry: sylva}}\n",
        ],
    ),
    refuses(
        S,
        "an unknown registry",
        &[UNITS, "sylva_diskimagebuilder_images: {x: {os_images_oci_registry: nowhere}}\n"],
    ),
    refuses(S, "a registry without url", &[UNITS, "os_images_oci_registries: {kiwi: {url: null}}\n"]),
    refuses(
        S,
        "a registry that is no OCI registry",
        &[UNITS, "sylva_base_oci_registry: https://git.example/a\n"],
    ),
    refuses(S, "a registry without tag", &[UNITS, "sylva_diskimagebuilder_version: ''\n"]),
    refuses(
        S,
        "the same key twice",
        &[UNITS, "os_images: {ubuntu-noble-plain-rke2-1-31-8: {uri: 'https://h'}}\n"],
    ),
    gives(S, "older: by default", &[OLDER]),
    gives(
        S,
        "older: one more",
        &[OLDER, "sylva_diskimagebuilder_images: {opensuse-15-5-plain-rke2-1-28-8: {enabled: true}}\n"],
    ),
    gives(
        S,
        "older: a default that is not enabled stays",
        &[OLDER, "sylva_diskimagebuilder_images: {ubuntu-jammy-hardened-rke2-1-28-8: {enabled: false}}\n"],
    ),
    gives(
        S,
        "older: no default beside images of the user",
        &[OLDER, "os_images: {mine: {uri: 'https://h.example/x'}}\n"],
    ),
    gives(
        S,
        "a flag that is left over",
        &[UNITS, "sylva_diskimagebuilder_images: {ubuntu-noble-plain-rke2-1-31-8: {enabled: false}}\n"],
    ),
    gives(
        S,
        "older: one more registry",
        &[OLDER, "os_images_oci_registries: {other: {url: 'oci://h.example/x', tag: '1'}}\n"],
    ),
    refuses(S, "older: no registry", &[OLDER, "os_images_oci_registries: null\n"]),
];

fn case(deployment: &Deployment) -> Case {
    let template = match deployment.chart {
        Chart::Proposal => include_str!("../../data/helm/proposal.tpl"),
        Chart::SylvaCore => include_str!("../../data/helm/sylva-core.tpl"),
    };
    Case {
        template: format!("{}{template}", include_str!("../../data/helm/text.tpl")),
        values: deployment.files.iter().map(|text| (*text).to_owned()).collect(),
    }
}

#[tokio::test]
async fn a_deployment_enables_what_helm_enables_and_refuses_what_helm_refuses() {
    let cases: Vec<Case> = DEPLOYMENTS.iter().map(case).collect();
    for (deployment, helm) in DEPLOYMENTS.iter().zip(helm(&cases).await) {
        let desk = Desk::new();
        let mut arguments = vec!["os-images", "--offline", "--format", "json"];
        let names: Vec<String> = (0..deployment.files.len()).map(|i| format!("{i}.yaml")).collect();
        for (name, text) in names.iter().zip(deployment.files) {
            desk.write(name, text);
            arguments.extend(["-f", name]);
        }
        match deployment.chart {
            Chart::Proposal => {
                arguments.extend(["--form", "proposal", "--registry", "oci://registry.example/dib"])
            }
            Chart::SylvaCore => arguments.extend(["--form", "sylva-core"]),
        }
        let ran = desk.dibump(&arguments).await;
        let what = format!("{:?}, {}: {ran:#?}", deployment.chart, deployment.name);
        match helm {
            Helm::Text(text) => {
                assert!(!deployment.refused, "Helm does not refuse it: {what}");
                let theirs: Value = yaml_serde::from_str(&text).unwrap();
                let ours: Value = serde_json::from_str(&ran.stdout).expect(&what);
                assert_eq!(ours["os_images"], theirs["os_images"], "{what}");
            }
            Helm::Error(error) => {
                assert!(deployment.refused, "Helm refuses it: {error}: {what}");
                assert_eq!((ran.exit, ran.stdout.as_str()), (Some(3), ""), "{error}: {what}");
                assert!(ran.stderr.contains(".yaml:"), "its place is named: {what}");
            }
        }
    }
}
