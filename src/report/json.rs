//! JSON for programs, of which a person may see the text.

use serde::Serialize;

use crate::release::one_line::is_plain;

/// A value as JSON in lines. What moves the cursor or the direction of writing stands in it as an escape (RFC 8259,
/// section 7), which says the same.
///
/// # Errors
/// What cannot be written as JSON.
pub fn text(value: &impl Serialize) -> serde_json::Result<String> {
    let text = serde_json::to_string_pretty(value)? + "\n";
    // Lines end between values; a text, where alone the others can stand, has its own escaped. All have four digits.
    let plain = |c: char| c == '\n' || is_plain(c);
    if text.chars().all(plain) {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match plain(c) {
            true => escaped.push(c),
            false => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped_and_read_back() {
        let value = serde_json::json!({"a": "x\u{9b}2J\u{202e}\u{2028}\n größer →"});
        let text = text(&value).unwrap();
        assert!(text.contains(r"x\u009b2J\u202e\u2028\n größer →"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
