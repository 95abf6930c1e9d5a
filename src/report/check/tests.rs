use super::*;
use crate::check::Id;
use crate::values::Position;

fn finding(id: Id, line: usize, column: usize, length: usize, subject: &str) -> Finding {
    Finding {
        id,
        severity: id.default_severity(),
        place: FindingPlace {
            at: Position { line, column },
            length,
            ..FindingPlace::of_file("./charts/values.yaml".to_owned())
        },
        message: format!("`{subject}` is <wrong> & \"odd\""),
        help: Some("look at it".to_owned()),
        subject: subject.to_owned(),
        fix: None,
    }
}

fn rendered(findings: Vec<Finding>, text_of_file: &str) -> String {
    let report = Report { findings, ..Report::default() };
    let texts = BTreeMap::from([("./charts/values.yaml".to_owned(), text_of_file.to_owned())]);
    let checked = CheckedFiles { report: &report, fixed: &[], texts: &texts };
    anstream::adapter::strip_str(&text(&checked)).to_string()
}

#[test]
fn the_caret_stands_below_what_is_meant() {
    let findings = vec![finding(Id::DeadKey, 2, 3, 4, "dead")];
    insta::assert_snapshot!(rendered(findings, "\u{feff}a:\n\tédead: {}\n"), @r#"
    error[dead-key]: `dead` is <wrong> & "odd"
      --> charts/values.yaml:2:3
      |
    2 |  édead: {}
      |   ^^^^
      = help: look at it

    1 error
    "#);
}

#[test]
fn of_a_long_line_the_part_around_the_place_is_shown() {
    let long = format!("{}dead\u{1b}[31m{}", "x".repeat(300), "y".repeat(300));
    let shown = rendered(vec![finding(Id::DeadKey, 1, 301, 4, "dead")], &long);
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines[4].find('^').unwrap();
    let line: Vec<char> = lines[3].chars().collect();
    assert_eq!(line[at..at + 4].iter().collect::<String>(), "dead", "{shown}");
    assert!(line.len() < WIDTH + 10 && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_place_beyond_the_file_is_shown_without_its_line() {
    let shown = rendered(vec![finding(Id::DeadKey, 9, 1, 4, "dead")], "a: 1\n");
    assert!(!shown.contains('^') && shown.contains("charts/values.yaml:9:1"), "{shown}");
}

#[test]
fn a_fingerprint_stays_when_lines_move_and_tells_findings_apart() {
    let here = vec![
        finding(Id::DeadKey, 2, 3, 4, "a"),
        finding(Id::DeadKey, 3, 3, 4, "a"),
        finding(Id::DeadKey, 4, 3, 4, "b"),
    ];
    let moved: Vec<Finding> = here
        .iter()
        .map(|finding| {
            let mut finding = finding.clone();
            finding.place.at.line += 40;
            finding
        })
        .collect();
    let prints = fingerprints(&here);
    assert_eq!(prints, fingerprints(&moved));
    assert_eq!(prints.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{prints:?}");
}
