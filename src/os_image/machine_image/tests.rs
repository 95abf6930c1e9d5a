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
    let mut told = String::new();
    for attributes in [
        lacking("sha256"),
        lacking("image-format"),
        attributes(&SHA.to_uppercase(), "raw"),
        attributes(&SHA[1..], "raw"),
        attributes("", "raw"),
        attributes(SHA, "iso"),
        attributes(SHA, ""),
    ] {
        told += &format!("{}\n", refusal(&attributes, url, &ANY));
    }
    insta::assert_snapshot!(told, @"
    it has no sha256, so a wrong image could not be detected
    it has no image-format
    its sha256 is `0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF` (expected 64 lower-case hexadecimal digits)
    its sha256 is `123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef` (expected 64 lower-case hexadecimal digits)
    its sha256 is `` (expected 64 lower-case hexadecimal digits)
    its format is `iso` (expected raw, qcow2, vdi, vmdk or live-iso)
    its format is `` (expected raw, qcow2, vdi, vmdk or live-iso)
    ");
    let https = Demands { https: true, ..ANY };
    let long = format!("https://h/{}", "a".repeat(503));
    let mut told = String::new();
    for (url, demands) in [
        ("http://h/a", https),
        ("https://me:secret@h/a", ANY),
        ("https://me@h/a", ANY),
        (&long, ANY),
        ("h/a.raw", ANY),
        ("", ANY),
        ("https://", ANY),
        ("https://h/a b", ANY),
        ("ftp://h/a", ANY),
        ("oci://h/a:1", ANY),
        ("OCI://h/a:1", ANY),
    ] {
        told += &format!("{}\n", refusal(&good, url, &demands));
    }
    insta::assert_snapshot!(told, @"
    the URL uses http, and https is required
    the URL has a user name or a password in it
    the URL has a user name or a password in it
    the URL has 513 characters (at most 512)
    `h/a.raw` is not a URL (relative URL without a base)
    `` is not a URL (relative URL without a base)
    `https://` is not a URL (empty host)
    `https://h/a b` is not a URL (it has white space in it)
    the URL begins with `ftp:` (expected http, https, or in raw mode oci or file)
    its oci:// URL leads to an archive, not to the image itself
    its oci:// URL leads to an archive, not to the image itself
    ");
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
    let mut told = String::new();
    for (raw, demands) in [
        (raw("", "raw", "", ""), ANY),
        (raw("", "", SHA, ""), ANY),
        (raw("", "", "", "md5"), ANY),
        (raw("https://h/a", "", SHA, ""), ANY),
        (raw("https://h/a", "raw", "", ""), ANY),
        (raw("https://h/a", "raw", md5, "sha256"), ANY),
        (raw("https://h/a", "raw", SHA, "sha1"), ANY),
        (raw("https://h/a", "raw", "xyz", ""), ANY),
        (raw("https://h/a", "raw", &SHA[1..], ""), ANY),
        (raw("https://h/a", "raw", "https://", ""), ANY),
        (raw("oci://h/a", "raw", SHA, ""), newest),
        (raw("oci://h/a", "raw", "", ""), ANY),
        (raw("h/a", "raw", SHA, ""), ANY),
    ] {
        told += &format!("{}\n", MachineImage::raw(&raw, &demands).unwrap_err());
    }
    insta::assert_snapshot!(told, @"
    machine_image_format is set, and machine_image_url is not
    machine_image_checksum is set, and machine_image_url is not
    machine_image_checksum_type is set, and machine_image_url is not
    it has no image-format
    it has no sha256, so a wrong image could not be detected
    the checksum has 32 digits, and sha256 has 64
    the checksum type is `sha1` (expected md5, sha256 or sha512)
    the checksum is `xyz` (expected hexadecimal digits, or the URL of a file that has them)
    the checksum is `123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef` (expected hexadecimal digits, or the URL of a file that has them)
    `https://` is not a URL (empty host)
    an oci:// image takes no checksum since CAPM3 1.14
    an oci:// image needs a checksum before CAPM3 1.14
    `h/a` is not a URL (relative URL without a base)
    ");
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
