# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of the actions in which a person says what is known of findings: an acknowledgement, a known debt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, ClassVar

from ansible_collections.egov.ops.plugins.plugin_utils.actions.signing import SigningTask
from ansible_collections.egov.ops.plugins.plugin_utils.common import user_name
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import CONTROLLER, open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.report import acknowledgement, standing_findings

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.actions.types import TaskVars


class StatementTask(SigningTask["Mapping[str, str | None]"]):
    """An action that records what a person knows of the findings that still stand, whichever run found them.

    Options come from the task, and from the run option VARIABLE before it. Where neither names anything, extra
    variables of the options' own names count, as in `-e host=web1 -e finding=failed_units -e until=2026-12-31`.
    """

    SORT: ClassVar[str]
    VARIABLE: ClassVar[str]

    def perform(self, arguments: Mapping[str, str | None], task_vars: TaskVars) -> Mapping[str, object]:
        """Compare with what stands, unless in check mode record what is new, and print what it covers."""
        now, user = datetime.now(timezone.utc), user_name(os.geteuid())
        options = self._options(arguments)
        plan = self.plan_of(task_vars["inventory_hostname"])
        with open_ledger(self.state(plan), read_only=True) as ledger:
            findings = standing_findings(ledger)
            stored = ledger.records(domain=acknowledgement.DOMAIN, kind=acknowledgement.KIND)
            standing = {made.subject: made for made in acknowledgement.read(stored)}
        if options.get("state") == "absent":
            wanted = acknowledgement.withdraw(options, standing.values(), user)
        else:
            wanted = acknowledgement.make(options, findings, plan["egov_ops_timezone"], now, user, self.SORT)
        new = [made for made in wanted if made.withdrawn or not made.says_the_same(standing.get(made.subject))]
        seen = [observation for made in new for observation in made.observations()]
        if seen and not self._task.check_mode:
            self.record(plan, [CONTROLLER], seen[0], now, acknowledgement.DOMAIN, seen[1:])
        lines = [line for made in wanted for line in _covered_lines(made)]
        for line in lines:
            self.say(line)
        result = {
            "changed": bool(seen),
            "patterns": [made.subject for made in wanted],
            "until": max((made.until for made in wanted), default=""),
            "covered": lines,
        }
        sentences = " ".join(made.message() for made in new)
        if not seen:
            return {**result, "msg": "Nothing to record: the ledger already says this."}
        return {**result, "msg": f"Check mode: not recorded: {sentences}" if self._task.check_mode else sentences}

    def _options(self, arguments: Mapping[str, str | None]) -> dict[str, object]:
        """Return the options of the task, the run option and, where these name nothing, the extra variables."""
        given: dict[str, object] = {name: value for name, value in arguments.items() if value is not None}
        given.update(self.run_options()[self.VARIABLE])
        if given.keys() <= {"state"}:
            extra = self.extra_variables()
            given.update({name: extra[name] for name in acknowledgement.OPTIONS if extra.get(name) not in (None, "")})
        return given


def _covered_lines(made: acknowledgement.Acknowledgement) -> list[str]:
    """Return a line for each finding that a statement covers, with the members that were seen."""
    return [
        f"{key}: {seen.status}" + (f": {', '.join(seen.members)}" if seen.members else "")
        for key, seen in (made.covered or {}).items()
    ]
