# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give repositories a new key, prove that it opens them, and remove the old one; or take the new one back.

Each stage can be repeated: what is done already is found in the repository itself. The old key goes by its id, and only
where another one has just opened the repository.
"""

import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import escrow
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts, RotateArguments
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Result

CLAUSES = ("S6.2.2-4",)

ESCROW = "Put the new password into escrow: the old one opens nothing any more."


def rotate(arguments, host):
    # type: (RotateArguments, Host) -> Result
    """Do one stage for the repositories of the operation; return one observation for each.

    The secrets are `repository:NAME`, the password that the plan has, and `next:NAME`, the new one. `known` are by
    repository the ids that an earlier stage has told. Raises HalfError only where nothing can be done at all.
    """
    stage = {"add": _add, "remove": _remove, "undo": _undo}[arguments["stage"]]
    evidence, changed = [], False
    for name in arguments["operation"]["repositories"]:
        started = time.monotonic()
        detail = {"repository": name, "stage": arguments["stage"]}  # type: Facts
        status, reason = "ok", ""
        try:
            changed = stage(name, arguments, detail, host) or changed
        except HalfError as error:
            status, reason = ("skipped" if isinstance(error, NotSupported) else "failed"), error.reason
            detail["message"] = "The key of repository %s is not rotated: %s" % (name, error)
        evidence.append(observation("key", name, status, reason, CLAUSES, time.monotonic() - started, **detail))
    statuses = [record["status"] for record in evidence]
    return {
        "changed": changed,
        "msg": "%s of %s repositories are through with the stage %s."
        % (statuses.count("ok"), len(statuses), arguments["stage"]),
        "summary": {status: statuses.count(status) for status in set(statuses)},
        "evidence": evidence,
    }


def _open(name, arguments, host):
    # type: (str, RotateArguments, Host) -> Engine
    """Return a repository whose engine can change keys; raises HalfError."""
    engine = open_engine(name, arguments["repositories"], host)
    engine.require("keys")
    return engine


def _add(name, arguments, detail, host):
    # type: (str, RotateArguments, Facts, Host) -> bool
    """Add the new key beside the old one and prove that it opens; tell the ids of both; raises HalfError."""
    repositories = arguments["repositories"]
    engine = _open(name, arguments, host)
    if host.secrets["repository:%s" % name] == host.secrets["next:%s" % name]:
        known = arguments["known"].get(name) or {"old": "", "new": engine.key()}
        detail.update(known, message="The plan has the new password of repository %s already." % name)
        return False
    old = engine.key()
    there = escrow.opens(name, repositories, "next:%s" % name, host)
    detail["old"] = old
    if host.check_mode:
        detail["message"] = "Would give repository %s a new key beside %s." % (name, old)
        return not there
    if not there:
        engine.add_key(host.secrets["next:%s" % name])
    detail["new"] = escrow.key_of(name, repositories, "next:%s" % name, host)
    if not detail["new"] or detail["new"] == old:
        raise HalfError("The new key does not open it: the old one stays, run this again.", "mismatch")
    detail["message"] = "The new key %s opens repository %s, and so does the old one, %s." % (detail["new"], name, old)
    return not there


def _remove(name, arguments, detail, host):
    # type: (str, RotateArguments, Facts, Host) -> bool
    """Remove the old key, where the plan's password is the new one and opens; raises HalfError."""
    engine = _open(name, arguments, host)
    known = arguments["known"].get(name, {})
    old = known.get("old", "")
    if not known.get("new") or host.secrets["repository:%s" % name] != host.secrets["next:%s" % name]:
        raise HalfError("The plan's password is not the new one yet: the old key stays.", "refused")
    if engine.key() == old:
        raise HalfError("The plan's password opens it by the old key: that stays.", "mismatch")
    detail["old"] = old
    if old in engine.key_ids():
        if host.check_mode:
            detail["message"] = "Would remove the old key %s of repository %s." % (old, name)
            return True
        engine.remove_key(old)
        if old in engine.key_ids():
            raise HalfError("The old key %s is still there: remove it from the repository's side." % old, "refused")
        detail.update(message="The old key %s of repository %s is removed." % (old, name), next=ESCROW)
        return True
    detail["message"] = "Repository %s has no old key any more." % name
    return False


def _undo(name, arguments, detail, host):
    # type: (str, RotateArguments, Facts, Host) -> bool
    """Take the new key back, where the plan's password is still the old one and opens; raises HalfError."""
    engine = _open(name, arguments, host)
    own = engine.key()
    if host.secrets["repository:%s" % name] == host.secrets["next:%s" % name]:
        raise HalfError("The plan has its new password already: rotate it once more instead.", "refused")
    new = escrow.key_of(name, arguments["repositories"], "next:%s" % name, host)
    if new and new != own:
        if not host.check_mode:
            engine.remove_key(new)
        detail["message"] = "The new key %s of repository %s %s, and the old one opens it." % (
            new,
            name,
            "would be removed" if host.check_mode else "is removed",
        )
        return True
    detail["message"] = "Repository %s has no new key." % name
    return False
