//! References to images by key: is there such an image.

use super::images::ImageShelf;
use super::notes::{Notes, PendingFinding};
use super::places::value_place;
use super::{Id, Read};
use crate::os_image;
use crate::os_image::cluster::{IMAGE_KEYS, is_in_cluster, is_template};

/// Judges every reference of a file.
pub(super) fn judge(read: &Read<'_>, shelf: &ImageShelf, notes: &mut Notes) {
    for field in &read.fields {
        let Some((name, above)) = field.path.split_last() else { continue };
        let Some(key) = field.text.filter(|text| !matches!(*text, "" | "~" | "null")) else { continue };
        if !IMAGE_KEYS.contains(name) || !is_in_cluster(above) || is_listed(key, shelf) {
            continue;
        }
        let place = value_place(read, field);
        if is_template(key) {
            notes.skip(Id::UnknownImageKey, place, "it is a template");
        } else if shelf.is_open {
            notes.skip(Id::UnknownImageKey, place, "a template may list further images");
        } else {
            // A hint is worth no long search.
            let nearest = notes.may_compare(shelf.images.len()).then(|| nearest(key, shelf)).flatten();
            notes.find(PendingFinding {
                id: Id::UnknownImageKey,
                place,
                subject: format!("{} {key}", field.path.join(".")),
                message: format!("`{key}` is not a listed image"),
                help: nearest.map(|nearest| format!("the nearest that is listed is `{nearest}`")),
                fix: None,
            });
        }
    }
}

/// With or without the registry's name, which newer charts put before the key.
fn is_listed(key: &str, shelf: &ImageShelf) -> bool {
    let bare = key.split_once("--").map_or(key, |(_, bare)| bare);
    shelf.keys.contains(key) || shelf.keys.contains(bare)
}

fn nearest<'a>(key: &str, shelf: &'a ImageShelf) -> Option<&'a str> {
    let candidates = shelf.images.iter().map(|image| &image.candidate);
    os_image::nearest(key, candidates.map(|image| (image.key.as_str(), image.facets.as_ref())))
}
