use jiff::SignedDuration;

use super::*;
use crate::release::{Artifact, Naming};

fn hour(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

/// A release whose images were made at these hours.
fn release(created: &[Option<i64>]) -> Release {
    let artifact = |(minor, created): (usize, &Option<i64>)| {
        let name = format!("ubuntu-noble-plain-rke2-1-{minor}-8").parse().unwrap();
        Artifact { created: created.map(hour), ..Artifact::named(name, &Naming::default()) }
    };
    Release::complete("0.4.12".parse().unwrap(), created.iter().enumerate().map(artifact))
}

#[test]
fn a_release_is_as_old_as_the_newest_thing_that_dates_it() {
    for (created, released_at, first_seen, expected) in [
        (&[Some(1), Some(5), Some(3)][..], None, None, Some(5)),
        (&[Some(1), None, Some(3)], None, None, Some(3)),
        (&[Some(1), Some(5)], Some(3), None, Some(5)),
        (&[Some(1), Some(5)], Some(7), None, Some(7)),
        (&[None, None], Some(7), None, Some(7)),
        (&[], Some(7), Some(9), Some(7)),
        // The first sight says something only where nothing else does.
        (&[Some(1), Some(5)], None, Some(9), Some(5)),
        (&[None], None, Some(9), Some(9)),
        (&[None], None, None, None),
    ] {
        let candidate = Candidate {
            version: "0.4.12".parse().unwrap(),
            released_at: released_at.map(hour),
            first_seen: first_seen.map(hour),
        };
        let dated = date(&candidate, &release(created));
        assert_eq!(dated, expected.map(hour), "{created:?}, {released_at:?}, {first_seen:?}");
    }
}
