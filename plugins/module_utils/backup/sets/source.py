# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a backup set covers on this host: its paths, what is excluded, and what no walk may enter."""

import os
import re

from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import order, shown, to_bytes, to_text, within
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import folder
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupSet
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host


class Live:
    """How a set is read: from the disk as it is at that moment, each file at its own."""

    #: Open files that what reads the set holds too, and the time of the state that is read, None for now.
    keep = ()  # type: tuple[int, ...]
    started = None  # type: float | None

    def refuse_spoiled(self):
        # type: () -> None
        """Raise HalfError where what was read is not what the set held."""


class Source:
    """The paths of a set, checked."""

    def __init__(self, roots, excluded, names, skipped):
        # type: (list[bytes], set[bytes], list[str], dict[bytes, bytes]) -> None
        """Take the paths in walking order, the excluded paths and name patterns, and the mount points not entered."""
        self.roots = roots
        self.excluded = excluded
        self.names = names
        self.skipped = skipped
        self._name = re.compile("|".join("(?:%s)" % _expression(name) for name in names), re.DOTALL) if names else None

    def covers(self, path, name):
        # type: (bytes, bytes) -> bool
        """Tell whether a path below a root, with that last name, belongs to the set; never touches it."""
        if path in self.excluded or path in self.skipped:
            return False
        return not (self._name and self._name.fullmatch(to_text(name)))

    def contains(self, path):
        # type: (bytes) -> bool
        """Tell whether the set would back up this path: it lies in a root and nothing on the way is excluded."""
        for root in self.roots:
            if within(path, root):
                while path != root:
                    if not self.covers(path, os.path.basename(path)):
                        return False
                    path = os.path.dirname(path)
                return root not in self.excluded
        return False

    def warned(self):
        # type: () -> list[bytes]
        """Return the mount points that are not entered although somebody may expect their data in the backup."""
        return sorted(point for point, kind in self.skipped.items() if mounts.is_remote(kind))


def resolve(backup_set, mounted, host):
    # type: (BackupSet, dict[bytes, bytes], Host) -> Source
    """Return the Source of a set; raise HalfError for a path that is missing, hangs, or is not what it seems."""
    roots = [_root(text, mounted, host) for text in backup_set.get("paths") or []]
    if not roots:
        raise HalfError("The set has no paths: name at least one.")
    roots = [root for root in set(roots) if not any(other != root and within(root, other) for other in roots)]
    # This room's own folder changes while it is at work; the manifest is given to the engine by itself.
    excluded, names = {to_bytes(folder(host))}, []  # type: tuple[set[bytes], list[str]]
    for text in backup_set.get("exclude") or []:
        if text.startswith("/"):
            excluded.add(to_bytes(os.path.normpath(text)))
        elif text and "/" not in text:
            names.append(text)
        else:
            raise HalfError("Exclude %r is neither an absolute path nor a plain name: write it as one of them." % text)
    left = {
        point: kind
        for point, kind in mounts.left_out(roots, mounted).items()
        if not any(within(point, path) for path in excluded)
    }
    return Source(sorted(roots, key=order), excluded, names, left)


def refuse_repository(source, engine):
    # type: (Source, Engine) -> None
    """Raise HalfError for a repository on the host that its own set would back up."""
    if engine.path and source.contains(os.path.realpath(engine.path)):
        raise HalfError(
            "Repository %s lies inside the set itself and would back up its own growth: exclude %s."
            % (engine.name, shown(engine.path))
        )


def _root(text, mounted, host):
    # type: (str, dict[bytes, bytes], Host) -> bytes
    if not text.startswith("/"):
        raise HalfError("Path %r of the set is not absolute: write it from / on." % text)
    path = to_bytes(os.path.normpath("/" + text.lstrip("/")))
    if not mounts.answers(path, mounted, host):
        raise HalfError(
            "The file system of %s does not answer within %s s: mount it again or take the path out of the set."
            % (shown(path), mounts.ANSWER_SECONDS),
            "timeout",
        )
    try:
        os.lstat(path)
    except OSError as error:
        raise HalfError("Path %s of the set cannot be backed up: %s." % (shown(path), error.strerror))
    real = os.path.realpath(path)
    if real != path:
        raise HalfError("Path %s leads through a symbolic link: name its target %s." % (shown(path), shown(real)))
    return path


def _expression(pattern):
    # type: (str) -> str
    """Return the regular expression of a name pattern, in which only * and ? are special."""
    return "".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign) for sign in pattern)
