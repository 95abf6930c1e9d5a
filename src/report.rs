//! Rendering: what people and programs read. Functions here return text; `cli` prints it.

pub mod artifacts;
pub mod check;
pub mod diff;
pub mod json;
mod findings;
pub mod plan;
pub mod online;
pub mod machine_image;
pub mod os_images;
pub mod os_images_info;
pub mod plan_json;
pub mod pull;
pub mod served_images;
mod references;
pub mod release_diff;
pub mod release_diff_json;
pub mod releases;
pub mod run;
pub mod run_json;
pub mod run_summary;
pub mod size;
pub mod table;
pub mod yaml;

use anstyle::{AnsiColor, Style};

use crate::release::one_line;

/// Something new or good.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// Something that goes, or is bad.
pub const RED: Style = AnsiColor::Red.on_default();
/// Something to look at.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
/// A place.
pub const CYAN: Style = AnsiColor::Cyan.on_default();
/// A heading.
pub const BOLD: Style = Style::new().bold();
/// Something of less interest.
pub const DIM: Style = Style::new().dimmed();

/// `text` in a style. Colours are stripped on printing where they are not wanted.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Text from outside, on one line of a report.
pub fn printable(text: &str) -> String {
    one_line(text).into_owned()
}
