//! What follows the image keys elsewhere, as a person at a terminal reads it.

use super::{BOLD, CYAN, GREEN, RED, YELLOW, paint, printable};
use crate::plan::{ReferenceFile, ReferenceFiles};
use crate::reconcile::kubernetes_versions::{MapLine, SetVersion};
use crate::reconcile::references::Followed;
use crate::reconcile::values_from::SetValue;

/// Other files that name image keys; nothing where there are none.
pub(super) fn text(references: &ReferenceFiles) -> String {
    let files = references.files.iter().filter(|file| file.before != file.after);
    let mut text: String = files.map(file).collect();
    let notes: Vec<String> = references.notes().map(|note| self::note(&note)).collect();
    if !notes.is_empty() {
        text.push_str(&format!("\n{}\n", notes.join("\n")));
    }
    text
}

/// A Kubernetes version that is set.
pub(super) fn kubernetes_version(set: &SetVersion) -> String {
    let kind = printable(&format!("{} {}", set.k8s_flavor, set.minor));
    let (from, to) = (printable(&set.from), printable(&set.to));
    format!("  {} {kind} ({}): {from} → {}", paint(CYAN, '~'), set.at, paint(CYAN, to))
}

/// A line of a map that comes or goes.
pub(super) fn kubernetes_line(line: &MapLine) -> String {
    let sign = if line.is_new { paint(GREEN, '+') } else { paint(RED, '-') };
    format!("  {sign} {}", printable(&line.to_string()))
}

/// A value that becomes that of a list, with the lists that say so.
pub(super) fn value(set: &SetValue) -> String {
    let sign = match (&set.from, &set.to) {
        (None, _) => paint(GREEN, '+'),
        (_, None) => paint(RED, '-'),
        _ => paint(CYAN, '~'),
    };
    let lists = set.lists.iter().map(|list| format!("\n      {}", printable(&list.source())));
    format!("  {sign} {}{}", printable(&set.to_string()), lists.collect::<String>())
}

fn file(file: &ReferenceFile) -> String {
    let names = file.references.followed.iter().map(followed);
    let lines = names.chain(file.kubernetes_versions.iter().map(kubernetes_version));
    let lines: String = lines.map(|line| line + "\n").collect();
    format!("\n{}\n{lines}", paint(BOLD, printable(&file.path)))
}

/// A name that follows.
pub(super) fn followed(followed: &Followed) -> String {
    let (from, to) = (printable(&followed.from), paint(CYAN, printable(&followed.to)));
    format!("  {} {} {from} → {to}", paint(CYAN, '~'), followed.at)
}

fn note(text: &str) -> String {
    format!("{} {}", paint(YELLOW, "note:"), printable(text))
}
