use super::*;

const PATCH: &str = "ubuntu-noble-hardened-rke2-1-31-9";
const MINOR: &str = "opensuse-15-6-plain-kubeadm-1-32";

fn annotated(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| (format!("{ANNOTATION_PREFIX}{name}"), (*value).to_owned())).collect()
}

fn told(name: &str, tag: &str, fact: Fact, annotations: &[(&str, &str)]) -> &'static str {
    let (name, naming) = (name.parse().unwrap(), Naming::default());
    let asked = Asked { name: &name, tag, naming: &naming };
    match Compared::new(&asked, &annotated(annotations)).says(fact) {
        Says::Agree => "agree",
        Says::Contradict(_) => "contradict",
        Says::Silent => "silent",
    }
}

#[test]
fn each_fact_of_a_name_is_agreed_with_contradicted_or_left_open() {
    use Fact::{Flavor, Hardened, K8sFlavor, K8sVersion, Os, OsRelease};
    let table = [
        (PATCH, Os, "ubuntu", "agree"),
        (PATCH, Os, " ubuntu\n", "agree"),
        (PATCH, Os, "opensuse", "contradict"),
        (PATCH, Os, "", "silent"),
        (PATCH, OsRelease, "noble", "agree"),
        (PATCH, OsRelease, "jammy", "contradict"),
        (MINOR, OsRelease, "15.6", "agree"),
        (MINOR, OsRelease, "15-6", "agree"),
        (MINOR, OsRelease, "15.5", "contradict"),
        (PATCH, Flavor, "hardened", "agree"),
        (PATCH, Flavor, "plain", "contradict"),
        (PATCH, Hardened, "true", "agree"),
        (PATCH, Hardened, "false", "contradict"),
        (PATCH, Hardened, "perhaps", "contradict"),
        (MINOR, Hardened, "false", "agree"),
        (MINOR, Hardened, "true", "contradict"),
        ("ubuntu-noble-minimal-rke2-1-31-9", Hardened, "true", "silent"),
        (PATCH, K8sFlavor, "rke2", "agree"),
        (PATCH, K8sFlavor, "kubeadm", "contradict"),
        (PATCH, K8sVersion, "1.31.9", "agree"),
        (PATCH, K8sVersion, "v1.31.9+rke2r1", "agree"),
        (PATCH, K8sVersion, "1.31.9-rke2r2", "agree"),
        (PATCH, K8sVersion, "1.31.8", "contradict"),
        (PATCH, K8sVersion, "1.30.9", "contradict"),
        (PATCH, K8sVersion, "1.31", "silent"),
        (PATCH, K8sVersion, "1.30", "contradict"),
        (PATCH, K8sVersion, "newest", "contradict"),
        (MINOR, K8sVersion, "1.32.7", "agree"),
        (MINOR, K8sVersion, "1.31.7", "contradict"),
        ("ubuntu-noble-hardened-rke2-1-31-9-0.4.12", K8sVersion, "1.31.8", "contradict"),
        ("ubuntu-noble-hardened-rke2-1-31-9-0.4.12", Flavor, "hardened", "agree"),
        ("a-name-of-no-scheme", Os, "ubuntu", "silent"),
    ];
    for (name, fact, written, expected) in table {
        let found = told(name, "0.4.12", fact, &[(fact.annotation(), written)]);
        assert_eq!(found, expected, "{name}, {fact:?}, `{written}`");
        assert_eq!(told(name, "0.4.12", fact, &[]), "silent", "{name}, {fact:?}");
    }
}

#[test]
fn words_with_dashes_are_cut_elsewhere_in_a_name_and_agree() {
    let words = [("os", "sle-micro"), ("os-release", "6.0"), ("flavor", "plain"), ("k8s-flavor", "rke2")];
    for fact in Fact::WORDS {
        assert_eq!(told("sle-micro-6-0-plain-rke2-1-30", "1.0.0", fact, &words), "agree", "{fact:?}");
    }
    assert_eq!(told("sle-micro-6-1-plain-rke2-1-30", "1.0.0", Fact::Os, &words), "contradict");
}

