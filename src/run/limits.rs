//! How many merge requests may be open, and how many may be new: which of those that wait get a place.

/// How many new merge requests a run opens in projects that only a query found, where nothing else is said: a slip in a
/// query must not reach a whole forge.
const NEW_IN_FOUND: usize = 20;

/// Limits of one run; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many merge requests of the run's targets may be open at once.
    pub open: Option<usize>,
    /// How many a run may open; without it, 20 in projects that a query found and any number in others.
    pub new_per_run: Option<usize>,
}

impl Limits {
    /// Whether a target may have to wait for its place.
    pub(super) fn concern(&self, found: bool) -> bool {
        found || self.open.is_some() || self.new_per_run.is_some()
    }

    /// Who of those that wait gets a place, first come, first served; each says whether a query found it.
    pub(super) fn places(&self, open: usize, waiting: &[bool]) -> Vec<bool> {
        let in_found = if self.new_per_run.is_none() { NEW_IN_FOUND } else { usize::MAX };
        let (mut new, mut new_in_found) = (0, 0);
        let mut place = |found: &bool| {
            let fits = self.open.is_none_or(|limit| open + new < limit)
                && self.new_per_run.is_none_or(|limit| new < limit)
                && (!found || new_in_found < in_found);
            new += usize::from(fits);
            new_in_found += usize::from(fits && *found);
            fits
        };
        waiting.iter().map(&mut place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(limits: Limits, open: usize, waiting: &[bool]) -> usize {
        limits.places(open, waiting).into_iter().filter(|place| *place).count()
    }

    #[test]
    fn places_are_limited_by_what_is_open_and_by_what_is_new() {
        let none = Limits::default();
        assert_eq!(given(none, 7, &[false; 50]), 50);
        assert_eq!(given(none, 7, &[true; 50]), 20, "a query alone opens no more");
        let open = Limits { open: Some(10), ..none };
        assert_eq!(given(open, 7, &[false; 50]), 3);
        assert_eq!(given(open, 12, &[false; 50]), 0);
        let new = Limits { new_per_run: Some(30), ..none };
        assert_eq!(given(new, 0, &[true; 50]), 30, "what is said counts for all");
        assert_eq!(given(Limits { new_per_run: Some(5), ..open }, 7, &[false; 50]), 3);
    }

    #[test]
    fn the_first_that_wait_get_the_places() {
        let limits = Limits { new_per_run: Some(1), ..Limits::default() };
        assert_eq!(limits.places(0, &[true, false, true]), [true, false, false]);
    }
}
