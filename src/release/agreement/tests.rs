//! The search in a table whose rows are sentences, and in general.

use proptest::prelude::*;

use super::*;

/// `rke2 1.31.8+rke2r1` and more, by commas.
fn images(text: &str) -> Vec<ListedImage> {
    let image = |(number, word): (usize, &str)| {
        let (k8s_flavor, version) = word.trim().split_once(' ').unwrap();
        let k8s_version = version.parse().unwrap();
        ListedImage {
            key: format!("{k8s_flavor}-{version}-{number}"),
            of: None,
            k8s_flavor: k8s_flavor.into(),
            k8s_version,
        }
    };
    text.split(',').filter(|word| !word.trim().is_empty()).enumerate().map(image).collect()
}

/// A producer and the versions of its releases, as the rows write them.
struct Row {
    versions: Vec<String>,
    options: ProducerOptions,
}

/// Releases by `|`, the newest first and the present one last: `13: rke2 1.31.9`. One with `accepted` before the colon may
/// disagree; `…` stands for those that were not looked up.
fn producer(text: &str) -> Row {
    let mut row = Row {
        versions: Vec::new(),
        options: ProducerOptions { newer: Vec::new(), may_have_more: false, present: Vec::new() },
    };
    for release in text.split('|').map(str::trim) {
        if release == "…" {
            row.options.may_have_more = true;
            continue;
        }
        let (version, listed) = release.split_once(':').unwrap();
        row.versions.push(version.split(' ').next().unwrap().to_owned());
        row.options
            .newer
            .push(ReleaseOption { listed: images(listed), may_disagree: version.ends_with(" accepted") });
    }
    row.options.present = row.options.newer.pop().unwrap().listed;
    row
}

/// `13 + 3` is chosen; `look further at 0` comes first.
fn answer(rows: &[Row], fixed: &[ListedImage]) -> String {
    let producers: Vec<ProducerOptions> = rows.iter().map(|row| row.options.clone()).collect();
    match next_set(&producers, fixed) {
        SetStep::LookFurther { producer, .. } => format!("look further at {producer}"),
        SetStep::Decided(set) => {
            let chosen = rows.iter().zip(set);
            let version = |(row, place): (&Row, Option<usize>)| {
                row.versions[place.unwrap_or(row.versions.len() - 1)].clone()
            };
            chosen.map(version).collect::<Vec<_>>().join(" + ")
        }
    }
}

