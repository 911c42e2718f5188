# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a set: one JSON line for each file, folder and link, in the order of a walk."""

import errno
import os
import stat
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.paths import Named, join, order, to_bytes, to_text
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Iterator

    from ansible_collections.egov.ops.plugins.module_utils.backup.source import Source

#: A difference in one of these is a change; a new time or inode alone is none.
MEANING = ("type", "mode", "uid", "gid", "sha256", "target", "xattrs")

CHUNK = 1024 * 1024

#: Lines that are decoded together.
_AT_ONCE = 500

#: Seconds by which a file must be older than the last walk, since a second write can fall into the same clock tick.
CLOCK_TICK = 1.0


class Scan:
    """What a walk found: totals, what could not be read, and what differs from the manifest before."""

    def __init__(self):
        # type: () -> None
        self.started = time.time()
        self.files = 0
        self.bytes = 0
        self.hashed = 0
        self.empty_roots = []  # type: list[bytes]
        self.unreadable = Named()
        self.special = Named()
        self.added = Named()
        self.removed = Named()
        self.modified = Named()

    @property
    def differs(self):
        # type: () -> bool
        """Whether anything is new, gone or changed."""
        return bool(self.added.count or self.removed.count or self.modified.count)


def scan(source, previous, since, write, host, found=None):
    # type: (Source, str, float, Any, Any, Scan | None) -> Scan
    """Walk a set, hash what is new or changed, hand each line to `write`, and return the Scan, `found` if it is given.

    previous is the path of the manifest before, missing for a first one. A file whose size, times and inode are as they
    were there, and that had not changed since shortly before `since` (the time of that walk), keeps its line; with
    since=0 all is read again. Raises HalfError at the deadline.
    """
    import json

    encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
    names = _Names()
    found = found or Scan()
    lines = _read_known(previous)
    old = next(lines, None)
    for path, info in _walk(source, found):
        if not host.remaining():
            raise HalfError("Reading the files of the set did not end in time: give the task more time.", "timeout")
        key = order(path) if old else b""
        while old and old[0] < key:
            found.removed.add(to_bytes(old[2]["path"]))
            old = next(lines, None)
        before = None
        if old and old[0] == key:
            before, old = old, next(lines, None)
        if before and _unchanged(before[2], info, since):
            _count(found, before[2])
            write(before[1])
            continue
        entry = _entry(path, info, names, found, host)
        _count(found, entry)
        if before is None:
            found.added.add(path)
        elif any(entry.get(key) != before[2].get(key) for key in MEANING):
            found.modified.add(path)
        write(encode(entry).encode("ascii") + b"\n")
    while old:
        found.removed.add(to_bytes(old[2]["path"]))
        old = next(lines, None)
    return found


def entries(path):
    # type: (str) -> Iterator[dict[str, Any]]
    """Yield the entries of a manifest file one by one."""
    for _key, _line, entry in _read(path):
        yield entry


def parsed(content):
    # type: (bytes) -> Iterator[dict[str, Any]]
    """Yield the entries of a manifest's content one by one; raises HalfError for one that is damaged.

    A restore holds all of them, so what nearly all share is there once, and what no restore asks for is let go.
    """
    import io

    shared = {}  # type: dict[str, str]
    nothing = {}  # type: dict[str, str]
    try:
        for _line, entry in _decoded(io.BytesIO(content)):
            to_bytes(entry["path"])
            for name in ("type", "owner", "group"):
                entry[name] = shared.setdefault(entry[name], entry[name])
            entry["xattrs"] = entry["xattrs"] or nothing
            del entry["ctime"], entry["inode"]
            yield entry
    except (ValueError, KeyError, TypeError) as error:
        raise HalfError("The manifest of the snapshot is damaged (%s): take another snapshot." % error, "mismatch")


def moved(path):
    # type: (str) -> list[bytes]
    """Return the files and links of a manifest that are no longer as they were when their line was written."""
    found = []
    for entry in entries(path):
        if entry["type"] == "dir" or "unreadable" in entry:
            continue
        name = to_bytes(entry["path"])
        try:
            same = _stamp(os.lstat(name)) == _recorded(entry)
        except OSError:
            same = False
        if not same:
            found.append(name)
    return found


def sha256(path, host):
    # type: (bytes, Any) -> str
    """Return the digest of a regular file's content; raises OSError, and HalfError at the deadline."""
    import hashlib

    digest = hashlib.sha256()
    # Between the walk and now it may have become a link or a fifo; opening must neither follow nor wait.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "no longer a regular file")
        left = info.st_size
        while True:
            chunk = os.read(descriptor, CHUNK)
            digest.update(chunk)
            left -= len(chunk)
            if not chunk or (left <= 0 and len(chunk) < CHUNK):  # most files are read in one piece
                return digest.hexdigest()
            if not host.remaining():
                raise HalfError("Reading the files of the set did not end in time: give the task more time.", "timeout")
    finally:
        os.close(descriptor)


