//! What the fake knows: projects, users, tokens. Stories arrange it directly and look at it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use super::git::Repository;
use super::mergeability::Check;

/// Everything that an instance holds.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub projects: BTreeMap<u64, Project>,
    pub users: Vec<User>,
    pub tokens: BTreeMap<String, Token>,
    /// Major and minor number.
    pub version: Version,
    /// Maintenance mode, or a Geo secondary.
    pub read_only: bool,
    /// A proxy before it turns `%2F` into `/`.
    pub decodes_slashes: bool,
}

/// GitLab's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Default for Version {
    fn default() -> Self {
        Self(19, 5)
    }
}

/// A rule for branches (`protected_branches`).
#[derive(Debug, Clone)]
pub struct Protected {
    /// A branch, or a pattern that ends in `*`.
    pub pattern: String,
    /// The access level that may push.
    pub push: u64,
    /// The access level that may merge.
    pub merge: u64,
    pub allow_force_push: bool,
}

impl Protected {
    /// GitLab's default of a rule: maintainers push and merge, nobody by force.
    pub fn by_default(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), push: 40, merge: 40, allow_force_push: false }
    }
}

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    pub id: u64,
    pub username: String,
}

/// Which header a token belongs into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `PRIVATE-TOKEN`, or `Authorization: Bearer`.
    Access,
    /// `JOB-TOKEN`: reads only.
    Job,
}

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: TokenKind,
    pub username: String,
    pub scopes: Vec<String>,
    pub expires_at: Option<String>,
    pub expired: bool,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    pub id: u64,
    pub path: String,
    /// Paths that it had before; GET is redirected from there.
    pub former_paths: Vec<String>,
    pub public: bool,
    pub default_branch: String,
    pub topics: Vec<String>,
    pub repository: Repository,
    pub merge_requests: Vec<MergeRequest>,
    /// Access level by user name: 10 guest, 20 reporter, 30 developer, 40 maintainer.
    pub members: BTreeMap<String, u64>,
    pub protected: Vec<Protected>,
    /// What the names of new branches must match (`branch_name_regex` of its push rules).
    pub branch_names: Option<String>,
    pub archived: bool,
    pub marked_for_deletion: bool,
    pub releases: Vec<Release>,
    pub registry: Registry,
    /// How many attempts to open a merge request fail after a push made a branch.
    pub lag: u32,
    /// Branches that were pushed and are not seen yet.
    pub unseen: BTreeMap<String, u32>,
    /// Answers of compare are cut.
    pub compare_overflows: bool,
    /// Paths that are symbolic links.
    pub links: BTreeSet<String>,
    /// Whether a proxy before it drops the links from page to page of the list of files.
    pub drops_links: bool,
    /// The newest pipeline's status by commit; merged-results pipelines count for the head that they belong to.
    pub pipelines: BTreeMap<String, String>,
    /// Whether merging goes through a merge train.
    pub merge_trains: bool,
    /// Titles of active milestones; the first has id 1.
    pub milestones: Vec<String>,
    /// The same of the groups above, with ids from 1001.
    pub group_milestones: Vec<String>,
    /// How many approvals a merge request needs.
    pub approvals_required: u64,
    /// How many reads a check for conflicts takes; it has begun with an earlier one.
    pub check_takes: u32,
}

/// A merge request.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    pub iid: u64,
    /// `opened`, `closed`, `merged`, `locked`
    pub state: String,
    pub source_project: u64,
    pub source_branch: String,
    pub target_branch: String,
    pub title: String,
    pub description: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<u64>,
    pub reviewers: Vec<u64>,
    pub author: String,
    pub squash: bool,
    pub remove_source_branch: bool,
    /// The head of the source branch as it was last seen.
    pub sha: String,
    /// Overrides what would be computed, such as `checking`.
    pub detailed_merge_status: Option<String>,
    pub milestone: Option<u64>,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// Merged as soon as its pipeline succeeds.
    pub auto_merge: bool,
    /// What GitLab remembers of conflicts.
    pub check: Check,
    /// Quick actions of its description that were executed.
    pub commands: Vec<String>,
}

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    pub tag: String,
    pub description: String,
    pub released_at: String,
}

/// The container registry's list.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    pub access: RegistryAccess,
    /// Names below the project's path; empty for the project itself.
    pub names: Vec<String>,
}

/// Who may see the registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistryAccess {
    /// Whoever sees the project.
    #[default]
    Enabled,
    /// Reporters and more.
    Private,
    /// Nobody.
    Disabled,
}

