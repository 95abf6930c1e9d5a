//! What a rendering may cost, whatever is in it.

use super::*;

#[test]
fn what_holds_itself_or_too_much_is_refused_and_let_go() {
    let own = "{{ $d := dict }}{{ $_ := set $d \"own\" (list $d) }}";
    for walked in ["$d", "$d | toJson", "deepCopy $d | len", "has $d (list (deepCopy $d))", "merge $d.own $d"]
    {
        let template = format!("{own}{{{{ {walked} }}}}");
        assert!(rendered(&template).is_err(), "{template}");
    }
    assert_renders(&[(&format!("{own}{{{{ len $d.own }}}}"), "1")]);
    let values = json!({"many": vec![0; 20_000]});
    for deep in [
        "{{ $x := 1 }}{{ range .Values.many }}{{ $x = list $x }}{{ end }}{{ len $x }}",
        "{{ $x := dict }}{{ $at := $x }}{{ range .Values.many }}{{ $n := dict }}{{ $_ := set $at \"n\" $n }}{{ $at = $n }}{{ end }}{{ len $x }}",
        "{{ $m := dict }}{{ $x := 1 }}{{ range .Values.many }}{{ $x = list $x }}{{ end }}{{ $_ := set $m \"x\" $x }}{{ len $m }}",
    ] {
        assert_eq!(render(deep, &values).as_deref(), Ok("1"), "{deep}");
        let printed = deep.replace("len ", "");
        assert_eq!(render(&printed, &values), Err(TemplateError::TooDeep), "{printed}");
    }
    let often = "{{ $l := list }}{{ range .Values.many }}{{ $l = append $l . }}{{ end }}";
    assert!(matches!(render(often, &values), Err(TemplateError::Exceeded(_))));
}

#[test]
fn nothing_grows_without_bound() {
    let doubling = |count| format!("{{{{ \"ab\"{} }}}}", " | replace \"a\" \"aa\"".repeat(count));
    assert_eq!(rendered(&doubling(10)).map(|text| text.len()), Ok(1025));
    for template in [
        doubling(40),
        format!("{{{{ \"\\\\\"{} }}}}", " | quote".repeat(40)),
        "{{ indent 100000 \"\\n\" }}".to_owned(),
        format!("{{{{ .Values.version }}}}{}", " ".repeat(LONGEST)),
    ] {
        assert_eq!(rendered(&template), Err(TemplateError::TooLong(LONGEST)));
    }
    let long = json!({ "long": "x".repeat(LONGEST) });
    let often = "{{ .Values.long }}".repeat(17);
    assert_eq!(render(&often, &long), Err(TemplateError::TooLong(LONGEST_OUTPUT)));
    let deep = ["{{ if true }}".repeat(5000), format!("{{{{ {} }}}}", "(".repeat(60_000))];
    insta::assert_snapshot!(deep.map(|deep| rendered(&deep).unwrap_err().to_string()).join("\n"), @"
    line 1, column 838 of the template: nested too deeply
    line 1, column 69 of the template: nested too deeply
    ");
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in "\\PC{0,40}", action in "[-{}()|.$\"`\\\\a-z0-9% \n]{0,40}") {
        for template in [text.clone(), format!("{{{{{text}}}}}"), format!("{{{{{action}"), format!("{{{{{action}}}}}")] {
            if let Ok(rendered) = rendered(&template) {
                prop_assert!(rendered.len() <= LONGEST_OUTPUT);
            }
        }
    }

    #[test]
    fn no_mix_of_its_own_words_brings_it_down(words in proptest::collection::vec(word(), 0..24)) {
        let template = words.concat();
        if let Ok(rendered) = rendered(&template) {
            prop_assert!(rendered.len() <= LONGEST_OUTPUT);
            prop_assert!(template.contains("{{") || rendered == template);
        }
    }

    #[test]
    fn a_quoted_text_is_what_it_was(text in "\\PC{0,20}") {
        let template = format!("{{{{ `{}` }}}}", text.replace('`', ""));
        prop_assert_eq!(rendered(&template), Ok(text.replace(['`', '\r'], "")));
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{{", "{{", "{{- ", "}}", "}}", " -}}", " ", " ", "|", "(", ")", ".Values", ".cluster", ".x", "$",
        "if ", "else", "end", "default", "printf", "\"%s\"", "`a`", "3", "-1", "replace", "dig", "ternary",
        "index", "eq", "and", "indent", "b64enc", "é", "\n", "/*", "*/", "nil", "true",
    ])
}

/// A value of about a megabyte.
fn large() -> Value {
    let entries = (0..20_000).map(|n| (format!("key-{n}"), json!({"a": ["x".repeat(20), n]})));
    json!({ "z": entries.collect::<serde_json::Map<_, _>>(), "y": {"z": "x".repeat(60_000)} })
}

fn counted(text: &str, values: &Value) -> (Result<String, TemplateError>, u64, u64) {
    let budget = Budget::default();
    let rendered = super::super::render(text, with(values, &budget));
    (rendered, budget.spent(Counted::Template), budget.spent(Counted::TemplateBytes))
}

#[test]
fn a_value_is_shared_however_often_it_is_named() {
    let (values, most) = (large(), 20_000);
    for (text, expected) in [
        (format!("{{{{ len (list {}) }}}}", ".Values.z ".repeat(5_000)), "5000"),
        ("{{ len (index .Values \"z\") }}".repeat(500), &"20000".repeat(500)),
        (format!("{{{{ len (first (list (dict \"a\" .Values.z) {})) }}}}", ".Values ".repeat(500)), "1"),
        ("{{ hasKey (get (dict \"a\" .Values.z) \"a\") \"key-7\" }}".to_owned(), "true"),
        ("{{ index (dig \"key-7\" \"a\" nil .Values.z) 1 }}".to_owned(), "7"),
    ] {
        let (rendered, steps, bytes) = counted(&text, &values);
        assert_eq!(rendered.as_deref(), Ok(expected), "{text:.60}");
        assert!(steps < most && bytes < 100_000, "{text:.60}: {steps} steps, {bytes} bytes");
    }
}

#[test]
fn what_a_rendering_may_cost_is_limited() {
    let values = large();
    let is_too_large = |text: &str| {
        let (rendered, ..) = counted(text, &values);
        assert!(
            matches!(rendered, Err(TemplateError::Exceeded(Exceeded::TooLarge { .. }))),
            "{text:.60}: {:?}",
            rendered.map(|text| text.len())
        );
    };
    is_too_large(&"{{ contains \"y\" .Values.y.z }}".repeat(2_000));
    is_too_large(&"{{ has .Values.z (list (merge) .Values.z) }}".replace(" (merge)", "").repeat(50));
    is_too_large("{{ range .Values.z }}{{ range $.Values.z }}{{ end }}{{ end }}");
    let regexes = (0..1_100).map(|n| format!("{{{{regexMatch \"{n}\" \"x\"}}}}"));
    is_too_large(&regexes.collect::<String>());
    let often = "{{ regexMatch \"\\\\w{80}\" \"x\" }}".repeat(1_200);
    assert!(matches!(counted(&often, &values).0, Err(TemplateError::Unfit { .. })), "too large to be meant");
}

#[test]
fn what_is_printed_ends_where_no_value_is_that_long() {
    let values = large();
    for (text, limit) in
        [("{{ .Values.z }}{{ .Values.z }}", LONGEST_OUTPUT), ("{{ .Values.z | toString | len }}", LONGEST)]
    {
        let printed = counted(text, &values).0.map(|text| text.len());
        assert_eq!(printed, Err(TemplateError::TooLong(limit)), "{text}");
    }
}
