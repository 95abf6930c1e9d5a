"""The packages that install a program, and what says what is in them."""

import concurrent.futures
import json
import os
import shutil
import sys

import project
from tests.expect import holds, only, ran

PACKAGING = project.ROOT / "packaging"
VALUES = "sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n  ubuntu-noble-plain-rke2-1-30-11: {}\n"
RELEASES = {
    "schema": "dibump.releases/1",
    "releases": [
        {"version": f"0.4.{patch}", "state": "complete", "artifacts": [{"name": f"ubuntu-noble-plain-rke2-1-30-{patch}"}]}
        for patch in (12, 11)
    ],
}


def made(work):
    """Twice, from other places and with another umask and time zone: the same bytes."""
    moved = work / "moved" / "dibump"
    moved.parent.mkdir()
    shutil.copyfile(work / "program", moved)
    moved.chmod(0o700)
    with concurrent.futures.ThreadPoolExecutor() as both:
        one = both.submit(ran, PACKAGING / "all", work / "program", work / "out")
        moreover = {"umask": 0o077, "env": {**os.environ, "TZ": "Asia/Tokyo"}, "cwd": work}
        other = both.submit(ran, PACKAGING / "all", moved, work / "again", **moreover)
        one.result(), other.result()
    first, again = ((work / name / "SHA256SUMS").read_text() for name in ("out", "again"))
    holds("two builds give the same packages", first == again, f"{first}\n{again}")
    first, again = ((work / name / "image/index.json").read_text() for name in ("out", "again"))
    holds("two builds give the same image", first == again, f"{first}\n{again}")
    ran("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=work / "out")


def prepared(work):
    """The files that every program plans with."""
    (work / "here").mkdir()
    (work / "here/values.yaml").write_text(VALUES)
    (work / "here/releases.json").write_text(json.dumps(RELEASES))


def works(work, program):
    """A program that was installed says who it is, and plans without a network."""
    said = ran(program, "--version").stdout
    holds("it says its version", said.startswith(f"dibump {project.VERSION}\n"), said)
    plans(ran(program, "plan", "values.yaml", "--observed", "releases.json", "--format", "diff", cwd=work / "here").stdout)


def plans(diff):
    wanted = ["-sylva_diskimagebuilder_version: 0.4.11", "+sylva_diskimagebuilder_version: 0.4.12"]
    wanted += ["-  ubuntu-noble-plain-rke2-1-30-11: {}", "+  ubuntu-noble-plain-rke2-1-30-12: {}"]
    holds("the plan moves version and key", all(line in diff.splitlines() for line in wanted), diff)


def archive(work):
    ran("tar", "-xzf", only(work / "out", "*.tar.gz"), "-C", work)
    folder = only(work, f"dibump-{project.VERSION}-*-linux-*")
    works(work, folder / "dibump")
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    wanted = {"LICENSE", "THIRD-PARTY-NOTICES", "completions/_dibump", "completions/dibump.nu", "man/dibump-plan.1", "example.yaml"}
    holds("everything is in the archive", wanted <= there, there)
    ran("bash", "-n", folder / "completions/dibump")
    notices = (folder / "THIRD-PARTY-NOTICES").read_text()
    holds("the notices name what is linked", "  tokio 1." in notices and "Permission is hereby granted" in notices)
    example = ran(folder / "dibump", "config", "example").stdout
    holds("the example is the program's", example == (folder / "example.yaml").read_text())


def deb(work):
    root = work / "installed"
    (root / "var/lib/dpkg/info").mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    # An empty folder has no libc; the program runs with that of this machine.
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-depends", f"--log={work}/dpkg.log"]
    ran(*dpkg, "--install", only(work / "out", "*.deb"))
    works(work, root / "usr/bin/dibump")
    ran(*dpkg, "--verify", "dibump")
    ran(*dpkg, "--purge", "dibump")
    holds("nothing is left", not (root / "usr/bin/dibump").exists())


def wheel(work):
    ran(sys.executable, "-m", "venv", work / "venv")
    pip(work, "--no-index", only(work / "out", "*.whl"))
    works(work, work / "venv/bin/dibump")


def pip(work, *what):
    ran(work / "venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what)


def judges(work):
    """What judges the rest, beside the wheel."""
    pip(work, "--requirement", PACKAGING / "tests/requirements.txt")


def bills(work):
    """Each bill is what CycloneDX's schema allows, and names what is inside."""
    found = sorted((work / "out").glob("*.cdx.json"))
    ran(work / "venv/bin/python", PACKAGING / "tests/judge_bills.py", *found)
    names = [{component["name"] for component in json.loads(path.read_text())["components"]} for path in found]
    holds("every bill names the crates", all({"tokio", "rustls"} <= each for each in names))
    holds("the image's bill names Debian's packages", sum({"libc6", "ca-certificates"} <= each for each in names) == 2)


def chart(work):
    ran(work / "venv/bin/python", PACKAGING / "tests/judge_chart.py", work / "program")


def release(work):
    refused = ran(PACKAGING / "release", work / "out", code=1).stderr
    holds("nothing is published without an address", "project.env" in refused, refused)
