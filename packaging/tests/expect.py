"""How a trial runs programs and says what it expected of them."""

import contextlib
import subprocess


class Wrong(Exception):
    """What a package did and should not have done."""


def ran(*command, code=0, **more):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    if done.returncode != code:
        raise Wrong(f"{command}: ended with {done.returncode}, expected {code}\n{done.stdout}{done.stderr}")
    return done


def holds(what, condition, shown=""):
    if not condition:
        raise Wrong(f"expected that {what}\n{shown}")


def only(folder, pattern):
    [path] = folder.glob(pattern)
    return path


@contextlib.contextmanager
def serving(*command, stdout=subprocess.PIPE, **more):
    arguments = [str(part) for part in command]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=stdout, text=True, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
