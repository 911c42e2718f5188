# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a restore writes: what is refused there, and the folder beside it in which the data is made ready."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import join, shown, to_bytes, to_text, within
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.selection import Selection
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry, Request
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Space that must be left when the data is written: what file systems themselves need, and the others on the host.
_SPARE_BYTES = 64 * 1024 * 1024


class Group:
    """The top paths that lie on one mount, and the folder beside them in which they are made ready."""

    def __init__(self, holding, tops):
        # type: (bytes, list[bytes]) -> None
        self.holding = holding
        self.tops = tops

    @property
    def tree(self):
        # type: () -> bytes
        """Below it the data lies as in the snapshot, until it is put in place."""
        return join(self.holding, b"tree")

    def staged(self, path):
        # type: (bytes) -> bytes
        """Return where a path of the snapshot lies while it is made ready."""
        return self.tree + path


class Target:
    """The places of a restore, checked: `groups`, and `swaps` as (what is made ready, its place, where old is kept)."""

    def __init__(self, groups, swaps):
        # type: (list[Group], list[tuple[bytes, bytes, bytes]]) -> None
        self.groups = groups
        self.swaps = swaps


def resolve(operation, identity, selection, forbidden, host):
    # type: (Request, str, Selection, list[bytes], Host) -> Target
    """Return the Target of a restore; raise HalfError, one sentence, for a place that cannot take it.

    forbidden are paths that no restore may replace: the host's state folder and the repository. Nothing is written.
    """
    _refuse_owners(selection)
    mounted = mounts.mounted()
    name = b".egov-ops-" + identity[:16].encode("ascii")
    if operation["mode"] == "beside":
        place = _absolute(operation["destination"])
        _refuse_parent(place, mounted, host)
        if os.path.lexists(place):
            raise HalfError("Destination %s is there already: name one that is not." % shown(place), "refused")
        group = Group(join(os.path.dirname(place), name), selection.tops)
        target = Target([group], [(group.tree, place, join(group.holding, b"old"))])
        _refuse_space(group, selection)
        return target
    tops = {to_text(top) for top in selection.tops}
    types = {to_bytes(entry["path"]): entry["type"] for entry in selection.entries if entry["path"] in tops}
    groups = {}  # type: dict[bytes, Group]
    swaps = []
    for number, top in enumerate(selection.tops):
        _refuse_parent(top, mounted, host)
        _refuse_place(top, types[top], mounted, forbidden)
        mount = max((point for point in mounted if within(top, point)), key=len, default=b"/")
        group = groups.setdefault(mount, Group(join(os.path.dirname(top), name), []))
        group.tops.append(top)
        swaps.append((group.staged(top), top, join(group.holding, b"old.%d" % number)))
    for group in groups.values():
        _refuse_space(group, selection)
    return Target(list(groups.values()), swaps)


def _absolute(text):
    # type: (str) -> bytes
    path = to_bytes(text)
    if not text.startswith("/") or os.path.normpath(path) != path or path == b"/":
        raise HalfError("Destination %r is no plain absolute path: write it from / on." % text, "refused")
    return path


def _refuse_owners(selection):
    # type: (Selection) -> None
    user = os.geteuid()
    if user == 0:
        return
    groups = set(os.getgroups()) | {os.getegid()}
    for entry in selection.entries:
        if entry["uid"] != user or entry["gid"] not in groups:
            raise HalfError(
                "%s belongs to %s:%s, which only root can restore: run the restore with become."
                % (shown(to_bytes(entry["path"])), entry["owner"] or entry["uid"], entry["group"] or entry["gid"]),
                "permission",
            )


def _refuse_parent(path, mounted, host):
    # type: (bytes, dict[bytes, bytes], Host) -> None
    """Refuse a place whose folder is missing, does not answer, leads through a link, or may not be written."""
    folder = os.path.dirname(path)
    if not mounts.answers(folder, mounted, host):
        raise HalfError(
            "The file system of %s does not answer within %s s: mount it again."
            % (shown(folder), mounts.ANSWER_SECONDS),
            "timeout",
        )
    if not os.path.isdir(folder):
        raise HalfError("Folder %s is not there: make it, then restore into it." % shown(folder), "refused")
    real = os.path.realpath(folder)
    if real != folder:
        raise HalfError(
            "%s leads through a symbolic link: name its target %s." % (shown(folder), shown(real)), "refused"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HalfError(
            "Folder %s may not be written by this user: run the restore with become." % shown(folder), "permission"
        )


def _refuse_place(path, kind, mounted, forbidden):
    # type: (bytes, str, dict[bytes, bytes], list[bytes]) -> None
    for point in sorted(mounted):
        if within(point, path):
            raise HalfError(
                "%s is a mount point%s and cannot be exchanged: restore the paths below it, or beside it."
                % (shown(point), "" if point == path else " inside %s" % shown(path)),
                "refused",
            )
    for own in forbidden:
        if within(own, path):
            raise HalfError(
                "%s holds %s, which the restore itself needs: restore the paths below it, or beside it."
                % (shown(path), shown(own)),
                "refused",
            )
    if os.path.islink(path) and kind != "link":
        raise HalfError(
            "%s is a symbolic link now and was none in the snapshot: move it away, or restore beside it." % shown(path),
            "refused",
        )


def _refuse_space(group, selection):
    # type: (Group, Selection) -> None
    folder = os.path.dirname(group.holding)
    if os.path.lexists(group.holding):
        raise HalfError("%s is in the way of the restore: move it away." % shown(group.holding), "refused")
    inside = selection.entries
    if group.tops != selection.tops:  # several mounts: each takes its part
        inside = [entry for entry in inside if any(within(to_bytes(entry["path"]), top) for top in group.tops)]
    refuse_space(folder, inside)


def refuse_space(folder, entries):
    # type: (bytes, list[Entry]) -> None
    """Raise HalfError where the file system of a folder cannot take some entries of a manifest."""
    space = os.statvfs(folder)
    needed = sum(entry["size"] for entry in entries if entry["type"] != "dir") + _SPARE_BYTES
    free = space.f_bavail * space.f_frsize
    if free < needed:
        raise HalfError(
            "The file system of %s has %s bytes free and the restore needs %s: make room, or restore elsewhere."
            % (shown(folder), free, needed),
            "refused",
        )
    if space.f_files and space.f_favail < len(entries):
        raise HalfError(
            "The file system of %s has %s inodes free and the restore needs %s: make room, or restore elsewhere."
            % (shown(folder), space.f_favail, len(entries)),
            "refused",
        )


def written(holdings, limit):
    # type: (list[str], float) -> int
    """Return the bytes that lie in some folders, as far as they can be counted in so many seconds."""
    import time

    until = time.monotonic() + limit
    total = 0
    pending = [to_bytes(holding) for holding in holdings]
    while pending and time.monotonic() < until:
        folders, size = _inside(pending.pop())
        pending += folders
        total += size
    return total


def _inside(folder):
    # type: (bytes) -> tuple[list[bytes], int]
    """Return the folders in a folder and the bytes of its files; what goes away meanwhile is not counted."""
    folders, size = [], 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    size += entry.stat(follow_symlinks=False).st_size
    except OSError:
        pass
    return folders, size
