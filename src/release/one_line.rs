//! Text from outside on one line: whoever names an image, a file or a merge request writes no lines into our output.

use std::borrow::Cow;

/// The text on one line: white space of any kind is a blank, and a character that moves the cursor or the direction of
/// writing is shown as U+FFFD. CI systems take commands from the beginning of a line (GitHub: `::set-output`).
pub fn one_line(text: &str) -> Cow<'_, str> {
    let shown = |c: char| match c {
        _ if is_plain(c) => c,
        _ if c.is_whitespace() => ' ',
        _ => '\u{fffd}',
    };
    match text.chars().all(is_plain) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.chars().map(shown).collect()),
    }
}

/// Whether a character is shown where it stands: it ends no line, moves no cursor and turns no text.
pub fn is_plain(c: char) -> bool {
    !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns_text(c))
}

/// Bidirectional controls (Unicode Standard Annex 9, table 4): text that holds them does not read as it is.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_begins_a_line_moves_the_cursor_or_turns_the_text() {
        for (written, shown) in [
            ("ubuntu\n::set-output name=changed::false", "ubuntu ::set-output name=changed::false"),
            ("a\r\nb\tc\u{b}d\u{85}e\u{2028}f\u{2029}g", "a  b c d e f g"),
            ("\u{1b}[2J\u{9b}1m\u{0}", "\u{fffd}[2J\u{fffd}1m\u{fffd}"),
            ("\u{202e}txt\u{2066}\u{200f}\u{61c}", "\u{fffd}txt\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(one_line(written), shown);
        }
        let plain = "→ 19 images, größer\u{a0}als „zuvor“ 🙂";
        assert!(matches!(one_line(plain), Cow::Borrowed(same) if same == plain));
    }
}
