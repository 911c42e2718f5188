# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands of the plan before and after the backup of a set: what the one has frozen the other lets go, in any case."""

from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of, secrets_of_command
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupSet, Hook

    Made = TypeVar("Made")

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

SECONDS = 60.0


def around(backup_set, host, work):
    # type: (BackupSet, Host, Callable[[], Made]) -> Made
    """Run a set's `pre` command, the work, and its `post` command, which runs whatever happened before.

    Returns what the work returned; raises HalfError for a command that failed or did not end in its time.
    """
    seconds = float(backup_set.get("hook_timeout") or SECONDS)
    try:
        # What comes after has its time left, however long the rest takes.
        with host.within(host.remaining() - seconds):
            _run("pre", backup_set, seconds, host)
            made = work()
    except Exception as error:
        try:
            with host.at_least(seconds):
                _run("post", backup_set, seconds, host)
        except HalfError as second:
            raise HalfError("%s %s" % (error, second), getattr(error, "reason", "error"))
        raise
    _run("post", backup_set, seconds, host)
    return made


def _run(when, backup_set, seconds, host):
    # type: (Hook, BackupSet, float, Host) -> None
    command = backup_set.get(when)
    if not command:
        return
    done = host.run(list(command), timeout=seconds, writes=True)
    if done.rc != 0 or done.timed_out:
        said = Scrubber(secrets_of_command(command)).text(done.error).replace(str(command[0]), program_of(command))
        raise HalfError(
            "The %s hook of the set (%s) failed: %s." % (when, program_of(command), said.rstrip(".")),
            "timeout" if done.timed_out else "error",
        )
