//! What Helm renders, what it refuses, and what only it can do.

mod bounds;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{LONGEST, LONGEST_OUTPUT, TemplateError, With};
use crate::budget::{Budget, Counted, Exceeded};

fn render(text: &str, values: &Value) -> Result<String, TemplateError> {
    super::render(text, with(values, &Budget::default()))
}

fn with<'v>(values: &'v Value, budget: &'v Budget) -> With<'v> {
    crate::values::Rendered::new(values, budget).with()
}

fn resolve(text: &str, values: &Value) -> Result<String, TemplateError> {
    super::resolve(text, with(values, &Budget::default())).map(|resolved| resolved.text)
}

fn values() -> Value {
    json!({
        "registry": "registry.example",
        "version": "0.4.12",
        "empty": "",
        "null": null,
        "on": true,
        "off": false,
        "count": 3,
        "whole": 4.0,
        "ratio": 0.25,
        "list": ["a", 1, null],
        "cluster": { "k8s_version": "v1.31.8+rke2r1", "name": "Édith", "1": "one" },
        "template": "{{ .Values.version }}",
    })
}

fn rendered(text: &str) -> Result<String, TemplateError> {
    render(text, &values())
}

fn assert_renders(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(rendered(template).as_deref(), Ok(*expected), "{template}");
    }
}

/// What is said of each template that cannot be rendered.
fn refusals(templates: &[&str]) -> String {
    templates.iter().map(|template| format!("{}\n", rendered(template).unwrap_err())).collect()
}

#[test]
fn text_without_an_action_comes_back_as_it_is() {
    assert_renders(&[("", ""), ("plain }} text {", "plain }} text {"), ("'{ {'\r\n", "'{ {'\r\n")]);
}

#[test]
fn a_value_stands_in_for_its_path() {
    assert_renders(&[
        ("{{ .Values.version }}", "0.4.12"),
        ("{{.Values.version}}", "0.4.12"),
        ("{{ $.Values.version }}", "0.4.12"),
        ("oci://{{ .Values.registry }}/x:{{ .Values.version }}!", "oci://registry.example/x:0.4.12!"),
        ("{{ .Values.cluster.k8s_version }}", "v1.31.8+rke2r1"),
        ("{{ (.Values.cluster).name }}", "Édith"),
        ("{{ .Values.cluster.1 }}", "one"),
        ("{{ .Values.on }} {{ .Values.count }} {{ .Values.whole }} {{ .Values.ratio }}", "true 3 4 0.25"),
        ("{{ .Values.list }}", "[a 1 <nil>]"),
        ("{{ .Values.cluster }}", "map[1:one k8s_version:v1.31.8+rke2r1 name:Édith]"),
    ]);
}

#[test]
fn a_value_that_is_a_template_is_not_rendered_again() {
    assert_renders(&[("{{ .Values.template }}", "{{ .Values.version }}")]);
}

