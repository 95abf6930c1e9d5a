"""What the packages say of the project, and what a binary says of itself."""

import dataclasses
import os
import pathlib
import re
import struct
import subprocess
import sys
import tomllib

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
MANIFEST = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
NAME, VERSION = MANIFEST["name"], MANIFEST["version"]
LICENSE, DESCRIPTION = MANIFEST["license"], MANIFEST["description"]


def settings():
    lines = (ROOT / "packaging" / "project.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


HOME, IMAGE = settings()["DIBUMP_HOME"], settings()["DIBUMP_IMAGE"]


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def epoch():
    """The time that is written into every package: that of the commit, so that the same commit gives the same bytes."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or git("log", "-1", "--format=%ct"))


def revision():
    return os.environ.get("CI_COMMIT_SHA") or git("rev-parse", "HEAD")


# By the number that ELF has for a machine: its name in Rust and in wheels, in Debian and in OCI images.
MACHINES = {0x3E: ("x86_64", "amd64"), 0xB7: ("aarch64", "arm64")}


@dataclasses.dataclass(frozen=True)
class Binary:
    path: pathlib.Path
    data: bytes
    machine: str
    architecture: str
    # The oldest glibc that has all that the program calls, as in (2, 34); none where it is linked with musl.
    glibc: tuple[int, int] | None

    @classmethod
    def read(cls, path):
        data = path.read_bytes()
        number = struct.unpack_from("<H", data, 18)[0] if data[:6] == b"\x7fELF\x02\x01" else None
        if number not in MACHINES:
            sys.exit(f"{path}: expected a Linux program for x86_64 or aarch64")
        versions = {(int(major), int(minor)) for major, minor in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", data)}
        return cls(path, data, *MACHINES[number], max(versions, default=None))

    @property
    def triple(self):
        return f"{self.machine}-unknown-linux-{'gnu' if self.glibc else 'musl'}"

    def says(self, *arguments):
        """What the program prints. It has to be one for this machine."""
        return subprocess.run([self.path.resolve(), *arguments], check=True, capture_output=True).stdout


def arguments(usage="BINARY OUT"):
    """The binary and the folder that a script is called with."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} {usage}")
    binary, out = Binary.read(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    return binary, out


def written(path, data):
    path.write_bytes(data)
    print(f"{path}: {len(data) / 1e6:.1f} MB")
