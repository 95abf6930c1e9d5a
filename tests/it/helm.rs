//! Agreement with the real Helm engine, which renders the same values with the same templates.

mod os_images;
mod sylva;
mod two_builders;

use std::collections::BTreeSet;

use dibump::budget::Budget;
use dibump::template::render;
use dibump::values::{Document, Rendered, merged};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clients;

/// What Helm makes of a case.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Helm {
    Text(String),
    Error(String),
}

/// A template and the values files that it is rendered with, the chart's own first.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) template: String,
    pub(crate) values: Vec<String>,
}

/// What Helm makes of each case, in their order.
pub(crate) async fn helm(cases: &[Case]) -> Vec<Helm> {
    asked(cases, None).await
}

/// The same where the chart has a schema of its values.
async fn helm_with_schema(cases: &[Case], schema: &str) -> Vec<Helm> {
    asked(cases, Some(schema)).await
}

async fn asked(cases: &[Case], schema: Option<&str>) -> Vec<Helm> {
    let folder = tempfile::tempdir().unwrap();
    let [asked, answered] = ["asked", "answered"].map(|name| folder.path().join(name));
    // Many cases have the same values, which may be long.
    let texts: Vec<&String> =
        cases.iter().flat_map(|case| &case.values).collect::<BTreeSet<_>>().into_iter().collect();
    let case = |case: &Case| {
        let values: Vec<_> = case.values.iter().map(|text| texts.binary_search(&text).unwrap()).collect();
        json!({"template": case.template, "values": values})
    };
    let asked_cases = cases.iter().map(case).collect::<Vec<Value>>();
    std::fs::write(&asked, json!({"texts": texts, "cases": asked_cases, "schema": schema}).to_string())
        .unwrap();
    let paths = [asked.to_str().unwrap(), answered.to_str().unwrap()];
    clients::python(include_str!("../clients/helm.py"), &paths).await;
    serde_json::from_slice(&std::fs::read(&answered).unwrap()).unwrap()
}

/// The values as we merge them.
fn values(files: &[String]) -> Value {
    let documents: Vec<Document> =
        files.iter().map(|text| Document::parse(text.clone().into_bytes()).unwrap()).collect();
    merged(&documents.iter().collect::<Vec<_>>()).unwrap()
}

const CHART: &str = "\
cluster: {k8s_version: v1.26.9+rke2r1, name: demo, nothing: null}
k8s_version: 1.31.8
release: 0.10
small: 7
large: 1234567
size: 22000000000
fraction: 1.5
octal: 010
old: yes
day: 2024-01-01
list: [a, b, c]
numbers: [1, 2]
empty: {}
nested: '{{ .Values.cluster.name }}'
quoted: \"15.6\"
";

