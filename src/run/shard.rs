//! One of several runs that share a fleet: each target belongs to one of them, whoever is asked.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The `index`th of `of` shards, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

/// Why something names no shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    /// The text is none.
    #[error("`{0}` is not a shard (expected i/n with i from 1 to n)")]
    Text(String),
    /// A Kubernetes Job says which of its pods this is, and nobody says how many there are.
    #[error("JOB_COMPLETION_INDEX is set and DIBUMP_SHARDS is not; set it to the job's `completions`")]
    Uncounted,
    /// It is said how many there are, and not which of them this is.
    #[error("DIBUMP_SHARDS is set and JOB_COMPLETION_INDEX is not; set the job's `completionMode: Indexed`")]
    Unnumbered,
}

impl Shard {
    /// The shard that CI or a Kubernetes Job made of this run; `None` where it is the only one.
    pub fn from_environment(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, InvalidShard> {
        // GitLab sets the number of nodes always, and their index with `parallel:` alone.
        if let (Some(index), Some(of)) = (get("CI_NODE_INDEX"), get("CI_NODE_TOTAL")) {
            return format!("{index}/{of}").parse().map(Some);
        }
        match (get("JOB_COMPLETION_INDEX"), get("DIBUMP_SHARDS")) {
            (Some(index), Some(of)) => {
                let invalid = || InvalidShard::Text(format!("{index}+1/{of}"));
                let index = index.parse::<u32>().ok().and_then(|index| index.checked_add(1));
                Self::new(index.ok_or_else(invalid)?, of.parse().map_err(|_| invalid())?)
                    .ok_or_else(invalid)
                    .map(Some)
            }
            (Some(_), None) => Err(InvalidShard::Uncounted),
            (None, Some(_)) => Err(InvalidShard::Unnumbered),
            (None, None) => Ok(None),
        }
    }

    fn new(index: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&index).then_some(Self { index, of })
    }

    /// Whether a target belongs to this shard: the same in every run and every build, whatever else there is. GitLab's
    /// paths do not tell upper case from lower case.
    pub fn takes(&self, project: &str, producer: &str) -> bool {
        let name = format!("{}\n{producer}", project.to_lowercase());
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        let number = digest[..8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.of) == u64::from(self.index - 1)
    }

    /// Its number, from 1.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How many there are.
    pub fn of(&self) -> u32 {
        self.of
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let parts =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        let shard = parts.and_then(|(index, of)| Self::new(index, of));
        shard.ok_or_else(|| InvalidShard::Text(text.to_owned()))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<String>, InvalidShard> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Shard::from_environment(&get).map(|shard| shard.map(|shard| shard.to_string()))
    }

    #[test]
    fn ci_and_kubernetes_say_which_shard_a_run_is() {
        let named = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[("CI_NODE_TOTAL", "1")]), Ok(None), "as in a job without `parallel:`");
        assert_eq!(of(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")]), named("shard 2 of 4"));
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "0"), ("DIBUMP_SHARDS", "4")]), named("shard 1 of 4"));
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "3"), ("DIBUMP_SHARDS", "4")]), named("shard 4 of 4"));
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "3")]), Err(InvalidShard::Uncounted));
        assert_eq!(of(&[("DIBUMP_SHARDS", "3")]), Err(InvalidShard::Unnumbered));
        for (index, shards) in [("4", "4"), ("4294967295", "4"), ("-1", "4"), ("0", "0"), ("0", "x")] {
            let named = of(&[("JOB_COMPLETION_INDEX", index), ("DIBUMP_SHARDS", shards)]);
            assert!(matches!(named, Err(InvalidShard::Text(_))), "{index} of {shards}: {named:?}");
        }
    }

    #[test]
    fn a_shard_is_written_from_one_on() {
        assert_eq!("4/4".parse::<Shard>().unwrap().to_string(), "shard 4 of 4");
        for text in ["0/4", "5/4", "1", "1/0", "a/b", "1/2/3", "-1/2", ""] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_target_belongs_to_one_shard_and_stays_there() {
        let shards: Vec<Shard> = (1..=4).map(|index| Shard { index, of: 4 }).collect();
        let takers = |project: &str| {
            let takes = shards.iter().filter(|shard| shard.takes(project, "images"));
            takes.map(|shard| shard.index).collect::<Vec<_>>()
        };
        let mut sizes = [0; 4];
        for number in 0..1000 {
            let takers = takers(&format!("fleet/target-{number}"));
            assert_eq!(takers.len(), 1);
            sizes[takers[0] as usize - 1] += 1;
        }
        assert!(sizes.iter().all(|size| (200..=300).contains(size)), "{sizes:?}");
        assert_eq!(takers("Fleet/Target-1"), takers("fleet/target-1"));
        // Written down, because a run of another version shares the fleet with this one.
        assert_eq!(takers("sylva/sylva-core"), [4]);
    }
}
