//! Layouts of checkouts, and the configuration that a person would write for each.

/// A checkout, and what is right for it.
pub(super) struct Layout {
    pub(super) name: &'static str,
    pub(super) origin: &'static str,
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) arguments: &'static [&'static str],
    /// The configuration without its first line.
    pub(super) hand: &'static str,
    /// How many files the first plan changes.
    pub(super) changed_files: usize,
}

const fn layout(
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    hand: &'static str,
    changed_files: usize,
) -> Layout {
    Layout { name, origin: "git@gitlab.com:group/deployment.git", files, arguments: &[], hand, changed_files }
}

/// Texts that stand for `$NAME ` in the layouts.
const PARTS: [(&str, &str); 11] = [
    ("$VALUES ", "$RENOVATE $VERSION $IMAGES "),
    ("$RENOVATE ", "# renovate: depName=sylva-projects/sylva-elements/diskimage-builder\n"),
    ("$VERSION ", "sylva_diskimagebuilder_version: 0.4.11\n"),
    (
        "$IMAGES ",
        "diskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-11: {}\n  opensuse-15-6-plain-kubeadm-1-30-11: {}\n",
    ),
    (
        "$REGISTRY ",
        "os_images_oci_registries:\n  sylva:\n    url: oci://registry.example/sylva/diskimage-builder\n    \
         tag: '{{ .Values.sylva_diskimagebuilder_version }}'\n",
    ),
    ("$OVERLAY ", "diskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-11: {enabled: true}\n"),
    ("$CLUSTER ", "cluster:\n  image_key: ubuntu-noble-plain-rke2-1-30-11\n"),
    (
        "$HELM_RELEASE ",
        "kind: HelmRelease\nspec:\n  values:\n    # renovate: depName=sylva-projects/sylva-elements/diskimage-builder\n    \
         sylva_diskimagebuilder_version: 0.4.11\n    diskimage_builder_os_images:\n      ubuntu-noble-plain-rke2-1-30-11: {}\n",
    ),
    (
        "$TWO_BUILDERS ",
        "os_images_oci_registries:\n  kiwi:\n    url: oci://registry.example/sylva/kiwi-imagebuilder\n    \
         tag: '{{ .Values.sylva_kiwi_imagebuilder_version }}'\n  sylva:\n    url: oci://registry.example/sylva/diskimage-builder\n    \
         tag: '{{ .Values.sylva_diskimagebuilder_version }}'\nsylva_kiwi_imagebuilder_version: 0.1.2\n\
         sylva_diskimagebuilder_version: 0.4.11\nsylva_diskimagebuilder_images:\n  \
         ubuntu-noble-plain-rke2-1-30-11: {os_images_oci_registry: sylva}\n  \
         leapmicro-6-0-plain-rke2-1-31-11: {os_images_oci_registry: kiwi}\n",
    ),
    (
        "$PUBLIC ",
        "producers: [{registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder}]\n",
    ),
    ("$OWN ", "producers: [{registry: oci://registry.example/sylva/diskimage-builder}]\n"),
];

/// A text of a layout as it is.
pub(super) fn text(written: &str) -> String {
    PARTS.iter().fold(written.to_owned(), |text, (name, part)| text.replace(name, part))
}

