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
    from typing import Any, Iterator

    from ansible_collections.egov.ops.plugins.module_utils.backup.source import Source

#: A difference in one of these is a change; a new time or inode alone is none.
MEANING = ("type", "mode", "uid", "gid", "sha256", "target", "xattrs")

CHUNK = 1024 * 1024

#: Seconds by which a file must be older than the last walk, since a second write can fall into the same clock tick.
CLOCK_TICK = 1.0


class Entry:
    """A line of a manifest, to be read like its mapping but in a third of the memory: a restore holds all of them."""

    __slots__ = (
        "gid",
        "group",
        "mode",
        "mtime",
        "owner",
        "path",
        "sha256",
        "size",
        "target",
        "type",
        "uid",
        "unreadable",
        "xattrs",
    )

    def __init__(self, fields):
        # type: (dict[str, Any]) -> None
        """Take a line's mapping; what a restore does not ask for is let go."""
        for name in Entry.__slots__:
            if name in fields:
                value = fields[name]
                setattr(self, name, _SHARED.setdefault(value, value) if name in ("group", "owner", "type") else value)
        if not fields["xattrs"]:
            self.xattrs = _NONE

    def __contains__(self, name):
        # type: (str) -> bool
        return hasattr(self, name)

    def __getitem__(self, name):
        # type: (str) -> Any
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name)


#: Names that nearly all entries share, and the extended attributes that nearly none has.
_SHARED, _NONE = {}, {}  # type: tuple[dict[str, str], dict[str, str]]


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
        key = order(path)
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
    # type: (bytes) -> Iterator[Entry]
    """Yield the entries of a manifest's content one by one; raises HalfError for one that is damaged."""
    import io
    import json

    decode = json.JSONDecoder().decode
    try:
        for line in io.BytesIO(content):
            entry = Entry(decode(line.decode("ascii")))
            to_bytes(entry["path"])
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
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no longer a regular file")
        while True:
            chunk = os.read(descriptor, CHUNK)
            if not chunk:
                return digest.hexdigest()
            digest.update(chunk)
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
    import json

    decode = json.JSONDecoder().decode
    try:
        stream = open(path, "rb")
    except FileNotFoundError:
        return
    with stream:
        for line in stream:
            entry = decode(line.decode("ascii"))
            yield order(to_bytes(entry["path"])), line, entry


def _read_known(path):
    # type: (str) -> Iterator[tuple[bytes, bytes, dict[str, Any]]]
    """Yield as _read does, up to the first damaged line: what follows is only hashed again."""
    try:
        yield from _read(path)
    except (ValueError, KeyError):
        return
