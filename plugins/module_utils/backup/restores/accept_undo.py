# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person decides about a restore: accept it, and what it replaced is removed; or undo it."""

import time

from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import refuse_clock
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.phases import phase
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.worker import Restorer
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation
from ansible_collections.egov.ops.plugins.module_utils.host.journal import newest
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Decide, Request, SettleArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation, Result

ACCEPT_CLAUSES = ("S6.3.3-1", "S6.3.3-3")
UNDO_CLAUSES = ("S6.3.3-3",)


def accept(arguments, host):
    # type: (SettleArguments, Host) -> Result
    """Remove what a finished restore replaced, and note that `person` has accepted it; raises HalfError."""
    return _settle(arguments, host, _accept, "restore_acceptance", ACCEPT_CLAUSES)


def undo(arguments, host):
    # type: (SettleArguments, Host) -> Result
    """Put back what a restore replaced, or end one that still runs; `person` wanted it. Raises HalfError."""
    return _settle(arguments, host, _undo, "restore_undo", UNDO_CLAUSES)


def _settle(arguments, host, decide, kind, clauses):
    # type: (SettleArguments, Host, Decide, str, tuple[str, ...]) -> Result
    """Let one decision work on the operation and return its observation."""
    refuse_clock(host)
    operation = Operation(arguments["operation_id"], host)
    started = time.monotonic()
    events = operation.events()
    if not newest(events, "begin"):
        raise HalfError("This host knows no restore %s: see its id in the ledger." % operation.id[:8], "refused")
    message = decide(arguments, operation, host)
    duration = time.monotonic() - started
    status = "skipped" if host.check_mode else "ok"
    found = observation(
        kind,
        _request(operation)["set"],
        status,
        "",
        clauses,
        duration,
        message=message,
        operation=operation.id,
        person=arguments["person"],
    )  # type: Observation
    return {"changed": True, "msg": message, "evidence": [found]}


def _restorer(operation, host):
    # type: (Operation, Host) -> Restorer
    return Restorer({"operation": _request(operation)}, operation, host)


def _request(operation):
    # type: (Operation) -> Request
    """Return what the restore was asked to do, as its journal has it."""
    return dict(newest(operation.events(), "begin")["request"])  # type: ignore[return-value]  # what the job noted


def _accept(arguments, operation, host):
    # type: (SettleArguments, Operation, Host) -> str
    if operation.running():
        raise HalfError("Restore %s still runs: accept it when it has ended." % operation.id[:8], "busy")
    state = phase(operation.events())
    if state not in ("done", "accept"):
        raise HalfError(
            "Restore %s cannot be accepted: it is %s." % (operation.id[:8], state or "not begun"), "refused"
        )
    if host.check_mode:
        return "Would accept restore %s and remove what it replaced." % operation.id[:8]
    operation.take()
    try:
        if state == "done":
            operation.note("accept", person=arguments["person"])
        _restorer(operation, host).clear()
        operation.note("removed")
    finally:
        operation.release()
    # nobody has signed it: the name is that of the user of the command, and not of a person in the plan
    done = "System user %s accepted restore %s on the controller; what it replaced is removed."
    return done % (arguments["person"], operation.id[:8])


def _undo(arguments, operation, host):
    # type: (SettleArguments, Operation, Host) -> str
    state = phase(operation.events())
    if state in ("accept", "removed"):
        raise HalfError(
            "Restore %s was accepted, and what it replaced is gone: restore an older snapshot instead."
            % operation.id[:8],
            "refused",
        )
    if state == "undone" or (state == "failed" and not operation.running()):
        raise HalfError("Restore %s has left nothing to undo: it is %s." % (operation.id[:8], state), "refused")
    if host.check_mode:
        return "Would put back what restore %s replaced." % operation.id[:8]
    operation.kill()
    operation.take()
    try:
        restorer = _restorer(operation, host)
        if phase(operation.events()) in ("ready", "done"):
            restorer.undo(arguments["person"], "A person wanted it.")
        elif phase(operation.events()) == "undo":
            restorer.go_on()
        else:
            restorer.clear()
            operation.note("undone", person=arguments["person"])
    except OSError as error:
        raise HalfError(
            "What restore %s replaced could not be put back: %s %s. Mend that and undo it again."
            % (operation.id[:8], error.strerror, error.filename or "")
        )
    finally:
        operation.release()
    return "Restore %s is undone: what it replaced is in its place again." % operation.id[:8]
