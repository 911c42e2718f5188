# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run notes of the snapshots that it takes of file systems, so that a later one removes what a kill has left."""

import json
import os

from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import mount_namespace
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import KINDS
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import set_state
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import folder, hold
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import Volume
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

#: Seconds that a tool which outlives its run is waited for.
TOOL_SECONDS = 10.0

#: Where the journals lie in this room's folder, one for each set, and where snapshots are mounted.
FOLDER = "frozen"
_PLACES = "views"


def lock(name, host, seconds):
    # type: (str, Host, float) -> int
    """Return the open lock of a set's snapshots, -1 where another holds it for so long: a run, or a tool of one."""
    return hold(host, "snapshot,%s" % name, seconds)  # a comma is in no name of a set


def refusal(name, host):
    # type: (str, Host) -> HalfError
    """Return the error for a set whose snapshots another holds."""
    return set_state.refusal(host, "snapshot,%s" % name, "A snapshot of the set is still being read")


def note(name, volumes, host):
    # type: (str, list[Volume], Host) -> None
    """Remember, for good, what is going to be taken; raises HalfError."""
    path = _journal(name, host)
    try:
        host.files.folder(os.path.dirname(path))
        host.files.write(path, json.dumps([volume.note() for volume in volumes]).encode("ascii"))
    except OSError as error:
        raise HalfError("No snapshot was taken: its journal %s cannot be written: %s." % (path, error.strerror))


def forget(name, host):
    # type: (str, Host) -> None
    """Forget it: nothing is left."""
    host.files.remove(_journal(name, host))


def open_all(volumes, host):
    # type: (list[Volume], Host) -> None
    """Give each volume an empty folder, gone with the namespace that we are in; raises HalfError."""
    top = os.path.join(folder(host), _PLACES)
    try:
        host.files.folder(top)
        mount_namespace.mount(b"egov.ops", os.fsencode(top), b"tmpfs", b"size=1m,mode=0700")
        places = [os.fsencode(os.path.join(top, str(number))) for number in range(len(volumes))]
        for path in places:
            os.mkdir(path)
    except OSError as error:
        raise HalfError("No folder %s could be made to mount a snapshot at: %s." % (top, error.strerror))
    for number, volume in enumerate(volumes):
        volume.open(places[number])


def clear_all(mine, host):
    # type: (list[str], Host) -> list[str]
    """Remove what killed runs have left of any set; return a sentence for each that could not be removed.

    mine are the sets whose locks we hold: of those, only a tool can be at work that a killed run has started.
    """
    troubles = []
    for entry in sorted(os.listdir(os.path.join(folder(host), FOLDER))):
        name = entry[: -len(".json")]
        held = lock(name, host, TOOL_SECONDS if name in mine else 0.0) if entry.endswith(".json") else -1
        if held < 0:
            continue  # its run is at work
        try:
            clear(name, host, (held,))
        except HalfError as error:
            troubles.append("A snapshot that an earlier run has left of set %s stays: %s" % (name.split("@")[0], error))
        finally:
            os.close(held)
    return troubles


def tell(evidence, troubles):
    # type: (list[Observation], list[str]) -> None
    """Let the first record of a run tell of what could not be removed."""
    if evidence and troubles:
        detail = evidence[0]["detail"]  # type: Any  # Any: of a record that is just being made
        detail["snapshot_left"] = " ".join(troubles)
        if evidence[0]["status"] == "ok":
            evidence[0].update({"status": "warning", "reason": "error"})
            detail["message"] += " " + troubles[0]


def clear(name, host, keep):
    # type: (str, Host, tuple[int, ...]) -> None
    """Remove what a killed run of a set has left, whose lock is held; raises HalfError."""
    path = _journal(name, host)
    try:
        with open(path, "rb") as stream:
            entries = json.loads(stream.read().decode("ascii"))
        volumes = [KINDS[entry["kind"]].left(entry, host) for entry in entries]
    except FileNotFoundError:
        return
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise HalfError("The journal %s cannot be read (%s): see what it names, and remove it." % (path, error))
    space = mount_namespace.Namespace()
    try:
        with space.inside():
            open_all(volumes, host)
            for volume in volumes:
                volume.remove(keep)
    finally:
        space.close()
    forget(name, host)


def _journal(name, host):
    # type: (str, Host) -> str
    return os.path.join(folder(host), FOLDER, name + ".json")
