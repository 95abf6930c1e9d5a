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
            k8s_flavor: k8s_flavor.into(),
            k8s_version,
        }
    };
    text.split(',').filter(|word| !word.trim().is_empty()).enumerate().map(image).collect()
}

/// `13 read: rke2 1.31.9` is release 0.0.13 as its manifests say it; `13 named: …` as its names do, `13 lost` unknown.
fn candidate(text: &str) -> ReleaseOption {
    let (version, rest) = text.trim().split_once(' ').unwrap();
    let listed = match rest.split_once(':') {
        Some(("read", list)) => ReleaseImages::Read(images(list)),
        Some(("named", list)) => ReleaseImages::Named(images(list)),
        _ => ReleaseImages::Unknown("503".to_owned()),
    };
    ReleaseOption { version: format!("0.0.{version}").parse().unwrap(), listed }
}

/// Releases by `|`, the newest first.
fn producer(text: &str) -> ProducerReleases {
    let mut all: Vec<ReleaseOption> = text.split('|').map(candidate).collect();
    let present = all.pop().unwrap();
    ProducerReleases::new(all, present)
}

/// `0.0.13 + 0.0.3` is chosen, `read 0: 0.0.13` comes first, `unknown 1: 0.0.3`.
fn answer(producers: &[ProducerReleases]) -> String {
    match next_set(producers) {
        SetStep::Decided(choice) => {
            let versions = choice
                .set
                .iter()
                .zip(producers)
                .map(|(place, producer)| producer.0[*place].version.to_string());
            versions.collect::<Vec<_>>().join(" + ")
        }
        SetStep::Read(releases) => {
            let named = releases.iter().map(|(producer, version)| format!("{producer}: {version}"));
            format!("read {}", named.collect::<Vec<_>>().join(", "))
        }
        SetStep::Unknown { producer, version, .. } => format!("unknown {producer}: {version}"),
    }
}