#[test]
fn literals_are_gos() {
    assert_renders(&[
        (r#"{{ "a\t\"b\"\\\x41\u00e9\U0001F680" }}"#, "a\t\"b\"\\Aé🚀"),
        ("{{ `raw \\n }} \" \r\n` }}", "raw \\n }} \" \n"),
        ("{{ 12 }} {{ -3 }} {{-3}} {{ 1.50 }} {{ 1e21 }} {{ 0.00001 }}", "12 -3 -3 1.5 1e+21 1e-05"),
        ("{{ true }}{{ false }}", "truefalse"),
    ]);
}

#[test]
fn white_space_is_cut_where_a_dash_asks_for_it() {
    assert_renders(&[
        ("a \n{{- .Values.version -}}\n\t b", "a0.4.12b"),
        ("a {{- /* why */ -}} b", "ab"),
        ("a {{/* {{ }} */}} b", "a  b"),
        ("a {{ .Values.count -}}  ", "a 3"),
        ("{{ .Values.version\n  | upper\n}}", "0.4.12"),
    ]);
}

#[test]
fn a_branch_is_taken_as_go_takes_it() {
    let chain = "{{ if .Values.off }}a{{ else if eq .Values.count 3 }}b{{ else }}c{{ end }}";
    assert_renders(&[
        ("{{ if .Values.on }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if .Values.missing }}yes{{ else }}no{{ end }}", "no"),
        ("{{ if .Values.empty }}yes{{ end }}", ""),
        ("{{- if and .Values.on (not .Values.off) }} x {{- end }}", " x"),
        (chain, "b"),
        ("{{ if .Values.on }}{{ if .Values.off }}1{{ else }}2{{ end }}{{ end }}", "2"),
        ("{{ if .Values.off }}{{ .Values.missing }}{{ end }}", ""),
    ]);
}

#[test]
fn functions_do_what_sprig_and_go_do() {
    assert_renders(&[
        (r#"{{ .Values.missing | default "d" }}"#, "d"),
        (r#"{{ .Values.null | default "d" }}"#, "d"),
        (r#"{{ .Values.off | default "d" }}"#, "d"),
        (r#"{{ default "d" .Values.version }}"#, "0.4.12"),
        (r#"{{ default "d" }}"#, "d"),
        (r#"{{ quote .Values.version .Values.missing 1 "a\"b" }}"#, r#""0.4.12" "1" "a\"b""#),
        ("{{ .Values.version | squote }}", "'0.4.12'"),
        (r#"{{ "a.b.c" | replace "." "-" }}"#, "a-b-c"),
        ("{{ trim \" \t x\\n\" }}", "x"),
        (r#"{{ "v1.2" | trimPrefix "v" }}{{ "vv" | trimPrefix "v" }}"#, "1.2v"),
        (r#"{{ "1.2+k" | trimSuffix "+k" }}{{ "x" | trimSuffix "y" }}"#, "1.2x"),
        (r#"{{ lower "ÀB" }} {{ upper "straße" }}"#, "àb STRAßE"),
        (r#"{{ .Values.count | toString | printf "%s" }}"#, "3"),
        (r#"{{ .Values.on | ternary "t" "f" }} {{ ternary "t" "f" (eq 1 2) }}"#, "t f"),
        (r#"{{ dig "name" "d" .Values.cluster }} {{ .Values.cluster | dig "x" "d" }}"#, "Édith d"),
        (r#"{{ required "why" .Values.version }}{{ required "why" .Values.off }}"#, "0.4.12false"),
        (r#"{{ "Édith" | b64enc }}"#, "w4lkaXRo"),
        (
            "{{ empty .Values.empty }} {{ empty .Values.version }} {{ empty .Values.missing }}",
            "true false true",
        ),
        (r#"{{ coalesce .Values.missing .Values.empty 0 "x" "y" }}"#, "x"),
        (
            r#"{{ hasPrefix "v" "v1" }} {{ hasSuffix "v" "v1" }} {{ contains "rke2" "a-rke2-b" }}"#,
            "true false true",
        ),
        (r#"{{ "a\nb" | indent 2 }}{{ "a\n" | nindent 1 }}"#, "  a\n  b\n a\n "),
        (r#"{{ index .Values.cluster "name" }} {{ index .Values.list 1 }}"#, "Édith 1"),
        (r#"{{ len "é" }} {{ len .Values.list }} {{ len .Values.cluster }}"#, "2 3 3"),
        (r#"{{ print "a" 1 2 "b" true }} {{ println "a" 1 }}"#, "a1 2btrue a 1\n"),
    ]);
}

#[test]
fn comparisons_are_gos() {
    assert_renders(&[
        (r#"{{ eq .Values.version "0.4.12" }} {{ eq 1 2 3 1 }} {{ ne "a" "b" }}"#, "true true true"),
        (r#"{{ eq .Values.missing "x" }} {{ eq .Values.missing nil }}"#, "false true"),
        (r#"{{ lt 1 2 }} {{ le 2 2 }} {{ gt "b" "a" }} {{ ge 1.5 2.5 }}"#, "true true true false"),
        (r#"{{ and 1 0 "x" }} {{ or 0 "" "x" "y" }} {{ not "" }}"#, "0 x true"),
        (r#"{{ or .Values.on (required "why" .Values.missing) }}"#, "true"),
    ]);
    let told = refusals(&[r#"{{ eq 1 "1" }}"#]);
    insta::assert_snapshot!(told, @"`eq` cannot compare a whole number with text");
}

#[test]
fn printf_writes_what_go_writes() {
    assert_renders(&[
        (r#"{{ printf "%s-%d-%v-%q-%t-%%" "a" 1 0.5 "b\n" true }}"#, r#"a-1-0.5-"b\n"-true-%"#),
        (
            r#"{{ printf "[%5s|%-5s|%05d|%5d|%.2s|%.1f|%f]" "a" "b" -42 7 "long" 1.25 0.5 }}"#,
            "[    a|b    |-0042|    7|lo|1.2|0.500000]",
        ),
        (r#"{{ "x" | printf "%s/%s" .Values.registry }}"#, "registry.example/x"),
    ]);
    let told = refusals(&[
        r#"{{ printf "%d" "x" }}"#,
        r#"{{ printf "%s" 1 }}"#,
        r#"{{ printf "%s" }}"#,
        r#"{{ printf "x" 1 }}"#,
        r#"{{ printf "%x" 1 }}"#,
        r#"{{ printf "%9999d" 1 }}"#,
        r#"{{ printf "%" 1 }}"#,
    ]);
    insta::assert_snapshot!(told, @"
    `printf` has text for `%d`
    `printf` has a whole number for `%s`
    `printf` has fewer arguments than verbs
    `printf` has more arguments than verbs
    `printf` has the verb `%x`, which is not understood here
    `printf` has a width of more than three digits
    `printf` ends within a verb
    ");
}

#[test]
fn a_missing_value_is_named_by_its_path() {
    for (template, path) in [
        ("{{ .Values.missing }}", ".Values.missing"),
        ("{{ .Values.null }}", ".Values.null"),
        ("{{ .Values.cluster.x }}", ".Values.cluster.x"),
        ("{{ .Values.x.y.z }}", ".Values.x"),
        ("{{ .Values.x.y | default \"d\" }}", ".Values.x"),
        ("{{ (.Values.x).y.z }}", ".Values.x"),
        ("{{ .Values.missing | upper }}", ".Values.missing"),
        ("{{ printf \"%s\" .Values.missing }}", ".Values.missing"),
        ("{{ coalesce .Values.empty }}", "coalesce"),
        ("{{ index .Values.cluster \"x\" }}", "index"),
    ] {
        assert_eq!(rendered(template), Err(TemplateError::Missing(path.to_owned())), "{template}");
    }
    assert_renders(&[("{{ ((.Values.x).y).z | default \"d\" }}", "d")]);
    let error = rendered(r#"{{ required "set x" .Values.x }}"#);
    assert_eq!(error, Err(TemplateError::Required("set x".to_owned())));
}

#[test]
fn what_needs_the_chart_is_refused_by_its_name() {
    for (template, name) in [
        (r#"{{ include "x" . }}"#, "include"),
        (r#"{{ tpl .Values.template . }}"#, "tpl"),
        (r#"{{ tuple . "x" | include "y" }}"#, "include"),
        (r#"{{ template "x" . }}"#, "template"),
        (r#"{{ define "x" }}{{ end }}"#, "define"),
        (r#"{{ .Files.Get "x" }}"#, ".Files"),
        ("{{ .Capabilities.KubeVersion }}", ".Capabilities"),
        ("{{ .Chart.Name }}", ".Chart"),
        ("{{ $.Release.Name }}", ".Release"),
        ("{{ . }}", "."),
        ("{{ $ }}", "."),
        (r#"{{ .Values.version | default (include "x" .) }}"#, "include"),
    ] {
        assert_eq!(rendered(template), Err(TemplateError::NeedsChart(name.to_owned())), "{template}");
    }
    assert_renders(&[(r#"a{{ if false }}{{ include "x" . }}{{ end }}"#, "a")]);
    let message = TemplateError::NeedsChart("include".into()).to_string();
    assert_eq!(message, "`include` needs the chart's own templates; write the value that it gives");
}

#[test]
fn what_the_subset_lacks_is_refused_by_its_name() {
    let told = refusals(&["{{ sha256sum \"x\" }}"]);
    insta::assert_snapshot!(told, @"`sha256sum` is not a function that is known here (known: and, or, not, eq, ne, lt, le, gt, ge, index, len, print, printf, println, default, empty, coalesce, ternary, dig, required, quote, squote, replace, trim, trimPrefix, trimSuffix, hasPrefix, hasSuffix, contains, lower, upper, toString, regexFind, regexMatch, regexReplaceAll, trunc, splitList, split, join, tuple, list, first, last, has, dict, get, hasKey, append, deepCopy, set, unset, pick, omit, merge, mustMerge, mergeOverwrite, mustMergeOverwrite, toJson, mustToJson, fromJson, fromYaml, fail, kindIs, int, add, b64enc, b64dec, trimAll, indent, nindent, include, tpl, lookup)");
}

#[test]
fn actions_that_are_not_closed_or_stray_are_errors() {
    let told = refusals(&[
        "{{ ",
        "a\né{{ .Values.version ",
        "{{ .Values.version }",
        "{{}}",
        "a{{ end }}b",
        "a{{ else }}b",
        "{{ else if .Values.on }}",
        "{{ if .Values.on }}a",
        "{{ if .Values.on }}a{{ else }}b",
        "{{ if .Values.on }}a{{ else if .Values.on }}b{{ else }}c",
        "{{ if .Values.on }}{{ else }}{{ else }}{{ end }}",
        "{{ end .Values.on }}",
        "{{ if }}{{ end }}",
        "{{/* never closed }}",
        "{{ \"never closed }}",
        "{{ `never closed }}",
        "{{ (lower \"x\" }}",
        "{{ lower \"x\") }}",
        "{{ \"x\" | }}",
        "{{ \"x\" | .Values.version }}",
        "{{ .Values.version \"x\" }}",
        "{{ lower\"x\" }}",
        "{{ .Values.a-b }}",
        "{{ .Values..a }}",
        "{{ eq lower \"x\" }}",
        "{{ nil }}",
        "{{ \"\\q\" }}",
        "{{ 0x }}",
        "{{ -inf }}",
        "{{ .Values.version -}",
    ]);
    insta::assert_snapshot!(told, @r#"
    line 1, column 4 of the template: an action that is not closed
    line 2, column 21 of the template: an action that is not closed
    line 1, column 20 of the template: `}` is not expected here
    line 1, column 3 of the template: `}` is not expected here
    line 1, column 11 of the template: `end` without `if`, `with` or `range`
    line 1, column 12 of the template: `else` without `if`, `with` or `range`
    line 1, column 11 of the template: `else` without `if`, `with` or `range`
    line 1, column 6 of the template: `if` without `end`
    line 1, column 6 of the template: `if` without `end`
    line 1, column 31 of the template: `if` without `end`
    line 1, column 40 of the template: a second `else`
    line 1, column 8 of the template: `.` is not expected here
    line 1, column 7 of the template: `}` is not expected here
    line 1, column 3 of the template: a comment that is not closed
    line 1, column 4 of the template: a quote that is not closed
    line 1, column 4 of the template: a quote that is not closed
    line 1, column 4 of the template: `(` without `)`
    line 1, column 13 of the template: `)` is not expected here
    line 1, column 10 of the template: `}` is not expected here
    line 1, column 26 of the template: only functions stand behind `|`
    line 1, column 4 of the template: only functions take arguments
    line 1, column 9 of the template: `\"` is not expected here
    line 1, column 13 of the template: `-` is not expected here
    line 1, column 12 of the template: a name is missing behind `.`
    line 1, column 7 of the template: a function as an argument stands in parentheses
    line 1, column 4 of the template: `nil` is an argument only
    line 1, column 7 of the template: an escape that is not understood
    line 1, column 4 of the template: `0x` is not a number that is understood here
    line 1, column 4 of the template: `-inf` is not a number that is understood here
    line 1, column 20 of the template: `-` is not a number that is understood here
    "#);
}

#[test]
fn arguments_that_do_not_fit_are_errors() {
    let told = refusals(&[
        "{{ lower }}",
        "{{ lower \"a\" \"b\" }}",
        "{{ \"a\" | default \"b\" \"c\" }}",
        "{{ lower .Values.count }}",
        "{{ ternary 1 2 \"true\" }}",
        "{{ .Values.version.x }}",
        "{{ (lower \"x\").y }}",
        "{{ index .Values.list 3 }}",
        "{{ index .Values.list \"a\" }}",
        "{{ dig \"name\" \"x\" \"d\" .Values.cluster }}",
        "{{ dig \"version\" \"d\" .Values }}",
        "{{ required 1 \"x\" }}",
        "{{ indent -1 \"x\" }}",
    ]);
    insta::assert_snapshot!(told, @"
    `lower` takes 1 argument and has 0
    `lower` takes 1 argument and has 2
    `default` takes 1 to 2 arguments and has 3
    `lower` takes text and has a whole number
    `ternary` decides by a boolean and has text
    `.Values.version` is not a mapping, so it has no `x`
    `(…)` is not a mapping, so it has no `y`
    `index` goes beyond its list
    `index` cannot look into a list so
    `dig` looks for `x` in text
    `dig` cannot dig in all values (Helm fails there too); name a mapping below them
    `required` takes text and has a whole number
    `indent` takes a number of blanks
    ");
}

#[test]
fn what_cannot_be_changed_is_named() {
    let told = refusals(&[
        "{{ set .Values.cluster \"a\" 1 }}",
        "{{ merge .Values.cluster (dict \"a\" 1) }}",
        "{{ fromYaml \"- a\" }}",
        "{{ fail \"why\" }}",
        "{{ break }}",
        "{{ range .Values.list }}{{ else }}{{ continue }}{{ end }}",
    ]);
    insta::assert_snapshot!(told, @"
    `set` would change values that other templates read; change a `deepCopy` of them
    `merge` would change values that other templates read; change a `deepCopy` of them
    `fromYaml` has no mapping in YAML: 1:1: the file is a list (expected a mapping)
    the template fails: why
    line 1, column 4 of the template: `break` outside of `range`
    line 1, column 38 of the template: `continue` outside of `range`
    ");
}

#[test]
fn templates_in_values_are_rendered_until_none_is_left() {
    let values = json!({"a": "{{ .Values.b }}-x", "b": "{{ .Values.c }}", "c": "1", "d": "{{ .Values.d }}"});
    assert_eq!(resolve("{{ .Values.a }}", &values).as_deref(), Ok("1-x"));
    assert_eq!(resolve("plain }}", &values).as_deref(), Ok("plain }}"));
    let endless = TemplateError::Endless("{{ .Values.d }}".to_owned());
    assert_eq!(resolve("{{ .Values.d }}", &values), Err(endless));
}
