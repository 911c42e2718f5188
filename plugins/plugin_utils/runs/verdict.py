# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host's records mean for the exit code: the one rule for all procedures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: A skipped step for one of these reasons is no failure of the run.
_EXCUSED = ("not_built", "not_ours")
#: The statuses of which any may fail a host.
UNWELL = ("failed", "unreachable", "critical", "warning", "unknown")
_FINDINGS = {"none": (), "warning": ("warning", "critical", "unknown"), "critical": ("critical",)}


def judge(records: Iterable[Mapping[str, Any]], fail_on: str = "none", checks: bool = False) -> list[str]:
    """Return why a host's run is not good, worst first, one sentence each; nothing means that it is.

    records are the host's records of the run, without those that are well and no step, or with them. Bad is what
    could not be done or proved; findings are bad only from the severity that fail_on names. In a run that only checks
    a gate's refusal is what was asked for.
    """
    excused = (*_EXCUSED, "refused") if checks else _EXCUSED
    steps, undone, findings = 0, [], []
    for entry in records:
        status, detail = entry["status"], entry["detail"]
        message = detail.get("message") or f"{entry['kind']} {entry['subject']}: {entry['reason'] or status}"
        if entry["kind"] == "step":
            steps += 1
            if status not in ("ok", "skipped") or (status == "skipped" and entry["reason"] not in excused):
                undone.append(message)
        elif status in ("failed", "unreachable"):
            undone.append(message)
        elif status in _FINDINGS[fail_on]:
            findings.append(message)
    if not steps:
        return ["The run holds no step of this host.", *undone]
    return list(dict.fromkeys(undone + findings))