#[test]
fn the_best_set_that_agrees_is_chosen() {
    let table: &[(&str, &[&str], &str)] = &[
        ("no producer has anything new", &["12 read: rke2 1.31.8", "2 read: rke2 1.31.8"], "0.0.12 + 0.0.2"),
        (
            "both move and agree",
            &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8"],
            "0.0.13 + 0.0.3",
        ),
        (
            "the second is late",
            &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "the first is late",
            &["12 read: rke2 1.31.8", "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "the newest of the first disagrees, the one below it agrees",
            &[
                "14 read: rke2 1.31.10 | 13 read: rke2 1.31.9 | 12 read: rke2 1.31.8",
                "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
            ],
            "0.0.13 + 0.0.3",
        ),
        (
            "the newest of the second disagrees, the one below it agrees",
            &[
                "13 read: rke2 1.31.9 | 12 read: rke2 1.31.8",
                "4 read: rke2 1.31.10 | 3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
            ],
            "0.0.13 + 0.0.3",
        ),
        (
            "no pair of new ones agrees",
            &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "3 read: rke2 1.31.10 | 2 read: rke2 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "one moves alone where its version stays",
            &["13 read: rke2 1.31.8 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.8"],
            "0.0.13 + 0.0.2",
        ),
        (
            "of two sets that do not beat each other the first producer's newer one is chosen",
            &[
                "14 read: rke2 1.31.9 | 13 read: rke2 1.31.8 | 12 read: rke2 1.31.8",
                "4 read: rke2 1.31.8 | 3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
            ],
            "0.0.14 + 0.0.3",
        ),
        (
            "revisions that both say count",
            &[
                "13 read: rke2 1.31.9+rke2r1 | 12 read: rke2 1.31.8+rke2r1",
                "3 read: rke2 1.31.9+rke2r2 | 2 read: rke2 1.31.8+rke2r1",
            ],
            "0.0.12 + 0.0.2",
        ),
        (
            "a revision that one side lacks does not count",
            &[
                "13 read: rke2 1.31.9+rke2r1 | 12 read: rke2 1.31.8",
                "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
            ],
            "0.0.13 + 0.0.3",
        ),
        (
            "a dash before the revision is a plus",
            &[
                "13 read: rke2 1.31.9-rke2r1 | 12 read: rke2 1.31.8",
                "3 read: rke2 1.31.9+rke2r1 | 2 read: rke2 1.31.8",
            ],
            "0.0.13 + 0.0.3",
        ),
        (
            "images of other flavors need not agree",
            &["13 read: kubeadm 1.31.9 | 12 read: kubeadm 1.31.8", "2 read: rke2 1.31.8"],
            "0.0.13 + 0.0.2",
        ),
        (
            "images of other minors need not agree",
            &["13 read: rke2 1.32.1 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.8"],
            "0.0.13 + 0.0.2",
        ),
        (
            "a minor that a producer stops publishing holds no set back",
            &[
                "13 read: rke2 1.31.9 | 12 read: rke2 1.31.8, rke2 1.30.1",
                "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8, rke2 1.30.1",
            ],
            "0.0.13 + 0.0.3",
        ),
        (
            "one of several minors disagrees",
            &[
                "13 read: rke2 1.31.9, rke2 1.30.5 | 12 read: rke2 1.31.8, rke2 1.30.4",
                "3 read: rke2 1.31.9, rke2 1.30.4 | 2 read: rke2 1.31.8, rke2 1.30.4",
            ],
            "0.0.12 + 0.0.2",
        ),
        (
            "a disagreement that is there already and gets no wider holds nothing",
            &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.7"],
            "0.0.13 + 0.0.2",
        ),
        (
            "one that gets wider holds",
            &["13 read: rke2 1.31.9, rke2 1.31.10 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.7"],
            "0.0.12 + 0.0.2",
        ),
        (
            "one that another minor adds holds",
            &[
                "13 read: rke2 1.31.9, rke2 1.30.2 | 12 read: rke2 1.31.8, rke2 1.30.1",
                "2 read: rke2 1.31.7, rke2 1.30.1",
            ],
            "0.0.12 + 0.0.2",
        ),
        (
            "a release of one builder that disagrees with itself is passed over",
            &["13 read: rke2 1.31.9, rke2 1.31.10 | 12 read: rke2 1.31.8", "2 read: kubeadm 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "names that show a difference are enough",
            &["13 named: rke2 1.31.9 | 12 named: rke2 1.31.8", "2 named: rke2 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "names that show none are read, the newest only",
            &["13 named: rke2 1.31.9 | 12 named: rke2 1.31.8", "3 named: rke2 1.31.9 | 2 named: rke2 1.31.8"],
            "read 0: 0.0.13, 1: 0.0.3",
        ),
        (
            "what is read already is not read again",
            &["13 read: rke2 1.31.9 | 12 named: rke2 1.31.8", "3 named: rke2 1.31.9 | 2 named: rke2 1.31.8"],
            "read 1: 0.0.3",
        ),
        (
            "names of minors alone are read",
            &["13 named: rke2 1.36 | 12 named: rke2 1.36", "2 named: rke2 1.36"],
            "read 0: 0.0.13, 1: 0.0.2",
        ),
        (
            "images that meet no others are not read",
            &["13 named: rke2 1.36 | 12 named: rke2 1.36", "3 named: kubeadm 1.36 | 2 named: kubeadm 1.36"],
            "0.0.13 + 0.0.3",
        ),
        (
            "a release that could not be read holds what may be better",
            &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "3 lost | 2 read: rke2 1.31.8"],
            "unknown 1: 0.0.3",
        ),
        (
            "an unread release that names already exclude holds nothing",
            &["13 read: rke2 1.31.9, rke2 1.31.10 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.8"],
            "0.0.12 + 0.0.2",
        ),
        (
            "three producers agree on what two of them have",
            &[
                "13 read: rke2 1.31.9 | 12 read: rke2 1.31.8",
                "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
                "8 read: kubeadm 1.31.9 | 7 read: kubeadm 1.31.8",
            ],
            "0.0.13 + 0.0.3 + 0.0.8",
        ),
        (
            "the third is late and the first two wait for it",
            &[
                "13 read: rke2 1.31.9 | 12 read: rke2 1.31.8",
                "3 read: rke2 1.31.9 | 2 read: rke2 1.31.8",
                "7 read: rke2 1.31.8",
            ],
            "0.0.12 + 0.0.2 + 0.0.7",
        ),
        ("one producer alone goes to its newest", &["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8"], "0.0.13"),
        ("no producer gives the empty set", &[], ""),
    ];
    assert!(table.len() >= 25, "{}", table.len());
    for (row, producers, expected) in table {
        let producers: Vec<ProducerReleases> = producers.iter().map(|text| producer(text)).collect();
        assert_eq!(answer(&producers), *expected, "{row}");
    }
}

#[test]
fn only_five_newer_releases_are_looked_at() {
    let newer = (3..13).rev().map(|patch| candidate(&format!("{patch} read: rke2 1.31.{patch}")));
    let producer = ProducerReleases::new(newer, candidate("2 read: rke2 1.31.2"));
    let versions: Vec<&str> = producer.releases().iter().map(|one| one.version.as_str()).collect();
    assert_eq!(versions, ["0.0.12", "0.0.11", "0.0.10", "0.0.9", "0.0.8", "0.0.2"]);
}

#[test]
fn what_speaks_against_better_sets_is_told() {
    let producers = ["13 read: rke2 1.31.9 | 12 read: rke2 1.31.8", "2 read: rke2 1.31.8"].map(producer);
    let SetStep::Decided(choice) = next_set(&producers) else { panic!("everything was read") };
    let told: Vec<String> = choice.passed.iter().map(|(_, against)| against.to_string()).collect();
    assert_eq!(told, ["`rke2-1.31.8-0` has Kubernetes 1.31.8, and `rke2-1.31.9-0` has 1.31.9"]);
}

fn any_image() -> impl Strategy<Value = ListedImage> {
    let version = (30..32_u64, proptest::option::of(1..4_u64), proptest::option::of(1..3_u64));
    (0..2_usize, version).prop_map(|(flavor, (minor, patch, revision))| ListedImage {
        key: "key".to_owned(),
        k8s_flavor: ["rke2", "kubeadm"][flavor].into(),
        k8s_version: K8sVersion {
            minor: K8sMinor(1, minor),
            revision: patch.and(revision).map(|number| format!("rke2r{number}")),
            patch,
        },
    })
}

fn any_producer() -> impl Strategy<Value = ProducerReleases> {
    proptest::collection::vec(proptest::collection::vec(any_image(), 0..4), 1..5).prop_map(|releases| {
        let count = releases.len();
        let release = |(place, images): (usize, Vec<ListedImage>)| ReleaseOption {
            version: format!("0.0.{}", count - place).parse().unwrap(),
            listed: ReleaseImages::Read(images),
        };
        ProducerReleases(releases.into_iter().enumerate().map(release).collect())
    })
}

/// Whether a set has a disagreement that the present one has not, by trying all pairs.
fn is_wider(producers: &[ProducerReleases], set: &Set, present: &Set) -> bool {
    let (after, before) = (listed(producers, set), listed(producers, present));
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
        let present: Set = producers.iter().map(|producer| producer.0.len() - 1).collect();
        let SetStep::Decided(ChosenSet { set, .. }) = next_set(&producers) else { panic!("everything was read") };
        prop_assert!(!is_wider(&producers, &set, &present));
        let beats = |other: &Set| *other != set && other.iter().zip(&set).all(|(other, own)| other <= own);
        for better in sets(&producers).filter(beats) {
            prop_assert!(matches!(judge(&producers, &better, &present), Judgement::Disagrees(_)), "{better:?} beats {set:?}");
            let found = disagreements(listed(&producers, &better));
            prop_assert!(!found.is_empty());
        }
    }
}
