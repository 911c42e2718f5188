# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of a restore: stage, compare, switch, or put back what was there; each step is in the journal first."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import own_identity
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.phases import (
    BACK,
    FORWARD,
    STAGE,
    duty,
    stopped,
    swaps,
    unfinished,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.target import Target, resolve
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import (
    join,
    remove_tree,
    shown,
    to_bytes,
    to_text,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.selection import (
    Selection,
    described,
    moved_of,
    owner,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS, Memory
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.tree_comparison import NAMED_DIFFERENCES, Comparison
from ansible_collections.egov.ops.plugins.module_utils.host.atomic_swap import Swap, inode
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation, kill_users, seconds_since
from ansible_collections.egov.ops.plugins.module_utils.host.journal import current_attempt, newest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, RestoreArguments, Told
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

CLAUSES = ("S6.3.2-1", "S6.3.2-2", "S6.3.2-3", "S6.3.2-4", "S6.3.3-3")


class Restorer:
    """The restore of one operation, in the process that holds its lock."""

    def __init__(self, arguments, operation, host):
        # type: (RestoreArguments, Operation, Host) -> None
        self._arguments = arguments
        self._request = arguments["operation"]
        self._operation = operation
        self._host = host
        self._down = 0.0

    @staticmethod
    def forbidden(engine, host):
        # type: (Engine, Host) -> list[bytes]
        """Return the paths that no restore may replace."""
        paths = [to_bytes(os.path.realpath(host.state_dir))]
        return paths + [os.path.realpath(engine.path)] if engine.path else paths

    def go_on(self):
        # type: () -> None
        """Do what the journal says is left; raises HalfError and OSError, after which `give_up` is to be called."""
        what = duty(self._operation.events())
        if what == STAGE:
            self._stage()
            what = FORWARD
        if what == FORWARD:
            self._forward()
        elif what == BACK:
            self._back()

    def give_up(self, message, reason):
        # type: (str, str) -> None
        """End a restore that cannot go on: nothing is left of it, or what was there is put back."""
        what = duty(self._operation.events())
        if what == STAGE:
            self.clear()
            self._end("failed", message, reason)
            return
        try:
            if what == FORWARD:
                self.undo("", message, reason)
                return
        except (HalfError, OSError) as error:
            message += " And what was there could not be put back: %s" % error
        self._end("stuck", message + " When that is mended, run the same command again: it goes on from here.", reason)

    def undo(self, person, why, reason=""):
        # type: (str, str, str) -> None
        """Put back what was there before the switch, and note who wanted it ("" for the restore itself) and why.

        Only for a restore that is ready or done. Raises HalfError and OSError; the next process goes on.
        """
        ready = newest(self._operation.events(), "ready")
        self._stop()
        begun = [swap for swap in swaps(ready) if swap.begun]
        for swap in begun:
            swap.complete(self._host.files)
        entries = [
            {"kept": to_text(swap.kept), "place": to_text(swap.place), "inode": inode(swap.kept)} for swap in begun
        ]
        self._operation.note("undo", person=person, why=why, reason=reason, swaps=entries)
        self._back()

    def clear(self):
        # type: () -> None
        """Remove what was made ready or kept aside by this operation; raises OSError."""
        staging = newest(current_attempt(self._operation.events()), "staging")
        for holding in staging["holdings"] if staging else ():
            kill_users(to_text(join(to_bytes(holding), b"tree")))
            remove_tree(to_bytes(holding))

    def _stage(self):
        # type: () -> None
        self._refuse_others()
        self.clear()
        engine = open_engine(self._request["repository"], self._arguments["repositories"], self._host)
        engine.check_location(mounts.mounted())
        memory = Memory(self._request["set"], owner(self._request), self._host)
        if not memory.lock(WAIT_SECONDS):
            raise memory.refusal()
        snapshot, selection = described(engine, self._request)
        target = resolve(self._request, self._operation.id, selection, self.forbidden(engine, self._host), self._host)
        self._operation.note("staging", holdings=[to_text(group.holding) for group in target.groups])
        started = time.monotonic()
        complaints = []
        for group in target.groups:
            self._host.files.folder(to_text(group.holding))
            self._host.files.folder(to_text(group.tree))
            complaints.append(engine.restore(self._request["snapshot"], group.tops, to_text(group.tree)))
        seconds = round(time.monotonic() - started, 3)
        self._operation.note("restored", seconds=seconds)
        moved = moved_of(snapshot, memory, self._arguments.get("moved") or {})
        told = [text for text in complaints if text]
        not_compared = self._compare(engine.ENGINE, target, selection, moved, told)
        own_id = own_identity.keep(target.swaps) if self._request["mode"] == "in_place" else []
        os.sync()  # what a rename puts in place must be on the disk before the rename is
        self._operation.note(
            "ready",
            swaps=[
                {"source": to_text(source), "place": to_text(place), "kept": to_text(kept), "inode": inode(source)}
                for source, place, kept in target.swaps
            ],
            restore_seconds=seconds,
            not_compared=not_compared,
            own_id=[to_text(path) for path in own_id],
        )

    def _refuse_others(self):
        # type: () -> None
        for other in self._operation.others():
            if unfinished(other.events()):
                raise HalfError(
                    "Restore %s of this host was not finished: run it again with its request, or undo it."
                    % other.id[:8],
                    "busy",
                )

    def _compare(self, engine, target, selection, moved, complaints):
        # type: (str, Target, Selection, set[str], list[str]) -> dict[str, int]
        """Compare all that was staged with the manifest and return what could not be compared; raises HalfError."""
        compared = Comparison(selection.entries, moved, self._host)
        for group in target.groups:
            compared.of(group.tree, group.tops)
        compared.end()
        differences = compared.differences
        if differences or complaints:
            raise HalfError(
                "What %s brought back is not what was backed up, so nothing was switched: %s paths differ (%s)%s; "
                "restore from another snapshot."
                % (
                    engine,
                    len(differences),
                    "; ".join(differences[:NAMED_DIFFERENCES]) or "none",
                    "; %s: %s" % (engine, "; ".join(complaints).rstrip(".")) if complaints else "",
                ),
                "mismatch",
            )
        return compared.skipped

    def _forward(self):
        # type: () -> None
        """Put the new data in its place, with the units stopped meanwhile, and end the restore."""
        ready = newest(self._operation.events(), "ready")
        self._stop()
        for swap in swaps(ready):
            swap.complete(self._host.files)
        self._start()
        request, events = self._request, current_attempt(self._operation.events())
        seconds = max(0.001, seconds_since(events[0]))
        failures = [event["message"] for event in self._operation.events() if event["event"] == "failed"]
        message = "Restored %s files (%s bytes) of snapshot %s %s in %.0f s; %s" % (
            request["files"],
            request["bytes"],
            request["snapshot"][:8],
            "to " + shown(to_bytes(request["destination"])) if request["mode"] == "beside" else "into their place",
            seconds,
            "look at it, then accept or undo it."
            if request["mode"] == "beside"
            else "what was there is kept until the restore is accepted or undone.",
        )
        if ready.get("own_id"):  # of an earlier release it has none
            message += " The machine keeps its own id in %s." % ", ".join(ready["own_id"])
        detail = dict(
            self._circumstances(),
            message=message,
            seconds=round(seconds, 3),
            bytes_per_second=int(request["bytes"] / seconds),
            restore_seconds=ready["restore_seconds"],
            down_seconds=round(self._down, 3),
            not_compared=ready["not_compared"],
            kept=[shown(swap.kept) for swap in swaps(ready) if os.path.lexists(swap.kept)][:NAMED_DIFFERENCES],
            failures=failures[-3:],
            attempts=sum(event["event"] == "begin" for event in self._operation.events()),
        )
        self._operation.note(
            "done", observation=observation("restore", request["set"], "ok", "", CLAUSES, seconds, **detail)
        )

    def _back(self):
        # type: () -> None
        """Put back what an `undo` event names, start the units again, and end the restore."""
        undo = newest(self._operation.events(), "undo")
        files = self._host.files
        for number, entry in enumerate(undo["swaps"]):
            place, kept = to_bytes(entry["place"]), to_bytes(entry["kept"])
            undone = join(os.path.dirname(kept), b"undone.%d" % number)
            if entry["inode"]:
                Swap(kept, place, undone, entry["inode"]).complete(files)
            elif os.path.lexists(place) and not os.path.lexists(undone):
                files.move(place, undone)
        self._start()
        self.clear()
        if undo["person"]:
            self._operation.note("undone", person=undo["person"])
        else:
            self._end("failed", undo["why"] + " What was there is in its place again.", undo["reason"])

    def _stop(self):
        # type: () -> None
        """Stop the units that are active, once; they are in the journal first, to be started whatever happens."""
        self._down = time.monotonic()
        units = stopped(self._operation.events())
        if units is None:
            units = [unit for unit in self._request["stop"] if self._systemctl("is-active", unit, (0, 3, 4)) == 0]
            self._operation.note("stop", units=units)
        for unit in units:
            self._systemctl("stop", unit)

    def _start(self):
        # type: () -> None
        for unit in stopped(self._operation.events()) or ():
            self._systemctl("start", unit)
        self._operation.note("start")
        self._down = time.monotonic() - self._down

    def _systemctl(self, verb, unit, accepted=(0,)):
        # type: (str, str, tuple[int, ...]) -> int
        done = self._host.run(["systemctl", "--quiet", verb, "--", unit], writes=True)
        if done.rc not in accepted:
            raise HalfError("systemctl could not %s %s: %s." % (verb, unit, done.error.rstrip(".")))
        return int(done.rc)

    def _circumstances(self):
        # type: () -> Facts
        """Return what each record of this restore tells of it."""
        request, arguments = self._request, self._arguments
        kept = ("snapshot", "snapshot_time", "repository", "mode", "destination", "files", "bytes", "stop")  # type: tuple[Told, ...]
        detail = {name: request[name] for name in kept}  # type: Facts
        if request.get("of"):
            detail["of"] = request["of"]
        detail.update(
            operation=self._operation.id,
            paths=[shown(to_bytes(path)) for path in request["paths"][:NAMED_DIFFERENCES]],
            requester=arguments["requester"],
            approvers=arguments["approvers"],
            gates=arguments["gates"],
        )
        return detail

    def _end(self, event, message, reason):
        # type: (str, str, str) -> None
        """Note that this process is at its end: `failed` with nothing left of it, `stuck` with something to do."""
        found = observation(
            "restore", self._request["set"], "failed", reason, CLAUSES, message=message, **self._circumstances()
        )  # type: Observation
        self._operation.note(event, message=message, observation=found)
