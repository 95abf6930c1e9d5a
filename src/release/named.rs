//! Names in a message, which has room for some.

/// So many names a message has room for.
const MOST: usize = 30;

/// Names in a row: the first of them, and how many more there are.
pub fn named<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let first: Vec<String> = names.by_ref().take(MOST).map(|name| name.to_string()).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
