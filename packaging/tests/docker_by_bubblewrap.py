#!/usr/bin/env python3
"""`docker run` as action.yml calls it, by bubblewrap: IMAGE is the folder of an unpacked image. Other flags are refused."""

import argparse
import os

parser = argparse.ArgumentParser()
parser.add_argument("run", choices=["run"])
parser.add_argument("--rm", action="store_true", required=True)
parser.add_argument("--read-only", action="store_true", required=True)
parser.add_argument("--cap-drop", choices=["ALL"], required=True)
parser.add_argument("--user", required=True)
parser.add_argument("--volume", action="append", default=[])
parser.add_argument("--workdir", required=True)
parser.add_argument("--env", action="append", default=[])
parser.add_argument("image")
parser.add_argument("command", nargs=argparse.REMAINDER)
given = parser.parse_args()

user, group = given.user.split(":")
mounts = [part for volume in given.volume for part in ("--bind", *volume.split(":"))]
variables = [pair if "=" in pair else f"{pair}={os.environ[pair]}" for pair in given.env if "=" in pair or pair in os.environ]
settings = [part for pair in variables for part in ("--setenv", *pair.split("=", 1))]
isolated = ["--unshare-all", "--share-net", "--die-with-parent", "--clearenv", "--uid", user, "--gid", group, "--cap-drop", "ALL"]
root = ["--ro-bind", given.image, "/", "--proc", "/proc", "--dev", "/dev"]
os.execvp("bwrap", ["bwrap", *isolated, *root, *mounts, *settings, "--chdir", given.workdir, "--", "/usr/bin/dibump", *given.command])
