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
    let layers: Vec<(&str, Vec<u8>, &'static str)> = vec![
        ("a link", gzip(&archive(&[of_type(EntryType::Symlink)])), FLUX),
        ("a hard link", gzip(&archive(&[file(), of_type(EntryType::Link)])), FLUX),
        ("a device", gzip(&archive(&[of_type(EntryType::Block)])), FLUX),
        ("a terminal", gzip(&archive(&[of_type(EntryType::Char)])), FLUX),
        ("a pipe", gzip(&archive(&[of_type(EntryType::Fifo)])), FLUX),
        ("sparse", gzip(&archive(&[of_type(EntryType::GNUSparse)])), FLUX),
        ("two files", gzip(&archive(&[file(), entry("b.raw", b"b")])), FLUX),
        ("no file", gzip(&archive(&[])), FLUX),
        ("the folder above", gzip(&archive(&[named("../a.raw", &image)])), FLUX),
        ("a folder above", gzip(&archive(&[named("a/../../b", &image)])), FLUX),
        ("from the root", gzip(&archive(&[named("/etc/passwd", &image)])), FLUX),
        ("more than 8 GiB", gzip(&archive(&[file().but(|header| header.set_size(9 << 30))])), FLUX),
        ("cut", gzip(&archive(&[file()])[..200_000]), FLUX),
        (
            "a wrong sum",
            gzip(&{
                let mut archive = archive(&[file()]);
                archive[0] = b'b';
                archive
            }),
            FLUX,
        ),
        ("text", gzip(b"not an archive"), FLUX),
        ("not compressed as announced", noise(5_000, 4), FLUX),
        (
            "broken compression",
            {
                let mut layer = gzip(&archive(&[file()]));
                let half = layer.len() / 2;
                layer[half..].fill(0xff);
                layer
            },
            FLUX,
        ),
        ("a bomb", gzip(&zeros(64)), OCTETS),
        ("a bomb in an archive", gzip(&archive(&[entry("a.raw.gz", &gzip(&zeros(64)))])), FLUX),
        ("a bomb behind the file", gzip(&[archive(&[file()]), zeros(64)].concat()), FLUX),
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
        ),
        ("members without end", gzip(&archive(&[entry("a.raw.gz", &endless_members)])), FLUX),
        ("longer", gzip(&archive(&[entry("a.raw", &[&*image, b"x"].concat())])), FLUX),
        ("shorter", gzip(&archive(&[entry("a.raw", &image[1..])])), FLUX),
        ("a bomb of zstd", zstd_of_zeros(1_000), OCTETS),
        (
            "a window of terabytes",
            [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xff][..], &zstd_of_zeros(1)[6..]].concat(),
            OCTETS,
        ),
        ("another image", gzip(&archive(&[entry("a.raw", &disk(4))])), FLUX),
    ];
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let mut said = String::new();
    for (name, layer, media_type) in layers {
        Built::of(KEY, image.clone(), layer, media_type).push(&registry);
        let ran = ended(puller.desk.limited(ROOM, &Puller::arguments(&[])).spawn().unwrap()).await;
        assert_eq!(ran.exit, Some(5), "{name}: {ran:#?}");
        // What the decompressor says is its own.
        said += ran.stderr.split(" decompressed: ").next().unwrap().trim_end();
        said += "\n";
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
    }
    reads!(said, @r#"
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a link (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a link (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a device (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a device (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a pipe (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a sparse file of GNU tar (`a.raw`), and only one regular file may be there
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds more than one file: `a.raw` and `b.raw`
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds no file
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds "../a.raw", which leads elsewhere
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds "a/../../b", which leads elsewhere
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds "/etc/passwd", which leads elsewhere
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a file of 9.0 GiB, more than the image may have (1.7 MiB)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has 199488 bytes, and not 723000 as announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its layer is not a tar archive
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its layer is not a tar archive
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its layer is not a tar archive
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it cannot be
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has more than the 723000 bytes that are announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has more than the 723000 bytes that are announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive has more than 1.0 MiB beside the file
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive has more than 1.0 MiB beside the file
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its archive holds a file of 3.8 MiB, more than the image may have (1.7 MiB)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has more than the 723000 bytes that are announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has 722999 bytes, and not 723000 as announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has more than the 723000 bytes that are announced
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it cannot be
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its sha256 is 6734f21c98d8b7ccff2572ba5f4ef9a585694b628cd1f628242bcaafb99c6037, and not e34f75fdf7ed4bf3d532920facbd095438ef21f002082173ed8b40ff73c8db36 as announced
    "#);
}

#[tokio::test]
async fn what_the_manifest_cannot_promise_is_refused_before_the_first_byte() {
    let registry = FakeRegistry::start().await;
    let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
    let built = || Built::new(KEY, disk(5));
    let manifests: [(&str, Built); 9] = [
        ("no sha256", built().with("sha256", None)),
        ("an odd sha256", built().with("sha256", Some("abc"))),
        ("no filename", built().with("filename", None)),
        ("a way out", built().with("filename", Some("../a.raw"))),
        ("a route of the server", built().with("filename", Some("metrics"))),
        ("a checksum", built().with("filename", Some("a.raw.sha256sum"))),
        ("no number", built().with("size", Some("0x10"))),
        ("too large", built().with("size", Some("99999999999"))),
        ("no format", built().with("image-format", None)),
    ];
    let mut said = String::new();
    for (name, built) in manifests {
        built.push(&registry);
        let ran = puller.pull(&[]).await;
        assert_eq!(ran.exit, Some(5), "{name}: {ran:#?}");
        said += &ran.stderr;
        assert_eq!((puller.visible().len(), puller.index(KEY)), (0, None), "{name}");
    }
    reads!(said, @r#"
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: it has no sha256, so a wrong image could not be detected
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: its sha256 is `abc` (expected 64 lower-case hexadecimal digits)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: it has no filename, which the URL is made of
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: "../a.raw" cannot be the name of a file (expected one path part of letters, digits, `.`, `_`, `+` and `-`)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its filename `metrics` is reserved by the server of the images
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its filename `a.raw.sha256sum` is reserved by the server of the images
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: its size is `0x10` (expected a number of bytes)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be stored: it has 93.1 GiB, more than --max-image-size allows (64.0 GiB)
    error: values.yaml:3:3: `ubuntu-noble-plain-rke2-1-31-8` cannot be used: it has no image-format
    "#);
    assert!(!registry.requests().iter().any(|request| request.path.contains("/blobs/")));
    let ran = {
        built().push(&registry);
        puller.pull(&["--max-image-size", "500KiB"]).await
    };
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
}
