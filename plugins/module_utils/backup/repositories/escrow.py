# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the key that is kept in escrow opens a repository, tried with that key alone."""

import time

from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import Engine
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Repositories
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

    Asked = TypeVar("Asked")

CLAUSES = ("S6.2.2-4",)

NEXT = "Put the repository's present password into escrow, and test it again: egov.ops.backup_verify."


def test(name, repositories, trouble, host):
    # type: (str, Repositories, str, Host) -> Observation
    """Return the observation of a repository's escrowed key; trouble is why the controller could not read it."""
    started = time.monotonic()
    status, reason, told = "critical", "mismatch", trouble
    if not trouble:
        try:
            if opens(name, repositories, "escrow:%s" % name, host):
                status, reason = "ok", ""
                told = "The key in escrow opens repository %s." % name
            else:
                told = "The key in escrow does not open repository %s." % name
        except NotSupported as error:
            status, reason, told = "skipped", error.reason, str(error)
        except HalfError as error:
            status, reason = "unknown", error.reason
            told = "Whether the key in escrow opens repository %s is not known: %s" % (name, error)
    detail = {"message": told} if status == "ok" else {"message": told, "next": NEXT}
    return observation("escrow", name, status, reason, CLAUSES, time.monotonic() - started, **detail)


def opens(name, repositories, secret, host):
    # type: (str, Repositories, str, Host) -> bool
    """Tell whether one of the host's secrets is a password of a repository; raises HalfError where nobody can tell."""
    return bool(_with(name, repositories, secret, host, lambda engine: engine.opens()))


def key_of(name, repositories, secret, host):
    # type: (str, Repositories, str, Host) -> str
    """Return the id of the key that one of the host's secrets opens a repository by, "" for none; raises HalfError."""
    return str(_with(name, repositories, secret, host, lambda engine: engine.key() if engine.opens() else ""))


def _with(name, repositories, secret, host, ask):
    # type: (str, Repositories, str, Host, Callable[[Engine], Asked]) -> Asked
    own, kept = "repository:%s" % name, dict(host.secrets)
    host.secrets[own] = kept.get(secret, "")
    try:
        return ask(open_engine(name, repositories, host))
    finally:
        host.secrets = kept
