# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plan asserts of a set that came back: paths that must be there with content, commands that must succeed."""

import os
import time

from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of, secrets_of_command
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Asserted, Assertion
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

SECONDS = 60.0

#: In the words of a command this stands for the folder below which the set lies.
SANDBOX = "{sandbox}"


def judge(set_name, assertions, tree, host):
    # type: (str, Mapping[str, Assertion], str, Host) -> list[Asserted]
    """Return how each assertion of a set ended, by name: name, status (ok, failed), seconds and message."""
    found = []  # type: list[Asserted]
    for name in sorted(assertions):
        entry = assertions[name]
        if entry.get("state") == "absent" or entry.get("set") != set_name:
            continue
        started = time.monotonic()
        message = _paths(entry.get("paths") or (), tree) or _command(entry, tree, host)
        seconds = round(time.monotonic() - started, 3)
        status = "failed" if message else "ok"
        found.append({"name": name, "status": status, "seconds": seconds, "message": message})
    return found


def _paths(paths, tree):
    # type: (Sequence[str], str) -> str
    """Return what is wrong with the first path that did not come back with content, "" for none."""
    for path in paths:
        place = tree + os.path.normpath(path)
        try:
            empty = not os.listdir(place) if os.path.isdir(place) else not os.lstat(place).st_size
        except OSError:
            return "%s is not in the set" % path
        if empty:
            return "%s is empty" % path
    return ""


def _command(entry, tree, host):
    # type: (Assertion, str, Host) -> str
    """Return how a command failed, in its own words; "" for one that succeeded or is not given."""
    words = [word.replace(SANDBOX, tree) for word in entry.get("command") or ()]
    if not words:
        return ""
    seconds = float(entry.get("timeout") or SECONDS)
    done = host.run(words, timeout=seconds, cwd=tree, env={"EGOV_OPS_SANDBOX": tree}, writes=True)
    if done.timed_out:
        return "%s did not end in %.0f s" % (program_of(words), seconds)
    return "" if done.rc == 0 else Scrubber(secrets_of_command(words)).text(done.error)
