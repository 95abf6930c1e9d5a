//! What an update does to the findings of `check`, as a person at a terminal reads it.

use super::{DIM, GREEN, RED, YELLOW, paint, printable};
use crate::check::Severity;
use crate::plan::findings::{Findings, told};

/// So many places that were not checked are named.
const SHOWN: usize = 5;

/// What the update adds and resolves, and what could not be checked; nothing where there is none of it.
pub(super) fn text(findings: &Findings) -> String {
    let new = findings.difference.new.iter().map(|finding| {
        let colour = if finding.severity == Severity::Error { RED } else { YELLOW };
        let kind = paint(colour, format!("new {}[{}]", finding.severity, finding.id));
        format!("{kind}: {}\n", printable(&told(finding)))
    });
    let resolved = findings.difference.resolved.iter().map(|finding| {
        let kind = paint(GREEN, format!("resolved {}[{}]", finding.severity, finding.id));
        format!("{kind}: {}\n", printable(&told(finding)))
    });
    let not_checked = &findings.not_checked;
    let shown = not_checked.iter().take(SHOWN);
    let shown = shown.map(|why| format!("{} {}\n", paint(DIM, "not checked:"), printable(why)));
    let rest = not_checked.len().saturating_sub(SHOWN);
    let rest = (rest > 0).then(|| format!("{} {rest} more places\n", paint(DIM, "not checked:")));
    new.chain(resolved).chain(shown).chain(rest).collect()
}
