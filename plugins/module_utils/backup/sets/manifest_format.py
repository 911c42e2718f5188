# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a manifest: entries as JSON in ASCII, their keys in order, so that the same entry has the same bytes."""

import json
import os
from itertools import islice

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Iterator

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry

#: The line of a regular file without extended attributes: filled in, it takes half the time that encoding takes.
_FILE = (
    '{"ctime":%d,"gid":%d,"group":%s,"inode":%d,"mode":%d,"mtime":%d,"owner":%s,"path":%s,"sha256":"%s","size":%d,'
    '"type":"file","uid":%d,"xattrs":{}}\n'
)

_PATH = b'"path":'

#: Lines that are decoded together.
_AT_ONCE = 500

_quoted = json.encoder.encode_basestring_ascii
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


def encoded(entry):
    # type: (Entry) -> bytes
    """Return the line of an entry."""
    if "sha256" not in entry or entry["xattrs"]:
        return _encode(entry).encode("ascii") + b"\n"
    line = _FILE % (
        entry["ctime"],
        entry["gid"],
        _quoted(entry["group"]),
        entry["inode"],
        entry["mode"],
        entry["mtime"],
        _quoted(entry["owner"]),
        _quoted(entry["path"]),
        entry["sha256"],
        entry["size"],
        entry["uid"],
    )
    return line.encode("ascii")


def entry_of(line):
    # type: (bytes) -> Entry
    """Return the entry of a line; raises ValueError."""
    try:
        return dict(_decode(line.decode("ascii")))  # type: ignore[return-value]  # judged where it is used
    except (TypeError, RecursionError):
        raise ValueError("a line is no entry")


def still(line):
    # type: (bytes) -> bool
    """Tell at a glance that a file is as its line says, in a third of the time that its entry would take.

    False where that takes more than a glance: anything is another, or a name has a comma.
    """
    parts = line.split(b",", 10)
    if len(parts) < 11 or not parts[7].startswith(_PATH):
        return False
    name = parts[7][len(_PATH) :]
    try:
        info = os.lstat(to_bytes(_decode(name.decode("ascii"))) if b"\\" in name else name[1:-1])
    except (OSError, ValueError):
        return False
    return (
        parts[0] == b'{"ctime":%d' % info.st_ctime_ns
        and parts[3] == b'"inode":%d' % info.st_ino
        and parts[5] == b'"mtime":%d' % info.st_mtime_ns
        and parts[9] == b'"size":%d' % info.st_size
    )


def decoded(lines):
    # type: (Iterable[bytes]) -> Iterator[tuple[bytes, Entry]]
    """Yield each line with its entry; raises ValueError at the first that has none.

    Many are decoded at once: it takes half the time, and the mappings have their keys in common.
    """
    rest = iter(lines)
    while True:
        some = list(islice(rest, _AT_ONCE))
        if not some:
            return
        try:
            found = _decode("[%s]" % b",".join(some).decode("ascii"))
        except (ValueError, RecursionError):
            found = []
        if len(found) == len(some):
            yield from zip(some, found)  # noqa: B905 (Python 3.6 knows no strict=)
        else:
            for line in some:  # one of them is damaged, and those before it are not
                yield line, entry_of(line)
