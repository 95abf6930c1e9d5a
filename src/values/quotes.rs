//! Writing a scalar so that it reads back as the same text, in the quotes that stand there already.

use granit_parser::ScalarStyle;

use super::data::resolve;

/// The bytes of a scalar that says `text`: in the quotes of `style`, or plain if it is plain and reads back as this
/// text, else in double quotes.
pub(crate) fn written(text: &str, style: ScalarStyle, flow: bool) -> String {
    match style {
        ScalarStyle::Plain if plain(text, flow) => text.to_owned(),
        ScalarStyle::SingleQuoted if text.chars().all(printable) => format!("'{}'", text.replace('\'', "''")),
        _ => double_quoted(text),
    }
}

/// The same beside another scalar: a number stays without quotes where the other one is a number without them, and any
/// reader gives back its digits (`1.27`, and not `1.30`).
pub(crate) fn written_like(text: &str, other: &str, style: ScalarStyle) -> String {
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number.to_string() == text);
    match style {
        ScalarStyle::Plain if is_number(text) && resolve(other).is_number() => text.to_owned(),
        _ => written(text, style, false),
    }
}

/// Whether the text may stand without quotes and then reads as this text: no number, boolean, null, date or time.
fn plain(text: &str, flow: bool) -> bool {
    let starts = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '('))
        && !text.starts_with("...");
    let breaks = |c: char| !printable(c) || flow && matches!(c, ',' | '[' | ']' | '{' | '}');
    starts
        && !text.contains(breaks)
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && (!flow || !text.contains(':'))
        && !timestamp(text)
        && resolve(text).is_string()
        && !matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN")
}

/// YAML 1.1 reads `2024-01-15` as a date and `12:30` as a number of minutes.
fn timestamp(text: &str) -> bool {
    let numbers = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b'.' | b'_'));
    let date = text.len() >= 8 && text.as_bytes().get(4) == Some(&b'-') && text.as_bytes()[..4].is_ascii();
    let date = date && text.bytes().take(4).all(|b| b.is_ascii_digit());
    date || numbers && text.contains(':')
}

fn printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if printable(c) => out.push(c),
            c => out.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_gets_quotes_only_where_it_would_read_as_something_else() {
        let cases = [
            ("0.4.12", "0.4.12"),
            ("0.10", "\"0.10\""),
            ("1e3", "\"1e3\""),
            ("no", "\"no\""),
            ("", "\"\""),
            ("2024-01-15", "\"2024-01-15\""),
            ("12:30", "\"12:30\""),
            ("ubuntu-noble-plain-rke2-1-31-8", "ubuntu-noble-plain-rke2-1-31-8"),
            ("a: b", "\"a: b\""),
            ("{{ x }}", "\"{{ x }}\""),
            ("a\u{7}\"", "\"a\\U00000007\\\"\""),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text, ScalarStyle::Plain, false), expected);
        }
    }

    #[test]
    fn a_number_beside_numbers_needs_no_quotes_where_its_digits_come_back() {
        for (text, other, style, expected) in [
            ("1.27", "1.26", ScalarStyle::Plain, "1.27"),
            ("1.30", "1.29", ScalarStyle::Plain, "\"1.30\""),
            ("1.32", "latest", ScalarStyle::Plain, "\"1.32\""),
            ("1.32", "1.30", ScalarStyle::DoubleQuoted, "\"1.32\""),
            ("1.32", "1.31", ScalarStyle::SingleQuoted, "'1.32'"),
            ("a-1", "1.31", ScalarStyle::Plain, "a-1"),
        ] {
            assert_eq!(written_like(text, other, style), expected, "{text} beside {other}");
        }
    }

    #[test]
    fn quotes_stay_as_they_are() {
        assert_eq!(written("0.5.0", ScalarStyle::SingleQuoted, false), "'0.5.0'");
        assert_eq!(written("it's", ScalarStyle::SingleQuoted, false), "'it''s'");
        assert_eq!(written("0.5.0", ScalarStyle::DoubleQuoted, false), "\"0.5.0\"");
    }
}