impl State {
    /// Adds a public project whose default branch holds `files`.
    pub fn add_project(&mut self, id: u64, path: &str, files: &[(&str, &[u8])]) -> &mut Project {
        let mut repository = Repository::default();
        repository.commit_on("main", "Initial commit", "maintainer", files);
        let project = Project {
            id,
            path: path.to_owned(),
            former_paths: Vec::new(),
            public: true,
            default_branch: "main".to_owned(),
            topics: Vec::new(),
            repository,
            merge_requests: Vec::new(),
            members: BTreeMap::new(),
            protected: vec![Protected::by_default("main")],
            archived: false,
            marked_for_deletion: false,
            releases: Vec::new(),
            registry: Registry::default(),
            lag: 0,
            unseen: BTreeMap::new(),
            compare_overflows: false,
            links: BTreeSet::new(),
            drops_links: false,
            pipelines: BTreeMap::new(),
            branch_names: None,
            merge_trains: false,
            milestones: Vec::new(),
            group_milestones: Vec::new(),
            approvals_required: 0,
            check_takes: 0,
        };
        self.projects.entry(id).insert_entry(project).into_mut()
    }

    /// Adds a fork: another project that starts with the same commits.
    pub fn add_fork(&mut self, of: u64, id: u64, path: &str) -> &mut Project {
        let mut fork = self.projects[&of].clone();
        fork.id = id;
        fork.path = path.to_owned();
        fork.merge_requests.clear();
        fork.members.clear();
        self.projects.entry(id).insert_entry(fork).into_mut()
    }

    /// Adds a user.
    pub fn add_user(&mut self, username: &str) -> u64 {
        let id = 100 + self.users.len() as u64;
        self.users.push(User { id, username: username.to_owned() });
        id
    }

    /// Adds a user with an access token of scope `api`, and makes it a developer of a project.
    pub fn add_bot(&mut self, project: u64, username: &str, token: &str) {
        self.add_user(username);
        self.project(project).members.insert(username.to_owned(), 30);
        self.tokens.insert(token.to_owned(), Token::access(username, &["api"]));
    }

    /// The project of that id.
    pub fn project(&mut self, id: u64) -> &mut Project {
        self.projects.get_mut(&id).expect("the story made that project")
    }

    /// The project of a path or of a number.
    pub fn find(&self, id_or_path: &str) -> Option<&Project> {
        self.projects.values().find(|p| p.path == id_or_path || p.id.to_string() == id_or_path)
    }
}

impl Token {
    /// An access token of a user.
    pub fn access(username: &str, scopes: &[&str]) -> Self {
        Self {
            kind: TokenKind::Access,
            username: username.to_owned(),
            scopes: scopes.iter().map(|&s| s.to_owned()).collect(),
            expires_at: Some("2027-06-01".to_owned()),
            expired: false,
        }
    }

    /// A job token of a user.
    pub fn job(username: &str) -> Self {
        Self { kind: TokenKind::Job, scopes: Vec::new(), ..Self::access(username, &[]) }
    }
}

impl Project {
    /// The merge request of that number.
    pub fn merge_request(&mut self, iid: u64) -> &mut MergeRequest {
        self.merge_requests.iter_mut().find(|m| m.iid == iid).expect("the story knows that number")
    }

    /// Opens a merge request as somebody else would; the source branch may be a fork's.
    pub fn open_merge_request(&mut self, source_project: u64, source: &str, sha: &str, title: &str) -> u64 {
        let iid = self.next_iid();
        self.merge_requests.push(MergeRequest {
            iid,
            state: "opened".to_owned(),
            source_project,
            source_branch: source.to_owned(),
            target_branch: self.default_branch.clone(),
            title: title.to_owned(),
            description: None,
            labels: Vec::new(),
            assignees: Vec::new(),
            reviewers: Vec::new(),
            author: "somebody".to_owned(),
            squash: false,
            remove_source_branch: false,
            sha: sha.to_owned(),
            detailed_merge_status: None,
            milestone: None,
            approved_by: Vec::new(),
            auto_merge: false,
            check: Check::default(),
            commands: Vec::new(),
        });
        iid
    }

    /// Merges as a person would: a merge commit on the target branch, the source branch stays.
    pub fn merge(&mut self, iid: u64) -> String {
        let request = self.merge_request(iid);
        request.state = "merged".to_owned();
        request.auto_merge = false;
        let (target, source, message) =
            (request.target_branch.clone(), request.sha.clone(), format!("Merge !{iid}"));
        let head = self.repository.branches[&target].clone();
        let base = self.repository.merge_base(&head, &source).map(|c| c.tree.clone()).unwrap_or_default();
        let theirs = self.repository.commit(&source).map(|c| c.tree.clone()).unwrap_or_default();
        let mut tree = self.repository.commit(&head).map(|c| c.tree.clone()).unwrap_or_default();
        for path in super::git::changed_paths(&base, &theirs) {
            match theirs.get(&path) {
                Some(bytes) => tree.insert(path, bytes.clone()),
                None => tree.remove(&path),
            };
        }
        let merged = self.repository.add(vec![head, source], &message, "somebody", tree);
        self.repository.branches.insert(target, merged.clone());
        merged
    }

    /// The number that the next merge request gets.
    pub fn next_iid(&self) -> u64 {
        self.merge_requests.iter().map(|m| m.iid).max().unwrap_or(0) + 1
    }
}
