# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a record that both halves use: statuses, reasons, and the host's part of a record."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation

STATUSES = ("ok", "warning", "critical", "unknown", "skipped", "failed", "unreachable")

#: Worst first. critical, failed and unreachable are known to be bad, unknown is not known, the rest is quiet.
SEVERITY = ("failed", "unreachable", "critical", "unknown", "warning", "ok", "skipped")

REASONS = (
    "busy",
    "changed_during_backup",
    "error",
    "interrupted",
    "malformed_answer",
    "mismatch",
    "no_history",
    "no_python",
    "not_applicable",
    "not_built",
    "not_due",
    "not_ours",
    "not_reached",
    "not_started",
    "not_supported",
    "other_machine",
    "permission",
    "refused",
    "size_drift",
    "stale_lists",
    "standalone",
    "stuck",
    "timeout",
    "too_large",
    "unreadable_files",
)

#: Bytes of a record's detail, as JSON, and of all that one module returns from a host (CONTRACTS: limits).
DETAIL_LIMIT = 16 * 1024
RESULT_LIMIT = 4 * 1024 * 1024
#: Characters of the sentence that a half returns, and bytes of the traceback of one that broke.
MESSAGE_LIMIT = 2000
TRACEBACK_LIMIT = 16 * 1024


def observation(kind, subject, status, reason="", clauses=(), duration=None, **detail):
    # type: (str, str, str, str, tuple[str, ...] | list[str], float | None, Fact) -> Observation
    """Return the host's part of a record.

    kind and subject name what was looked at and are the same in each run; status and reason come from the closed
    lists above; duration is in seconds of a monotonic clock; detail holds whatever explains the status.
    """
    if status not in STATUSES:
        raise ValueError("status %r is none of %s" % (status, ", ".join(STATUSES)))
    if reason and reason not in REASONS:
        raise ValueError("reason %r is not in the closed list" % (reason,))
    return {
        "kind": kind,
        "subject": subject,
        "status": status,
        "reason": reason,
        "clauses": list(clauses),
        "duration": None if duration is None else round(duration, 4),
        "detail": detail,
    }


def counts_of(evidence):
    # type: (Iterable[Observation]) -> dict[str, int]
    """Return how many observations have each status."""
    counts = {}  # type: dict[str, int]
    for found in evidence:
        counts[found["status"]] = counts.get(found["status"], 0) + 1
    return counts


def worst(statuses):
    # type: (Iterable[str]) -> str
    """Return the most severe of some statuses; "skipped" for none, since nothing was shown."""
    found = set(statuses)
    for status in SEVERITY:
        if status in found:
            return status
    return "skipped"
