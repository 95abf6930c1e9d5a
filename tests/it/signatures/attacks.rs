//! Everything that passes for a signature and is none, each refused for its own reason.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use dibump::release::Digest;
use dibump::signature::{
    Evidence, Layout, MAX_BUNDLE, MAX_LAYERS, MAX_MANIFEST, MAX_PAYLOAD, Part, Rejection, verify,
    wanted_blobs,
};
use serde_json::{Value, json};

use super::signer::*;
use super::{rejections, verified};

/// The one reason why this does not count.
fn refused(evidence: &Evidence, signer: &Signer) -> Rejection {
    let [rejection] =
        rejections(verify(&subject(), std::slice::from_ref(evidence), &signer.keys())).try_into().unwrap();
    rejection
}

fn layer(evidence: Evidence, edit: impl FnOnce(&mut Value)) -> Evidence {
    edited(evidence, |manifest| edit(&mut manifest["layers"][0]))
}

fn malformed(what: Part, why: &str) -> Rejection {
    Rejection::Malformed { what, why: why.into() }
}

#[test]
fn a_layer_that_is_no_signature_is_refused_for_what_it_is() {
    let signer = Signer::new();
    let genuine = || signer.signs_classic(&subject());
    let payload = Digest::of(claim(CLAIM, subject().as_str()).as_bytes());
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let cases = [
        (
            layer(genuine(), |l| l["mediaType"] = json!("text/plain")),
            Rejection::LayerType("text/plain".into()),
        ),
        (layer(genuine(), |l| l["annotations"] = json!({})), Rejection::NoSignature),
        (layer(genuine(), |l| l["annotations"] = json!(null)), Rejection::NoSignature),
        (
            layer(genuine(), |l| l["digest"] = json!(sha512)),
            Rejection::NotSha256 { what: Part::Payload, digest: format!("{}…", &sha512[..100]) },
        ),
        (layer(genuine(), |l| l["size"] = json!(1)), Rejection::BlobChanged(payload.clone())),
        (
            layer(genuine(), |l| l["size"] = json!(MAX_PAYLOAD + 1)),
            Rejection::TooLarge { what: Part::Payload, size: MAX_PAYLOAD + 1, cap: MAX_PAYLOAD },
        ),
        (Evidence { blobs: [].into(), ..genuine() }, Rejection::BlobMissing(payload.clone())),
        (
            Evidence { blobs: [(payload.clone(), b"{}".to_vec())].into(), ..genuine() },
            Rejection::BlobChanged(payload),
        ),
    ];
    for (evidence, expected) in cases {
        assert_eq!(refused(&evidence, &signer), expected);
    }
}

#[test]
fn a_signature_is_one_der_value_in_base64_by_one_of_the_keys() {
    let signer = Signer::new();
    let payload = claim(CLAIM, subject().as_str());
    let signature = signer.sign(payload.as_bytes());
    let encoded = BASE64_STANDARD.encode(&signature);
    let longer = BASE64_STANDARD.encode([&signature[..], &[0]].concat());
    for (text, expected) in [
        ("", Rejection::NotDer),
        ("@@@@", Rejection::NotBase64(Part::Signature)),
        (&format!(" {encoded}"), Rejection::NotBase64(Part::Signature)),
        (&format!("{encoded}\n"), Rejection::NotBase64(Part::Signature)),
        (&longer, Rejection::NotDer),
        (&BASE64_STANDARD.encode([7; 64]), Rejection::NotDer),
        (&BASE64_STANDARD.encode(signer.sign(b"something else")), Rejection::OtherKey),
        (&BASE64_STANDARD.encode(Signer::new().sign(payload.as_bytes())), Rejection::OtherKey),
    ] {
        assert_eq!(refused(&classic(&payload, text), &signer), expected, "{text}");
    }
    assert!(verify(&subject(), &[classic(&payload, &encoded)], &signer.keys()).is_verified());
}

#[test]
fn a_certificate_is_no_substitute_for_a_key_and_takes_nothing_from_one() {
    let signer = Signer::new();
    let keyless = |evidence| {
        layer(evidence, |l| {
            l["annotations"]["dev.sigstore.cosign/certificate"] = json!("-----BEGIN CERTIFICATE-----")
        })
    };
    assert_eq!(refused(&keyless(Signer::new().signs_classic(&subject())), &signer), Rejection::Keyless);
    assert!(verify(&subject(), &[keyless(signer.signs_classic(&subject()))], &signer.keys()).is_verified());
    for material in [json!({"certificate": {}}), json!({"x509CertificateChain": {}, "publicKey": {}})] {
        let mut envelope = signer.envelope(IN_TOTO, &statement(SIGNED, subject().hex()));
        envelope["verificationMaterial"] = material;
        assert_eq!(refused(&bundle(&envelope.to_string()), &signer), Rejection::Keyless);
    }
}

