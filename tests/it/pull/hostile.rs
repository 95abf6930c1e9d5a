//! Artifacts that are not what they should be, although their bytes are those of their digest: refused, each with an error of
//! its own, in bounded memory, and nothing is visible.

use tar::EntryType;

use super::{Built, Entry, FLUX, KEY, Puller, archive, disk, entry, gzip, noise};
use crate::fake::oci::FakeRegistry;
use crate::world::{PREFIX, ended};

/// Address space for the program, in KiB. Without a limit each of the bombs would need gigabytes.
const ROOM: usize = 600 << 10;

const OCTETS: &str = "application/octet-stream";

fn of_type(kind: EntryType) -> Entry {
    entry("a.raw", b"").but(|header| {
        header.set_entry_type(kind);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
    })
}

/// A name that the writer of archives would refuse.
fn named(name: &str, content: &[u8]) -> Entry {
    entry("a", content).but(|header| {
        let old = header.as_old_mut();
        old.name = [0; 100];
        old.name[..name.len()].copy_from_slice(name.as_bytes());
    })
}

/// Blocks of 128 KiB that are one zero each, and never the last one (RFC 8878, section 3.1.1.2).
fn zstd_of_zeros(blocks: usize) -> Vec<u8> {
    let block = ((128_u32 << 10) << 3 | 1 << 1).to_le_bytes();
    let block = [block[0], block[1], block[2], 0];
    [&[0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3][..], &block.repeat(blocks)].concat()
}

#[tokio::test]
async fn what_is_not_an_image_is_refused_by_its_own_error() {
    let image = disk(3);
    let file = || entry("a.raw", &image);
    let zeros = |mebibytes: usize| vec![0_u8; mebibytes << 20];
    let endless_members: Vec<u8> = gzip(b"").repeat(200_000);
    let layers: Vec<(&str, Vec<u8>, &'static str, &str)> = vec![
        ("a link", gzip(&archive(&[of_type(EntryType::Symlink)])), FLUX, "holds a link (`a.raw`)"),
        ("a hard link", gzip(&archive(&[file(), of_type(EntryType::Link)])), FLUX, "holds a link (`a.raw`)"),
        ("a device", gzip(&archive(&[of_type(EntryType::Block)])), FLUX, "holds a device"),
        ("a terminal", gzip(&archive(&[of_type(EntryType::Char)])), FLUX, "holds a device"),
        ("a pipe", gzip(&archive(&[of_type(EntryType::Fifo)])), FLUX, "holds a pipe"),
        ("sparse", gzip(&archive(&[of_type(EntryType::GNUSparse)])), FLUX, "holds a sparse file of GNU tar"),
        (
            "two files",
            gzip(&archive(&[file(), entry("b.raw", b"b")])),
            FLUX,
            "more than one file: `a.raw` and `b.raw`",
        ),
        ("no file", gzip(&archive(&[])), FLUX, "holds no file"),
        (
            "the folder above",
            gzip(&archive(&[named("../a.raw", &image)])),
            FLUX,
            "\"../a.raw\", which leads elsewhere",
        ),
        ("a folder above", gzip(&archive(&[named("a/../../b", &image)])), FLUX, "leads elsewhere"),
        ("from the root", gzip(&archive(&[named("/etc/passwd", &image)])), FLUX, "leads elsewhere"),
        (
            "more than 8 GiB",
            gzip(&archive(&[file().but(|header| header.set_size(9 << 30))])),
            FLUX,
            "holds a file of 9.0 GiB, more than",
        ),
        ("cut", gzip(&archive(&[file()])[..200_000]), FLUX, "it has 199488 bytes, 723000 are announced"),
        (
            "a wrong sum",
            gzip(&{
                let mut archive = archive(&[file()]);
                archive[0] = b'b';
                archive
            }),
            FLUX,
            "its layer is not a tar archive",
        ),
        ("text", gzip(b"not an archive"), FLUX, "its layer is not a tar archive"),
        ("not compressed as announced", noise(5_000, 4), FLUX, "its layer is not a tar archive"),
        (
            "broken compression",
            {
                let mut layer = gzip(&archive(&[file()]));
                let half = layer.len() / 2;
                layer[half..].fill(0xff);
                layer
            },
            FLUX,
            "it cannot be decompressed",
        ),
        ("a bomb", gzip(&zeros(64)), OCTETS, "more than the 723000 bytes that are announced"),
        (
            "a bomb in an archive",
            gzip(&archive(&[entry("a.raw.gz", &gzip(&zeros(64)))])),
            FLUX,
            "more than the 723000 bytes",
        ),
        (
            "a bomb behind the file",
            gzip(&[archive(&[file()]), zeros(64)].concat()),
            FLUX,
            "more than 1.0 MiB beside the file",
        ),
        (
            "a bomb as a name",
            gzip(&archive(&[
                Entry {
                    content: zeros(64),
                    header: entry("x", b"")
                        .but(|header| {
                            header.set_entry_type(EntryType::GNULongName);
                            header.set_size(64 << 20);
                        })
                        .header,
                },
                file(),
            ])),
            FLUX,
            "more than 1.0 MiB beside the file",
        ),
        (
            "members without end",
            gzip(&archive(&[entry("a.raw.gz", &endless_members)])),
            FLUX,
            "holds a file of",
        ),
        (
            "longer",
            gzip(&archive(&[entry("a.raw", &[&*image, b"x"].concat())])),
            FLUX,
            "more than the 723000 bytes",
        ),
        (
            "shorter",
            gzip(&archive(&[entry("a.raw", &image[1..])])),
            FLUX,
            "it has 722999 bytes, 723000 are announced",
        ),
        ("a bomb of zstd", zstd_of_zeros(1_000), OCTETS, "more than the 723000 bytes"),
        (
            "a window of terabytes",
            [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xff][..], &zstd_of_zeros(1)[6..]].concat(),
            OCTETS,
            "it cannot be decompressed",
        ),
        ("another image", gzip(&archive(&[entry("a.raw", &disk(4))])), FLUX, "is announced"),
    ];
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    for (name, layer, media_type, said) in layers {
        Built::of(KEY, image.clone(), layer, media_type).push(&registry);
        let ran = ended(puller.desk.limited(ROOM, &Puller::arguments(&[])).spawn().unwrap()).await;
        assert_eq!(ran.exit, Some(5), "{name}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{name}: {said} is expected: {ran:#?}");
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
    }
}

