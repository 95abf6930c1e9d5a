"""The crates that are linked into the program: whose they are, and what their licences ask to be shown."""

import json
import pathlib
import subprocess
import tomllib

from project import NAME, ROOT


def linked(triple):
    """The packages of `cargo metadata` that the program consists of, without itself, and who needs whom."""
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={triple}"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    needs, waiting = {}, [root]
    while waiting:
        name = waiting.pop()
        if name not in needs:
            needs[name] = [dep["pkg"] for dep in nodes[name]["deps"] if is_linked(dep)]
            waiting += needs[name]
    packages = [package for package in metadata["packages"] if package["id"] in needs and package["id"] != root]
    return sorted(packages, key=lambda package: (package["name"], package["version"])), root, needs


def is_linked(dependency):
    """Not only a test or a build script needs it."""
    return any(kind["kind"] is None for kind in dependency["dep_kinds"])


def checksums():
    """The SHA-256 of each crate's archive, by name and version."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    return {(package["name"], package["version"]): package.get("checksum") for package in lock["package"]}


def expression(package):
    """The licence as SPDX writes it: before 2021 crates had a slash for `OR`."""
    return (package["license"] or "NOASSERTION").replace(" / ", " OR ").replace("/", " OR ")


def notices(triple):
    """The texts that the licences of these crates ask for; a text that many have is there once."""
    packages, _, _ = linked(triple)
    texts = {}
    head = [f"{NAME} contains the crates below. The texts of their licences follow.\n"]
    for package in packages:
        title = f"{package['name']} {package['version']}"
        head.append(f"  {title}: {expression(package)}")
        for text in licence_texts(pathlib.Path(package["manifest_path"]).parent):
            texts.setdefault(text, []).append(title)
    rule = "-" * 80
    parts = [f"{rule}\n{', '.join(titles)}\n{rule}\n\n{text}\n" for text, titles in texts.items()]
    return ("\n".join(head) + "\n\n" + "\n".join(parts)).encode()


def licence_texts(folder):
    names = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE")
    for path in sorted(folder.iterdir()):
        if path.name.upper().startswith(names) and path.is_file():
            yield path.read_text(errors="replace").replace("\r\n", "\n").strip()
