# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a host's packages in one trip: pending updates, holds, restarts due, reboot due. It changes nothing.

What cannot be found out is `unknown` in its own observation, and the other observations are made all the same.
"""

import json
import math
import os
import sys
import time

from ansible_collections.egov.ops.plugins.module_utils.host import moments, platform
from ansible_collections.egov.ops.plugins.module_utils.host.members import MEMBERS_ROOM, members_of
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, SEVERITY, counts_of, observation
from ansible_collections.egov.ops.plugins.module_utils.packages import members, reboot, registry, restarts, security
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON, Fact, Observation, Result
    from ansible_collections.egov.ops.plugins.module_utils.packages import types
    from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Listing, Source, Update
    from ansible_collections.egov.ops.plugins.module_utils.packages.restarts import Processes

    Entry = TypeVar("Entry")

#: The clauses that each kind is evidence for: versions known, holes found and mended, systems kept up to date.
_CLAUSES = {
    "package_list": ("S2.2-2c", "S2.2-3a", "S4.1-1b", "S4.3-4", "S5.2-4"),
    "held": ("S4.3-4", "S4.3-5"),
    "restarts": ("S2.2-2c", "S5.2-4"),
    "reboot": ("S2.2-2c", "S5.2-4"),
}
#: Bytes for the lists of a record's detail; sentences, counts and names of the keys have the rest.
_ROOM = DETAIL_LIMIT - MEMBERS_ROOM - 4096
#: Seconds by which a list may come from the future before the clock, and so its age, is doubted.
_SKEW = 300


def scan(arguments, host, root="/"):
    # type: (types.ScanArguments, Host, str) -> Result
    """Return what was found.

    arguments: `refresh` the lists first; `max_lists_age`, seconds after which they tell nothing; `security_origins`,
    patterns for sources that hold security updates alone; `deadlines`, seconds by severity (critical, high, other).
    root: the folder below which the host's files are, for captured trees.
    """
    evidence = []
    listing, refreshed, failure = _listing(arguments, host, root)
    if listing is None:
        evidence += [_unknown(kind, subject, failure) for kind, subject in _LISTED]
    else:
        evidence += [_pending(listing, arguments, host, refreshed, failure), _installed(listing), _held(listing)]
    try:
        processes = restarts.look(root)
        evidence.append(_restarts(processes, root))
    except OSError as error:
        processes = None
        evidence.append(_unknown("restarts", "processes", EngineError("The processes cannot be seen: %s." % error)))
    evidence.append(_reboot(root, processes, listing))
    return {"changed": refreshed, "msg": _sentence(evidence), "summary": counts_of(evidence), "evidence": evidence}


_LISTED = (("package_list", "pending"), ("package_list", "installed"), ("held", "packages"))


def _listing(arguments, host, root):
    # type: (types.ScanArguments, Host, str) -> tuple[Listing | None, bool, EngineError]
    """Return what the package manager knows, whether its lists were refreshed, and what went wrong ("" for nothing)."""
    refreshed, failure = False, EngineError("")
    try:
        engine = _engine(root)
        if arguments["refresh"] and not host.check_mode:
            try:
                engine.refresh(host, root)
                refreshed = True
            except EngineError as error:
                failure = error
        return engine.read(host, arguments, root), refreshed, failure
    except EngineError as error:
        return None, refreshed, error
    except platform.UnknownPlatform as error:
        return None, refreshed, EngineError(str(error), "not_supported")
    except Exception as error:  # the bindings are not ours, and neither is what they raise
        words = " ".join(str(error).split()).rstrip(".")
        message = "The package manager's library broke (%s: %s); try the package manager by hand on the host."
        return None, refreshed, EngineError(message % (type(error).__name__, words[:300] or "no text"))


def _engine(root):
    # type: (str) -> registry.Engine
    here = platform.detect(root)
    engine = registry.ENGINES.get(here.package_manager)
    if engine is None:
        raise EngineError(
            "%s uses %s, which egov.ops cannot scan." % (here.name, here.package_manager), "not_supported"
        )
    if not engine.is_importable():
        raise EngineError(
            "Python %s (%s) of the host cannot import %s; install %s for the system's own Python."
            % (sys.version.split()[0], sys.executable, engine.binding, engine.package),
            "not_supported",
        )
    return engine


def _observe(kind, subject, status, message, act="", reason="", **detail):
    # type: (str, str, str, str, str, str, Fact) -> Observation
    return observation(kind, subject, status, reason, _CLAUSES[kind], message=message, next=act, **detail)


def _unknown(kind, subject, error):
    # type: (str, str, EngineError) -> Observation
    return _observe(kind, subject, _status_of(error), str(error), reason=error.reason)


def _status_of(error):
    # type: (EngineError) -> str
    """Return failed where another program's lock kept the scan from being done, unknown for the rest."""
    return "failed" if error.reason == "busy" else "unknown"