#[tokio::test]
async fn what_the_manifest_cannot_promise_is_refused_before_the_first_byte() {
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let built = || Built::new(KEY, disk(5));
    let manifests: [(&str, Built, &str); 9] = [
        ("no sha256", built().with("sha256", None), "it has no sha256"),
        ("an odd sha256", built().with("sha256", Some("abc")), "its sha256 is `abc`"),
        ("no filename", built().with("filename", None), "it has no filename"),
        (
            "a way out",
            built().with("filename", Some("../a.raw")),
            "\"../a.raw\" cannot be the name of a file",
        ),
        ("a route of the server", built().with("filename", Some("metrics")), "`metrics` is reserved"),
        ("a checksum", built().with("filename", Some("a.raw.sha256sum")), "is reserved"),
        ("no number", built().with("size", Some("0x10")), "its size is `0x10` (expected a number of bytes)"),
        (
            "too large",
            built().with("size", Some("99999999999")),
            "more than --max-image-size allows (64.0 GiB)",
        ),
        ("no format", built().with("image-format", None), "it has no image-format"),
    ];
    for (name, built, said) in manifests {
        built.push(&registry);
        let ran = puller.pull(&[]).await;
        assert_eq!(ran.exit, Some(5), "{name}: {ran:#?}");
        assert!(ran.stderr.contains(said), "{name}: {said} is expected: {ran:#?}");
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
    }
    assert!(!registry.requests().iter().any(|request| request.path.contains("/blobs/")));
    let ran = {
        built().push(&registry);
        puller.pull(&["--max-image-size", "500KiB"]).await
    };
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
}
