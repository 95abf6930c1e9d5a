"""What stands beside the program in an archive and in a .deb: all of it is printed by the program or lies in Git."""

import pathlib
import subprocess
import tempfile

import crates
from project import NAME, ROOT
from tree import Entry

COMPLETIONS = {"bash": NAME, "zsh": f"_{NAME}", "fish": f"{NAME}.fish", "nushell": f"{NAME}.nu"}


def completions(binary):
    return {shell: (name, binary.says("completions", shell)) for shell, name in COMPLETIONS.items()}


def manual(binary):
    """The manual pages by name, `dibump.1` and one for each command."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary.path.resolve(), "man", "--write", folder], check=True)
        return {page.name: page.read_bytes() for page in sorted(pathlib.Path(folder).iterdir())}


def licences(binary, below=""):
    yield Entry(f"{below}LICENSE", (ROOT / "LICENSE").read_bytes())
    yield Entry(f"{below}THIRD-PARTY-NOTICES", crates.notices(binary.triple))
