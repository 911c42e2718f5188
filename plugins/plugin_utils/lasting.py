# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what is written into a folder of the controller outlasts this machine's or container's life."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.egov.ops.plugins.module_utils.host.blocks import MOUNTINFO
from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import mount_of

#: File systems in memory, and those that lay a container's changes over its image.
_KINDS = ("tmpfs", "ramfs", "devtmpfs", "overlay", "aufs", "fuse.fuse-overlayfs", "fuse.unionfs")
#: What a bind mount's folder holds that an engine of containers removes with its container or pod.
_FOLDERS = ("/kubernetes.io~empty-dir/", "/containers/storage/vfs/", "/containers/storage/btrfs/", "/docker/btrfs/")

ACCEPT = "egov_ops_ephemeral: accept"


def transient(path: Path, mountinfo: str) -> str:
    """Return why what lies at a path does not last, as the end of a sentence, "" where it does.

    mountinfo is the text of /proc/self/mountinfo.
    """
    mount = mount_of(path, mountinfo)
    if mount and (mount.type in _KINDS or any(part in f"{mount.root}/" for part in _FOLDERS)):
        return f"{mount.type} (mounted on {mount.point}), which does not outlast this machine or container"
    return ""


def transient_here(path: Path) -> str:
    """Return the same of a path on this machine."""
    return transient(path, Path(MOUNTINFO).read_text(encoding="utf-8", errors="surrogateescape"))


def words_of_state(path: Path, choice: str) -> str:
    """Return what the first lines of a run say of a state folder that does not last, "" for one that does."""
    why = transient_here(path)
    if not why:
        return ""
    if choice == "accept":
        return f"It lies on {why}: ledger, reports and new passwords end with it, as {ACCEPT} allows."
    return f"It lies on {why}: ledger and reports end with it, and no password of a repository is created in it."


def refuse_only_copy(name: str, path: Path, choice: str) -> None:
    """Refuse to create a repository's password in a file that does not last; raises OpsError with the ways out."""
    why = "" if choice == "accept" else transient_here(path)
    if why:
        raise OpsError(
            f"No password is created for repository {name}: its only copy, {path}, would lie on {why}. In "
            "egov_ops_backup_repositories give it as password, from ansible-vault or as "
            "\"{{ lookup('env', 'NAME') }}\", or by password_command; or put its password_file onto a volume; or set "
            f"{ACCEPT} to lose it, and the backups with it."
        )
