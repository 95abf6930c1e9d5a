//! A repository in memory: commits with real trees, branches, merge bases and conflicts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use similar::{DiffOp, TextDiff};

/// Content by path.
pub type Tree = BTreeMap<String, Arc<[u8]>>;

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// 40 hexadecimal digits that follow from everything below.
    pub id: String,
    pub parents: Vec<String>,
    pub message: String,
    pub author: String,
    /// Seconds since 1970. Every commit is a second younger than the one before.
    pub at: i64,
    pub tree: Tree,
}

/// Commits and branches of one project.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    commits: HashMap<String, Commit>,
    pub branches: BTreeMap<String, String>,
}

/// 2026-01-01T00:00:00Z
const EPOCH: i64 = 1_767_225_600;

impl Repository {
    /// Adds a commit that no branch points to yet.
    pub fn add(&mut self, parents: Vec<String>, message: &str, author: &str, tree: Tree) -> String {
        let at = EPOCH + self.commits.len() as i64;
        let mut hash = Sha256::new();
        hash.update(format!("{parents:?} {message:?} {author:?} {at}"));
        for (path, bytes) in &tree {
            hash.update(format!("{path:?} {}", bytes.len()));
            hash.update(bytes);
        }
        let id: String = hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        let commit = Commit {
            id: id.clone(),
            parents,
            message: message.to_owned(),
            author: author.to_owned(),
            at,
            tree,
        };
        self.commits.insert(id.clone(), commit);
        id
    }

    /// Commits `files` on top of a branch, which is made (from nothing) if there is none.
    pub fn commit_on(
        &mut self,
        branch: &str,
        message: &str,
        author: &str,
        files: &[(&str, &[u8])],
    ) -> String {
        let parent = self.branches.get(branch).cloned();
        let mut tree = parent.as_ref().map(|id| self.commits[id].tree.clone()).unwrap_or_default();
        for (path, bytes) in files {
            tree.insert((*path).to_owned(), Arc::from(*bytes));
        }
        let id = self.add(parent.into_iter().collect(), message, author, tree);
        self.branches.insert(branch.to_owned(), id.clone());
        id
    }

    /// The commit of a full id.
    pub fn commit(&self, id: &str) -> Option<&Commit> {
        self.commits.get(id)
    }

    /// The commit of a branch or of a full id.
    pub fn resolve(&self, reference: &str) -> Option<&Commit> {
        let id = self.branches.get(reference).map_or(reference, String::as_str);
        self.commits.get(id)
    }

    /// The head of a branch.
    pub fn head(&self, branch: &str) -> Option<&Commit> {
        self.branches.get(branch).and_then(|id| self.commits.get(id))
    }

    /// The content of a file on a branch.
    pub fn file(&self, branch: &str, path: &str) -> Option<Arc<[u8]>> {
        self.head(branch)?.tree.get(path).cloned()
    }

    /// The youngest commit that both reach.
    pub fn merge_base(&self, a: &str, b: &str) -> Option<&Commit> {
        let of_a = self.ancestors(a);
        self.ancestors(b).intersection(&of_a).filter_map(|id| self.commit(id)).max_by_key(|c| c.at)
    }

    /// What `to` reaches and `from` does not, oldest first.
    pub fn between(&self, from: &str, to: &str) -> Vec<&Commit> {
        let known = self.ancestors(from);
        let mut commits: Vec<&Commit> =
            self.ancestors(to).difference(&known).filter_map(|id| self.commit(id)).collect();
        commits.sort_by_key(|c| c.at);
        commits
    }

    /// The youngest commit of the history of `from` that changed `path`.
    pub fn last_change(&self, from: &str, path: &str) -> Option<&Commit> {
        let touches = |commit: &Commit| {
            let before = commit.parents.first().and_then(|id| self.commit(id)).and_then(|p| p.tree.get(path));
            before != commit.tree.get(path)
        };
        self.ancestors(from)
            .iter()
            .filter_map(|id| self.commit(id))
            .filter(|c| touches(c))
            .max_by_key(|c| c.at)
    }

    /// Whether merging `source` into `target` would touch the same lines twice.
    pub fn conflicts(&self, target: &Commit, source: &Commit) -> bool {
        let Some(base) = self.merge_base(&target.id, &source.id) else { return true };
        changed_paths(&base.tree, &source.tree).iter().any(|path| {
            let [base, ours, theirs] = [base, target, source].map(|c| text(&c.tree, path));
            ours != theirs && overlap(&changed_lines(&base, &ours), &changed_lines(&base, &theirs))
        })
    }

    fn ancestors(&self, from: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![from.to_owned()];
        while let Some(id) = open.pop() {
            if let Some(commit) = self.commits.get(&id)
                && seen.insert(id)
            {
                open.extend(commit.parents.iter().cloned());
            }
        }
        seen
    }
}

/// Paths whose content differs.
pub fn changed_paths(from: &Tree, to: &Tree) -> BTreeSet<String> {
    from.keys().chain(to.keys()).filter(|path| from.get(*path) != to.get(*path)).cloned().collect()
}

/// A file as text; empty if there is none.
pub fn text(tree: &Tree, path: &str) -> String {
    tree.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
}

fn changed_lines(from: &str, to: &str) -> Vec<std::ops::Range<usize>> {
    let diff = TextDiff::from_lines(from, to);
    diff.ops().iter().filter(|op| !matches!(op, DiffOp::Equal { .. })).map(DiffOp::old_range).collect()
}

/// Git calls it a conflict when two changes touch, not only when they overlap.
fn overlap(a: &[std::ops::Range<usize>], b: &[std::ops::Range<usize>]) -> bool {
    a.iter().any(|x| b.iter().any(|y| x.start <= y.end && y.start <= x.end))
}
