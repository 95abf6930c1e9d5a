//! The fuzz targets of `fuzz/`, over their seed corpus and mutations of it that are the same in every run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library for the fuzzer's binaries")]
mod targets;

/// A target and its name, which is that of its folder below `fuzz/corpus/`.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
    ("values_edit", targets::values_edit),
    ("key_parsing", targets::key_parsing),
    ("challenge_header", targets::challenge_header),
    ("link_header", targets::link_header),
    ("cosign_payload", targets::cosign_payload),
    ("bundle", targets::bundle),
    ("schema", targets::schema),
    ("template", targets::template),
    ("annotations", targets::annotations),
];

/// Of all targets together.
const MUTATIONS: usize = 20_000;

/// Bytes that mean something to one of the parsers.
const INTERESTING: &[u8] = b"\0\t\n\r \"#$%&'()*,-./0:<=>?@[\\]{|}~\x7f\x80\xc3\xef\xff";

/// No mutation is longer, in bytes.
const LONGEST: usize = 16 * 1024;

#[test]
fn every_target_has_a_folder_of_seeds_and_a_binary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).expect(folder);
        let stem = |entry: fs::DirEntry| entry.path().file_stem().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<String> = entries.map(|entry| stem(entry.unwrap())).collect();
        names.sort();
        names
    };
    let mut expected = TARGETS.map(|(name, _)| name);
    expected.sort_unstable();
    assert_eq!(names("corpus"), expected);
    assert_eq!(names("fuzz_targets"), expected);
}

#[test]
fn edits_of_values_files_hold_over_corpus_and_mutations() {
    holds(TARGETS[0]);
}

#[test]
fn keys_that_parse_print_back_over_corpus_and_mutations() {
    holds(TARGETS[1]);
}

#[test]
fn challenges_are_parts_of_their_header_over_corpus_and_mutations() {
    holds(TARGETS[2]);
}

#[test]
fn links_stay_with_their_list_over_corpus_and_mutations() {
    holds(TARGETS[3]);
}

#[test]
fn payloads_count_for_their_image_only_over_corpus_and_mutations() {
    holds(TARGETS[4]);
}

#[test]
fn bundles_count_for_their_image_only_over_corpus_and_mutations() {
    holds(TARGETS[5]);
}

#[test]
fn schemas_end_over_corpus_and_mutations() {
    holds(TARGETS[6]);
}

#[test]
fn templates_end_over_corpus_and_mutations() {
    holds(TARGETS[7]);
}

#[test]
fn annotations_begin_no_line_over_corpus_and_mutations() {
    holds(TARGETS[8]);
}

fn holds((name, target): Target) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "fuzz/corpus/{name} has no seeds");
    for seed in &seeds {
        hold_for(name, target, seed);
    }
    let mut mutations = Mutations { random: 0x9e37_79b9_7f4a_7c15, seeds: &seeds };
    let count = MUTATIONS.div_ceil(TARGETS.len());
    for _ in 0..count {
        hold_for(name, target, &mutations.next());
    }
    println!("{name}: {} seeds and {count} mutations", seeds.len());
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> = fs::read_dir(folder).expect(name).map(|entry| entry.unwrap().path()).collect();
    // The order of a folder is nobody's promise, and the mutations depend on it.
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn hold_for(name: &str, target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        panic!("{name} does not hold for b\"{}\"", input.escape_ascii());
    }
}

/// Seeds with a few changes each, by a generator of our own: the same in every run, and on every machine.
struct Mutations<'a> {
    random: u64,
    seeds: &'a [Vec<u8>],
}

impl<'a> Mutations<'a> {
    fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.seed().to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        match self.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 => {
                let end = (at + self.below(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                // The end of another seed behind the beginning of this one.
                let other = self.seed();
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            3 => {
                let end = (at + self.below(32)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = self.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            _ => bytes.insert(at, INTERESTING[self.below(INTERESTING.len())]),
        }
    }

    fn seed(&mut self) -> &'a [u8] {
        &self.seeds[self.below(self.seeds.len())]
    }

    fn below(&mut self, limit: usize) -> usize {
        // xorshift64 (Marsaglia 2003).
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % limit as u64) as usize
    }
}