def _pending(listing, arguments, host, refreshed, failure):
    # type: (Listing, types.ScanArguments, Host, bool, EngineError) -> Observation
    """Return the observation of the pending updates; ok only where fresh lists show no security update among them."""
    now = _seconds(host.now)
    # Late ones first, then security updates, then the rest: what does not fit is the least urgent.
    late = [update for update in listing.updates if security.is_late(update, arguments["deadlines"], now)]
    order = {id(update): place for place, update in enumerate(late)}
    updates = sorted(
        listing.updates, key=lambda update: (id(update) not in order, not update.security, update.name, update.arch)
    )
    safe = [update for update in updates if update.security]
    shown, omitted = bounded([_entry(update, now) for update in updates])
    count = "%d updates are pending" % len(updates)
    found = count + ", %d of them security updates%s." % (len(safe), _names(safe)) if safe else count + "."
    detail = {
        "counts": {"pending": len(updates), "security": len(safe), "late": len(late)},
        "sources": [_source(source) for source in listing.sources][:50],
        "updates": shown,
        "omitted": omitted,
    }  # type: types.Pending
    # A refresh that has just succeeded reached each source, whatever the times of the lists.
    stale = _stale(listing.sources, math.inf if refreshed else arguments["max_lists_age"])
    if str(failure):
        message = "%s What is known is older: %s" % (failure, found)
        act = "Mend what it names, then scan again with refresh."
        return _observe("package_list", "pending", _status_of(failure), message, act, failure.reason, **detail)
    if stale:
        message = "%s, so what is pending is not known; the lists that there are say: %s" % (stale, found)
        act = "Refresh the lists: scan with refresh (patch_rollout_refresh), or let the host's own timer do it."
        return _observe("package_list", "pending", "unknown", message, act, "stale_lists", **detail)
    if updates and not listing.classified:
        message = "%s, and no source says which of them are security updates." % count
        act = "Add a source with updateinfo, or name the one for security in egov_ops_security_origins."
        named = members.of_updates(updates)
        return _observe("package_list", "pending", "unknown", message, act, "not_supported", **detail, **named)
    named = members.of_updates(safe)
    if late:
        message = "%d security updates are past their deadline%s; %s" % (len(late), _names(late), found)
        act = "Install them now, or record why not."
        return _observe("package_list", "pending", "critical", message, act, **detail, **named)
    if safe:
        act = "Plan their rollout within the deadlines."
        return _observe("package_list", "pending", "warning", found, act, **detail, **named)
    return _observe("package_list", "pending", "ok", found, **detail)


def _entry(update, now):
    # type: (Update, float) -> dict[str, JSON]
    entry = {
        "name": update.name,
        "arch": update.arch,
        "installed": update.installed,
        "candidate": update.candidate,
        "origins": update.origins,
        "security": update.security,
    }  # type: dict[str, JSON]
    if update.hold:
        entry["hold"] = update.hold
    if update.advisories:
        age = security.age_days(update, now)
        entry["advisories"] = [advisory.id for advisory in update.advisories][:20]
        entry["severities"] = sorted({advisory.severity for advisory in update.advisories if advisory.severity})
        entry["cves"] = sorted({cve for advisory in update.advisories for cve in advisory.cves})[:40]
        entry["age_days"] = None if age is None else round(age, 1)
    return entry


def _source(source):
    # type: (Source) -> dict[str, JSON]
    hours = None if source.refreshed is None else round((time.time() - source.refreshed) / 3600, 1)
    return {"name": source.name, "age_hours": hours}


def _stale(sources, limit):
    # type: (list[Source], float) -> str
    """Return the half of a sentence why the lists tell nothing, "" where they do."""
    if not sources:
        return "No source of packages is configured"
    missing = [source.name for source in sources if source.refreshed is None]
    if missing:
        return "%d of %d sources have no lists (%s)" % (len(missing), len(sources), ", ".join(missing[:3]))
    age, name = max((time.time() - (source.refreshed or 0.0), source.name) for source in sources)
    if age > limit:
        return "The lists of %s are %.0f hours old (limit %.0f)" % (name, age / 3600, limit / 3600)
    if min(time.time() - (source.refreshed or 0.0) for source in sources) < -_SKEW:
        return "Lists come from the future, so the host's clock is wrong"
    return ""


def _installed(listing):
    # type: (Listing) -> Observation
    if not listing.broken:
        counts = {"installed": listing.installed, "broken": 0}
        message = "%d packages are installed." % listing.installed
        return _observe("package_list", "installed", "ok", message, counts=counts)
    names = ", ".join(listing.broken[:5])
    message = "%d of %d packages are not wholly installed (%s)." % (len(listing.broken), listing.installed, names)
    return _observe(
        "package_list",
        "installed",
        "critical",
        message,
        "Finish the installation: dpkg --configure -a, then apt-get --fix-broken install.",
        counts={"installed": listing.installed, "broken": len(listing.broken)},
        broken=bounded(listing.broken)[0],
        **members_of(listing.broken),
    )


