# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restore paths of one snapshot, beside their source or in their place, in a job that outlives the controller.

The trip that starts the job and those that ask for it are calls of `restore`; the job is `work`.
"""

import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.phases import NOTHING, duty, phase, words
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.target import resolve, written
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.worker import CLAUSES, Restorer
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import mounts
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.selection import described
from ansible_collections.egov.ops.plugins.module_utils.host import moments
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.job import Operation, myself, seconds_since
from ansible_collections.egov.ops.plugins.module_utils.host.journal import current_attempt, newest
from ansible_collections.egov.ops.plugins.module_utils.host.progress import WAIT_SECONDS, told
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Request, RestoreArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Event, Observation, Result

#: Seconds by which the host's clock may differ from the controller's where something is changed.
CLOCK_LIMIT = 300

#: Seconds that a trip spends on counting what has been written.
_COUNT_SECONDS = 1.0


def restore(arguments, host):
    # type: (RestoreArguments, Host) -> Result
    """Start the restore that `operation` describes, or ask for the one that runs, and return how far it is.

    A result with `running` wants the same call again, with `attach`. Raises HalfError for what is refused.
    """
    refuse_clock(host)
    operation = Operation(arguments["operation_id"], host)
    if host.check_mode:
        return _forecast(arguments, host)
    if arguments.get("recorded"):
        return _acknowledged(operation)
    events = operation.events()
    process = None
    if not arguments.get("attach") and not operation.running():
        if duty(events) == NOTHING:
            return _told_before(operation, events)
        started = {name: value for name, value in arguments.items() if name not in ("attach", "recorded")}
        process = operation.start(("backup.restores.job", "work"), started, float(arguments["job_timeout"]))
    known = len(events) if process else 0
    end = operation.wait(lambda found: _end(found[known:]), WAIT_SECONDS, process)
    return _result(operation, end) if end else _progress(operation, arguments["operation"])


def work(arguments, host):
    # type: (RestoreArguments, Host) -> Result
    """Be the job: do what the journal says is left of the restore, and end it with an event."""
    operation = Operation(arguments["operation_id"], host)
    operation.take()
    if duty(operation.events()) == NOTHING:  # a job that was started beside this one has done it
        return {"changed": False, "msg": phase(operation.events())}
    operation.note("begin", run=host.run_id, request=arguments["operation"], **myself())
    restorer = Restorer(arguments, operation, host)
    try:
        restorer.go_on()
    except HalfError as error:
        restorer.give_up(str(error), error.reason)
    except OSError as error:
        restorer.give_up("The restore could not go on: %s %s." % (error.strerror, error.filename or ""), "error")
    return {"changed": True, "msg": phase(operation.events())}


def refuse_clock(host):
    # type: (Host) -> None
    """Raise HalfError where the host's clock is not the controller's."""
    try:
        theirs = moments.seconds_of(host.now)
    except ValueError:
        raise HalfError("The call brought no time of the controller: use the action, not the module alone.", "refused")
    skew = time.time() - theirs
    if abs(skew) > CLOCK_LIMIT:
        raise HalfError(
            "The host's clock is %.0f s %s the controller's: set the clocks, then run it again."
            % (abs(skew), "ahead of" if skew > 0 else "behind"),
            "refused",
        )


def _end(events):
    # type: (list[Event]) -> Event | None
    return events[-1] if events and events[-1]["event"] in ("done", "failed", "stuck", "undone") else None


def _acknowledged(operation):
    # type: (Operation) -> Result
    """Note that the end is recorded on a controller: from then on the operation's id is spent."""
    if duty(operation.events()) == NOTHING:  # one that failed may be tried again
        operation.take()
        try:
            operation.note("recorded")
        finally:
            operation.release()
    return {"changed": False, "msg": "The end of restore %s is recorded." % operation.id[:8]}


def _told_before(operation, events):
    # type: (Operation, list[Event]) -> Result
    """Return the end of a restore whose controller was lost before it heard of it; refuse one that is recorded."""
    done = newest(events, "done")
    if done and phase(events) != "undone" and not newest(events, "recorded"):
        result = _result(operation, done)
        result["changed"] = False
        return result
    raise HalfError(
        "Request %s was carried out on this host at %s (%s) and counts once: make a new request."
        % (operation.id[:8], events[-1]["time"], phase(events)),
        "refused",
    )


def _result(operation, end):
    # type: (Operation, Event) -> Result
    if end["event"] == "undone":
        raise HalfError("Restore %s was undone meanwhile by %s." % (operation.id[:8], end["person"]), "interrupted")
    found = end["observation"]  # type: Observation
    message = found["detail"]["message"]
    return {
        "failed": found["status"] == "failed",
        "changed": found["status"] != "failed",
        "msg": str(message),
        "reason": found["reason"],
        "evidence": [found],
    }


def _progress(operation, request):
    # type: (Operation, Request) -> Result
    """Return how far the job is, in one line for people."""
    events = current_attempt(operation.events())
    staging = newest(events, "staging")
    counted = (None, None)  # type: tuple[int | None, int | None]
    if staging and phase(events) == "staging":
        counted = written(staging["holdings"], _COUNT_SECONDS), request["bytes"]
    what = "restore %s: %s" % (operation.id[:8], words(events))
    message = told(what, seconds_since(events[0]) if events else 0.0, *counted)
    message += " (set %s, estimated: %.0f s)" % (request["set"], request["seconds"])
    return {"running": True, "changed": True, "msg": message}


def _forecast(arguments, host):
    # type: (RestoreArguments, Host) -> Result
    """Return what a restore would do; nothing is written."""
    request = arguments["operation"]
    engine = open_engine(request["repository"], arguments["repositories"], host)
    engine.check_location(mounts.mounted())
    selection = described(engine, request)[1]
    target = resolve(request, arguments["operation_id"], selection, Restorer.forbidden(engine, host), host)
    places = [place.decode("utf-8", "backslashreplace") for _source, place, _kept in target.swaps]
    message = "Would restore %s files (%s bytes) of snapshot %s to %s%s." % (
        selection.files,
        selection.bytes,
        request["snapshot"][:8],
        ", ".join(places[:3]) + (", ..." if len(places) > 3 else ""),
        " and stop %s meanwhile" % ", ".join(request["stop"]) if request["stop"] else "",
    )
    found = observation("restore", request["set"], "skipped", "", CLAUSES, message=message)  # type: Observation
    return {"changed": True, "msg": message, "evidence": [found]}
