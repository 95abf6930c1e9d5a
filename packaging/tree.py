"""Files as a package holds them: in a tar archive or a folder, with nothing of the machine that wrote them."""

import dataclasses
import gzip
import io
import os
import pathlib
import stat
import tarfile


@dataclasses.dataclass(frozen=True)
class Entry:
    path: str
    data: bytes = b""
    mode: int = 0o644
    kind: str = "file"
    owner: int = 0

    @classmethod
    def program(cls, path, data):
        return cls(path, data, 0o755)

    @classmethod
    def folder(cls, path, mode=0o755, owner=0):
        return cls(path, mode=mode, kind="folder", owner=owner)

    @classmethod
    def link(cls, path, target):
        return cls(path, target.encode(), 0o777, "link")


def whole(entries):
    """The entries by name, with the folders that they are in before them."""
    named = {entry.path: entry for entry in entries}
    for path in list(named):
        for parent in list(pathlib.PurePosixPath(path).parents)[:-1]:
            named.setdefault(str(parent), Entry.folder(str(parent)))
    return [named[path] for path in sorted(named)]


def tar(entries, epoch):
    kinds = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in whole(entries):
            info = tarfile.TarInfo(entry.path)
            info.type, info.mode, info.mtime = kinds[entry.kind], entry.mode, epoch
            info.uid = info.gid = entry.owner
            if entry.kind == "link":
                info.linkname = entry.data.decode()
                archive.addfile(info)
            else:
                info.size = len(entry.data)
                archive.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()


def compressed(data):
    # The fastest levels cost a fifth of the size; the slowest gain one per cent.
    return gzip.compress(data, compresslevel=6, mtime=0)


def write(entries, folder, epoch):
    """The entries below a folder; links and owners are for archives."""
    for entry in whole(entries):
        path = folder / entry.path
        if entry.kind == "folder":
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(entry.data)
        path.chmod(entry.mode)
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (epoch, epoch))


def read(folder):
    """The entries below a folder."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            yield Entry.link(name, os.readlink(path))
        elif path.is_dir():
            yield Entry.folder(name, stat.S_IMODE(path.stat().st_mode))
        else:
            yield Entry(name, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