/// Expressions that are answered here; where Helm fails, so do we.
const EXPRESSIONS: &str = r#"
{{ .Values.cluster.k8s_version }}
{{ .Values.cluster.k8s_version | trimPrefix "v" | replace "." "-" }}
{{ .Values.cluster.k8s_version | regexFind "[0-9.]+" }}
{{ regexFind "[0-9]+\\.[0-9]+" .Values.cluster.k8s_version | replace "." "-" }}
{{ regexReplaceAll "^v([0-9.]+).*$" .Values.cluster.k8s_version "${1}" }}
{{ regexMatch "rke2" .Values.cluster.k8s_version }}
{{ .Values.cluster.k8s_version | splitList "+" | first | trimPrefix "v" }}
{{ .Values.cluster.k8s_version | splitList "+" | last }}
{{ (split "+" .Values.cluster.k8s_version)._1 }}
{{ (.Values.cluster.k8s_version | split "+")._0 | trimPrefix "v" }}
{{ .Values.cluster.name | trimAll "d" }}
{{ "ZGVtbw==" | b64dec }}
{{ .Values.list | join "-" }} {{ join "," .Values.numbers }}
{{ index .Values.list 1 }} {{ first .Values.list }} {{ last .Values.list }} {{ has "b" .Values.list }} {{ has "x" .Values.list }}
{{ list 1 "a" true | join " " }} {{ len (list 1 2 3) }}
{{ get .Values.cluster "name" }} {{ get .Values.cluster "absent" }} {{ hasKey .Values.cluster "name" }} {{ hasKey .Values.cluster "absent" }}
{{ (dict "a" 1 "b" "x").b }} {{ len (dict "a" 1) }}
{{ trunc 3 "abcdef" }} {{ trunc -2 "abcdef" }} {{ trunc 9 "abc" }}
{{ int .Values.small }} {{ int "12" }} {{ int 1.9 }} {{ int "x" }} {{ int true }}
{{ .Values.release }} {{ .Values.small }} {{ .Values.large }} {{ .Values.size }} {{ .Values.fraction }} {{ .Values.octal }}
{{ .Values.old }} {{ .Values.day }} {{ .Values.quoted }}
{{ .Values.list }} {{ .Values.numbers }} {{ .Values.empty }} {{ .Values.cluster }}
{{ .Values.small | quote }} {{ .Values.large | quote }} {{ .Values.quoted | squote }} {{ quote "a\"b" 1 true }}
{{ .Values.nested }}
{{ .Values.absent | default "none" }} {{ default 5 .Values.small }} {{ .Values.cluster.nothing | default "null" }}
{{ .Values.absent.deeper }}
{{ .Values.cluster.name.deeper }}
{{ (.Values.absent).deeper | default "x" }}
{{ if .Values.empty }}full{{ else }}empty{{ end }} {{ if eq .Values.cluster.name "demo" }}same{{ end }}
{{ eq .Values.small 7 }}
{{ eq .Values.small 7.0 }} {{ lt .Values.fraction 2.0 }} {{ ne .Values.cluster.name "x" }}
{{ gt .Values.small 3 }}
{{ and .Values.old .Values.small }} {{ or .Values.empty "x" }} {{ not .Values.old }}
{{ ternary "a" "b" .Values.old }} {{ .Values.old | ternary "a" "b" }} {{ ternary "a" "b" "yes" }}
{{ coalesce .Values.absent "" "c" }} {{ empty .Values.empty }} {{ empty .Values.small }}
{{ dig "cluster" "name" "none" .Values }}
{{ dig "name" "none" .Values.cluster }} {{ dig "absent" "none" .Values.cluster }}
{{ required "say a name" .Values.cluster.name }}
{{ required "say a name" .Values.absent }}
{{ printf "%s-%s" .Values.cluster.name .Values.k8s_version }} {{ printf "%d" 7 }} {{ printf "%q %v %5s|%-5s|" "a" 1 "b" "c" }}
{{ print "a" 1 2 "b" }} {{ println "a" 1 }}
{{ .Values.cluster.name | upper | lower | trim | trimSuffix "o" }}
{{ hasPrefix "v" .Values.cluster.k8s_version }} {{ contains "rke2" .Values.cluster.k8s_version }} {{ "a.b" | hasSuffix "b" }}
{{ .Values.cluster.name | b64enc }} {{ toString .Values.large }} {{ toString .Values.size }}
{{- " a " | trim -}} b
{{ "a" | indent 2 }} {{ "a" | nindent 2 }}
{{/* nothing */}}x{{ "{{" }}
{{ `raw` }}
{{ 'a' }}
{{ 1 | add 2 }}
{{ .Values.small | int | printf "%03d" }}
{{ .Values.k8s_version | splitList "." | join "-" }}
{{ .Values.list | len }} {{ len .Values.cluster.name }}
{{ .Values.absent }}
{{ .Values.cluster.k8s_version | nosuch }}
{{ if .Values.old }}
{{ end }}
{{ .Values.
"#;

/// Statements: variables and their scopes, `with`, `range`, and what asks a cluster.
const STATEMENTS: &str = r#"
{{ $a := 1 }}{{ $a }}
{{ $a := "x" }}{{ $a = "y" }}{{ $a }}
{{ $a = 1 }}
{{ $a }}
{{- $v := "v1.31.8" -}}{{- if .Values.old -}}{{- $v = "v1.31.8+rke2r1" -}}{{- end -}}{{- $v -}}
{{ $a := 1 }}{{ if true }}{{ $a := 2 }}{{ $a }}{{ end }}{{ $a }}
{{ $a := 1 }}{{ if true }}{{ $b := 2 }}{{ end }}{{ $b }}
{{ if $x := .Values.cluster.name }}{{ $x }}{{ else }}none{{ end }}
{{ if $x := .Values.absent }}a{{ else }}{{ $x }}b{{ end }}
{{ if $x := .Values.empty }}a{{ else }}b{{ end }}{{ $x }}
{{ with .Values.cluster }}{{ .name }} {{ $.Values.small }}{{ end }}
{{ with .Values.cluster }}{{ .absent | default "x" }}{{ end }}
{{ with .Values.cluster }}{{ .Values.small }}{{ end }}
{{ with .Values.absent }}a{{ else }}{{ .Values.small }}{{ end }}
{{ with .Values.absent }}a{{ else with .Values.cluster }}{{ .name }}{{ end }}
{{ with $c := .Values.cluster }}{{ $c.name }}{{ .name }}{{ end }}
{{ range .Values.list }}{{ . }},{{ end }}
{{ range $i, $x := .Values.list }}{{ $i }}={{ $x }} {{ end }}
{{ range $x := .Values.numbers }}{{ $x }} {{ end }}
{{ range $k, $v := .Values.cluster }}{{ $k }} {{ end }}
{{ range $k, $v := .Values.empty }}{{ $k }}{{ else }}none{{ end }}
{{ range .Values.absent }}x{{ else }}none{{ end }}
{{ range .Values.cluster.name }}{{ . }}{{ end }}
{{ $n := 0 }}{{ range .Values.list }}{{ $n = add $n 1 }}{{ end }}{{ $n }}
{{ $l := list }}{{ range .Values.list }}{{ $l = append $l (upper .) }}{{ end }}{{ $l | join "-" }}
{{ range $i, $x := .Values.list }}{{ if eq $x "b" }}{{ break }}{{ end }}{{ $x }}{{ end }}
{{ range .Values.list }}{{ range $.Values.numbers }}{{ . }}{{ end }};{{ end }}
{{ lookup "v1" "ConfigMap" "ns" "name" }}
{{ lookup "v1" "ConfigMap" "ns" "name" | dig "data" "address" "not_found" | default "not_found" }}
{{ lookup "v1" "Secret" .Release.Namespace "values" | dig "data" "values" "" | b64dec | default "none" }}
{{ if lookup "v1" "ConfigMap" "ns" "name" }}there{{ else }}not there{{ end }}
{{ (lookup "v1" "ConfigMap" "ns" "name").data }}
{{ if false }}{{ include "some.template" . }}{{ else }}ok{{ end }}
{{ and .Values.empty (include "some.template" .) | empty }}
{{ tuple 1 "a" | join "," }} {{ append .Values.list "d" }} {{ kindIs "string" .Values.cluster.name }} {{ kindIs "map" .Values.cluster }}
{{ kindIs "slice" .Values.list }} {{ kindIs "float64" .Values.small }} {{ kindIs "bool" .Values.old }} {{ kindIs "invalid" .Values.absent }}
{{ "ZGVtbw==" | b64dec }} {{ "!" | b64dec }}
{{ add 1 2 3 }} {{ add .Values.small "4" }} {{ add }} {{ 1 | add 2 }}
{{ (deepCopy .Values.cluster).name }} {{ "xxaxx" | trimAll "x" }}
{{ with .Values.cluster }}{{ end }}x
{{ range .Values.list }}
{{ end }}
{{ else }}
{{ if .Values.old }}a{{ else with .Values.cluster }}b{{ end }}
{{ $ }}
{{ .Values.cluster.$x }}
{{ $a := 1 | add 1 }}{{ $a }}{{ $b, $c := .Values.list }}
{{ $x := .Values.absent }}{{ $x.deeper }}
{{ $x := .Values.cluster }}{{ $x.absent.deeper }}
"#;

/// Mappings that change under all their names, iterations that end early, and values as text.
const REFERENCES: &str = include_str!("helm/references.txt");

/// Where we refuse and Helm answers: a character as a number, what prints as nothing, what the chart alone has, texts that
/// are no mapping (Helm gives the words of its parser), and changes of the chart's own values, which other templates read.
const REFUSED: &[&str] = &[
    "{{ 'a' }}",
    "{{ .Values.absent }}",
    "{{ if $x := .Values.absent }}a{{ else }}{{ $x }}b{{ end }}",
    r#"{{ (lookup "v1" "ConfigMap" "ns" "name").data }}"#,
    r#"{{ "ZGVtbw==" | b64dec }} {{ "!" | b64dec }}"#,
    "{{ $ }}",
    "{{ $x := .Values.absent }}{{ $x.deeper }}",
    "{{ merge (dict) nil }}",
    r#"{{ fromYaml "{a: 1, a: 2}" }}"#,
    r#"{{ fromYaml "- a" }}"#,
    r#"{{ fromYaml "text" }}"#,
    r#"{{ fromYaml "a: [" }}"#,
    r#"{{ if (fromYaml "a: b: c").Error }}wrong{{ end }}"#,
    r#"{{ fromYaml "a: 1\n---\nb: 2\n" }}"#,
    r#"{{ fromJson "null" }}"#,
    r#"{{ fromJson "[1]" }}"#,
    r#"{{ fromJson "{" }}"#,
    r#"{{ $_ := set .Values.cluster "name" "other" }}{{ .Values.cluster.name }}"#,
    r#"{{ $_ := mergeOverwrite .Values.cluster (dict "name" "other") }}{{ .Values.cluster.name }}"#,
    r#"{{ $d := merge (dict) (dict "c" .Values.cluster) }}{{ $_ := set $d.c "name" "other" }}{{ .Values.cluster.name }}"#,
    r#"{{ $x := deepCopy .Values }}{{ $_ := set $x "cluster" 1 }}{{ $x.cluster }} {{ .Values.cluster.name }}"#,
];

#[tokio::test]
async fn expressions_give_what_helm_gives() {
    let files = vec![CHART.to_owned()];
    let expressions = [EXPRESSIONS, STATEMENTS, REFERENCES]
        .into_iter()
        .flat_map(str::lines)
        .filter(|line| !line.is_empty());
    let cases: Vec<Case> =
        expressions.map(|line| Case { template: line.to_owned(), values: files.clone() }).collect();
    let values = values(&files);
    let (mut refused, mut wrong) = (Vec::new(), Vec::new());
    for (case, helm) in cases.iter().zip(helm(&cases).await) {
        match (render(&case.template, Rendered::new(&values, &Budget::default()).with()), helm) {
            (Ok(ours), Helm::Text(text)) if ours == text => {}
            (Err(_), Helm::Error(_)) => {}
            (Err(_), Helm::Text(_)) => refused.push(case.template.as_str()),
            (Ok(ours), helm) => wrong.push((case.template.as_str(), ours, helm)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(refused, REFUSED);
}
