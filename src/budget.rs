//! How much work is done on what strangers wrote: values files, schemas, templates, regular expressions.
//!
//! Steps and bytes are counted, never time: the same input gives the same answer on every machine. Time is only asked for
//! by whoever set the flag [`Cancellation`], and then the work ends without an answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};

/// After so many steps it is asked whether the work is still wanted.
const ASKED_EVERY: u64 = 1 << 12;

/// The largest compiled regular expression, in bytes: about a thousand states, and a `\w` in it.
const REGEX_SIZE: usize = 256 << 10;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Rules of a schema, each for each key that it is asked about.
    Schema,
    /// Functions and values of templates.
    Template,
    /// Bytes of text that templates read and write.
    TemplateBytes,
    /// Regular expressions, each once.
    Regexes,
    /// Producers and generations that a target's files name, each of which is looked up in a registry.
    Producers,
}

impl Counted {
    const COUNT: usize = 5;

    /// How much there may be of it, and how a message calls it.
    const fn limit(self) -> (u64, &'static str, &'static str) {
        match self {
            Self::Schema => (10_000_000, "the rules of values.schema.json", "steps"),
            Self::Template => (1_000_000, "the templates of the values", "steps"),
            Self::TemplateBytes => (64 << 20, "the text of templates in the values", "bytes"),
            Self::Producers => (100, "the producers that the values name", "in one target"),
            Self::Regexes => (1_000, "regular expressions", "in one target"),
        }
    }
}

/// Why work was given up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// There is more to do than any honest file asks for.
    #[error("too large: {what}, limit {limit} {unit}")]
    TooLarge {
        /// What is.
        what: &'static str,
        /// How much of it there may be.
        limit: u64,
        /// Of what the limit is.
        unit: &'static str,
    },
    /// Nobody waits for the answer any more.
    #[error("out of time")]
    OutOfTime,
}

/// A flag that ends work from outside. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Ends the work of every budget with this flag at its next look.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What may be spent on one target, or by one command.
#[derive(Debug, Default)]
pub struct Budget {
    cancellation: Cancellation,
    spent: [AtomicU64; Counted::COUNT],
    /// Each is compiled once; `None` for those that cannot be.
    regexes: Mutex<HashMap<String, Option<Regex>>>,
}

impl Budget {
    /// A budget that ends with this flag, too.
    pub fn new(cancellation: Cancellation) -> Self {
        Self { cancellation, ..Self::default() }
    }

    /// Takes some.
    ///
    /// # Errors
    /// So much is not left, or nobody waits any more.
    pub fn spend(&self, of: Counted, amount: u64) -> Result<(), Exceeded> {
        let before = self.spent[of as usize].fetch_add(amount, Ordering::Relaxed);
        let after = before.saturating_add(amount);
        let (limit, what, unit) = of.limit();
        if after > limit {
            return Err(Exceeded::TooLarge { what, limit, unit });
        }
        if before / ASKED_EVERY != after / ASKED_EVERY && self.cancellation.is_cancelled() {
            return Err(Exceeded::OutOfTime);
        }
        Ok(())
    }

    /// How much was spent.
    pub fn spent(&self, of: Counted) -> u64 {
        self.spent[of as usize].load(Ordering::Relaxed)
    }

    /// A regular expression; `None` where it cannot be read, or is too large to be meant.
    ///
    /// # Errors
    /// There are too many of them.
    pub fn regex(&self, pattern: &str) -> Result<Option<Regex>, Exceeded> {
        let mut regexes = self.regexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = regexes.get(pattern) {
            return Ok(known.clone());
        }
        self.spend(Counted::Regexes, 1)?;
        let compiled = regex(pattern);
        regexes.insert(pattern.to_owned(), compiled.clone());
        Ok(compiled)
    }
}

/// A regular expression that a stranger wrote; `None` where it cannot be read, or is too large to be meant.
pub fn regex(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_named_with_its_limit() {
        let budget = Budget::default();
        let (limit, ..) = Counted::Template.limit();
        assert_eq!(budget.spend(Counted::Template, limit), Ok(()));
        let error = budget.spend(Counted::Template, 1).unwrap_err();
        assert_eq!(error.to_string(), "too large: the templates of the values, limit 1000000 steps");
        assert_eq!(budget.spend(Counted::Schema, 1), Ok(()), "each is counted by itself");
    }

    #[test]
    fn a_flag_ends_the_work_before_its_budget_does() {
        let cancellation = Cancellation::default();
        let budget = Budget::new(cancellation.clone());
        assert_eq!(budget.spend(Counted::Schema, 2 * ASKED_EVERY), Ok(()));
        cancellation.cancel();
        let mut steps = 0..;
        let ended = steps.find_map(|_: u64| budget.spend(Counted::Schema, 1).err());
        assert_eq!(ended, Some(Exceeded::OutOfTime));
        assert!(budget.spent(Counted::Schema) <= 3 * ASKED_EVERY);
    }

    #[test]
    fn a_regular_expression_is_compiled_once_and_never_large() {
        let budget = Budget::default();
        for _ in 0..10 {
            assert!(budget.regex("^[a-z0-9][a-z0-9-]{1,50}$").unwrap().is_some());
            assert!(budget.regex(r"^\w+$").unwrap().is_some());
            assert!(budget.regex(r"(\w{90}){90}").unwrap().is_none());
            assert!(budget.regex("(").unwrap().is_none());
        }
        assert_eq!(budget.spent(Counted::Regexes), 4);
        let all: Result<Vec<_>, _> = (0..2_000).map(|n| budget.regex(&format!("a{n}"))).collect();
        assert!(matches!(all, Err(Exceeded::TooLarge { limit: 1_000, .. })));
    }
}
