//! What GitHub's errors say, as one line of text. Their `errors` are texts, or objects in four variations; proxies in
//! front of GitHub write HTML and plain text.

use serde_json::Value;

use crate::release::one_line;

/// More of an error's text than this is no message any more.
const MAX_WORDS: usize = 300;

/// The words of an error's body.
pub(super) fn words(body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or_default();
    let details: Vec<String> = match &body["errors"] {
        Value::Array(errors) => errors.iter().map(detail).filter(|text| !text.is_empty()).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    };
    match (message, details.is_empty()) {
        (message, true) => plain(message),
        // It says that the details say it.
        ("" | "Validation Failed", false) => plain(&details.join("; ")),
        (message, false) => plain(&format!("{message}: {}", details.join("; "))),
    }
}

fn detail(error: &Value) -> String {
    let text = |name: &str| error[name].as_str().unwrap_or_default();
    match error {
        Value::String(text) => text.clone(),
        Value::Object(_) if !text("message").is_empty() => text("message").to_owned(),
        Value::Object(_) => {
            let parts = [text("resource"), text("field"), text("code")];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// One line of text. Of a page only the title is worth showing.
pub(super) fn plain(text: &str) -> String {
    let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    let text = match title {
        Some((title, _)) => title,
        None if text.trim_start().starts_with('<') => "a page of HTML",
        None => text,
    };
    let line = one_line(text);
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
