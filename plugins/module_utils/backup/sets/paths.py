# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Path names of a host: bytes on disk, text in JSON (surrogateescape keeps each byte), escapes for people."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Paths

#: Names that a record lists, and the bytes of JSON that they may take together.
NAMED_LIMIT = 20
NAMED_BYTES = 1500


def to_bytes(text):
    # type: (str) -> bytes
    """Return the bytes of a path as the system knows it, whatever the locale says."""
    return text.encode("utf-8", "surrogateescape")


def to_text(path):
    # type: (bytes) -> str
    """Return a path as text from which to_bytes gives the same bytes again."""
    return path.decode("utf-8", "surrogateescape")


def shown(path):
    # type: (bytes) -> str
    """Return a path for people: one line, what cannot be printed as escapes, long names cut."""
    text = path.decode("utf-8", "backslashreplace")
    text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)
    return text if len(text) <= 120 else "%s...%s" % (text[:60], text[-57:])


def order(path):
    # type: (bytes) -> bytes
    """Return the key by which paths sort as a walk meets them: a folder, all below it, then its next sibling."""
    return path.replace(b"/", b"\0")


def within(path, folder):
    # type: (bytes, bytes) -> bool
    """Tell whether a path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


def join(folder, name):
    # type: (bytes, bytes) -> bytes
    """Return the path of a name in a folder, the root folder included."""
    return folder + name if folder.endswith(b"/") else folder + b"/" + name


def remove_tree(folder):
    # type: (bytes) -> None
    """Remove a folder and all below it, also where its folders are not writable; missing is fine. Raises OSError."""
    if not os.path.isdir(folder):
        return
    os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                remove_tree(entry.path)
            else:
                os.unlink(entry.path)
    os.rmdir(folder)


class Named:
    """Paths of which all are counted and the first few named."""

    def __init__(self, paths=()):
        # type: (Iterable[bytes]) -> None
        self.count = 0
        self.first = []  # type: list[str]
        self._room = NAMED_BYTES
        for path in paths:
            self.add(path)

    def add(self, path):
        # type: (bytes) -> None
        """Count one more path."""
        self.count += 1
        if len(self.first) < NAMED_LIMIT and self._room > 0:
            name = shown(path)
            self._room -= len(ascii(name))
            self.first.append(name)

    def detail(self):
        # type: () -> Paths
        """Return what a record's detail holds: the count and the first names."""
        return {"count": self.count, "first": self.first}
