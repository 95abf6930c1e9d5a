//! What GitHub's errors say, as one line of text. Their `errors` are texts, or objects in four variations; proxies in
//! front of GitHub write HTML and plain text.

use serde_json::Value;

use crate::forge_api::plain;

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
