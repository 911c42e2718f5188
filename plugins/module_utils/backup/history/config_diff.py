# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two versions of the configuration: lines, bounded, without secrets, and who changed them.

Of a file that not everybody on the host may read, neither before nor now, no line is told.
"""

import os
import re
import stat
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.history import authors
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import remove_tree, to_bytes
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest import Scan
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Files whose difference a record tells, the bytes of each that are compared, and of all lines together as JSON.
FILES = 8
FILE_BYTES = 256 * 1024
TOLD_BYTES = 5000
_LINE = 160
_CONTEXT = 1

MASK = "********"
_WORDS = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credential|api[_-]?key|private[_-]?key|community|psk)s?"
_SECRETS = (
    re.compile(r"(?i)(%s[\w.-]*[\"']?\s*[:=]\s*)(\S.*)" % _WORDS),  # name = value, "name": "value"
    re.compile(r"(?i)(\b%s\s+)(\S.*)" % _WORDS),  # name value
    re.compile(r"()(?<=://)[^/@\s]+(?=@)"),  # user and password of an address
    re.compile(r"()\$(?:1|2[abxy]?|5|6|7|y|gy|argon2\w*)\$\S+"),  # what crypt makes of a password
    re.compile(r"()\b[A-Za-z0-9+_-]{32,}={0,2}"),  # keys and digests
)


def describe(found, parent, engine, folder, host):
    # type: (Scan, str, Engine, str, Host) -> Facts
    """Return what a record tells of a version: `changes`, each with path, change, time, author and diff; `more`.

    found is the walk that saw the differences, parent the snapshot before, folder one of ours for what it held.
    """
    named = [(path, "modified") for path in found.modified.first]
    named += [(path, "added") for path in found.added.first] + [(path, "removed") for path in found.removed.first]
    total = found.modified.count + found.added.count + found.removed.count
    wanted = [path for path, change in named[:FILES] if change == "modified" and _size(path) <= FILE_BYTES]
    before = os.path.join(folder, "before")
    spans, room, changes = authors.known(host), TOLD_BYTES, []
    try:
        remove_tree(to_bytes(folder))
        if wanted:
            engine.restore(parent, [to_bytes(path) for path in wanted], before)
        for path, change in named[:FILES]:
            moment = _moment(path)
            entry = {"path": path, "change": change, "author": authors.author(moment, *spans)}  # type: Facts
            entry["time"] = _iso(moment)
            if change != "removed":
                entry["diff"] = bounded(_difference(before + path if change == "modified" else "", path), room)
                room -= sum(len(ascii(line)) + 2 for line in entry["diff"])
            changes.append(entry)
    except (HalfError, OSError) as error:
        return {"changes": changes, "more": total - len(changes), "message": "No more can be told: %s" % error}
    finally:
        remove_tree(to_bytes(folder))
    return {"changes": changes, "more": total - len(changes)}


def difference(before, now):
    # type: (str, str) -> list[str]
    """Return the lines that differ between two texts, as a unified diff without its head, secrets masked; pure."""
    import difflib

    old, new = ([masked(line) for line in text.splitlines()] for text in (before, now))
    lines = list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT))[2:]
    if not lines and before != now:
        return ["differs in what is masked, or in how its lines end"]
    return lines


def masked(line):
    # type: (str) -> str
    """Return a line without what may be a secret; pure."""
    for pattern in _SECRETS:
        line = pattern.sub(lambda match: match.group(1) + MASK, line)
    return line


def bounded(lines, room):
    # type: (list[str], int) -> list[str]
    """Return as many lines, each cut, as fit into so many bytes of JSON; the last says how many do not. Pure."""
    kept = []  # type: list[str]
    for number, line in enumerate(lines):
        cut = line if len(line) <= _LINE else line[:_LINE] + "..."
        room -= len(ascii(cut)) + 2
        if room < 0:
            return kept + ["%s more lines" % (len(lines) - number)]
        kept.append(cut)
    return kept


def _difference(before, now):
    # type: (str, str) -> list[str]
    """Return how a file differs; before is "" for one that is new."""
    texts = [""] if not before else []
    for path in [now] if not before else [before, now]:
        read = _content(path)
        if isinstance(read, list):
            return read
        texts.append(read)
    return difference(*texts)


def _content(path):
    # type: (str) -> str | list[str]
    """Return the text of a file, or a list of the words why it is not told."""
    info = os.lstat(to_bytes(path))
    if stat.S_ISLNK(info.st_mode):
        return "-> %s\n" % os.fsdecode(os.readlink(to_bytes(path)))
    if not stat.S_ISREG(info.st_mode):
        return [""]
    if not info.st_mode & stat.S_IROTH:
        return ["not told: not everybody may read it"]
    if info.st_size > FILE_BYTES:
        return ["not told: %s bytes" % info.st_size]
    with open(to_bytes(path), "rb") as stream:
        content = stream.read(FILE_BYTES)
    if b"\0" in content or b"PRIVATE KEY" in content:
        return ["not told: %s" % ("a key" if b"PRIVATE KEY" in content else "no text")]
    return content.decode("utf-8", "backslashreplace")


def _size(path):
    # type: (str) -> int
    try:
        return os.lstat(to_bytes(path)).st_size
    except OSError:
        return 0


def _moment(path):
    # type: (str) -> float
    """Return when a file was changed; for one that is gone, when something in its folder was last."""
    name = to_bytes(path)
    while name != b"/":
        try:
            info = os.lstat(name)
        except OSError:
            name = os.path.dirname(name)
            continue
        return info.st_ctime if name == to_bytes(path) else info.st_mtime
    return 0.0


def _iso(moment):
    # type: (float) -> str
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
