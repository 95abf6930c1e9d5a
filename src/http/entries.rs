//! A JSON list of which only so many entries are kept: small answers make large lists.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The first entries of a JSON array, and how many there are in all. `null` is an empty list: some servers write it so.
#[derive(Debug)]
pub struct Entries<T, const MOST: usize> {
    /// The entries, at most `MOST`.
    pub kept: Vec<T>,
    /// How many the list has.
    pub count: usize,
}

impl<T, const MOST: usize> Entries<T, MOST> {
    /// Every entry; `None` where the list has more than are kept.
    pub fn whole(self) -> Option<Vec<T>> {
        (self.kept.len() == self.count).then_some(self.kept)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Entries<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(List(PhantomData))
    }
}

struct List<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
    type Value = Entries<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Entries { kept: Vec::new(), count: 0 })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MOST {
            match list.next_element()? {
                Some(entry) => kept.push(entry),
                None => return Ok(Entries { count: kept.len(), kept }),
            }
        }
        let mut count = kept.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Entries { kept, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_list_is_counted_and_never_taken_for_a_whole_one() {
        let read = |json: &str| serde_json::from_str::<Entries<String, 2>>(json);
        assert_eq!(read(r#"["a","b"]"#).unwrap().whole().unwrap(), ["a", "b"]);
        assert_eq!(read("null").unwrap().whole().unwrap(), [""; 0]);
        let longer = read(r#"["a","b","c",{"d":[1]}]"#).unwrap();
        assert_eq!((longer.kept.len(), longer.count, longer.whole()), (2, 4, None));
        assert!(read(r#"["a","b","#).is_err() && read("{}").is_err());
    }
}
