"""ironic.py URL SHA256 LENGTH FOLDER: Ironic's own check and cache, and its agent's own download, of an image that is not there
yet, is there, and is replaced. The test that runs this does what the files in FOLDER ask for, and answers with files.

Ironic (`HttpImageService`, `_delete_master_path_if_stale`) and ironic-python-agent (`_download_image`) are the packages of
PyPI, and `requests` below them. Their other dependencies are not installed. Stood in for are, by a few lines each:
oslo.config (options with their defaults), oslo.log (Python's logging), oslo.i18n (texts stay as they are), and of
oslo.utils `bool_from_string`, `normalize_time`, `is_uuid_like` and three units. All other packages are empty: names in them can be imported, derived
from and used to decorate, and nothing of them is used here. Waiting is virtual: `time.sleep` of the agent is counted.
"""

import hashlib
import importlib
import importlib.abc
import importlib.machinery
import logging
import os
import sys
import time
import types
import uuid

# Before anything is stood in for: it looks for what it can do without.
import requests  # noqa: F401


class Nothing(type):
    """A name of a package that is not installed."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing(name)

    def __call__(cls, *args, **kwargs):
        # As a decorator it leaves what it decorates.
        if cls.__module__ == "nothing" and "__init__" not in cls.__dict__ and len(args) == 1 and not kwargs and callable(args[0]):
            return args[0]
        return super().__call__(*args, **kwargs)

    def __or__(cls, other):
        return cls

    __ror__ = __or__

    def __getitem__(cls, item):
        return cls

    def __iter__(cls):
        return iter(())

    def __add__(cls, other):
        return other

    __radd__ = __add__


class Blank(Exception, metaclass=Nothing):
    """Whatever it is made of, it can be called, decorate, and be asked for names."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return nothing(name)

    def __getitem__(self, item):
        return nothing("item")()

    def __iter__(self):
        return iter(())

    def __add__(self, other):
        return other

    __radd__ = __add__

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and not kwargs and callable(args[0]) else nothing("called")()


def nothing(name):
    return Nothing(name, (Blank,), {"__module__": "nothing"})


class Empty(types.ModuleType):
    """A package that is not installed."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        below = f"{self.__name__}.{name}"
        return importlib.import_module(below) if below in STOOD_IN else nothing(name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what nothing else does, but for parts of packages that are installed."""

    def __init__(self):
        self.stood_in = set()

    def find_spec(self, name, path=None, target=None):
        package = name.split(".")[0]
        known = sys.modules.get(package)
        if known is not None and not isinstance(known, Empty):
            return None
        if package in OPTIONAL or package in sys.stdlib_module_names:
            return None
        self.stood_in.add(package)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        for name, value in STOOD_IN.get(module.__name__, {}).items():
            setattr(module, name, value)


# What `requests` looks for and does without.
OPTIONAL = {"simplejson", "chardet", "brotli", "brotlicffi", "zstandard", "backports", "socks"}


class Options:
    """Options of oslo.config with their defaults."""

    def __getattr__(self, name):
        raise AttributeError(name)

    def register_opts(self, options, group=None):
        for option in options:
            self.register_opt(option, group)

    register_cli_opts = register_opts

    def register_opt(self, option, group=None):
        place = self
        if group is not None:
            name = getattr(group, "name", group)
            place = self.__dict__.setdefault(name, Options())
        setattr(place, option.dest, option.default)

    register_cli_opt = register_opt

    def register_group(self, group):
        self.__dict__.setdefault(group.name, Options())

    def set_default(self, *args, **kwargs):
        pass

    set_override = import_opt = import_group = set_default


class Option:
    def __init__(self, name, *args, default=None, **kwargs):
        self.name, self.default = name, default
        self.dest = kwargs.get("dest") or name.replace("-", "_")


class Group:
    def __init__(self, name, *args, **kwargs):
        self.name = name


class Logger(logging.LoggerAdapter):
    def __init__(self, logger):
        super().__init__(logger, {})


class Translations:
    def __init__(self, *args, **kwargs):
        self.primary = self.log_error = self.log_info = self.log_warning = lambda text: text


def bool_from_string(text, strict=False, default=False):
    word = str(text).strip().lower()
    if word in ("1", "t", "true", "on", "y", "yes"):
        return True
    if word in ("0", "f", "false", "off", "n", "no"):
        return False
    if strict:
        raise ValueError(text)
    return default


def normalize_time(timestamp):
    offset = timestamp.utcoffset()
    return timestamp if offset is None else timestamp.replace(tzinfo=None) - offset


def is_uuid_like(text):
    try:
        return str(uuid.UUID(str(text))).replace("-", "") == str(text).lower().replace("-", "")
    except (TypeError, ValueError, AttributeError):
        return False