#[test]
fn a_genuine_signature_of_something_else_says_of_what() {
    let signer = Signer::new();
    let signed = |digest: &str| claim(CLAIM, digest);
    let (other, upper) = (another().to_string(), subject().as_str().to_uppercase());
    let field = r#""docker-manifest-digest""#;
    let twice = signed(subject().as_str()).replace(field, &format!("{field}:\"{other}\",{field}"));
    let nameless = signed(subject().as_str()).replace("docker-reference", "reference");
    for (payload, expected) in [
        (signed(&other), format!("it signs another image, {other}")),
        (claim("atomic", subject().as_str()), format!("its type is `atomic`, not `{CLAIM}`")),
        (signed(&upper), format!("the image that it signs has the digest `{upper}`, not a sha256 digest")),
        (signed("7"), "the image that it signs has the digest `7`, not a sha256 digest".into()),
        (twice, "the payload is not readable: `docker-manifest-digest` is written twice".into()),
        (nameless, "the payload is not readable: missing field `docker-reference`".into()),
    ] {
        let rejection = refused(&signer.classic(&payload), &signer).to_string();
        assert!(rejection.starts_with(&expected), "{rejection}");
    }
}

#[test]
fn json_that_two_readers_could_read_differently_signs_nothing() {
    let signer = Signer::new();
    let payload = claim(CLAIM, subject().as_str());
    for other in [
        format!("{payload}{payload}"),
        format!("{payload}\0"),
        format!("\u{feff}{payload}"),
        payload.replace(r#""optional":null"#, r#""optional":{"a":"1","a":"2"}"#),
        payload.replace(r#""critical""#, r#""Critical""#),
        payload.replace(r#""type""#, r#""kind""#),
        String::new(),
        "null".into(),
    ] {
        let rejection = refused(&signer.classic(&other), &signer);
        assert!(
            matches!(rejection, Rejection::Malformed { what: Part::Payload, .. }),
            "{other}: {rejection}"
        );
        let statement = statement(SIGNED, subject().hex());
        let other = other.replace(&payload, &statement);
        let rejection = refused(&signer.bundle(&other), &signer);
        assert!(
            matches!(rejection, Rejection::Malformed { what: Part::Payload, .. }),
            "{other}: {rejection}"
        );
    }
}

#[test]
fn a_bundle_that_is_no_signature_is_refused_for_what_it_is() {
    let signer = Signer::new();
    let genuine = || signer.envelope(IN_TOTO, &statement(SIGNED, subject().hex()));
    let edited = |edit: fn(&mut Value)| {
        let mut envelope = genuine();
        edit(&mut envelope);
        bundle(&envelope.to_string())
    };
    let v0_1 = statement(SIGNED, subject().hex()).replace("Statement/v1", "Statement/v0.1");
    let sha512 = statement(SIGNED, subject().hex()).replace("sha256", "sha512");
    for (evidence, expected) in [
        (signer.signs_bundle(&another()), Rejection::OtherImage(another().to_string())),
        (Signer::new().signs_bundle(&subject()), Rejection::OtherKey),
        (
            bundle(&signer.envelope("text/plain", "x").to_string()),
            Rejection::PayloadType("text/plain".into()),
        ),
        (edited(|b| b["dsseEnvelope"]["payloadType"] = json!("text/plain")), Rejection::OtherKey),
        (signer.bundle(&v0_1), Rejection::StatementType("https://in-toto.io/Statement/v0.1".into())),
        (signer.bundle(&statement("x", subject().hex())), Rejection::Predicate("x".into())),
        (signer.bundle(&sha512), Rejection::NoSubject),
        (edited(|b| b["dsseEnvelope"]["signatures"] = json!([])), Rejection::Signatures(0)),
        (
            edited(|b| {
                let signature = b["dsseEnvelope"]["signatures"][0].clone();
                b["dsseEnvelope"]["signatures"] = json!([signature, signature]);
            }),
            Rejection::Signatures(2),
        ),
        (edited(|b| b["dsseEnvelope"]["payload"] = json!("@")), Rejection::NotBase64(Part::Payload)),
        (
            edited(|b| b["dsseEnvelope"] = json!(null)),
            malformed(Part::Bundle, "missing field `dsseEnvelope`"),
        ),
        (
            edited(|b| b["verificationMaterial"] = json!({})),
            malformed(Part::Bundle, "missing field `publicKey`"),
        ),
        (edited(|b| b["messageSignature"] = json!({})), Rejection::MessageSignature),
        (
            edited(|b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
            Rejection::BundleVersion("+json;version=0.1".into()),
        ),
    ] {
        assert_eq!(refused(&evidence, &signer), expected);
    }
    let spelled = edited(|b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle+json;version=0.3"));
    assert!(verify(&subject(), &[spelled], &signer.keys()).is_verified());
}

#[test]
fn one_of_several_subjects_is_enough() {
    let signer = Signer::new();
    let mut statement: Value = serde_json::from_str(&statement(SIGNED, another().hex())).unwrap();
    let subjects = statement["subject"].as_array_mut().unwrap();
    subjects.push(json!({"name": "image", "digest": {"sha256": subject().hex()}, "annotations": {}}));
    let proof = verified(verify(&subject(), &[signer.bundle(&statement.to_string())], &signer.keys()));
    assert_eq!(proof.layout(), Layout::Bundle);
}

#[test]
fn what_a_referrer_says_of_itself_decides_whether_it_is_a_bundle() {
    let signer = Signer::new();
    let genuine = || signer.signs_bundle(&subject());
    let untyped =
        edited(genuine(), |manifest| manifest["artifactType"] = json!("application/vnd.oci.empty.v1+json"));
    assert!(verify(&subject(), &[untyped], &signer.keys()).is_verified());
    for (evidence, expected) in [
        (edited(genuine(), |m| m["layers"] = json!([])), Rejection::BundleLayers(0)),
        (
            edited(genuine(), |m| m["layers"] = json!([m["layers"][0], m["layers"][0]])),
            Rejection::BundleLayers(2),
        ),
        (
            layer(genuine(), |l| l["mediaType"] = json!("text/plain")),
            Rejection::LayerType("text/plain".into()),
        ),
        (
            layer(genuine(), |l| l["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v0.2+json")),
            Rejection::BundleVersion(".v0.2+json".into()),
        ),
        (
            layer(genuine(), |l| l["size"] = json!(MAX_BUNDLE + 1)),
            Rejection::TooLarge { what: Part::Bundle, size: MAX_BUNDLE + 1, cap: MAX_BUNDLE },
        ),
    ] {
        assert_eq!(refused(&evidence, &signer), expected);
        assert_eq!(wanted_blobs(Layout::Bundle, &evidence.manifest), Ok(vec![]));
    }
}

#[test]
fn a_manifest_that_is_none_is_refused_before_anything_is_asked_for() {
    let signer = Signer::new();
    let index = "application/vnd.oci.image.index.v1+json";
    let many = |n: usize| {
        edited(signer.signs_classic(&subject()), |m| m["layers"] = vec![m["layers"][0].clone(); n].into())
    };
    let mut large = signer.signs_classic(&subject());
    large.manifest.resize(MAX_MANIFEST as usize + 1, b' ');
    let size = large.manifest.len() as u64;
    for layout in [Layout::Classic, Layout::Bundle] {
        for (evidence, expected) in [
            (
                edited(signer.signs_classic(&subject()), |m| m["mediaType"] = json!(index)),
                Rejection::ManifestType(index.into()),
            ),
            (many(MAX_LAYERS + 1), Rejection::TooManyLayers { layers: MAX_LAYERS + 1, cap: MAX_LAYERS }),
            (large.clone(), Rejection::TooLarge { what: Part::Manifest, size, cap: MAX_MANIFEST }),
        ] {
            let evidence = Evidence { layout, ..evidence };
            assert_eq!(refused(&evidence, &signer), expected);
            assert_eq!(wanted_blobs(layout, &evidence.manifest), Err(expected));
        }
    }
    assert!(verify(&subject(), &[many(MAX_LAYERS)], &signer.keys()).is_verified());
}

#[test]
fn only_blobs_within_their_caps_are_asked_for_and_each_once() {
    let signer = Signer::new();
    let evidence = edited(signer.signs_classic(&subject()), |manifest| {
        let layer = &manifest["layers"][0];
        let mut large = layer.clone();
        large["size"] = json!(MAX_PAYLOAD + 1);
        let mut other = layer.clone();
        other["mediaType"] = json!("text/plain");
        manifest["layers"] = json!([large, layer, other, layer]);
    });
    let wanted = wanted_blobs(Layout::Classic, &evidence.manifest).unwrap();
    let digests: Vec<_> = wanted.iter().map(|blob| blob.digest.clone()).collect();
    assert_eq!(digests, evidence.blobs.keys().cloned().collect::<Vec<_>>());
    assert!(verify(&subject(), &[evidence], &signer.keys()).is_verified());
}

#[test]
fn what_a_stranger_wrote_is_cut_short_in_a_reason() {
    let signer = Signer::new();
    let long = "é".repeat(5000);
    let rejection = refused(&signer.classic(&claim(&long, subject().as_str())), &signer);
    assert!(rejection.to_string().chars().count() < 200, "{rejection}");
}
