// Octokit goes through the calls of the GitHub adapter: STEP ADDRESS TOKEN.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";

const [step, address, token] = process.argv.slice(1);
const [owner, repo] = ["sylva", "sylva-core"];
const here = { owner, repo };
const path = "charts/units/values.yaml";
const source = "dibump/main/diskimage-builder-0.x";
const raw = { mediaType: { format: "raw+json" } };
const before = "version: 0.4.11\r\nimages:\r\n  a: {}\r\n";
const after = Buffer.from("version: 0.4.12\r\n# caf\u00e9");

// What GitHub refuses is no news for the log.
const quiet = { debug() {}, info() {}, warn: console.warn, error() {} };
const client = (options) => new Octokit({ baseUrl: `${address}/api/v3`, log: quiet, ...options });
const github = client({ auth: token });
const { apps, git, issues, packages, pulls, repos, users } = github.rest;

/** GitHub refuses, and Octokit understands why. */
const refused = (status, words, answer) =>
  rejects(answer, (error) => {
    equal(error.status, status, error);
    ok(error.message.includes(words), error.message);
    return true;
  });

const head = async (branch) => (await git.getRef({ ...here, ref: `heads/${branch}` })).data.object.sha;

const files = `query($owner: String!, $name: String!, $commit: GitObjectID!, $path0: String!) {
  repository(owner: $owner, name: $name) { object(oid: $commit) {
    ... on Commit { tree { oid } file0: file(path: $path0) { mode } } } } }`;