def _held(listing):
    # type: (Listing) -> Observation
    """Return the observation of what is kept from changing: a decision, and a finding if it keeps a hole open."""
    kept = [update for update in listing.updates if update.hold and update.security]
    entries = [{"name": entry.name, "how": entry.how, "words": entry.words} for entry in listing.held]
    shown, omitted = bounded(entries)
    detail = {"counts": {"held": len(entries), "security": len(kept)}, "held": shown, "omitted": omitted}  # type: types.Kept
    if kept:
        message = "%d security updates are kept back by a hold or pin%s." % (len(kept), _names(kept))
        act = "Release them, or record who accepts the risk until when."
        return _observe("held", "packages", "warning", message, act, **detail, **members.of_updates(kept))
    message = "No package is held or pinned."
    if entries:
        message = "%d packages are held or pinned%s." % (len(entries), _names(listing.held))
    return _observe("held", "packages", "ok", message, **detail)


def _restarts(processes, root):
    # type: (Processes, str) -> Observation
    found = processes.outdated
    entries = [
        {"pid": process.pid, "name": process.name, "unit": process.unit, "files": process.files} for process in found
    ]
    shown, omitted = bounded(entries)
    detail = {
        "counts": {"processes": len(found), "hidden": processes.hidden, "containers": processes.foreign},
        "units": processes.units[:100],
        "processes": shown,
        "omitted": omitted,
    }  # type: types.Replaced
    if found:
        units = ", ".join(processes.units[:5])
        of_units = " (%s)" % units if units else ""
        message = "%d processes run files that an update has replaced%s." % (len(found), of_units)
        act = "Restart what runs them"
        if processes.units and os.path.isdir(root.rstrip("/") + "/run/systemd/system"):
            act += ": systemctl restart %s" % " ".join(processes.units[:5])
        named = members.of_processes(found, processes.hidden)
        return _observe("restarts", "processes", "warning", message, act + ".", **detail, **named)
    if processes.hidden:
        message = "Processes whose files are hidden from this user: %d." % processes.hidden
        return _observe("restarts", "processes", "unknown", message, _see_all(), "permission", **detail)
    return _observe("restarts", "processes", "ok", "No process runs a file that an update has replaced.", **detail)


def _reboot(root, processes, listing):
    # type: (str, Processes | None, Listing | None) -> Observation
    system = os.uname()
    try:
        found = reboot.reasons(root, system, processes, listing.reboot if listing else [])
        kernel = reboot.kernel(root, system.release)
    except OSError as error:
        message = "Whether the host has to be restarted cannot be seen: %s." % error
        return _observe("reboot", "host", "unknown", message, reason="error")
    detail = {"kernel": {"running": kernel.running, "newest": kernel.newest}, "reasons": bounded(found)[0]}  # type: types.Restart
    if found:
        message = "The host has to be restarted: %s." % "; ".join(found[:3])
        act = "Plan a restart in the maintenance window."
        return _observe("reboot", "host", "warning", message, act, **detail, **members_of(found))
    if processes is None or processes.hidden:
        message = "Nothing that this user can see asks for a restart, but what some processes run is hidden from it."
        return _observe("reboot", "host", "unknown", message, _see_all(), "permission", **detail)
    message = "The newest installed kernel, %s, is running." % kernel.running
    if not kernel.newest:
        message = "Nothing asks for a restart; the running kernel was not installed on this host."
    return _observe("reboot", "host", "ok", message, **detail)


def _see_all():
    # type: () -> str
    """Return what to do so that no process is hidden."""
    if os.geteuid():
        return "Run the scan with become."
    return "Give root on this host, which seems to be a container, the capability to read all processes (SYS_PTRACE)."


def bounded(entries, room=_ROOM):
    # type: (list[Entry], int) -> tuple[list[Entry], int]
    """Return the first entries, as many as fit into `room` bytes of JSON, and how many did not."""
    for place, entry in enumerate(entries):
        room -= len(json.dumps(entry)) + 2
        if room < 0:
            return entries[:place], len(entries) - place
    return entries, 0


def _names(entries):
    # type: (Iterable[types.Named]) -> str
    names = list(dict.fromkeys(entry.name for entry in entries))
    more = ", and %d more" % (len(names) - 5) if len(names) > 5 else ""
    return " (%s%s)" % (", ".join(names[:5]), more) if names else ""


def _seconds(now):
    # type: (str) -> float
    """Return the controller's time as seconds since 1970; the host's own where the envelope has none."""
    return moments.seconds_of(now) if now else time.time()


def _sentence(evidence):
    # type: (list[Observation]) -> str
    """Return the outcome in one sentence: the worst finding, and the pending updates in any case."""
    worst = min(evidence, key=lambda found: SEVERITY.index(found["status"]))
    message = str(evidence[0]["detail"]["message"])
    if worst["status"] in ("ok", "skipped") or worst is evidence[0]:
        return "Updates: %s" % message
    return "Updates: %s %s" % (message, worst["detail"]["message"])
