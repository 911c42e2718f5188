# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set whose backup nobody has brought back for too long: first a warning, then critical."""

from ansible_collections.egov.ops.plugins.module_utils.host import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Facts


def severity(proved, oldest, now, ages):
    # type: (str, str, str, list[float]) -> tuple[str, float]
    """Return "", warning or critical for a set, and the days without a proof; pure.

    proved is the time of its newest good proof, oldest that of its oldest snapshot, from which one without a proof is
    counted; each "" where there is none. ages are the seconds from which on it is a warning, and critical.
    """
    since = proved or oldest
    if not since or len(ages) != 2:
        return "", 0.0
    age = moments.seconds_of(now) - moments.seconds_of(since)
    found = "critical" if age >= ages[1] else "warning" if age >= ages[0] else ""
    return found, age / 86400.0


def add(status, detail, age):
    # type: (str, Facts, tuple[str, float]) -> str
    """Tell in a record's detail that its set is unproved, and return the worse of two statuses."""
    found, days = age
    if not found:
        return status
    words = "no restore has proved it for %.0f days" % days
    detail["lacking"] = list(detail.get("lacking") or ()) + [words]
    detail["message"] = "%s; %s." % (detail["message"].rstrip("."), words)
    detail["unproved_days"] = round(days, 1)
    return found if found == "critical" else "warning"