def xattrs(path):
    # type: (bytes) -> dict[str, str]
    """Return the extended attributes of a path by name, values in base64; none where they cannot be had."""
    import binascii

    try:
        return {
            name: binascii.b2a_base64(os.getxattr(path, name, follow_symlinks=False)).decode("ascii").strip()
            for name in os.listxattr(path, follow_symlinks=False)
        }
    except OSError:
        return {}


def kind_of(mode):
    # type: (int) -> str
    """Return the type that an entry of this mode has, "" for a socket, fifo or device."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "dir"
    return "link" if stat.S_ISLNK(mode) else ""


class _Names:
    """Names of users and groups, each asked for once."""

    def __init__(self):
        # type: () -> None
        self._users = {}  # type: dict[int, str]
        self._groups = {}  # type: dict[int, str]

    def user(self, uid):
        # type: (int) -> str
        if uid not in self._users:
            import pwd

            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._users[uid] = ""
        return self._users[uid]

    def group(self, gid):
        # type: (int) -> str
        if gid not in self._groups:
            import grp

            try:
                self._groups[gid] = grp.getgrgid(gid).gr_name
            except KeyError:
                self._groups[gid] = ""
        return self._groups[gid]


def _walk(source, found):
    # type: (Source, Scan) -> Iterator[tuple[bytes, os.stat_result]]
    for root in source.roots:
        seen = found.files
        pending = [root]
        while pending:
            path = pending.pop()
            try:
                info = os.lstat(path)
            except FileNotFoundError:
                continue
            except OSError:
                found.unreadable.add(path)
                continue
            if not kind_of(info.st_mode):
                found.special.add(path)
                continue
            yield path, info
            if stat.S_ISDIR(info.st_mode):
                children = ((join(path, name), name) for name in _names_in(path, found))
                pending.extend(sorted((child for child, name in children if source.covers(child, name)), reverse=True))
        if found.files == seen:
            found.empty_roots.append(root)


def _names_in(folder, found):
    # type: (bytes, Scan) -> list[bytes]
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError:
        found.unreadable.add(folder)
        return []


def _entry(path, info, names, found, host):
    # type: (bytes, os.stat_result, _Names, Scan, Any) -> dict[str, Any]
    size, mtime, ctime, inode = _stamp(info)
    entry = {
        "path": to_text(path),
        "type": kind_of(info.st_mode),
        "mode": stat.S_IMODE(info.st_mode),
        "uid": info.st_uid,
        "gid": info.st_gid,
        "owner": names.user(info.st_uid),
        "group": names.group(info.st_gid),
        "size": size,
        "mtime": mtime,
        "ctime": ctime,
        "inode": inode,
        "xattrs": xattrs(path),
    }  # type: dict[str, Any]
    try:
        if entry["type"] == "file":
            entry["sha256"] = sha256(path, host)
            found.hashed += 1
        elif entry["type"] == "link":
            entry["target"] = to_text(os.readlink(path))
    except OSError:
        entry["unreadable"] = True
        found.unreadable.add(path)
    return entry


def _count(found, entry):
    # type: (Scan, dict[str, Any]) -> None
    if entry["type"] != "dir":
        found.files += 1
        found.bytes += entry["size"]


def _stamp(info):
    # type: (os.stat_result) -> tuple[int, int, int, int]
    """Return what tells a changed file; a folder's size is the file system's own affair."""
    size = 0 if stat.S_ISDIR(info.st_mode) else info.st_size
    return size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino


def _recorded(entry):
    # type: (dict[str, Any]) -> tuple[int, int, int, int]
    return entry["size"], entry["mtime"], entry["ctime"], entry["inode"]


def _unchanged(entry, info, since):
    # type: (dict[str, Any], os.stat_result, float) -> bool
    return (
        "unreadable" not in entry
        and info.st_ctime < since - CLOCK_TICK
        and _recorded(entry) == _stamp(info)
        and entry["type"] == kind_of(info.st_mode)
    )


def _read(path):
    # type: (str) -> Iterator[tuple[bytes, bytes, dict[str, Any]]]
    """Yield key, line and entry of each line of a manifest file; a missing file has none."""
    try:
        stream = open(path, "rb")
    except FileNotFoundError:
        return
    with stream:
        for line, entry in _decoded(stream):
            yield order(to_bytes(entry["path"])), line, entry


def _decoded(lines):
    # type: (Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]
    """Yield each line with its mapping; raises ValueError at the first that has none.

    Many are decoded at once: it takes half the time, and the mappings have their keys in common.
    """
    import json
    from itertools import islice

    decode = json.JSONDecoder().decode
    rest = iter(lines)
    while True:
        some = list(islice(rest, _AT_ONCE))
        if not some:
            return
        try:
            found = decode("[%s]" % b",".join(some).decode("ascii"))
        except ValueError:
            found = []
        if len(found) == len(some):
            yield from ((line, found[place]) for place, line in enumerate(some))
        else:
            for line in some:  # one of them is damaged, and those before it are not
                yield line, decode(line.decode("ascii"))


def _read_known(path):
    # type: (str) -> Iterator[tuple[bytes, bytes, dict[str, Any]]]
    """Yield as _read does, up to the first damaged line: what follows is only hashed again."""
    try:
        yield from _read(path)
    except (ValueError, KeyError):
        return
