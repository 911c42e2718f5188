# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Periods of the calendar, what is due in them, and what is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.schedule.calendar import (
        CADENCES,
        ESCROW_DAYS,
        ON_CHANGE,
        RETENTION_DAYS,
        ended_periods,
        find_zone,
        is_rarer,
        longest_days,
        midnight,
        next_start,
        objective,
        period_start,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.schedule.due import Late, boundaries, late_procedures
else:
    __getattr__ = offering(
        __name__,
        {
            "calendar": (
                "CADENCES",
                "ESCROW_DAYS",
                "ON_CHANGE",
                "RETENTION_DAYS",
                "ended_periods",
                "find_zone",
                "is_rarer",
                "longest_days",
                "midnight",
                "next_start",
                "objective",
                "period_start",
            ),
            "due": ("Late", "boundaries", "late_procedures"),
        },
    )
