//! JSON that every reader reads alike: UTF-8 without a mark, one value, no key twice at any depth.
//!
//! `serde` refuses duplicates of the fields that it knows; Go's decoder takes the last one. Whoever signs has one meaning.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Part, Rejection};

/// Reads `bytes`, which are the `what` of a signature.
///
/// # Errors
/// [`Rejection::Malformed`] with the position, or the name of the field that is missing.
pub(super) fn read<T: DeserializeOwned>(what: Part, bytes: &[u8]) -> Result<T, Rejection> {
    let malformed = |why: String| Rejection::Malformed { what, why: Rejection::quoted(&why) };
    let text = str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_str::<Unambiguous>(text).map_err(|error| malformed(error.to_string()))?;
    serde_json::from_str(text).map_err(|error| malformed(error.to_string()))
}

/// Any JSON value without a key written twice.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unambiguous, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(Unambiguous)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unambiguous, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("`{key}` is written twice")));
            }
            keys.insert(key);
            entries.next_value::<Unambiguous>()?;
        }
        Ok(Unambiguous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Thing {
        #[serde(rename = "a")]
        _a: serde_json::Value,
    }

    fn why(bytes: &[u8]) -> String {
        read::<Thing>(Part::Payload, bytes).expect_err("refused").to_string()
    }

    #[test]
    fn json_that_two_readers_could_read_differently_is_refused() {
        assert!(read::<Thing>(Part::Payload, br#" {"a":{"b":[1,-2,0.5,null,true,"x"]},"c":{}} "#).is_ok());
        for (bytes, expected) in [
            (&br#"{"a":1,"a":2}"#[..], "`a` is written twice"),
            (br#"{"a":{"deep":[{"x":1,"x":1}]}}"#, "`x` is written twice"),
            (br#"{"a":1,"b":0,"\u0062":0}"#, "`b` is written twice"),
            (br#"{"a":1} {}"#, "trailing characters"),
            (b"{\"a\":1}\0", "trailing characters"),
            (b"\xef\xbb\xbf{\"a\":1}", "expected value"),
            (b"{\"a\":\"\xff\"}", "invalid utf-8"),
            (b"{\"a\":1,\"b\":\"\xc3\x28\"}", "invalid utf-8"),
            (br#"{"A":1}"#, "missing field `a`"),
            (br#"{"a":1,}"#, "trailing comma"),
            (b"", "EOF"),
        ] {
            let why = why(bytes);
            assert!(why.contains(expected), "{}: {why}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(why(deep.as_bytes()).contains("recursion limit"));
    }
}
