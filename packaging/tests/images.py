"""The images, run as an engine would run them."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

import project
from tests.expect import holds, ran, serving
from tests.programs import plans

TLS = project.ROOT / "tests/data/tls"
CONFIG = """\
version: 1
producers: [{registry: 'oci://localhost:1/dib'}]
targets: [{project: group/deployment, files: [values.yaml]}]
forge: {url: 'https://localhost:1'}
"""


class Image:
    """An image unpacked, and how an engine would run it: as its user, with no right, over a root that is read-only."""

    def __init__(self, work, tag):
        self.here, bundle = work / "here", work / f"bundle-{tag}"
        ran("umoci", "unpack", "--rootless", "--image", f"{work}/pulled:{tag}", bundle)
        self.root, process = bundle / "rootfs", json.loads((bundle / "config.json").read_text())["process"]
        self.arguments, self.user, self.folder = process["args"], process["user"], process["cwd"]
        self.environment = [part for pair in process["env"] for part in ("--setenv", *pair.split("=", 1))]

    def command(self, *arguments, more=()):
        user = ["--uid", self.user["uid"], "--gid", self.user["gid"], "--cap-drop", "ALL"]
        mounts = ["--ro-bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--ro-bind", self.here, self.folder]
        how = ["--unshare-all", "--share-net", "--die-with-parent", "--clearenv", *self.environment, "--chdir", self.folder]
        return [str(part) for part in ("bwrap", *how, *user, *mounts, *more, "--", *arguments)]

    def run(self, *arguments, code=0, more=()):
        return ran(*self.command(*self.arguments, *arguments, more=more), code=code)


def image(work):
    # A registry's client reads and checks every byte, then another tool unpacks it.
    ran("skopeo", "copy", "--all", f"oci:{work}/out/image:{project.VERSION}", f"oci:{work}/pulled:{project.VERSION}")
    image = Image(work, project.VERSION)
    holds("nobody is root", image.user["uid"] == 65532, image.user)
    holds("there is no shell", not any(image.root.glob("*bin/*sh")) and os.listdir(image.root / "usr/bin") == ["dibump"])
    closed = [path for path in image.root.rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o4 == 0]
    holds("every file can be read by others than root", not closed, closed)
    holds("it says its version", image.run("--version").stdout.startswith(f"dibump {project.VERSION}"))
    plans(image.run("plan", "values.yaml", "--observed", "releases.json", "--format", "diff").stdout)
    written = image.run("plan", "values.yaml", "--observed", "releases.json", "--write", code=3)
    holds("nothing can be written", "ead-only file system" in written.stderr, written.stderr)
    registry(work, image)
    daemon(image)


def registry(work, image):
    """A registry whose certificate an authority has signed, which only we know."""
    authority, server = (work / "here" / name for name in ("authority", "server"))
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    ran(*new, "-subj", "/CN=a test's authority", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")
    by = ["-CA", f"{authority}.pem", "-CAkey", f"{authority}.key", "-addext", "basicConstraints=critical,CA:FALSE"]
    name = ["-subj", "/CN=a registry", "-addext", "subjectAltName=IP:127.0.0.1"]
    ran(*new, *by, *name, "-keyout", f"{server}.key", "-out", f"{server}.pem")
    with serving(sys.executable, "-I", TLS / "registry.py", f"{server}.pem", f"{server}.key", stderr=subprocess.DEVNULL) as process:
        prefix = f"oci://127.0.0.1:{process.stdout.readline().strip()}/dib"
        ask = ["releases", "--registry", prefix, "--discovery", "catalog"]
        said = image.run(*ask, "--ca-file", "authority.pem").stdout
        holds("the registry is asked", "0.4.11" in said, said)
        unknown = image.run(*ask, code=3).stderr
        holds("an unknown authority is told", "is not trusted" in unknown and "--ca-file" in unknown, unknown)
        lost = image.run(*ask, code=3, more=["--tmpfs", "/etc/ssl"]).stderr
        holds("missing certificates are told", "couldn't set up TLS" in lost, lost)


def daemon(image):
    (image.here / "dibump.yaml").write_text(CONFIG)
    command = image.command(*image.arguments, "serve", "--listen", "127.0.0.1:0", "--every", "1h", "--max-time", "5s")
    # bubblewrap stands between us and the program: the signal goes to the program, as an engine sends it.
    with serving(*command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        first = process.stderr.readline()
        holds("it says where it serves", "://" in first, first)
        address = first.rsplit("://", 1)[-1].strip()
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=60) as answer:
            holds("it is ready", answer.status == 200)
        os.kill(program_in(process.pid), signal.SIGTERM)
        holds("SIGTERM ends it", process.wait(timeout=60) == 0, process.stderr.read())


def program_in(pid):
    """The process that bubblewrap has started: the last of its children's children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return program_in(int(children[0])) if children else pid


def shell(work):
    """What a runner does in the other image: it runs a script by `sh`."""
    tag = f"{project.VERSION}-shell"
    ran("skopeo", "copy", "--all", f"oci:{work}/out/image:{tag}", f"oci:{work}/pulled:{tag}")
    image = Image(work, tag)
    said = image.run("-c", "dibump -V; id -u; grep CapEff /proc/self/status; touch /etc/x || echo read-only").stdout.split()
    holds("it has a shell and no right", said == f"dibump {project.VERSION} 65532 CapEff: 0000000000000000 read-only".split(), said)
