# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host remembers of its sets between two runs, and the lock that keeps two runs apart."""

import os

from ansible_collections.egov.ops.plugins.module_utils.backup.sets import lock_holder
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.lock import lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import SetState
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

WAIT_SECONDS = 60
NAME_LIMIT = 100


def folder(host):
    # type: (Host) -> str
    """Return the folder of this room in the host's state folder."""
    return os.path.join(host.state_dir, "backup")


class Memory:
    """The files of one set of one inventory host: two inventory names of one machine keep theirs apart."""

    def __init__(self, set_name, host_name, host):
        # type: (str, str, Host) -> None
        """Raise HalfError for a name that cannot be a file name and a tag."""
        for name in (set_name, host_name):
            if not name or len(name) > NAME_LIMIT or any(sign in "/," or not sign.isprintable() for sign in name):
                raise HalfError(
                    "Name %r cannot be used for a backup: it must be printable, without slash and comma, and have 1 "
                    "to %s characters." % (name, NAME_LIMIT)
                )
        self.set = set_name
        self._host = host
        self._folder = folder(host)
        self.name = "%s@%s" % (set_name, host_name)
        self.manifest = os.path.join(self._folder, "manifests", self.name + ".jsonl")
        self.proof = os.path.join(self._folder, "proof", self.name)
        self._lock = -1

    def prepare(self):
        # type: () -> None
        """Make the folders; raise HalfError where that cannot be done."""
        try:
            for name in ("", "manifests", "locks", "proof", "cache", "tmp"):
                self._host.files.folder(os.path.join(self._folder, name).rstrip("/"))
        except OSError as error:
            raise HalfError(
                "The state folder %s cannot be written: %s. Set egov_ops_host_state_dir to one that can."
                % (self._folder, error.strerror),
                "permission",
            )

    def load(self):
        # type: () -> SetState
        """Return what save was given last; nothing where that is lost or damaged."""
        import json

        try:
            with open(self._state, "rb") as stream:
                state = json.loads(stream.read().decode("ascii"))
        except (OSError, ValueError, RecursionError):
            return {}
        return state if _is_whole(state) else {}

    def save(self, state):
        # type: (SetState) -> None
        """Remember facts of the last backup; raises OSError."""
        import json

        self._host.files.write(self._state, json.dumps(state, sort_keys=True).encode("ascii"))

    def lock(self, seconds):
        # type: (float) -> bool
        """Keep other runs off this set until unlock or the end of the process; False if one holds it for so long."""
        self.prepare()
        self._lock = hold(self._host, self.name, seconds)
        return self._lock >= 0

    def refusal(self):
        # type: () -> HalfError
        """Return the error for work on this set while another holds it."""
        return refusal(self._host, self.name, "Set %s is not worked on" % self.set)

    def unlock(self):
        # type: () -> None
        """Let others work on this set."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def _state(self):
        # type: () -> str
        return os.path.join(self._folder, "manifests", self.name + ".state.json")


def _is_whole(state):
    # type: (object) -> bool
    """Tell whether a value is what a backup saves; of one part that is damaged no other is believed either."""
    if not isinstance(state, dict):
        return False
    texts = [state.get(name, "") for name in ("location", "snapshot", "status", "reason", "message")]
    finding = state.get("finding", {})
    if not isinstance(finding, dict):
        return False
    lists = [state.get("spoiled", []), state.get("moved", []), finding.get("members", [])]
    if not all(isinstance(value, list) for value in lists):
        return False
    numbers = [state.get(name, 0) for name in ("started", "files", "bytes")] + [finding.get("more_members", 0)]
    return (
        all(isinstance(value, str) for value in texts + lists[0] + lists[1] + lists[2])
        and all(type(value) in (int, float) and 0 <= value < 2**63 for value in numbers)
        and ("moved" in state or not state.get("snapshot"))
    )


def hold(host, name, seconds):
    # type: (Host, str, float) -> int
    """Take a lock of this host by name and return its open file, -1 if another holds it for so long.

    Closing the file, or the end of the process, frees it.
    """
    descriptor = os.open(os.path.join(folder(host), "locks", name), os.O_RDWR | os.O_CREAT, 0o600)
    if not lock(descriptor, min(seconds, host.remaining())):
        os.close(descriptor)
        return -1
    lock_holder.sign(descriptor, host.run_id)
    return descriptor


def refusal(host, name, work):
    # type: (Host, str, str) -> HalfError
    """Return the error for work that waits for a lock of `hold` (see lock_holder.refusal)."""
    return lock_holder.refusal(os.path.join(folder(host), "locks", name), work)
