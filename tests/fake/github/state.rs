//! What the fake knows: repositories, users, tokens, packages. Stories arrange it directly and look at it afterwards.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::git::{Repository, Tree, changed_paths};

/// Everything that an instance holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub projects: BTreeMap<u64, Project>,
    pub users: Vec<User>,
    pub tokens: BTreeMap<String, Token>,
    pub packages: Vec<Package>,
    pub app: Option<App>,
    /// How many installation tokens were given out.
    pub installation_tokens: u64,
}

/// A user or an organisation.
#[derive(Debug, Clone)]
pub struct User {
    pub id: u64,
    pub login: String,
    pub is_organisation: bool,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// `ghp_…`
    Classic { scopes: Vec<String> },
    /// `github_pat_…`
    FineGrained,
    /// `GITHUB_TOKEN` of a job in one repository.
    Actions { repository: u64 },
    /// Of an App in the account of one repository.
    Installation { repository: u64, permissions: Vec<String> },
}

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: TokenKind,
    pub login: String,
    /// As in `2027-06-01 12:00:00 UTC`.
    pub expires_at: Option<String>,
    pub expired: bool,
}

/// An App that is installed for one repository.
#[derive(Debug, Clone)]
pub struct App {
    pub id: String,
    pub slug: String,
    /// PEM.
    pub public_key: String,
    pub installation: u64,
    pub repository: u64,
    /// As in `contents=write`.
    pub permissions: Vec<String>,
    /// How long its tokens last, in seconds.
    pub lifetime: i64,
}

/// A container package.
#[derive(Debug, Clone)]
pub struct Package {
    pub owner: String,
    pub name: String,
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Project {
    pub id: u64,
    /// `owner/name`
    pub path: String,
    /// Paths that it had before; GET is redirected from there, writes are answered 307.
    pub former_paths: Vec<String>,
    pub public: bool,
    pub default_branch: String,
    pub topics: Vec<String>,
    pub repository: Repository,
    pub pull_requests: Vec<PullRequest>,
    /// By login: 1 pull, 2 triage, 3 push, 4 maintain, 5 admin.
    pub members: BTreeMap<String, u64>,
    /// Prefixes of branches that rules protect from everybody.
    pub ruled: Vec<String>,
    /// How many attempts to open a pull request fail after a push made a branch.
    pub lag: u32,
    /// Branches that were pushed and are not seen yet.
    pub unseen: BTreeMap<String, u32>,
    /// Comparisons list 300 files.
    pub compare_overflows: bool,
    /// Recursive trees end after their first entry.
    pub tree_overflows: bool,
    /// `statusCheckRollup.state` by commit.
    pub checks: BTreeMap<String, String>,
    /// Titles of open milestones; the first has number 1.
    pub milestones: Vec<String>,
    pub requires_review: bool,
    /// How many more reads a check for conflicts takes.
    pub check_takes: u32,
    pub allow_auto_merge: bool,
    /// `merge`, `squash`, `rebase`
    pub merge_methods: Vec<String>,
    /// Whether pull requests can be drafts: not in private repositories of GitHub Free.
    pub drafts: bool,
    /// Whether GITHUB_TOKEN may open pull requests.
    pub actions_may_open: bool,
    /// Modes of files that are not 100644.
    pub modes: BTreeMap<String, u32>,
    pub(super) blobs: HashMap<String, Arc<[u8]>>,
    pub(super) trees: HashMap<String, Tree>,
}

/// A pull request.
#[derive(Debug, Clone)]
pub struct PullRequest {
    pub number: u64,
    /// `open`, `closed`, `merged`
    pub state: String,
    /// `None` when the fork was deleted.
    pub source_project: Option<u64>,
    pub source_owner: String,
    pub source_branch: String,
    pub target_branch: String,
    pub title: String,
    pub description: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub reviewers: Vec<String>,
    pub author: String,
    pub draft: bool,
    pub milestone: Option<u64>,
    /// The head of the source branch as it was last seen.
    pub sha: String,
    /// The heads of the target and the source branch that a check for conflicts was begun for.
    pub asked_about: Option<(String, String)>,
    /// The heads that the last check was about.
    pub known_about: Option<(String, String)>,
    /// How often it was read while the check was under way.
    pub reads: u32,
    /// Overrides what would be computed: `unknown`, `blocked`, `unstable`, ….
    pub mergeable_state: Option<String>,
    /// `APPROVED` or `CHANGES_REQUESTED` by login.
    pub reviews: BTreeMap<String, String>,
    /// The method with which it will be merged by itself.
    pub auto_merge: Option<String>,
}

impl State {
    /// Adds a public repository whose default branch holds `files`.
    pub fn add_project(&mut self, id: u64, path: &str, files: &[(&str, &[u8])]) -> &mut Project {
        let mut repository = Repository::default();
        if !files.is_empty() {
            repository.commit_on("main", "Initial commit", "maintainer", files);
        }
        let project = Project {
            id,
            path: path.to_owned(),
            former_paths: Vec::new(),
            public: true,
            default_branch: "main".to_owned(),
            topics: Vec::new(),
            repository,
            pull_requests: Vec::new(),
            members: BTreeMap::new(),
            ruled: Vec::new(),
            lag: 0,
            unseen: BTreeMap::new(),
            compare_overflows: false,
            tree_overflows: false,
            checks: BTreeMap::new(),
            milestones: Vec::new(),
            requires_review: false,
            check_takes: 0,
            allow_auto_merge: true,
            merge_methods: ["merge", "squash", "rebase"].map(str::to_owned).to_vec(),
            actions_may_open: false,
            drafts: true,
            modes: BTreeMap::new(),
            blobs: HashMap::new(),
            trees: HashMap::new(),
        };
        self.projects.entry(id).insert_entry(project).into_mut()
    }

