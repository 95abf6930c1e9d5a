"""Packages of the Debian suite of this machine, as apt downloads and verifies them."""

import dataclasses
import hashlib
import os
import pathlib
import subprocess
import tempfile
import urllib.parse

import tree
from tree import Entry


@dataclasses.dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str
    sha256: str
    entries: tuple[Entry, ...]

    @property
    def purl(self):
        version = urllib.parse.quote(self.version, safe="~.")
        return f"pkg:deb/debian/{self.name}@{version}?arch={self.architecture}"


def download(names, architecture):
    """The current packages of these names, unpacked. Names of packages for every machine end in `:all`."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = [name.removesuffix(":all") if name.endswith(":all") else f"{name}:{architecture}" for name in names]
        # apt steps down to a user of its own for the network, who may not write here.
        command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *wanted]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        return [read(path) for path in sorted(pathlib.Path(folder).iterdir())]


def read(path):
    fields = ["dpkg-deb", "--show", "--showformat=${Package}\n${Version}\n${Architecture}", path]
    name, version, architecture = subprocess.run(fields, check=True, capture_output=True, text=True).stdout.split("\n")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "--extract", path, folder], check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        entries = tuple(tree.read(pathlib.Path(folder)))
    return Package(name, version, architecture, hashlib.sha256(path.read_bytes()).hexdigest(), entries)
