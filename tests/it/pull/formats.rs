//! The forms in which an image may be published: each gives the same bytes.

use super::{Built, FLUX, KEY, Puller, archive, disk, entry, gzip};
use crate::fake::oci::FakeRegistry;
use crate::world::PREFIX;

const OCTETS: &str = "application/octet-stream";
/// What `oras push` says of any file.
const ORAS: &str = "application/vnd.oci.image.layer.v1.tar";

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A pax record in front of a file that says its size, as Go writes it for files of more than 8 GiB.
fn with_pax_size(content: &[u8]) -> Vec<u8> {
    let record = format!("{:02} size={}\n", 9 + content.len().to_string().len(), content.len());
    let record = record.trim_start_matches('0').to_owned();
    let pax = entry("PaxHeaders.0/a", record.as_bytes())
        .but(|header| header.set_entry_type(tar::EntryType::XHeader));
    let file = entry("a.raw", content).but(|header| header.set_size(0));
    archive(&[pax, file])
}

#[tokio::test]
async fn every_form_of_a_layer_gives_the_same_image() {
    let image = disk(7);
    let folder = || entry("./", b"").but(|header| header.set_entry_type(tar::EntryType::Directory));
    let long_name = |name: &[u8]| {
        let name = [name, b"\0"].concat();
        let mut entry = entry("././@LongLink", &name);
        entry.header = tar::Header::new_gnu();
        entry.header.set_path("././@LongLink").unwrap();
        entry.header.set_size(name.len() as u64);
        entry.header.set_entry_type(tar::EntryType::GNULongName);
        entry
    };
    let (halves, raw) = (image.split_at(image.len() / 2), entry("a.raw", &image));
    let forms: Vec<(&str, Vec<u8>, &'static str)> = vec![
        ("plain in an archive", gzip(&archive(&[raw])), FLUX),
        ("zstd in an archive", gzip(&archive(&[entry("a.raw.zst", &zstd(&image))])), FLUX),
        ("below a folder", gzip(&archive(&[folder(), entry("./a.raw", &image)])), FLUX),
        ("with a size in pax", gzip(&with_pax_size(&image)), FLUX),
        ("with a long name", gzip(&archive(&[long_name(&[b'a'; 150]), entry("short", &image)])), FLUX),
        ("an archive without compression", archive(&[entry("a.raw", &image)]), OCTETS),
        ("an archive in zstd", zstd(&archive(&[entry("a.raw", &image)])), OCTETS),
        ("bare", image.clone(), ORAS),
        ("bare, gzip", gzip(&image), OCTETS),
        ("bare, gzip in two members", [gzip(halves.0), gzip(halves.1)].concat(), OCTETS),
        ("bare, zstd", zstd(&image), OCTETS),
        ("bare, zstd in two frames", [zstd(halves.0), zstd(halves.1)].concat(), OCTETS),
    ];
    let registry = FakeRegistry::start().await;
    for (name, layer, media_type) in forms {
        for size in [Some(image.len().to_string()), None] {
            let built =
                Built::of(KEY, image.clone(), layer.clone(), media_type).with("size", size.as_deref());
            built.push(&registry);
            let puller = Puller::new(&registry.prefix(PREFIX), &[KEY]);
            let ran = puller.pull(&[]).await;
            assert_eq!(ran.exit, Some(0), "{name}, size {size:?}: {ran:#?}");
            assert!(puller.has(&built), "{name}, size {size:?}: {ran:#?}");
        }
    }
}
