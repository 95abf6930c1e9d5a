//! What people read: the outcome of a target, and whole texts as snapshots.
//!
//! After a change of words on purpose: `cargo insta test --accept --test it` writes the snapshots anew; read the diff.

use std::sync::LazyLock;

use regex::Regex;

use crate::world::Ran;

/// Compares a whole text with what it should be, whatever the addresses and folders of this run. Tests of both forges and
/// loops share one snapshot.
macro_rules! reads {
    ($text:expr, @$whole:literal) => {{
        let text = crate::said::settled(&$text);
        insta::allow_duplicates! { insta::assert_snapshot!(text, @$whole) }
    }};
}

/// A target of the run came to this outcome: `created`, `held (big-jump)`.
#[track_caller]
pub(crate) fn says(ran: &Ran, outcome: &str) {
    assert!(outcomes(ran, outcome) > 0, "{outcome} is expected: {ran:#?}");
}

/// How many targets came to this outcome.
pub(crate) fn outcomes(ran: &Ran, outcome: &str) -> usize {
    ran.stdout.matches(&format!("→ {outcome}")).count()
}

/// The lines of a text that name a thing: a version, an image, a hold, a finding.
pub(crate) fn about(text: &str, name: &str) -> String {
    text.lines().filter(|line| line.contains(name)).map(|line| format!("{}\n", line.trim())).collect()
}

/// What a command says about a thing: the lines of its output that name it, and its errors. It does say something.
#[track_caller]
pub(crate) fn told(ran: &Ran, name: &str) -> String {
    let told = format!("{}{}", about(&ran.stdout, name), ran.stderr);
    assert!(!told.is_empty(), "{name}: {ran:#?}");
    told
}

/// The lines of a text, each of them once: what several commands say in the same words.
pub(crate) fn once(text: &str) -> String {
    let text = settled(text);
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What differs from run to run, and the word that stands for it.
static UNSETTLED: LazyLock<[(Regex, &str); 5]> = LazyLock::new(|| {
    [
        (Regex::new(r"\b(?:127\.0\.0\.1|localhost):\d+").unwrap(), "HOST"),
        (Regex::new(r"(?:/(?:private/)?tmp/)?\.tmp\w{6}\b").unwrap(), "FOLDER"),
        (Regex::new(r"\bkey [0-9a-f\x{200b}]{12,13}").unwrap(), "key KEY"),
        (Regex::new(r"/blobs/sha256:[0-9a-f]{64}").unwrap(), "/blobs/DIGEST"),
        (Regex::new(r"os error \d+").unwrap(), "os error N"),
    ]
});

/// A text without what differs from run to run.
pub(crate) fn settled(text: &str) -> String {
    UNSETTLED.iter().fold(text.to_owned(), |text, (part, word)| part.replace_all(&text, *word).into_owned())
}
