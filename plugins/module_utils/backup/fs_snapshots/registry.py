# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which volumes a set lies on, and what takes a snapshot of each; a new kind is a class like Lvm and a line here."""

import binascii
import os

from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.btrfs import Btrfs
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.lvm import OPTIONS, PERCENT, Lvm, is_volume
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import order, shown, to_bytes, within
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupSet

    Volume = Union[Btrfs, Lvm]
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

KINDS = {"btrfs": Btrfs, "lvm": Lvm}  # type: dict[str, type[Btrfs] | type[Lvm]]

ALLOWED = "btrfs, or %s directly on a logical volume of LVM" % ", ".join(sorted(kind.decode() for kind in OPTIONS))


def find(backup_set, source, engine, host):
    # type: (BackupSet, Source, Engine, Host) -> list[Volume]
    """Return the volumes that a set lies on, and exclude what is ours on them; writes nothing.

    Raises HalfError, one sentence, where one gives no snapshot or the set holds what a snapshot would hide.
    """
    if os.geteuid() != 0:
        raise HalfError(
            "A snapshot of the file system can be taken by root alone: run with become, or set snapshot: false.",
            "permission",
        )
    _refuse_own_folders(source, engine, host)
    percent = int(backup_set.get("snapshot_size") or PERCENT)
    found = {}  # type: dict[str, Volume]
    for root in source.roots:
        mount = mounts.holding(root)
        if mount is None:
            raise HalfError("The kernel does not tell what %s is mounted on: set snapshot: false." % shown(root))
        if mount.number not in found:
            found[mount.number] = _volume(root, mount, percent, host)
        found[mount.number].add(root, mount)
    live = read_live(source)
    for volume in found.values():
        volume.refuse(source, live)
    return [found[number] for number in sorted(found)]


def read_live(source):
    # type: (Source) -> list[bytes]
    """Return the mount points within a set that the walk enters, without those within another."""
    points = []  # type: list[bytes]
    for point in sorted(mounts.mounted(), key=order):
        inside = any(point != root and within(point, root) for root in source.roots)
        if inside and source.contains(point) and not any(within(point, other) for other in points):
            points.append(point)
    return points


def _refuse_own_folders(source, engine, host):
    # type: (Source, Engine, Host) -> None
    """Raise HalfError where a root holds what has to be written while the root is read."""
    for what, path in (
        ("The host's state folder", to_bytes(host.state_dir)),
        ("Repository " + engine.name, engine.path),
    ):
        real = os.path.realpath(path) if path else b""
        for root in source.roots:
            if real and within(real, root):
                raise HalfError(
                    "%s (%s) lies below %s, which cannot be written while it is read from a snapshot: name other "
                    "paths, or set snapshot: false." % (what, shown(path), shown(root)),
                    "refused",
                )


def _volume(root, mount, percent, host):
    # type: (bytes, mounts.Mount, int, Host) -> Volume
    """Return what takes a snapshot of the file system of a root; raises HalfError where nothing does."""
    identity = binascii.hexlify(os.urandom(8)).decode("ascii")
    volume = None  # type: Volume | None
    if mount.kind == b"btrfs":
        volume = Btrfs(mount, identity, host)
    elif mount.kind in OPTIONS and is_volume(mount):
        volume = Lvm(mount, identity, host, percent)
    if volume is None:
        raise HalfError(
            "No snapshot can be taken of %s: its file system is %s on %s, allowed are %s; else set snapshot: false."
            % (shown(root), shown(mount.kind), shown(mount.device), ALLOWED),
            "not_supported",
        )
    for tool, package in sorted(volume.TOOLS.items()):
        if not host.tool(tool):
            raise HalfError(
                "No snapshot can be taken of %s: %s is not installed; install %s, or set snapshot: false."
                % (shown(root), tool, package),
                "not_supported",
            )
    return volume
