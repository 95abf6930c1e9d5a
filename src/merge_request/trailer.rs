//! The trailers of the bot's commits: what a commit claims to change, and for which release.
//!
//! A claim alone proves nothing; [`ownership`](super::ownership) compares it with what the commit does.

use super::Offered;
use super::patch::PatchId;

/// The claim that makes a commit recognisable as the bot's own.
const PATCH: &str = "Dibump-Patch";
/// The release, so that a branch is never moved back even when the merge request's marker is gone.
const RELEASE: &str = "Dibump-Release";

/// What the trailers of a commit say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trailers {
    /// The patch that the commit claims to be.
    pub patch: PatchId,
    /// The releases that it claims to be for.
    pub release: Option<Offered>,
}

/// A commit message: `text` (title, and a body after an empty line) and the trailers in a paragraph of their own, those of
/// the user first.
pub fn write(text: &str, of_the_user: &[String], trailers: &Trailers) -> String {
    let mut message = format!("{}\n\n", text.trim());
    of_the_user.iter().for_each(|line| message.push_str(&format!("{line}\n")));
    if let Some(release) = &trailers.release {
        message.push_str(&format!("{RELEASE}: {}\n", release.written()));
    }
    message.push_str(&format!("{PATCH}: {}\n", trailers.patch));
    message
}

/// The trailers of a message's last paragraph; `None` unless exactly one patch id stands there.
pub fn read(message: &str) -> Option<Trailers> {
    let lines: Vec<&str> = message.trim_end().lines().map(str::trim_end).collect();
    let paragraph = lines.rsplit(|line| line.is_empty()).next()?;
    // The title is no trailer, even when it is all there is.
    if paragraph.len() == lines.len() {
        return None;
    }
    let patch = only(paragraph, PATCH)?.parse().ok()?;
    Some(Trailers { patch, release: only(paragraph, RELEASE).and_then(|text| text.parse().ok()) })
}

/// The value of a trailer that stands there exactly once.
fn only<'a>(paragraph: &[&'a str], name: &str) -> Option<&'a str> {
    let mut values = paragraph
        .iter()
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn patch() -> PatchId {
        PatchId::of(&BTreeMap::new())
    }

    #[test]
    fn a_message_reads_back() {
        let trailers = Trailers { patch: patch(), release: "0.4.12".parse().ok() };
        let message = write(
            "Update diskimage-builder to 0.4.12\n\nSome body.\n",
            &["Signed-off-by: A <a@b.example>".to_owned()],
            &trailers,
        );
        assert_eq!(read(&message), Some(trailers.clone()));
        assert_eq!(read(&message.replace('\n', "\r\n")), Some(trailers));
    }

    #[test]
    fn trailers_that_people_add_to_the_paragraph_do_no_harm() {
        let message = format!("Title\n\nDibump-Patch: {}\nSigned-off-by: A <a@b.example>\n\n", patch());
        assert_eq!(read(&message), Some(Trailers { patch: patch(), release: None }));
    }

    #[test]
    fn only_one_claim_in_the_last_paragraph_counts() {
        let claim = format!("Dibump-Patch: {}", patch());
        for (name, message) in [
            ("none", "Title\n\nBody".to_owned()),
            ("in the title", claim.clone()),
            ("in the body", format!("Title\n\n{claim}\n\nNot-It: x\n")),
            ("twice", format!("Title\n\n{claim}\n{claim}\n")),
            ("malformed", "Title\n\nDibump-Patch: 12\n".to_owned()),
            ("empty", String::new()),
        ] {
            assert_eq!(read(&message), None, "{name}");
        }
    }

    #[test]
    fn a_body_can_not_forge_the_claim() {
        let body = format!("Title\n\nDibump-Patch: {}", "0".repeat(64));
        let message = write(&body, &[], &Trailers { patch: patch(), release: None });
        assert_eq!(read(&message).map(|t| t.patch), Some(patch()));
    }
}
