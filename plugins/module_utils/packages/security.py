# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pending updates are security updates, and which of these are late."""

from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Update
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import Compare, Patterns

_DAY = 86400
#: The vendors' words for a severity, by the deadline that they fall under; all others fall under "other".
_SEVERITIES = {"critical": "critical", "important": "high", "high": "high"}


def is_security(versions, installed, candidate, compare):
    # type: (Iterable[tuple[str, bool]], str, str, Compare) -> bool
    """Return whether an update closes a hole: any version above the installed one, up to the candidate, is a security
    update. The candidate alone does not tell: one that overtook a security update brings its fix along.

    versions: pairs of a version and whether it was published as a security update. compare orders two versions.
    """
    return any(
        security and compare(version, installed) > 0 and compare(version, candidate) <= 0
        for version, security in versions
    )


def is_security_origin(names, patterns):
    # type: (Iterable[str], Patterns) -> bool
    """Return whether a source is one for security updates: a pattern matches its label, suite, code name or id."""
    return any(matches(name.lower(), pattern.lower()) for name in names if name for pattern in patterns)


def age_days(update, now):
    # type: (Update, float) -> float | None
    """Return the days since the oldest security advisory of an update, None where no advisory has a date."""
    dates = [advisory.issued for advisory in update.advisories if advisory.issued]
    return (now - min(dates)) / _DAY if dates else None


def is_late(update, deadlines, now):
    # type: (Update, Mapping[str, float], float) -> bool
    """Return whether a security advisory is older than its severity's deadline (seconds: critical, high, other)."""
    return any(
        advisory.issued and now - advisory.issued > deadlines[_SEVERITIES.get(advisory.severity, "other")]
        for advisory in update.advisories
    )
