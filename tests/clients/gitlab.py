"""python-gitlab goes through the calls of the GitLab adapter: STEP ADDRESS TOKEN."""

import base64
import sys

import gitlab

PROJECT = "sylva/sylva-core"
VALUES = "charts/units/values.yaml"
SOURCE = "dibump/main/diskimage-builder-0.x"
BEFORE = b"version: 0.4.11\r\nimages:\r\n  a: {}\r\n"
AFTER = b"\xef\xbb\xbfversion: 0.4.12\r\n# caf\xc3\xa9 \xff"


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def refused(status, words, call, *arguments, **named):
    """GitLab refuses, and python-gitlab understands why."""
    try:
        call(*arguments, **named)
    except gitlab.GitlabError as error:
        same(error.response_code, status)
        assert words in str(error.error_message), error.error_message
    else:
        raise AssertionError(f"{status} {words} is expected")


def reads(gl, project):
    same((project.path_with_namespace, project.default_branch), (PROJECT, "main"))
    same(project.permissions["project_access"]["access_level"], gitlab.const.AccessLevel.DEVELOPER)
    main = project.branches.get("main")
    same((main.default, main.protected, main.can_push), (True, True, False))
    head = main.commit["id"]
    same(project.files.raw(VALUES, ref=head), BEFORE)
    refused(404, "404 File Not Found", project.files.raw, "none.yaml", ref=head)
    refused(404, "404 Branch Not Found", project.branches.get, "dibump/none")

    pages = project.branches.list(search="^dibump/", per_page=2, iterator=True)
    same((pages.total, pages.total_pages, pages.per_page, pages.next_page), (3, 2, 2, 2))
    branches = {branch.name: branch.commit["id"] for branch in pages}
    same(list(branches), ["dibump/a", "dibump/b", "dibump/c"])

    compared = project.repository_compare(head, branches["dibump/a"], straight=False)
    same([commit["message"] for commit in compared["commits"]], ["By hand"])
    same(compared["commits"][0]["parent_ids"], [head])
    same([diff["new_path"] for diff in compared["diffs"]], ["mine.txt"])
    same(compared["compare_timeout"], False)

    same([rule.name for rule in project.protectedbranches.list(get_all=True)], ["main"])
    same([user.username for user in gl.users.list(username="Alice", get_all=True)], ["alice"])
    same(gl.users.list(username="nobody", get_all=True), [])
    found = project.milestones.list(title="1.5", state="active", include_ancestors=True, get_all=True)
    same([milestone.title for milestone in found], ["1.5"])


def catalogues(gl, project):
    same([release.tag_name for release in project.releases.list(get_all=True)], ["0.4.12", "0.4.11"])
    repositories = project.repositories.list(get_all=True)
    same([repository.path for repository in repositories], [PROJECT, f"{PROJECT}/ubuntu"])


def tokens(gl, project):
    address, token = gl.url, gl.private_token
    same(gl.version()[0], "19.5.0-ee")
    gl.auth()
    same(gl.user.username, "project_42_bot")
    own = gl.personal_access_tokens.get("self")
    same((own.scopes, own.expires_at, own.active), (["api"], "2027-06-01", True))

    same(gitlab.Gitlab(address, oauth_token=token).projects.get(42).id, project.id)
    job = gitlab.Gitlab(address, job_token="job").projects.get(PROJECT)
    same(job.files.raw(VALUES, ref="main"), BEFORE)
    refused(401, "401 Unauthorized", job.branches.delete, "dibump/a")
    nobody = gitlab.Gitlab(address).projects.get(PROJECT)
    assert "permissions" not in nobody.attributes, nobody
    refused(401, "401 Unauthorized", nobody.branches.delete, "dibump/a")
    refused(401, "401 Unauthorized", gitlab.Gitlab(address, private_token="wrong").auth)
    refused(404, "404 Project Not Found", gl.projects.get, "sylva/none")


