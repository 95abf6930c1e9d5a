//! Every refusal, and the fields of both versions of the API.

use super::*;

const SHA: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ANY: Demands = Demands { https: false, capm3: Capm3(1, 12) };

fn attributes(sha256: &str, format: &str) -> BTreeMap<String, String> {
    [("sha256", sha256), ("image-format", format)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn refusal(attributes: &BTreeMap<String, String>, url: &str, demands: &Demands) -> String {
    MachineImage::new(attributes, url, demands).unwrap_err().to_string()
}

#[test]
fn the_fields_are_named_as_the_version_of_the_api_has_them() {
    let image = MachineImage::new(&attributes(SHA, "raw"), "https://h/a.raw", &ANY).unwrap();
    let names = |version| image.fields(version).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(ApiVersion::V1Beta1), ["url", "checksum", "checksumType", "format"]);
    assert_eq!(names(ApiVersion::V1Beta2), ["url", "checksum", "checksumType", "diskFormat"]);
    let fields = image.fields(ApiVersion::V1Beta1).into_iter();
    let fields: BTreeMap<String, String> = fields.map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(MachineImage::of_fields(&fields, &ANY), Ok(image));
}

#[test]
fn an_image_that_cannot_boot_or_be_compared_is_refused() {
    let good = attributes(SHA, "raw");
    let lacking = |name: &str| {
        let mut fields = good.clone();
        fields.remove(name);
        fields
    };
    let url = "https://h/a.raw";
    for (attributes, said) in [
        (lacking("sha256"), "it has no sha256"),
        (lacking("image-format"), "it has no image-format"),
        (attributes(&SHA.to_uppercase(), "raw"), "its sha256 is `0123456789ABCDEF"),
        (attributes(&SHA[1..], "raw"), "(expected 64 lower-case hexadecimal digits)"),
        (attributes("", "raw"), "its sha256 is ``"),
        (attributes(SHA, "iso"), "its format is `iso`"),
        (attributes(SHA, ""), "its format is ``"),
    ] {
        let refusal = refusal(&attributes, url, &ANY);
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
    let https = Demands { https: true, ..ANY };
    let long = format!("https://h/{}", "a".repeat(503));
    for (url, demands, said) in [
        ("http://h/a", https, "https is required"),
        ("https://me:secret@h/a", ANY, "user name or a password"),
        ("https://me@h/a", ANY, "user name or a password"),
        (&long, ANY, "513 characters"),
        ("h/a.raw", ANY, "is not a URL"),
        ("", ANY, "is not a URL"),
        ("https://", ANY, "is not a URL"),
        ("https://h/a b", ANY, "white space"),
        ("ftp://h/a", ANY, "begins with `ftp:`"),
        ("oci://h/a:1", ANY, "leads to an archive"),
        ("OCI://h/a:1", ANY, "leads to an archive"),
    ] {
        let refusal = refusal(&good, url, &demands);
        assert!(refusal.contains(said), "{url}: {refusal}");
    }
    assert!(MachineImage::new(&good, &long[..512], &ANY).is_ok());
}

#[test]
fn raw_mode_is_handed_on_where_metal3_takes_it() {
    let raw = |url: &str, format: &str, checksum: &str, checksum_type: &str| {
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let [url, format, checksum, checksum_type] = [url, format, checksum, checksum_type].map(set);
        Raw { url, format, checksum, checksum_type }
    };
    let newest = Demands { capm3: Capm3(1, 14), ..ANY };
    let (md5, sha512) = (&SHA[..32], SHA.repeat(2));
    let file = "https://h/a.raw.sha256sum";
    for (raw, demands) in [
        (raw("https://h/a.raw", "raw", SHA, "sha256"), ANY),
        (raw("https://h/a.raw", "raw", &SHA.to_uppercase(), ""), ANY),
        (raw("https://h/a.raw", "qcow2", &sha512, "sha512"), ANY),
        (raw("https://h/a.raw", "qcow2", md5, "md5"), ANY),
        (raw("https://h/a.raw", "raw", file, "sha256"), ANY),
        (raw("https://h/a.iso", "live-iso", "", ""), ANY),
        (raw("https://h/a.iso", "live-iso", "dummy", "sha256"), ANY),
        (raw("oci://h/a@sha256:1", "raw", "", ""), newest),
        (raw("oci://h/a@sha256:1", "raw", SHA, "sha256"), ANY),
        (raw("file:///a.raw", "raw", SHA, ""), ANY),
    ] {
        assert!(MachineImage::raw(&raw, &demands).is_ok(), "{raw:?}");
    }
    for (raw, demands, said) in [
        (raw("", "raw", "", ""), ANY, "machine_image_format "),
        (raw("", "", SHA, ""), ANY, "machine_image_checksum "),
        (raw("", "", "", "md5"), ANY, "machine_image_checksum_type "),
        (raw("https://h/a", "", SHA, ""), ANY, "no image-format"),
        (raw("https://h/a", "raw", "", ""), ANY, "no sha256"),
        (raw("https://h/a", "raw", md5, "sha256"), ANY, "32 digits, and sha256 has 64"),
        (raw("https://h/a", "raw", SHA, "sha1"), ANY, "checksum type is `sha1`"),
        (raw("https://h/a", "raw", "xyz", ""), ANY, "the checksum is `xyz`"),
        (raw("https://h/a", "raw", &SHA[1..], ""), ANY, "the checksum is `123"),
        (raw("https://h/a", "raw", "https://", ""), ANY, "is not a URL"),
        (raw("oci://h/a", "raw", SHA, ""), newest, "takes no checksum since CAPM3 1.14"),
        (raw("oci://h/a", "raw", "", ""), ANY, "needs a checksum before CAPM3 1.14"),
        (raw("h/a", "raw", SHA, ""), ANY, "is not a URL"),
    ] {
        let refusal = MachineImage::raw(&raw, &demands).unwrap_err().to_string();
        assert!(refusal.contains(said), "{raw:?}: {refusal}");
    }
    assert!(MachineImage::raw(&raw("https://h/a", "raw", md5, ""), &ANY).unwrap().is_md5());
    let checksum = |raw: Raw| {
        let fields = MachineImage::raw(&raw, &ANY).unwrap().fields(ApiVersion::V1Beta1);
        fields.into_iter().find(|(name, _)| *name == "checksum").map(|(_, value)| value)
    };
    let upper = checksum(raw("https://h/a", "raw", &SHA.to_uppercase(), "sha256"));
    assert_eq!(upper.as_deref(), Some(SHA), "Ironic compares with lower-case digits");
    assert_eq!(checksum(raw("https://h/a.iso", "live-iso", "dummy", "")), None);
}

#[test]
fn versions_of_capm3_are_major_and_minor() {
    assert_eq!("v1.14.2".parse(), Ok(Capm3(1, 14)));
    assert_eq!("1.9".parse(), Ok(Capm3(1, 9)));
    for bad in ["", "1", "1.x", "1.2.3.4", "latest"] {
        assert!(bad.parse::<Capm3>().is_err(), "{bad}");
    }
    assert!(ApiVersion::V1Beta1.usual_capm3() < ApiVersion::V1Beta2.usual_capm3());
}