const reviews = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewDecision
    latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } } } } }`;
const checks = `query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } } } } }`;
const enable = `mutation($input: EnablePullRequestAutoMergeInput!) {
  enablePullRequestAutoMerge(input: $input) { clientMutationId } }`;
const disable = `mutation($input: DisablePullRequestAutoMergeInput!) {
  disablePullRequestAutoMerge(input: $input) { clientMutationId } }`;

const steps = {
  async reads() {
    const { data: about } = await repos.get(here);
    deepEqual([about.full_name, about.default_branch, about.permissions.push], [`${owner}/${repo}`, "main", true]);
    deepEqual([about.allow_merge_commit, about.allow_auto_merge], [true, true]);
    const user = await users.getAuthenticated();
    deepEqual([user.data.login, user.headers["x-oauth-scopes"]], ["sylva-bot", "repo"]);
    deepEqual((await github.graphql("query { viewer { login } }")).viewer, { login: "sylva-bot" });

    const main = await head("main");
    await refused(404, "Not Found", head("none"));
    const file = { ...here, path, ref: main, ...raw };
    equal((await repos.getContent(file)).data, before);
    await refused(404, "Not Found", repos.getContent({ ...file, path: "none.yaml" }));
    const { data: folder } = await repos.getContent({ ...file, path: "charts/units" });
    deepEqual(folder.map((entry) => [entry.type, entry.path]), [["file", path]]);
    const { data: commit } = await git.getCommit({ ...here, commit_sha: main });
    deepEqual([commit.sha, commit.message, commit.parents], [main, "Initial commit", []]);

    const { data: matching } = await git.listMatchingRefs({ ...here, ref: "heads/dibump/" });
    deepEqual(matching.map((found) => found.ref), ["a", "b", "c"].map((name) => `refs/heads/dibump/${name}`));
    equal(matching[0].object.type, "commit");
    const basehead = `main...dibump/a`;
    const { data: compared } = await repos.compareCommitsWithBasehead({ ...here, basehead });
    deepEqual([compared.status, compared.total_commits, compared.behind_by], ["ahead", 1, 0]);
    deepEqual(compared.files.map((file) => [file.filename, file.status]), [["mine.txt", "added"]]);
    equal(compared.commits[0].parents[0].sha, main);

    equal((await issues.checkUserCanBeAssigned({ ...here, assignee: "alice" })).status, 204);
    await refused(404, "Not Found", issues.checkUserCanBeAssigned({ ...here, assignee: "nobody" }));
    const milestones = await github.paginate(issues.listMilestones, { ...here, state: "open", per_page: 1 });
    deepEqual(milestones.map((milestone) => milestone.title), ["1.5", "1.6"]);
    await refused(401, "Bad credentials", client({ auth: "wrong" }).rest.users.getAuthenticated());
    await refused(401, "Requires authentication", client().rest.users.getAuthenticated());
    await refused(404, "Not Found", repos.get({ owner, repo: "none" }));
  },

  async writes() {
    const main = await head("main");
    const variables = { owner, name: repo, commit: main, path0: path };
    const { object: base } = (await github.graphql(files, variables)).repository;
    equal(base.file0.mode, 0o100644);
    const content = after.toString("base64");
    const { data: blob } = await git.createBlob({ ...here, content, encoding: "base64" });
    const entry = { path, mode: "100644", type: "blob", sha: blob.sha };
    const { data: tree } = await git.createTree({ ...here, base_tree: base.tree.oid, tree: [entry] });
    deepEqual(tree.tree.map((entry) => entry.path), ["README.md", "charts"]);
    const message = "Update\n\nDibump-Patch: 1";
    const { data: made } = await git.createCommit({ ...here, message, tree: tree.sha, parents: [main] });
    deepEqual([made.message, made.parents[0].sha, made.tree.sha], [message, main, tree.sha]);

    const ref = `heads/${source}`;
    const { data: created } = await git.createRef({ ...here, ref: `refs/${ref}`, sha: main });
    deepEqual([created.ref, created.object.sha], [`refs/${ref}`, main]);
    await refused(422, "Reference already exists", git.createRef({ ...here, ref: `refs/${ref}`, sha: main }));
    equal((await git.updateRef({ ...here, ref, sha: made.sha })).data.object.sha, made.sha);
    await refused(422, "not a fast forward", git.updateRef({ ...here, ref, sha: main, force: false }));
    const bytes = await repos.getContent({ ...here, path, ref: made.sha, ...raw });
    equal(bytes.data, after.toString());

    const request = { ...here, head: source, base: "main", title: "Update", body: "a & b", draft: true };
    const { data: opened } = await pulls.create(request);
    deepEqual([opened.state, opened.draft, opened.head.sha, opened.user.login], ["open", true, made.sha, "sylva-bot"]);
    await refused(422, `A pull request already exists for ${owner}:${source}`, pulls.create(request));
    await refused(422, '"field":"head"', pulls.create({ ...request, head: "none" }));
    const pull_number = opened.number;
    const settings = { labels: ["bot", "os images"], assignees: ["alice", "nobody"], milestone: 1 };
    const { data: issue } = await issues.update({ ...here, issue_number: pull_number, ...settings });
    deepEqual(issue.labels.map((label) => label.name), settings.labels);
    deepEqual([issue.assignees.map((who) => who.login), issue.milestone.title], [["alice"], "1.5"]);
    const asked = { ...here, pull_number };
    const reviewed = await pulls.requestReviewers({ ...asked, reviewers: ["alice"] });
    deepEqual(reviewed.data.requested_reviewers.map((who) => who.login), ["alice"]);
    await refused(422, "not a collaborator", pulls.requestReviewers({ ...asked, reviewers: ["nobody"] }));

    const { data: edited } = await pulls.update({ ...asked, title: "Newer", body: "c & d" });
    deepEqual([edited.title, edited.body, edited.draft], ["Newer", "c & d", true]);
    for (const state of ["closed", "open", "closed"]) {
      equal((await pulls.update({ ...asked, state })).data.state, state);
    }
    const found = { ...here, state: "all", head: `${owner}:${source}`, per_page: 1 };
    deepEqual((await github.paginate(pulls.list, found)).map((one) => one.number), [pull_number]);
    equal((await git.deleteRef({ ...here, ref })).status, 204);
    await refused(422, "Reference does not exist", git.deleteRef({ ...here, ref }));
  },

  async merges() {
    const every = await github.paginate(pulls.list, { ...here, state: "open", base: "main", per_page: 2 });
    deepEqual(every.map((one) => one.number), [3, 2, 1]);
    const [blocked, , ready] = every.reverse();
    const of = (number) => ({ owner, name: repo, number });
    const review = (await github.graphql(reviews, of(1))).repository.pullRequest;
    deepEqual(review, { reviewDecision: null, latestOpinionatedReviews: { nodes: [{ state: "APPROVED" }] } });
    const { nodes } = (await github.graphql(checks, of(1))).repository.pullRequest.commits;
    deepEqual(nodes[0].commit, { oid: blocked.head.sha, statusCheckRollup: { state: "PENDING" } });
    await rejects(github.graphql(checks, of(9)), { name: "GraphqlResponseError" });

    const input = (request) => ({
      input: { pullRequestId: request.node_id, mergeMethod: "MERGE", expectedHeadOid: request.head.sha },
    });
    await rejects(github.graphql(enable, input(ready)), /clean status/);
    await github.graphql(enable, input(blocked));
    const waiting = (await pulls.get({ ...here, pull_number: 1 })).data;
    deepEqual([waiting.auto_merge.merge_method, waiting.mergeable_state], ["merge", "blocked"]);
    await github.graphql(disable, { input: { pullRequestId: blocked.node_id } });
    equal((await pulls.get({ ...here, pull_number: 1 })).data.auto_merge, null);

    const merge = { ...here, merge_method: "merge" };
    await refused(405, "not mergeable", pulls.merge({ ...merge, pull_number: 1, sha: blocked.head.sha }));
    await refused(409, "Head branch was modified", pulls.merge({ ...merge, pull_number: 3, sha: blocked.head.sha }));
    const { data: merged } = await pulls.merge({ ...merge, pull_number: 3, sha: ready.head.sha });
    deepEqual([merged.merged, merged.sha], [true, await head("main")]);
    const done = (await pulls.get({ ...here, pull_number: 3 })).data;
    deepEqual([done.state, done.merged, done.mergeable], ["closed", true, null]);
  },

  async packages() {
    const container = { package_type: "container", per_page: 2 };
    const names = async (list, of) => (await github.paginate(list, { ...of, ...container })).map((one) => one.name);
    const expected = ["images/a-1", "images/b-2", "images/c-3"];
    deepEqual(await names(packages.listPackagesForOrganization, { org: "sylva-images" }), expected);
    await refused(404, "Not Found", packages.listPackagesForOrganization({ org: "alice", package_type: "container" }));
    deepEqual(await names(packages.listPackagesForUser, { username: "alice" }), []);
  },

  /** Here the token is the private key of the App. */
  async app() {
    const auth = { appId: "Iv23liTest", privateKey: token };
    const app = client({ authStrategy: createAppAuth, auth }).rest.apps;
    equal((await app.getAuthenticated()).data.slug, "dibump-test");
    const installation = (await app.getRepoInstallation(here)).data;
    await refused(404, "Not Found", app.getRepoInstallation({ owner, repo: "none" }));
    const given = { authStrategy: createAppAuth, auth: { ...auth, installationId: installation.id } };
    const installed = client(given);
    equal((await installed.rest.repos.get(here)).data.name, repo);
    await refused(403, "Resource not accessible by integration", installed.rest.users.getAuthenticated());
    const other = { ...auth, appId: "Iv23liOther" };
    await refused(401, "could not be decoded", client({ authStrategy: createAppAuth, auth: other }).rest.apps.getAuthenticated());
  },
};

await steps[step]();
