//! Names in a message, which has room for some, and numbers of things.

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

/// A number of things, by the word for one of them: `1 image`, `2 images`, `2 branches`.
pub fn counted(count: usize, one: &str) -> String {
    match (count, one) {
        (1, one) => format!("1 {one}"),
        (count, one) if one.ends_with("ch") => format!("{count} {one}es"),
        (count, one) => format!("{count} {one}s"),
    }
}
