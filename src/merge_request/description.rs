//! The description of a merge request: the bot's part in its fence, and people's text around it.
//!
//! What stands between `<!-- dibump:begin -->` and `<!-- dibump:end -->` is the bot's, the rest is people's. In the fence
//! stand a notice where there is something to say about the state of the merge request, the text, two check boxes, and
//! the marker.

use super::marker::Marker;
use crate::markdown;

const BEGIN: &str = "<!-- dibump:begin -->";
const END: &str = "<!-- dibump:end -->";
const NOTICE_BEGIN: &str = "<!-- dibump:notice -->";
const NOTICE_END: &str = "<!-- dibump:notice-end -->";
/// Room that the text leaves for a notice, in characters.
const NOTICE_ROOM: usize = 2_000;
/// What a reader sees where the text was cut.
const CUT: &str = "\n\n_The rest was cut to the length that the forge allows._";

/// Room for the end of a folded part that is cut, in characters.
const END_OF_FOLD: usize = 20;

/// A description that has its fence and its marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    before: String,
    notice: Option<String>,
    text: String,
    boxes: Boxes,
    /// What the bot remembers.
    pub marker: Marker,
    after: String,
}

/// What a person can ask for by ticking a box.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Boxes {
    /// Build the branch anew, whatever stands on it.
    pub rebuild: bool,
    /// Propose the release again although its merge request was closed.
    pub again: bool,
}

/// A box, and what stands beside it.
const REBUILD: (&str, &str) = ("<!-- dibump:rebuild -->", "Rebuild this branch; commits by others are lost");
const AGAIN: (&str, &str) = ("<!-- dibump:again -->", "After closing: propose this release again");

impl Description {
    /// The bot's part alone.
    pub fn new(text: &str, marker: Marker) -> Self {
        Self {
            before: String::new(),
            notice: None,
            text: text.trim().to_owned(),
            boxes: Boxes::default(),
            marker,
            after: "\n".to_owned(),
        }
    }

    /// A description as it was read. `None` unless there is exactly one fence with exactly one marker in it: of two,
    /// nobody knows which is the bot's, and what a person took away is not written again.
    pub fn read(description: &str) -> Option<Self> {
        let (before, rest) = description.split_once(BEGIN)?;
        let (inside, after) = rest.split_once(END)?;
        if [before, inside, after].iter().any(|part| part.contains(BEGIN) || part.contains(END)) {
            return None;
        }
        let (marker, inside, _) = Marker::find(inside)?;
        let (notice, inside) = match inside.split_once(NOTICE_BEGIN) {
            Some((_, rest)) => {
                rest.split_once(NOTICE_END).map(|(notice, rest)| (Some(notice.trim().to_owned()), rest))?
            }
            None => (None, inside),
        };
        let is_box = |line: &&str| line.contains(REBUILD.0) || line.contains(AGAIN.0);
        let ticked = |name| inside.lines().filter(is_box).any(|line| is_ticked(line, name));
        let boxes = Boxes { rebuild: ticked(REBUILD.0), again: ticked(AGAIN.0) };
        let text: Vec<&str> = inside.lines().filter(|line| !is_box(line)).collect();
        let text = text.join("\n").trim().to_owned();
        Some(Self { before: before.to_owned(), notice, text, boxes, marker, after: after.to_owned() })
    }

    /// The boxes that are ticked.
    pub fn boxes(&self) -> Boxes {
        self.boxes
    }

    /// The same with a new text; the notice goes and the boxes are empty again.
    pub fn with_text(self, text: &str, marker: Marker) -> Self {
        Self { before: self.before, after: self.after, ..Self::new(text, marker) }
    }

    /// The same with something to say about its state, in Markdown.
    pub fn with_notice(self, notice: &str) -> Self {
        Self { notice: Some(cut(notice.trim(), NOTICE_ROOM)), ..self }
    }

    /// The same with empty boxes.
    pub fn with_empty_boxes(self) -> Self {
        Self { boxes: Boxes::default(), ..self }
    }

    /// The whole description; `limit` counts characters. The text is cut first, people's never.
    pub fn write(&self, limit: usize) -> String {
        let Self { before, notice, text, boxes, marker, after } = self;
        let notice = notice.as_ref().map(|text| format!("{NOTICE_BEGIN}\n{text}\n{NOTICE_END}\n\n"));
        let (notice, boxes, marker) = (notice.unwrap_or_default(), boxes.write(), marker.write());
        let frame: usize =
            [before, BEGIN, END, after, &boxes, &marker].iter().map(|part| part.chars().count()).sum();
        let room = notice.chars().count().max(NOTICE_ROOM + NOTICE_BEGIN.len() + NOTICE_END.len() + 4);
        let text = cut(text, limit.saturating_sub(frame + room + 6));
        format!("{before}{BEGIN}\n{notice}{text}\n\n{boxes}\n{marker}\n{END}{after}")
    }

    /// Whether this is what is left of `sent` where a forge cut lines out of it, as GitLab does with quick actions.
    pub fn is_cut_from(&self, sent: &Self) -> bool {
        let frame = |it: &Self| (it.before.trim().to_owned(), it.after.trim().to_owned());
        let mut lines = sent.text.lines();
        frame(self) == frame(sent)
            && (&self.notice, self.boxes, &self.marker) == (&sent.notice, sent.boxes, &sent.marker)
            && self.text.lines().all(|line| lines.any(|other| other.trim_end() == line.trim_end()))
    }

    /// What is to be written in place of `old`; `None` if it says this already.
    pub fn instead_of(&self, old: &str, limit: usize) -> Option<String> {
        let new = self.write(limit);
        (comparable(&new) != comparable(old)).then_some(new)
    }
}