def writes(gl, project):
    head = project.branches.get("main").commit["id"]
    content = base64.b64encode(AFTER).decode()
    update = {"action": "update", "file_path": VALUES, "content": content, "encoding": "base64"}
    new = {"branch": SOURCE, "start_sha": head, "commit_message": "Update\n\nDibump-Patch: 1", "actions": [update]}
    refused(400, "not allowed to push", project.commits.create, {**new, "branch": "main", "force": True})
    created = project.commits.create(new)
    same((created.parent_ids, created.message), ([head], new["commit_message"]))
    refused(400, f"A branch called '{SOURCE}' already exists", project.commits.create, new)
    forced = project.commits.create({**new, "force": True})
    same((project.branches.get(SOURCE).commit["id"], forced.parent_ids), (forced.id, [head]))
    same(project.files.raw(VALUES, ref=forced.id), AFTER)

    request = {"source_branch": SOURCE, "target_branch": "main", "title": "Draft: Update", "description": "a & b"}
    alice = gl.users.list(username="alice", get_all=True)[0].id
    people = {"assignee_ids": [alice], "reviewer_ids": [alice], "milestone_id": 1, "labels": ["bot", "os images"]}
    wanted = {**request, **people, "squash": True, "remove_source_branch": True}
    mr = project.mergerequests.create(wanted)
    same((mr.state, mr.draft, mr.sha, mr.description), ("opened", True, forced.id, "a & b"))
    same((mr.labels, mr.milestone["title"], mr.squash), (["bot", "os images"], "1.5", True))
    same([[who["username"] for who in whom] for whom in (mr.assignees, mr.reviewers)], [["alice"], ["alice"]])
    same((mr.source_project_id, mr.detailed_merge_status, mr.has_conflicts), (project.id, "preparing", False))
    mr = project.mergerequests.get(mr.iid)
    same((mr.merge_status, mr.detailed_merge_status), ("can_be_merged", "draft_status"))
    refused(409, "Another open merge request already exists", project.mergerequests.create, request)
    refused(400, "does not exist", project.mergerequests.create, {**request, "source_branch": "none"})

    found = project.mergerequests.list(source_branch=SOURCE, get_all=True)
    same([(one.iid, one.title) for one in found], [(mr.iid, "Draft: Update")])
    mr.title, mr.description = "Update", ""
    mr.save()
    same((mr.title, mr.description, mr.draft), ("Update", "", False))
    same(project.mergerequests.get(mr.iid).labels, ["bot", "os images"])
    same(mr.approvals.get().approved_by, [])
    for event, state in [("close", "closed"), ("reopen", "opened"), ("close", "closed")]:
        mr.state_event = event
        mr.save()
        same(mr.state, state)
    project.branches.delete(SOURCE)
    refused(404, "404 Branch Not Found", project.branches.delete, SOURCE)


def merges(gl, project):
    document = """query($project: ID!, $number: String!) { project(fullPath: $project) {
        mergeRequest(iid: $number) { diffHeadSha headPipeline { status } } } }"""
    graphql = gitlab.GraphQL(gl.url, token=gl.private_token)
    variables = {"project": PROJECT, "number": "1"}
    found = graphql.execute(document, variable_values=variables)["project"]["mergeRequest"]
    same(found["headPipeline"], {"status": "RUNNING"})
    nowhere = graphql.execute(document, variable_values={**variables, "project": "sylva/none"})
    same(nowhere, {"project": None})

    waiting, failed, ready = (project.mergerequests.get(iid) for iid in (1, 2, 3))
    same(found["diffHeadSha"], waiting.sha)
    same([user["user"]["username"] for user in waiting.approvals.get().approved_by], ["alice"])
    both = {"merge_when_pipeline_succeeds": True, "auto_merge": True}
    refused(409, "SHA does not match", waiting.merge, sha="0" * 40, **both)
    waiting.merge(sha=waiting.sha, **both)
    same((waiting.state, waiting.merge_when_pipeline_succeeds), ("opened", True))
    same(waiting.cancel_merge_when_pipeline_succeeds(), {"status": "success"})
    same(project.mergerequests.get(1).merge_when_pipeline_succeeds, False)
    refused(405, "405 Method Not Allowed", failed.merge, sha=failed.sha, **both)
    train = f"/projects/{project.id}/merge_trains/merge_requests/1"
    [car] = gl.http_post(train, post_data={"sha": waiting.sha, "auto_merge": True})
    same((car["merge_request"]["iid"], car["target_branch"]), (1, "main"))

    ready.merge(sha=ready.sha)
    same(ready.state, "merged")
    same(project.mergerequests.get(3).merged_by["username"], "ghost")


step, address, token = sys.argv[1:]
client = gitlab.Gitlab(address, private_token=token)
globals()[step](client, client.projects.get(PROJECT))
