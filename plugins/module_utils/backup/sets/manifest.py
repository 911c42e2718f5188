# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a set: one JSON line for each file, folder and link, in the order of a walk."""

import os
import stat
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.file_metadata import Names, content, kind_of, xattrs
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest_format import (
    decoded,
    encoded,
    entry_of,
    still,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import Named, join, order, to_bytes, to_text
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal

    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: A difference in one of these is a change; a new time or inode alone is none.
MEANING = ("type", "mode", "uid", "gid", "sha256", "target", "xattrs")

#: What there is of a path that was not there before.
_NOTHING = b"", {}  # type: tuple[bytes, Entry]

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
    # type: (Source, str, float, Callable[[bytes], object], Host, Scan | None) -> Scan
    """Walk a set, hash what is new or changed, hand each line to `write`, and return the Scan, `found` if it is given.

    previous is the path of the manifest before, missing for a first one. A file whose size, times and inode are as they
    were there, and that had not changed since shortly before `since` (the time of that walk), keeps its line; with
    since=0 all is read again. Raises HalfError at the deadline.
    """
    names = Names()
    found = found or Scan()
    known = _Known(previous)
    settled = since - CLOCK_TICK
    for path, info in _walk(source, found):
        if not host.remaining():
            raise HalfError("Reading the files of the set did not end in time: give the task more time.", "timeout")
        line, before = known.find(path, found.removed)
        if not before or info.st_ctime >= settled or not _unchanged(before, info):
            entry, old = _entry(path, info, names, found, host), line
            line = encoded(entry)
            if not before:
                found.added.add(path)
            elif line != old and any(entry.get(key) != before.get(key) for key in MEANING):
                found.modified.add(path)
        if not stat.S_ISDIR(info.st_mode):
            found.files += 1
            found.bytes += info.st_size
        write(line)
    known.pass_by(found.removed)
    return found


class _Known:
    """The manifest before: its lines and entries, as a walk meets them, up to the first that is damaged."""

    def __init__(self, path):
        # type: (str) -> None
        self._rest = _read(path)
        self._next()

    def find(self, path, passed):
        # type: (bytes, Named) -> tuple[bytes, Entry]
        """Return a path's line and entry, empty where there are none; what comes before them is added to `passed`."""
        if not self._path:  # a first walk, or one that has passed by all that was there
            return _NOTHING
        text = to_text(path)
        if self._path != text:
            self.pass_by(passed, order(path))
            if self._path != text:
                return _NOTHING
        found = self._line, self._entry
        self._next()
        return found

    def pass_by(self, passed, key=None):
        # type: (Named, bytes | None) -> None
        """Add to `passed` what comes before a key, without one all that is left."""
        while self._path:
            path = to_bytes(self._path)
            if key is not None and order(path) >= key:
                return
            passed.add(path)
            self._next()

    def _next(self):
        # type: () -> None
        try:
            self._line, self._entry = next(self._rest, _NOTHING)
            self._path = self._entry["path"] if self._entry else ""  # type: str
            to_bytes(self._path)  # raises for what is no text
        except (ValueError, KeyError, TypeError, AttributeError):  # what follows is only hashed again
            self._rest, self._path = iter(()), ""


def entries(path):
    # type: (str) -> Iterator[Entry]
    """Yield the entries of a manifest file one by one."""
    for _line, entry in _read(path):
        yield entry


def parsed(content):
    # type: (bytes) -> Iterator[Entry]
    """Yield the entries of a manifest's content one by one; raises HalfError for one that is damaged.

    A restore holds all of them, so what nearly all share is there once, and what no restore asks for is let go.
    """
    import io

    shared = {}  # type: dict[str, str]
    nothing = {}  # type: dict[str, str]
    try:
        for _line, entry in decoded(io.BytesIO(content)):
            to_bytes(entry["path"])
            for name in ("type", "owner", "group"):  # type: Literal["type", "owner", "group"]
                entry[name] = shared.setdefault(entry[name], entry[name])
            entry["xattrs"] = entry["xattrs"] or nothing
            del entry["ctime"], entry["inode"]
            yield entry
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HalfError("The manifest of the snapshot is damaged (%s): take another snapshot." % error, "mismatch")


def moved(path):
    # type: (str) -> list[bytes]
    """Return the files and links of a manifest that are no longer as they were when their line was written."""
    found = []
    for line in _lines(path):
        if still(line):
            continue
        entry = entry_of(line)
        if entry["type"] == "dir" or "unreadable" in entry:
            continue
        name = to_bytes(entry["path"])
        try:
            same = _is_as_recorded(entry, os.lstat(name))
        except OSError:
            same = False
        if not same:
            found.append(name)
    return found


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
                children = [(join(path, name), name) for name in sorted(_names_in(path, found), reverse=True)]
                pending += [child for child, name in children if source.covers(child, name)]
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
    # type: (bytes, os.stat_result, Names, Scan, Host) -> Entry
    kind = kind_of(info.st_mode)
    entry = {
        "path": to_text(path),
        "type": kind,
        "mode": stat.S_IMODE(info.st_mode),
        "uid": info.st_uid,
        "gid": info.st_gid,
        "owner": names.user(info.st_uid),
        "group": names.group(info.st_gid),
        "size": 0 if kind == "dir" else info.st_size,
        "mtime": info.st_mtime_ns,
        "ctime": info.st_ctime_ns,
        "inode": info.st_ino,
    }  # type: Entry
    try:
        if kind == "file":
            _opened, entry["sha256"], entry["xattrs"] = content(path, host)
            found.hashed += 1
            return entry
        if kind == "link":
            entry["target"] = to_text(os.readlink(path))
    except OSError:
        entry["unreadable"] = True
        found.unreadable.add(path)
    entry["xattrs"] = xattrs(path)
    return entry


def _is_as_recorded(entry, info):
    # type: (Entry, os.stat_result) -> bool
    """Tell whether what tells a changed file is as it was; a folder's size is the file system's own affair."""
    return (
        entry.get("ctime") == info.st_ctime_ns
        and entry.get("mtime") == info.st_mtime_ns
        and entry.get("inode") == info.st_ino
        and (entry.get("size") == info.st_size or stat.S_ISDIR(info.st_mode))
    )


def _unchanged(entry, info):
    # type: (Entry, os.stat_result) -> bool
    return "unreadable" not in entry and _is_as_recorded(entry, info) and entry.get("type") == kind_of(info.st_mode)


def _read(path):
    # type: (str) -> Iterator[tuple[bytes, Entry]]
    """Yield the line and entry of each line of a manifest file; a missing file has none."""
    return decoded(_lines(path))


def _lines(path):
    # type: (str) -> Iterator[bytes]
    try:
        stream = open(path, "rb")
    except FileNotFoundError:
        return
    with stream:
        yield from stream