impl Boxes {
    fn write(self) -> String {
        let line = |ticked, (name, text)| format!("- [{}] {name}{text}\n", if ticked { 'x' } else { ' ' });
        line(self.rebuild, REBUILD) + &line(self.again, AGAIN)
    }
}

fn is_ticked(line: &str, name: &str) -> bool {
    let ticked = ["- [x]", "- [X]", "* [x]", "* [X]"].iter().any(|tick| line.trim_start().starts_with(tick));
    ticked && line.contains(name)
}

/// Cuts whole lines off the end, since what matters most comes first.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(CUT.chars().count() + END_OF_FOLD)).collect();
    let kept = kept.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let kept = kept.trim_end();
    format!("{kept}{}{CUT}", markdown::unfinished(kept))
}

/// Forges and browsers change line ends, and the white space around a description.
fn comparable(text: &str) -> String {
    text.replace('\r', "").trim().to_owned()
}

#[cfg(test)]
mod rendered;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge_request::marker::tests::marker;

    const LIMIT: usize = 10_000;

    fn written(text: &str) -> String {
        Description::new(text, marker()).write(LIMIT)
    }

    fn rewritten(description: &str, text: &str) -> Option<String> {
        Description::read(description)?.with_text(text, marker()).instead_of(description, LIMIT)
    }

    #[test]
    fn a_description_reads_back() {
        let plain = Description::new("Some text.\n\n- more", marker());
        let noticed = plain.clone().with_notice("> Look.");
        for description in [plain, noticed] {
            assert_eq!(Description::read(&description.write(LIMIT)), Some(description));
        }
    }

    #[test]
    fn a_marker_outside_of_the_fence_does_not_count() {
        let forged = Marker { version: "9.9.9".parse().unwrap(), ..marker() }.write();
        let description = format!("{forged}\n{}\n{forged}", written("text"));
        assert_eq!(Description::read(&description).unwrap().marker, marker());
    }

    #[test]
    fn peoples_text_around_the_fence_stays_byte_for_byte() {
        let description = format!("Hello \r\n\t{}After\r\n", written("old"));
        assert_eq!(rewritten(&description, "new").unwrap(), description.replace("old", "new"));
    }

    #[test]
    fn the_same_text_is_not_written_again() {
        let description = written("text\n\nmore");
        assert_eq!(rewritten(&description, "text\n\nmore"), None);
        assert_eq!(rewritten(&description.replace('\n', "\r\n"), "text\n\nmore"), None);
    }

    #[test]
    fn a_notice_is_added_replaced_and_taken_away_and_the_text_stays() {
        let plain = written("text");
        let noticed = |description: &str, notice: &str| {
            let read = Description::read(description).unwrap();
            read.with_notice(notice).instead_of(description, LIMIT)
        };
        let one = noticed(&plain, "one").unwrap();
        assert!(one.contains("one") && one.contains("text"));
        assert_eq!(noticed(&one, "one"), None);
        let two = noticed(&one, "two").unwrap();
        assert!(two.contains("two") && !two.contains("one") && two.contains("text"));
        assert_eq!(rewritten(&two, "text").unwrap(), plain);
    }

    #[test]
    fn a_ticked_box_is_seen_and_empty_after_the_next_text() {
        let description = written("text");
        assert_eq!(Description::read(&description).unwrap().boxes(), Boxes::default());
        for (name, boxes) in [
            (REBUILD.0, Boxes { rebuild: true, again: false }),
            (AGAIN.0, Boxes { rebuild: false, again: true }),
        ] {
            let ticked = description.replace(&format!("[ ] {name}"), &format!("[x] {name}"));
            assert_eq!(Description::read(&ticked).unwrap().boxes(), boxes);
            assert_eq!(rewritten(&ticked, "text").unwrap(), description);
        }
    }

    #[test]
    fn a_fence_or_marker_that_a_person_took_away_is_not_written_again() {
        let description = written("text");
        let without_fence = description.replace(END, "");
        let without_marker = description.replace(&marker().write(), "");
        let twice = format!("{description}{description}");
        for gone in [without_fence, without_marker, twice, String::new()] {
            assert_eq!(Description::read(&gone), None, "{gone}");
        }
    }

    #[test]
    fn a_text_that_is_cut_within_a_folded_part_ends_it_before_the_boxes() {
        let text = markdown::folded("Keys", &"- key\n".repeat(2_000));
        let cut = Description::new(&text, marker()).write(LIMIT);
        assert!(cut.chars().count() <= LIMIT && cut.contains("was cut"), "{}", cut.chars().count());
        let end = cut.find("\n</details>\n").unwrap();
        assert!(end < cut.find("was cut").unwrap() && end < cut.find(REBUILD.0).unwrap(), "{cut}");
    }

    #[test]
    fn the_text_is_cut_before_anything_else_and_a_notice_still_fits() {
        let text = "first line\n".repeat(900);
        let description = Description::new(&text, marker());
        let cut = description.write(LIMIT / 2);
        assert!(cut.chars().count() <= LIMIT / 2, "{}", cut.chars().count());
        assert!(cut.contains("first line\n") && cut.contains("was cut") && cut.contains(REBUILD.0));
        assert_eq!(description.instead_of(&cut, LIMIT / 2), None);
        let noticed = Description::read(&cut).unwrap().with_notice(&"word ".repeat(1_000)).write(LIMIT / 2);
        assert!(noticed.chars().count() <= LIMIT / 2, "{}", noticed.chars().count());
        assert_eq!(Description::read(&noticed).unwrap().marker, marker());
    }
}