OPTIONS = {name: Option for name in (
    "Opt StrOpt IntOpt BoolOpt ListOpt MultiOpt MultiStrOpt HostAddressOpt PortOpt FloatOpt DictOpt URIOpt HostnameOpt "
    "IPOpt HostDomainOpt SubCommandOpt").split()}
CONF = Options()
STOOD_IN = {
    "oslo_config.cfg": {**OPTIONS, "OptGroup": Group, "CONF": CONF, "ConfigOpts": Options},
    "oslo_log.log": {"getLogger": lambda name=None, *rest: Logger(logging.getLogger(name))},
    "oslo_i18n": {"TranslatorFactory": Translations},
    "oslo_utils.units": {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30},
    "oslo_utils.strutils": {"bool_from_string": bool_from_string},
    "oslo_utils.uuidutils": {"is_uuid_like": is_uuid_like},
    "oslo_utils.timeutils": {"normalize_time": normalize_time},
}


def main(url, sha256, length, folder):
    finder = Finder()
    sys.meta_path.append(finder)
    from ironic.common import exception, image_service
    from ironic.drivers.modules import image_cache
    from ironic_python_agent import config, errors
    from ironic_python_agent.extensions import standby
    print("stood in for:", ", ".join(sorted(finder.stood_in)))
    agent = standby.CONF

    def file(name):
        return os.path.join(folder, name)

    def ask(name):
        open(file(name), "w").close()

    def wait_for(what, why):
        end = time.monotonic() + 600
        while not what():
            assert time.monotonic() < end, why
            real_sleep(0.02)

    real_sleep, waited = time.sleep, []

    def is_complete():
        try:
            return image_service.HttpImageService().show(url)["size"] > 0
        except exception.ImageRefValidationFailed:
            return False

    def sleep(seconds):
        waited.append(seconds)
        if sum(waited) == 30:
            ask("go")
            wait_for(is_complete, "the image is never complete")

    # Ironic asks once, and fails.
    try:
        image_service.HttpImageService().show(url)
        sys.exit("an image that is not complete is taken for one")
    except exception.ImageRefValidationFailed as error:
        assert "503" in str(error), error
        print("Ironic:", error)

    # The agent asks again for 90 seconds. So it does after a 404, though its comment says otherwise (a response of 4xx is
    # false in `requests`), and then the deployment has failed.
    standby.time.sleep = sleep
    standby.tempfile.tempdir = folder
    info = {"id": "image", "urls": [url], "os_hash_algo": "sha256", "os_hash_value": sha256}
    standby._download_image(info)
    assert sum(waited) <= 90 and set(waited) == {agent.image_download_connection_retry_interval}, waited
    print(f"agent: downloaded after {sum(waited)} virtual seconds of at most "
          f"{agent.image_download_connection_retries * agent.image_download_connection_retry_interval}")
    with open(file("image"), "rb") as image:
        assert hashlib.sha256(image.read()).hexdigest() == sha256
    waited.clear()
    try:
        standby._download_image({**info, "urls": [url + ".absent"]})
        sys.exit("what does not exist was downloaded")
    except errors.ImageDownloadFatalError:
        assert sum(waited) == 90, waited
    # By the checksum file beside the image.
    standby._download_image({"id": "image", "urls": [url], "os_hash_algo": "sha256", "os_hash_value": url + ".sha256sum"})
    standby.time.sleep = real_sleep

    # Ironic's cache.
    shown = image_service.HttpImageService().show(url)
    assert shown["size"] == int(length) and not shown["no_cache"], shown
    master = file("master")
    with open(master, "wb") as image:
        image_service.HttpImageService().download(url, image, checksum=sha256, checksum_algo="sha256")
    with open(master, "rb") as ours, open(file("image"), "rb") as agents:
        assert ours.read() == agents.read()
    assert not image_cache.service_utils.is_glance_image(url) and shown["updated_at"] is not None, shown
    assert image_cache._delete_master_path_if_stale(master, url, shown) is True, "what is there is right"
    ask("replace")
    wait_for(lambda: os.path.exists(file("begun")), "the replacement does not begin")
    # A download of the old image that is under way ends, and is cached, while the replacement is not visible yet.
    os.utime(master)
    real_sleep(1.1)
    ask("finish")

    def is_stale():
        try:
            shown = image_service.HttpImageService().show(url)
        except exception.ImageRefValidationFailed:
            return False
        return not image_cache._delete_master_path_if_stale(master, url, shown)

    wait_for(is_stale, "the cache keeps the old image for ever")
    assert not os.path.exists(master)
    print("Ironic: the replacement is fetched anew")


main(*sys.argv[1:])