pub(super) const LAYOUTS: &[Layout] = &[
    layout(
        "a comment for Renovate",
        &[("values.yaml", "$VALUES ")],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "an entry of the registries",
        &[("charts/a/values.yaml", "$REGISTRY $VERSION $IMAGES ")],
        "$OWN targets: [{project: group/deployment, files: [charts/a/values.yaml]}]\n",
        1,
    ),
    layout(
        "an entry says more than a comment",
        &[("values.yaml", "$REGISTRY $VALUES ")],
        "$OWN targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "an entry below the base registry",
        &[(
            "values.yaml",
            "sylva_base_oci_registry: oci://registry.example/sylva\nos_images_oci_registries:\n  sylva:\n    url: '{{ .Values.sylva_base_oci_registry }}/diskimage-builder'\n    tag: '{{ .Values.sylva_diskimagebuilder_version }}'\n$VERSION $IMAGES ",
        )],
        "$OWN targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "an entry that is switched off, with a version of its own",
        &[(
            "values.yaml",
            "$REGISTRY   off:\n    enabled: false\n    url: oci://registry.example/off/imagebuilder\n    tag: '{{ .Values.off_version }}'\noff_version: 0.2.0\n$VERSION $IMAGES ",
        )],
        "$OWN targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "an entry whose tag is written out",
        &[(
            "values.yaml",
            "$REGISTRY   sylva-n-1: {url: oci://registry.example/sylva/diskimage-builder, tag: 0.3.9}\n$VERSION $IMAGES ",
        )],
        "$OWN targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "the mapping's name of 2024, quotes and comments",
        &[(
            "values.yaml",
            "$RENOVATE sylva_diskimagebuilder_version: \"0.4.11\"  # by a bot\nsylva_diskimagebuilder_images:\n  # the usual one\n  'ubuntu-noble-plain-rke2-1-30-11': {enabled: true}\n",
        )],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "a mapping in one line, and Windows line ends",
        &[(
            "values.yaml",
            "# renovate: depName=sylva-projects/sylva-elements/diskimage-builder\r\nsylva_diskimagebuilder_version: 0.4.11\r\ndiskimage_builder_os_images: {ubuntu-noble-plain-rke2-1-30-11: {}}\r\n",
        )],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "a HelmRelease",
        &[("clusters/a/release.yml", "$HELM_RELEASE ")],
        "$PUBLIC targets: [{project: group/deployment, files: [{path: clusters/a/release.yml, version_key: spec.values.sylva_diskimagebuilder_version, images_key: spec.values.diskimage_builder_os_images}]}]\n",
        1,
    ),
    layout(
        "a HelmRelease between other documents",
        &[("all.yaml", "kind: Namespace\n---\n$HELM_RELEASE ---\nkind: ConfigMap\ndata: {a: b}\n")],
        "$PUBLIC targets: [{project: group/deployment, files: [{path: all.yaml, version_key: spec.values.sylva_diskimagebuilder_version, images_key: spec.values.diskimage_builder_os_images}]}]\n",
        1,
    ),
    layout(
        "two charts of one producer",
        &[("a/values.yaml", "$VALUES "), ("b/values.yaml", "$VALUES ")],
        "producers: [{registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder}, {registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder, name: diskimage-builder-b}]\ntargets:\n  - {project: group/deployment, producer: diskimage-builder, files: [a/values.yaml]}\n  - {project: group/deployment, producer: diskimage-builder-b, files: [b/values.yaml]}\n",
        2,
    ),
    layout(
        "an overlay",
        &[("chart/values.yaml", "$VALUES "), ("environments/production/values.yaml", "$OVERLAY ")],
        "$PUBLIC targets: [{project: group/deployment, files: [chart/values.yaml, {path: environments/production/values.yaml, overlay: true}]}]\n",
        2,
    ),
    layout(
        "an overlay that is a HelmRelease",
        &[
            ("chart/values.yaml", "$VALUES "),
            (
                "clusters/release.yaml",
                "kind: HelmRelease\nspec:\n  values:\n    diskimage_builder_os_images:\n      opensuse-15-6-plain-kubeadm-1-30-11: {enabled: true}\n",
            ),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [chart/values.yaml, {path: clusters/release.yaml, overlay: true, images_key: spec.values.diskimage_builder_os_images}]}]\n",
        2,
    ),
    layout(
        "two charts, each with an overlay beside it",
        &[
            ("a/values.yaml", "$VALUES "),
            ("a/prod.yaml", "$OVERLAY "),
            ("b/values.yaml", "$VALUES "),
            ("b/env/prod.yaml", "$OVERLAY "),
        ],
        "producers: [{registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder}, {registry: oci://registry.gitlab.com/sylva-projects/sylva-elements/diskimage-builder, name: diskimage-builder-b}]\ntargets:\n  - {project: group/deployment, producer: diskimage-builder, files: [a/values.yaml, {path: a/prod.yaml, overlay: true}]}\n  - {project: group/deployment, producer: diskimage-builder-b, files: [b/values.yaml, {path: b/env/prod.yaml, overlay: true}]}\n",
        4,
    ),
    layout(
        "a file that names a key",
        &[
            ("values.yaml", "$VALUES "),
            ("clusters/one.yaml", "$CLUSTER "),
            ("clusters/two.yaml", "cluster: {image_key: another}\n"),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml], references: [clusters/one.yaml]}]\n",
        2,
    ),
    layout(
        "many files that name keys",
        &[
            ("values.yaml", "$VALUES "),
            ("clusters/a/one.yaml", "$CLUSTER "),
            ("clusters/b/two.yaml", "$CLUSTER "),
            ("clusters/c/d/three.yaml", "$CLUSTER "),
            ("clusters/four.yaml", "a: 1\n"),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml], references: ['clusters/**/*.yaml']}]\n",
        4,
    ),
    layout(
        "many files that name keys beside a template of a chart",
        &[
            ("values.yaml", "$VALUES "),
            ("clusters/one.yaml", "$CLUSTER "),
            ("clusters/three.yaml", "$CLUSTER "),
            ("clusters/two.yaml", "$CLUSTER "),
            ("clusters/templates/x.yaml", "{{- if .Values.x }}\na: {{ .Values.x }}\n{{- end }}\n"),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml], references: [clusters/one.yaml, clusters/three.yaml, clusters/two.yaml]}]\n",
        4,
    ),
    layout(
        "a name that a glob would take apart",
        &[("values.yaml", "$VALUES "), ("clusters/[a].yaml", "$CLUSTER ")],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml], references: ['clusters/[[]a[]].yaml']}]\n",
        2,
    ),
    layout(
        "two builders",
        &[("values.yaml", "$TWO_BUILDERS ")],
        "producers: [{registry: oci://registry.example/sylva/kiwi-imagebuilder}, {registry: oci://registry.example/sylva/diskimage-builder}]\ntargets:\n  - {project: group/deployment, producer: kiwi-imagebuilder, files: [{path: values.yaml, version_key: sylva_kiwi_imagebuilder_version}]}\n  - {project: group/deployment, producer: diskimage-builder, files: [values.yaml]}\n",
        1,
    ),
    layout(
        "a version of another name that a registry follows",
        &[(
            "values.yaml",
            "os_images_oci_registries:\n  own: {url: oci://registry.example/sylva/diskimage-builder, tag: '{{ .Values.dib.version }}'}\ndib:\n  version: 0.4.11\n$IMAGES ",
        )],
        "$OWN targets: [{project: group/deployment, files: [{path: values.yaml, version_key: dib.version, images_key: diskimage_builder_os_images}]}]\n",
        1,
    ),
    layout(
        "a mapping of another name",
        &[(
            "values.yaml",
            "$RENOVATE $VERSION images:\n  ubuntu-noble-plain-rke2-1-30-11: {}\nother: {a: 1}\n",
        )],
        "$PUBLIC targets: [{project: group/deployment, files: [{path: values.yaml, images_key: images}]}]\n",
        1,
    ),
    layout(
        "a version of another name below a comment",
        &[(
            "values.yaml",
            "# renovate: datasource=docker depName=registry.example/sylva/diskimage-builder\ndib_version: 0.4.11\n# renovate: depName=bitnami/redis\nredis: 1.2.3\n$IMAGES ",
        )],
        "$OWN targets: [{project: group/deployment, files: [{path: values.yaml, version_key: dib_version}]}]\n",
        1,
    ),
    layout(
        "a custom manager of Renovate",
        &[
            ("deploy/values.yaml", "dib: 0.4.11\nother: 1.2.3\n$IMAGES "),
            (
                "renovate.json",
                r#"{"customManagers": [{"customType": "regex", "managerFilePatterns": ["/values\\.yaml$/"], "matchStrings": ["other: (?<currentValue>.*)"], "depNameTemplate": "a/b", "datasourceTemplate": "docker"}, {"customType": "regex", "managerFilePatterns": ["deploy/*.yaml"], "matchStrings": ["dib: (?<currentValue>[0-9.]+)"], "depNameTemplate": "sylva-projects/sylva-elements/diskimage-builder", "datasourceTemplate": "gitlab-releases"}]}"#,
            ),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [{path: deploy/values.yaml, version_key: dib}]}]\n",
        1,
    ),
    layout(
        "an older custom manager that captures the address",
        &[
            ("values.yaml", "# image: registry.example/sylva/diskimage-builder\ndib: 0.4.11\n$IMAGES "),
            (
                ".gitlab/renovate.json",
                r##"{"regexManagers": [{"fileMatch": ["^values.yaml$"], "matchStrings": ["# image: (?<depName>.*)\\s+dib: (?<currentValue>.*)"], "datasourceTemplate": "docker"}]}"##,
            ),
        ],
        "$OWN targets: [{project: group/deployment, files: [{path: values.yaml, version_key: dib}]}]\n",
        1,
    ),
    layout(
        "a version map beside the version",
        &[("values.yaml", "$VALUES _internal:\n  k8s_version_map:\n    '1.30': v1.30.11+rke2r1\n")],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    layout(
        "a version map in an overlay",
        &[
            ("values.yaml", "$VALUES "),
            ("env.yaml", "$OVERLAY _internal:\n  k8s_version_map:\n    '1.30': v1.30.11+rke2r1\n"),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml, {path: env.yaml, overlay: true}], kubernetes_versions: [{path: _internal.k8s_version_map, k8s_flavor: kubeadm}, {path: _internal.k8s_version_map, k8s_flavor: rke2}]}]\n",
        2,
    ),
    layout(
        "an environment that only sets another version, and one that nobody can read",
        &[
            ("values.yaml", "$VALUES "),
            ("lab.yaml", "sylva_diskimagebuilder_version: 0.4.10\n"),
            ("broken.yaml", "a: [\nsylva_diskimagebuilder_version: 0.4.10\n"),
        ],
        "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        1,
    ),
    Layout {
        name: "a self-managed GitLab by SSH",
        origin: "ssh://git@git.example:2222/group/sub/deployment.git",
        files: &[("values.yaml", "$VALUES ")],
        arguments: &[],
        hand: "$PUBLIC forge: {url: https://git.example}\ntargets: [{project: group/sub/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
    Layout {
        name: "a GitHub",
        origin: "https://github.com/owner/deployment",
        files: &[("values.yaml", "$VALUES ")],
        arguments: &[],
        hand: "$PUBLIC forge: {kind: github}\ntargets: [{project: owner/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
    Layout {
        name: "a GitHub whose name does not tell",
        origin: "https://git.example/owner/deployment",
        files: &[("values.yaml", "$VALUES "), (".github/workflows/test.yml", "on: push\n")],
        arguments: &[],
        hand: "$PUBLIC forge: {kind: github, url: https://git.example}\ntargets: [{project: owner/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
    Layout {
        name: "nothing says whose release it is",
        origin: "https://gitlab.com/group/deployment",
        files: &[("values.yaml", "$VERSION $IMAGES ")],
        arguments: &["--yes"],
        hand: "$PUBLIC targets: [{project: group/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
    Layout {
        name: "a mirror that a person names",
        origin: "https://gitlab.com/group/deployment",
        files: &[("values.yaml", "$VALUES ")],
        arguments: &["--registry", "oci://registry.example/sylva/diskimage-builder", "--plain-http"],
        hand: "producers: [{registry: oci://registry.example/sylva/diskimage-builder, plain_http: true}]\ntargets: [{project: group/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
    Layout {
        name: "one of two builders, by its registry",
        origin: "https://gitlab.com/group/deployment",
        files: &[("values.yaml", "$TWO_BUILDERS ")],
        arguments: &["--registry", "oci://registry.example/sylva/diskimage-builder"],
        hand: "$OWN targets: [{project: group/deployment, files: [values.yaml]}]\n",
        changed_files: 1,
    },
];
