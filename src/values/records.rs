//! Lists of mappings, as far as their fields are scalars: what is looked up in files that others keep.

use super::Document;
use super::tree::Kind;

/// A mapping of a list: its fields that are scalars, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record(Vec<(Box<str>, Box<str>)>);

impl Record {
    /// What a field says; `None` where it is not there, or written twice.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut same = self.0.iter().filter(|(field, _)| &**field == name);
        let (_, text) = same.next()?;
        same.next().is_none().then_some(text)
    }
}

impl Document {
    /// The mappings of the list that the file is, or that one key of it holds; `None` where it holds none or several.
    pub fn records(&self) -> Option<Vec<Record>> {
        let [root] = self.tree().roots[..] else { return None };
        let list = match self.tree().kind(root) {
            Kind::Sequence { .. } => root,
            Kind::Mapping { .. } => {
                let is_list = |node: &usize| matches!(self.tree().kind(*node), Kind::Sequence { .. });
                let mut lists = self.tree().pairs(root).map(|pair| pair.value).filter(is_list);
                let first = lists.next()?;
                if lists.next().is_some() {
                    return None;
                }
                first
            }
            _ => return None,
        };
        self.tree().items(list).map(|item| self.record(item)).collect()
    }

    fn record(&self, item: usize) -> Option<Record> {
        if !matches!(self.tree().kind(item), Kind::Mapping { .. }) {
            return None;
        }
        let scalars =
            self.tree().pairs(item).filter(|pair| self.is_scalar(pair.key) && self.is_scalar(pair.value));
        let text = |node: usize| Box::from(self.text_of(node));
        Some(Record(scalars.map(|pair| (text(pair.key), text(pair.value))).collect()))
    }
}
