//! Which file of `src/` uses which: every path is followed through re-exports to the file that defines what it names.
//!
//! A module and the files below it are one thing, read from the top down: arrows between a file and one that lies below
//! it do not count. Paths inside of macro calls are not seen; what they need is imported nearly always.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::Visit;
use syn::{Attribute, Item, ItemUse, Path, UseTree, Visibility};

use super::source::{Source, parsed};

/// A file, by the modules on the way to it: `release`, `key` for `release/key.rs`.
pub(super) type Place = Vec<String>;

/// What a file defines and names.
#[derive(Default)]
struct File {
    items: BTreeSet<String>,
    /// Names that it takes from elsewhere, with the path that leads there.
    imports: BTreeMap<String, Vec<String>>,
    paths: BTreeSet<Vec<String>>,
}

/// All files, and which uses which.
pub(super) struct Files {
    files: BTreeMap<Place, File>,
}

impl Files {
    pub(super) fn of(sources: &[Source]) -> Self {
        let read = |source: &Source| {
            let mut file = File::default();
            parsed(&source.path).items.iter().for_each(|item| file.visit_item(item));
            (source.modules.clone(), file)
        };
        Self { files: sources.iter().map(read).collect() }
    }

    /// Circles of files: those of one circle can only be understood together. Largest first.
    pub(super) fn circles(&self) -> Vec<Vec<Place>> {
        let arrows: BTreeMap<&Place, BTreeSet<Place>> =
            self.files.keys().map(|place| (place, self.uses(place))).collect();
        let reached: BTreeMap<&Place, BTreeSet<&Place>> =
            arrows.keys().map(|place| (*place, reached(place, &arrows))).collect();
        let circle = |place: &&Place| -> Vec<Place> {
            let mutual = reached[*place].iter().filter(|other| reached[**other].contains(*place));
            mutual.map(|other| (*other).clone()).collect()
        };
        let circles: BTreeSet<Vec<Place>> =
            reached.keys().map(circle).filter(|circle| circle.len() > 1).collect();
        let mut circles = Vec::from_iter(circles);
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    /// The files that one uses, but those above and below it.
    pub(super) fn uses(&self, place: &Place) -> BTreeSet<Place> {
        let used = self.files[place].paths.iter().filter_map(|path| self.defining(place, path, 0));
        used.filter(|used| !used.starts_with(place) && !place.starts_with(used)).collect()
    }

    /// The file that defines what a path names; `None` for what is not ours.
    fn defining(&self, from: &Place, path: &[String], hops: usize) -> Option<Place> {
        // Two modules that import all of each other would lead nowhere for ever.
        const MOST_HOPS: usize = 16;
        let (mut place, mut rest) = self.start(from, path).filter(|_| hops < MOST_HOPS)?;
        while let [module, after @ ..] = rest {
            let below = [place.clone(), vec![module.clone()]].concat();
            if !self.files.contains_key(&below) {
                break;
            }
            (place, rest) = (below, after);
        }
        let file = self.files.get(&place)?;
        match rest {
            [name, after @ ..] if !file.items.contains(name) && file.imports.contains_key(name) => {
                self.defining(&place, &[&file.imports[name], after].concat(), hops + 1)
            }
            _ => Some(place),
        }
    }

    /// Where a path begins, and the rest of it.
    fn start<'p>(&self, from: &Place, path: &'p [String]) -> Option<(Place, &'p [String])> {
        let mut place = from.clone();
        match path {
            [first, rest @ ..] if first == "crate" => Some((Vec::new(), rest)),
            [first, ..] if first == "self" || first == "super" => {
                let mut rest = path;
                while let [word, after @ ..] = rest {
                    match word.as_str() {
                        "self" => {}
                        "super" => drop(place.pop()),
                        _ => break,
                    }
                    rest = after;
                }
                Some((place, rest))
            }
            [first, rest @ ..] => {
                let below = [from.clone(), vec![first.clone()]].concat();
                if self.files.contains_key(&below) {
                    return Some((below, rest));
                }
                self.files[from].imports.get(first).map(|_| (place, path))
            }
            [] => None,
        }
    }
}

fn reached<'a>(from: &Place, arrows: &'a BTreeMap<&Place, BTreeSet<Place>>) -> BTreeSet<&'a Place> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Place> = arrows[from].iter().collect();
    while let Some(place) = open.pop() {
        if reached.insert(place) {
            open.extend(arrows.get(place).into_iter().flatten());
        }
    }
    reached
}

impl<'ast> Visit<'ast> for File {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_for_tests) {
            return;
        }
        self.items.extend(name(item));
        syn::visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut paths = Vec::new();
        leaves(&item.tree, &mut Vec::new(), &mut paths);
        for (path, name) in paths {
            // A name that is only passed on is used by the file that asks for it, not here.
            if matches!(item.vis, Visibility::Inherited) {
                self.paths.insert(path.clone());
            }
            self.imports.insert(name, path);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if words.len() > 1 {
            self.paths.insert(words);
        }
        syn::visit::visit_path(self, path);
    }
}

/// Each path of a `use`, with the name that it gets.
fn leaves(tree: &UseTree, above: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let mut leaf = |path: Vec<String>, name: String| found.push((path, name));
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            leaves(&path.tree, above, found);
            above.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, above, found)),
        UseTree::Name(name) if name.ident == "self" => {
            leaf(above.clone(), above.last().cloned().unwrap_or_default());
        }
        UseTree::Name(name) => {
            leaf([above.as_slice(), &[name.ident.to_string()]].concat(), name.ident.to_string());
        }
        UseTree::Rename(rename) => {
            leaf([above.as_slice(), &[rename.ident.to_string()]].concat(), rename.rename.to_string());
        }
        UseTree::Glob(_) => leaf(above.clone(), "*".to_owned()),
    }
}

/// Whether what follows exists in a build of tests only.
pub(super) fn is_for_tests(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<Path>().is_ok_and(|condition| condition.is_ident("test"))
}

pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

/// The name of the type that an item defines, and the module in which it is seen: the whole crate is the empty one. A type
/// that only its own file sees is none of these.
pub(super) fn visible_type(item: &Item, file: &Place) -> Option<(String, Place)> {
    let visibility = match item {
        Item::Enum(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        _ => return None,
    };
    let seen_in = match visibility {
        Visibility::Inherited => return None,
        Visibility::Restricted(to) if to.path.is_ident("super") => file[..file.len() - 1].to_vec(),
        Visibility::Restricted(_) | Visibility::Public(_) => Place::new(),
    };
    name(item).map(|name| (name, seen_in))
}