#[test]
fn the_best_set_that_agrees_is_chosen() {
    let table: &[(&str, &[&str], &str)] = &[
        ("no producer has anything new", &["12: rke2 1.31.8", "2: rke2 1.31.8"], "12 + 2"),
        (
            "both move and agree",
            &["13: rke2 1.31.9 | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        ("the second is late", &["13: rke2 1.31.9 | 12: rke2 1.31.8", "2: rke2 1.31.8"], "12 + 2"),
        ("the first is late", &["12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"], "12 + 2"),
        (
            "the newest of the first disagrees, the one below it agrees",
            &["14: rke2 1.31.10 | 13: rke2 1.31.9 | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "the newest of the second disagrees, the one below it agrees",
            &["13: rke2 1.31.9 | 12: rke2 1.31.8", "4: rke2 1.31.10 | 3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "no pair of new ones agrees",
            &["13: rke2 1.31.9 | 12: rke2 1.31.8", "3: rke2 1.31.10 | 2: rke2 1.31.8"],
            "12 + 2",
        ),
        (
            "one moves alone where its version stays",
            &["13: rke2 1.31.8 | 12: rke2 1.31.8", "2: rke2 1.31.8"],
            "13 + 2",
        ),
        (
            "of two sets that do not beat each other the first producer's newer one is chosen",
            &[
                "14: rke2 1.31.9 | 13: rke2 1.31.8 | 12: rke2 1.31.8",
                "4: rke2 1.31.8 | 3: rke2 1.31.9 | 2: rke2 1.31.8",
            ],
            "14 + 3",
        ),
        (
            "revisions that both say count",
            &[
                "13: rke2 1.31.9+rke2r1 | 12: rke2 1.31.8+rke2r1",
                "3: rke2 1.31.9+rke2r2 | 2: rke2 1.31.8+rke2r1",
            ],
            "12 + 2",
        ),
        (
            "a revision that one side lacks does not count",
            &["13: rke2 1.31.9+rke2r1 | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "a dash before the revision is a plus",
            &["13: rke2 1.31.9-rke2r1 | 12: rke2 1.31.8", "3: rke2 1.31.9+rke2r1 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "images of other flavors need not agree",
            &["13: kubeadm 1.31.9 | 12: kubeadm 1.31.8", "2: rke2 1.31.8"],
            "13 + 2",
        ),
        (
            "images of other minors need not agree",
            &["13: rke2 1.32.1 | 12: rke2 1.31.8", "2: rke2 1.31.8"],
            "13 + 2",
        ),
        (
            "a minor that a producer stops publishing holds no set back",
            &[
                "13: rke2 1.31.9 | 12: rke2 1.31.8, rke2 1.30.1",
                "3: rke2 1.31.9 | 2: rke2 1.31.8, rke2 1.30.1",
            ],
            "13 + 3",
        ),
        (
            "one of several minors disagrees",
            &[
                "13: rke2 1.31.9, rke2 1.30.5 | 12: rke2 1.31.8, rke2 1.30.4",
                "3: rke2 1.31.9, rke2 1.30.4 | 2: rke2 1.31.8, rke2 1.30.4",
            ],
            "12 + 2",
        ),
        (
            "a disagreement that is there already and gets no wider holds nothing",
            &["13: rke2 1.31.9 | 12: rke2 1.31.8", "2: rke2 1.31.7"],
            "13 + 2",
        ),
        (
            "one that gets wider holds",
            &["13: rke2 1.31.9, rke2 1.31.10 | 12: rke2 1.31.8", "2: rke2 1.31.7"],
            "12 + 2",
        ),
        (
            "one that another minor adds holds",
            &["13: rke2 1.31.9, rke2 1.30.2 | 12: rke2 1.31.8, rke2 1.30.1", "2: rke2 1.31.7, rke2 1.30.1"],
            "12 + 2",
        ),
        (
            "a release of one builder that disagrees with itself is passed over",
            &["13: rke2 1.31.9, rke2 1.31.10 | 12: rke2 1.31.8", "2: kubeadm 1.31.8"],
            "12 + 2",
        ),
        (
            "the newest ones agree, and nothing below them is looked up",
            &["13: rke2 1.31.9 | … | 12: rke2 1.31.8", "3: rke2 1.31.9 | … | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "the newest ones disagree, and the last producer is looked at first",
            &["13: rke2 1.31.10 | … | 12: rke2 1.31.8", "3: rke2 1.31.9 | … | 2: rke2 1.31.8"],
            "look further at 1",
        ),
        (
            "the last producer is looked up to its end, then the first one further",
            &["13: rke2 1.31.10 | … | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "look further at 0",
        ),
        (
            "one step further they agree, and nothing below is looked up",
            &["14: rke2 1.31.10 | 13: rke2 1.31.9 | … | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "names of minors alone contradict nothing",
            &["13: rke2 1.36 | 12: rke2 1.36", "2: rke2 1.36.1"],
            "13 + 2",
        ),
        (
            "a release that somebody accepted need not agree",
            &["13 accepted: rke2 1.31.9 | 12: rke2 1.31.8", "2: rke2 1.31.8"],
            "13 + 2",
        ),
        (
            "one that is accepted takes the newest of the others along",
            &["13 accepted: rke2 1.31.9 | 12: rke2 1.31.8", "3: rke2 1.31.10 | 2: rke2 1.31.8"],
            "13 + 3",
        ),
        (
            "an accepted release that is not the newest waits for nothing below it",
            &["14: rke2 1.31.10 | 13 accepted: rke2 1.31.9 | 12: rke2 1.31.8", "2: rke2 1.31.8"],
            "13 + 2",
        ),
        (
            "three producers agree on what two of them have",
            &[
                "13: rke2 1.31.9 | 12: rke2 1.31.8",
                "3: rke2 1.31.9 | 2: rke2 1.31.8",
                "8: kubeadm 1.31.9 | 7: kubeadm 1.31.8",
            ],
            "13 + 3 + 8",
        ),
        (
            "the third is late and the first two wait for it",
            &["13: rke2 1.31.9 | 12: rke2 1.31.8", "3: rke2 1.31.9 | 2: rke2 1.31.8", "7: rke2 1.31.8"],
            "12 + 2 + 7",
        ),
        ("one producer alone goes to its newest", &["13: rke2 1.31.9 | 12: rke2 1.31.8"], "13"),
        ("no producer gives the empty set", &[], ""),
    ];
    assert!(table.len() >= 25, "{}", table.len());
    for (row, producers, expected) in table {
        let producers: Vec<Row> = producers.iter().map(|text| producer(text)).collect();
        assert_eq!(answer(&producers, &[]), *expected, "{row}");
    }
}

#[test]
fn images_of_no_producer_here_must_agree_as_well() {
    let alone = [producer("13: rke2 1.31.9 | 12: rke2 1.31.8")];
    for (fixed, expected) in [("rke2 1.31.8", "12"), ("rke2 1.31.9", "13"), ("kubeadm 1.31.8", "13")] {
        assert_eq!(answer(&alone, &images(fixed)), expected, "{fixed}");
    }
}

#[test]
fn what_speaks_against_a_release_is_told() {
    let rows = ["13: rke2 1.31.9 | … | 12: rke2 1.31.8", "2: rke2 1.31.8"].map(producer);
    let step = next_set(&rows.map(|row| row.options), &[]);
    let SetStep::LookFurther { producer: 0, against } = step else { panic!("{step:?}") };
    let told = "`rke2-1.31.8-0` has Kubernetes 1.31.8, and `rke2-1.31.9-0` has 1.31.9";
    assert_eq!(against.to_string(), told);
}

fn any_image() -> impl Strategy<Value = ListedImage> {
    let version = (30..32_u64, proptest::option::of(1..4_u64), proptest::option::of(1..3_u64));
    (0..2_usize, version).prop_map(|(flavor, (minor, patch, revision))| ListedImage {
        key: "key".to_owned(),
        of: None,
        k8s_flavor: ["rke2", "kubeadm"][flavor].into(),
        k8s_version: K8sVersion {
            minor: K8sMinor(1, minor),
            revision: patch.and(revision).map(|number| format!("rke2r{number}")),
            patch,
        },
    })
}

fn any_producer() -> impl Strategy<Value = ProducerOptions> {
    let images = || proptest::collection::vec(any_image(), 0..4);
    (proptest::collection::vec(images(), 0..4), images()).prop_map(|(newer, present)| ProducerOptions {
        newer: newer.into_iter().map(|listed| ReleaseOption { listed, may_disagree: false }).collect(),
        may_have_more: false,
        present,
    })
}

/// Whether a set has a disagreement where the present one has none, by trying all pairs.
fn is_wider(producers: &[ProducerOptions], set: &Set, present: &Set) -> bool {
    let (after, before) = (listed(producers, set, &[]), listed(producers, present, &[]));
    let disagrees = |images: &[&ListedImage], kind: &Kind<'_>| {
        let of_kind: Vec<_> = images.iter().filter(|image| image.kind() == *kind).collect();
        of_kind.iter().any(|a| of_kind.iter().any(|b| !a.k8s_version.agrees_with(&b.k8s_version)))
    };
    after.iter().any(|image| disagrees(&after, &image.kind()) && !disagrees(&before, &image.kind()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_chosen_agrees_and_nothing_that_beats_it_does(producers in proptest::collection::vec(any_producer(), 1..4)) {
        let present: Set = producers.iter().map(|_| None).collect();
        let SetStep::Decided(chosen) = next_set(&producers, &[]) else { panic!("everything was looked up") };
        prop_assert!(!is_wider(&producers, &chosen, &present));
        let before = spread(&listed(&producers, &present, &[]));
        let is_no_older = |(other, own): (&Option<usize>, &Option<usize>)| {
            other.unwrap_or(usize::MAX) <= own.unwrap_or(usize::MAX)
        };
        let all = places(&producers).map(|places| set(&producers, &places));
        for better in all.filter(|other| *other != chosen && other.iter().zip(&chosen).all(is_no_older)) {
            prop_assert!(wider(&producers, &better, &[], &before).is_some(), "{better:?} beats {chosen:?}");
        }
    }

    #[test]
    fn looking_further_step_by_step_comes_to_the_same_set(producers in proptest::collection::vec(any_producer(), 1..4)) {
        let known = next_set(&producers, &[]);
        let begun = |producer: &ProducerOptions| ProducerOptions {
            newer: producer.newer.iter().take(1).cloned().collect(),
            may_have_more: !producer.newer.is_empty(),
            ..producer.clone()
        };
        let mut seen: Vec<ProducerOptions> = producers.iter().map(begun).collect();
        let found = loop {
            match next_set(&seen, &[]) {
                SetStep::LookFurther { producer: place, .. } => {
                    let (seen, all) = (&mut seen[place], &producers[place]);
                    seen.newer.extend(all.newer.get(seen.newer.len()).cloned());
                    seen.may_have_more = seen.newer.len() < all.newer.len();
                }
                decided => break decided,
            }
        };
        prop_assert_eq!(found, known);
    }
}
