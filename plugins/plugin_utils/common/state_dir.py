# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state folder of the controller: where it is, what lies in it, and whether it can be trusted to hold evidence."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.egov.ops.plugins.module_utils.host.blocks import MOUNTINFO, Mount, mounts
from ansible_collections.egov.ops.plugins.plugin_utils.common.durable import hold, open_private
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_trust import (
    StateDirError,
    group_id,
    make_folder,
    refuse_untrusted,
)

#: File systems on which SQLite's locks or flock do not hold between machines.
NETWORK_FILE_SYSTEMS = {
    *("afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3"),
    *("fuse.ceph", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
}


class StateDir:
    """The layout of a state folder; nothing is touched until `prepare`."""

    def __init__(self, path: Path, group: str = "") -> None:
        """Take the folder, and the group that may write it; see `resolve` for the one that a plan names."""
        self.path = path
        self.group = group
        self.ledger = path / "ledger.sqlite3"
        self.spool = path / "spool"
        self.rejected = path / "rejected"
        self.untold = path / "untold"
        self.reports = path / "reports"
        self.rollups = path / "rollups"
        self.exports = path / "exports"
        self.requests = path / "requests"
        self.crashes = path / "crashes"
        self.machines = path / "machines"
        self.passwords = path / "passwords"
        self.locks = path / "locks"
        self.witness = path / "witness.jsonl"

    @classmethod
    def resolve(
        cls,
        configured: str,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
        group: str = "",
    ) -> StateDir:
        """Return the state folder for a value of `egov_ops_state_dir`.

        Where that is empty it is what EGOV_OPS_STATE_DIR in the environment names, else the user's own.
        Whoever prepares it gives the value of `egov_ops_state_group` as well.

        Never depends on the working directory: a relative path raises StateDirError.
        """
        environment = os.environ if environment is None else environment
        named = configured or environment.get("EGOV_OPS_STATE_DIR", "")
        if named:
            path = Path(named).expanduser()
        elif (os.geteuid() if user is None else user) == 0:
            path = Path("/var/lib/egov-ops/controller")
        else:
            home = environment.get("HOME") or "/nonexistent"
            path = Path(environment.get("XDG_STATE_HOME") or Path(home, ".local", "state")) / "egov-ops" / "controller"
        if not path.is_absolute():
            name = "egov_ops_state_dir" if configured or not named else "EGOV_OPS_STATE_DIR"
            raise StateDirError(f"The state folder {path} is relative; set {name} to an absolute path.")
        return cls(path, group)

    def prepare(self, mountinfo: Path = Path(MOUNTINFO)) -> None:
        """Make the folders that are missing, and check that they are ours, writable, and on a local disk.

        Raises StateDirError, which names what somebody else could have written.
        """
        group = group_id(self.group)
        self._refuse_untrusted(group)
        try:
            for folder in (self.path, self.spool, self.reports, self.exports, self.requests, self.locks):
                make_folder(folder, group)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(0, "no permission to write", str(folder))
        except OSError as error:
            raise StateDirError(
                f"The state folder {error.filename or self.path} cannot be written ({error.strerror}); mend its "
                "permissions or set egov_ops_state_dir to a folder that this user may write."
            ) from None
        kind = file_system(self.path, mountinfo.read_text(encoding="utf-8", errors="surrogateescape"))
        if kind in NETWORK_FILE_SYSTEMS:
            raise StateDirError(
                f"The state folder {self.path} lies on a network file system ({kind}), where the ledger's locks do not "
                "hold; set egov_ops_state_dir to a folder on a local disk."
            )

    @contextmanager
    def lock(self, name: str, seconds: float = 60.0) -> Iterator[None]:
        """Hold a lock by name among all runs of this state folder; the kernel frees it when its holder dies.

        Raises StateDirError if another process keeps it for longer than some seconds.
        """
        path = self.locks / name
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise StateDirError(f"The lock {path} cannot be opened ({error.strerror}); mend its permissions.") from None
        try:
            if not hold(descriptor, seconds):
                raise StateDirError(
                    f"The lock {path} is held by another process since {seconds:.0f} s; "
                    f"see with `fuser {path}` which one, and run again when it is done."
                )
            yield
        finally:
            os.close(descriptor)

    def _refuse_untrusted(self, group: int | None) -> None:
        # What lies in the spool's folder and is none of ours is set aside by a drain, and `rejected` holds it.
        closed = (self.spool, self.rejected)
        searched = (self.reports, self.rollups, self.exports, self.requests, self.crashes, self.locks, self.untold)
        memory = (self.machines, self.machines / "names", self.machines / "marks")
        beside = [self.ledger.with_name(self.ledger.name + ending) for ending in ("-journal", "-wal", "-shm")]
        files = (*closed, self.ledger, *beside, self.witness)
        refuse_untrusted(self.path, (*searched, *memory, self.passwords), files, group)


def file_system(path: Path, mountinfo: str) -> str:
    """Return the type of the file system under a path, given the text of /proc/self/mountinfo; "" if none is found."""
    mount = mount_of(path, mountinfo)
    return mount.type if mount else ""


def mount_of(path: Path, mountinfo: str) -> Mount | None:
    """Return the mount under a path, given the text of /proc/self/mountinfo; None if none is found."""
    real = f"{path.resolve()}/"
    best: Mount | None = None
    for mount in mounts(mountinfo):
        # Of several mounts on one point the last is the one that is seen.
        is_above = real.startswith(f"{mount.point.rstrip('/')}/")
        if is_above and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best