#[test]
fn a_release_is_one_of_the_tags_of_its_commit() {
    let table = [
        ("0.4.12", "0.4.12", "agree"),
        ("0.4.12", "v0.4.12", "agree"),
        ("v0.4.12", "0.4.12", "agree"),
        ("0.5.11", "0.5.9 0.5.11\n0.6.0", "agree"),
        ("0.5.11", "0.5.9,0.5.11", "agree"),
        ("0.5.11", "0.5.9, bn-test ,\tv0.5.11", "agree"),
        ("0.4.12", "0.4.11", "contradict"),
        ("0.4.12", "0.4.11 0.4.10", "contradict"),
        ("0.4.12", "bn-suse-test,0.2.3", "contradict"),
        ("0.4.1", "0.4.12", "contradict"),
        ("0.0.0-git-098dca5b", "0.4.11", "contradict"),
        ("0.0.0-git-098dca5b", "0.0.0-git-098dca5b", "agree"),
        ("0.4.12", "0.0.0-git-098dca5b", "silent"),
        ("0.4.12", "bn-suse-test", "silent"),
        ("0.4.12", " , ", "silent"),
        ("0.4.12", "", "silent"),
        ("latest", "0.4.12", "silent"),
        ("latest", "latest", "agree"),
    ];
    for (asked, written, expected) in table {
        let found = told(PATCH, asked, Fact::Tag, &[("commit-tag", written)]);
        assert_eq!(found, expected, "asked for {asked}: `{written}`");
    }
    assert_eq!(told(PATCH, "0.4.12", Fact::Tag, &[]), "silent", "before 0.1.9 there is no such annotation");
}

/// Every combination of what seven annotations can say.
#[test]
fn one_contradiction_is_enough_and_a_proof_needs_every_fact() {
    let values = [
        (Fact::Os, "ubuntu", "opensuse"),
        (Fact::OsRelease, "noble", "jammy"),
        (Fact::Flavor, "hardened", "plain"),
        (Fact::Hardened, "true", "false"),
        (Fact::K8sFlavor, "rke2", "kubeadm"),
        (Fact::K8sVersion, "1.31.9+rke2r1", "1.31.8+rke2r1"),
        (Fact::Tag, "0.4.12", "0.4.11"),
    ];
    let (name, naming) = (PATCH.parse().unwrap(), Naming::default());
    let asked = Asked { name: &name, tag: "0.4.12", naming: &naming };
    for mut combination in 0..3_u32.pow(7) {
        let says = values.map(|(fact, right, wrong)| {
            let digit = combination % 3;
            combination /= 3;
            (fact, [None, Some(right), Some(wrong)][digit as usize], digit)
        });
        let written = says.iter().filter_map(|(fact, value, _)| Some((fact.annotation(), (*value)?)));
        let identity = ImageIdentity::of(&asked, &annotated(&written.collect::<Vec<_>>()));
        let contradicts = says.iter().find(|(.., digit)| *digit == 2).map(|(fact, ..)| *fact);
        assert_eq!(identity.contradiction().map(|found| found.fact), contradicts, "{says:?}");
        let agrees = |wanted: Fact| says.iter().any(|(fact, _, digit)| *fact == wanted && *digit == 1);
        let name = [Fact::Os, Fact::OsRelease, Fact::Flavor, Fact::K8sFlavor, Fact::K8sVersion];
        assert_eq!(identity.proves_name, name.into_iter().all(agrees), "{says:?}");
        assert_eq!(identity.proves_release, agrees(Fact::Tag), "{says:?}");
    }
}

#[test]
fn a_contradiction_names_the_annotation_and_cuts_what_a_stranger_wrote() {
    let (name, naming) = (PATCH.parse().unwrap(), Naming::default());
    let asked = Asked { name: &name, tag: "0.4.12", naming: &naming };
    let told = |annotations: &[(&str, &str)]| {
        let identity = ImageIdentity::of(&asked, &annotated(annotations));
        identity.contradiction().unwrap().to_string()
    };
    assert_eq!(
        told(&[("commit-tag", "0.4.11")]),
        "another release: its commit-tag is `0.4.11`, not `0.4.12`"
    );
    assert_eq!(told(&[("flavor", "plain")]), "another image: its flavor is `plain`, not `hardened`");
    assert!(told(&[("os", &"x".repeat(5_000))]).len() < 200);
}