    /// Adds a fork: another repository that starts with the same commits.
    pub fn add_fork(&mut self, of: u64, id: u64, path: &str) -> &mut Project {
        let mut fork = self.projects[&of].clone();
        fork.id = id;
        fork.path = path.to_owned();
        fork.pull_requests.clear();
        fork.members.clear();
        self.projects.entry(id).insert_entry(fork).into_mut()
    }

    /// Adds a user.
    pub fn add_user(&mut self, login: &str) -> u64 {
        let id = 100 + self.users.len() as u64;
        self.users.push(User { id, login: login.to_owned(), is_organisation: false });
        id
    }

    /// Adds a user with a classic token of scope `repo`, who may push to a repository.
    pub fn add_bot(&mut self, project: u64, login: &str, token: &str) {
        self.add_user(login);
        self.project(project).members.insert(login.to_owned(), 3);
        self.tokens.insert(token.to_owned(), Token::classic(login, &["repo"]));
    }

    /// The repository of that id.
    pub fn project(&mut self, id: u64) -> &mut Project {
        self.projects.get_mut(&id).expect("the story made that repository")
    }

    /// The repository of a path or of a number.
    pub fn find(&self, id_or_path: &str) -> Option<&Project> {
        let is = |p: &&Project| p.path.eq_ignore_ascii_case(id_or_path) || p.id.to_string() == id_or_path;
        self.projects.values().find(is)
    }
}

impl Token {
    fn of(kind: TokenKind, login: &str) -> Self {
        let expires_at = Some("2027-06-01 12:00:00 UTC".to_owned());
        Self { kind, login: login.to_owned(), expires_at, expired: false }
    }

    /// A classic personal access token.
    pub fn classic(login: &str, scopes: &[&str]) -> Self {
        Self::of(TokenKind::Classic { scopes: scopes.iter().map(|&s| s.to_owned()).collect() }, login)
    }

    /// A fine-grained personal access token.
    pub fn fine_grained(login: &str) -> Self {
        Self::of(TokenKind::FineGrained, login)
    }

    /// The token of an Actions job.
    pub fn actions(repository: u64) -> Self {
        Self { expires_at: None, ..Self::of(TokenKind::Actions { repository }, "github-actions[bot]") }
    }
}

impl Project {
    pub fn owner(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    pub fn name(&self) -> &str {
        self.path.split('/').next_back().unwrap_or_default()
    }

    /// The pull request of that number.
    pub fn pull_request(&mut self, number: u64) -> &mut PullRequest {
        self.pull_requests.iter_mut().find(|p| p.number == number).expect("the story knows that number")
    }

    /// Opens a pull request as somebody else would; the source branch may be a fork's.
    pub fn open_pull_request(&mut self, source: (u64, &str), branch: &str, sha: &str, title: &str) -> u64 {
        let number = self.next_number();
        self.pull_requests.push(PullRequest {
            number,
            state: "open".to_owned(),
            source_project: Some(source.0),
            source_owner: source.1.to_owned(),
            source_branch: branch.to_owned(),
            target_branch: self.default_branch.clone(),
            title: title.to_owned(),
            description: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            author: "somebody".to_owned(),
            draft: false,
            milestone: None,
            sha: sha.to_owned(),
            mergeable_state: None,
            asked_about: None,
            known_about: None,
            reads: 0,
            reviews: BTreeMap::new(),
            auto_merge: None,
        });
        number
    }

    /// Merges as a person would: a merge commit on the target branch, the source branch stays.
    pub fn merge(&mut self, number: u64) -> String {
        let request = self.pull_request(number);
        request.state = "merged".to_owned();
        let (target, source, message) = (
            request.target_branch.clone(),
            request.sha.clone(),
            format!("Merge pull request #{number} from {}", request.source_branch),
        );
        let head = self.repository.branches[&target].clone();
        let base = self.repository.merge_base(&head, &source).map(|c| c.tree.clone()).unwrap_or_default();
        let theirs = self.repository.commit(&source).map(|c| c.tree.clone()).unwrap_or_default();
        let mut tree = self.repository.commit(&head).map(|c| c.tree.clone()).unwrap_or_default();
        for path in changed_paths(&base, &theirs) {
            match theirs.get(&path) {
                Some(bytes) => tree.insert(path, bytes.clone()),
                None => tree.remove(&path),
            };
        }
        let merged = self.repository.add(vec![head, source], &message, "somebody", tree);
        self.repository.branches.insert(target, merged.clone());
        merged
    }

    /// The number that the next pull request gets.
    pub fn next_number(&self) -> u64 {
        self.pull_requests.iter().map(|p| p.number).max().unwrap_or(0) + 1
    }

    /// The id of a tree, which is known from now on.
    pub(super) fn tree_id(&mut self, tree: &Tree) -> String {
        let mut hash = Sha256::new();
        for (path, bytes) in tree {
            hash.update(format!("{path:?} {}", bytes.len()));
            hash.update(bytes);
        }
        let id: String = hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        self.trees.insert(id.clone(), tree.clone());
        id
    }

    /// The id of a blob, which is known from now on.
    pub(super) fn blob_id(&mut self, bytes: &[u8]) -> String {
        let hash = Sha256::digest(bytes);
        let id: String = hash.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        self.blobs.insert(id.clone(), Arc::from(bytes));
        id
    }
}
