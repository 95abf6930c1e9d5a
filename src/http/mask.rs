//! What servers may not make us say: secrets that they were sent, in the words that they send back.
//!
//! Where a secret comes back in data, it is left there: a manifest is the bytes of its digest.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::{Credential, Secret};

/// What stands in place of a secret.
const MASKED: &str = "***";

/// A shorter text is a part of too many words.
const SHORTEST: usize = 6;

/// An error that is longer than this is of no help to anybody, and is not searched.
const LONGEST_ERROR: usize = 1 << 20;

/// The secrets that were sent, in every way in which a server may write them.
#[derive(Debug, Default)]
pub struct Mask {
    /// The longest first: a user with its password before the password alone.
    known: Mutex<Vec<SecretString>>,
}

impl Mask {
    /// A mask over secrets that another client sends.
    pub fn over(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mask = Self::default();
        secrets.into_iter().for_each(|secret| mask.learn(secret.text()));
        mask
    }

    /// Adds what is about to be sent.
    pub(super) fn add(&self, credential: &Credential) {
        credential.spoken().for_each(|text| self.learn(&text));
    }

    /// `text` as it may be shown.
    pub fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for secret in known.iter().map(|secret| secret.expose_secret()) {
            if shown.contains(secret) {
                shown = Cow::Owned(shown.replace(secret, MASKED));
            }
        }
        shown
    }

    /// The body of an error without secrets, whatever reads it. JSON has many ways to write a letter, so its texts are
    /// searched and not its bytes.
    pub(super) fn hide_in_error(&self, body: Bytes) -> Bytes {
        if body.len() > LONGEST_ERROR {
            return Bytes::new();
        }
        match serde_json::from_slice::<Value>(&body) {
            Ok(value) => {
                let shown = self.hide_in_value(value.clone());
                if shown == value { body } else { shown.to_string().into() }
            }
            Err(_) => match self.hide(&String::from_utf8_lossy(&body)) {
                Cow::Owned(shown) if shown.contains(MASKED) => shown.into(),
                _ => body,
            },
        }
    }

    fn hide_in_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.hide(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.hide_in_value(item)).collect(),
            Value::Object(fields) => {
                let hidden = |(name, value): (String, Value)| {
                    (self.hide(&name).into_owned(), self.hide_in_value(value))
                };
                Value::Object(fields.into_iter().map(hidden).collect())
            }
            other => other,
        }
    }

    fn learn(&self, secret: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for written in ways_to_write(secret) {
            if written.len() >= SHORTEST && !known.iter().any(|known| known.expose_secret() == written) {
                known.push(written.into());
            }
        }
        known.sort_by_key(|known| std::cmp::Reverse(known.expose_secret().len()));
    }
}

/// As it is, in base64 of either alphabet, and as in a URL. Base64 is searched without its padding, which some leave out.
fn ways_to_write(secret: &str) -> [String; 4] {
    [
        secret.to_owned(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Origin;

    fn mask() -> Mask {
        let origin = Origin::of(&"https://registry.example".parse().unwrap()).unwrap();
        let mask = Mask::default();
        mask.add(&Credential::basic("bot", &Secret::new("s3cr<t\"?").bound_to(origin)).unwrap());
        mask
    }

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let pair = base64::engine::general_purpose::STANDARD.encode("bot:s3cr<t\"?");
        for (said, shown) in [
            ("no s3cr<t\"? here".to_owned(), "no *** here"),
            ("bot:s3cr<t\"?".to_owned(), "***"),
            (format!("Basic {pair}"), "Basic ***"),
            (format!("Basic {}", pair.trim_end_matches('=')), "Basic ***"),
            ("?p=s3cr%3Ct%22%3F&n=1".to_owned(), "?p=***&n=1"),
            ("bot is not known".to_owned(), "bot is not known"),
        ] {
            assert_eq!(mask().hide(&said).trim_end_matches('='), shown);
        }
    }

    #[test]
    fn the_texts_of_an_error_in_json_are_searched_and_not_its_bytes() {
        let body = r#"{"errors":[{"message":"s3cr\u003ct\"? is wrong","s3cr<t\"?":1}]}"#;
        let shown = mask().hide_in_error(Bytes::from(body));
        assert_eq!(shown, r#"{"errors":[{"***":1,"message":"*** is wrong"}]}"#);
        assert_eq!(mask().hide_in_error(Bytes::from("<p>s3cr<t\"?")), "<p>***");
        let untouched = Bytes::from_static(b"\xff\xfe");
        assert_eq!(mask().hide_in_error(untouched.clone()), untouched);
    }

    #[test]
    fn a_short_secret_is_not_searched_for() {
        let mask = Mask::over([Secret::new("to")]);
        assert_eq!(mask.hide("to whom it may concern"), "to whom it may concern");
    }
}
