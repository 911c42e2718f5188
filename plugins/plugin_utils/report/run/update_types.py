# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the updates in the data of a run's report: for the type checker alone."""

from __future__ import annotations

from typing import TypedDict


class Told(TypedDict):
    """The record that a part of a row is made of."""

    status: str
    reason: str
    seq: int


class Update(TypedDict):
    """A pending update; `hold` is what keeps it back."""

    name: str
    installed: str
    candidate: str
    hold: str
    security: bool
    late: bool
    severities: list[str]
    cves: list[str]
    more_cves: int
    age_days: float | None


class Counted(TypedDict):
    """What a scan counted, None where it is not known."""

    pending: int | None
    security: int | None
    late: int | None


class ScanFacts(Counted):
    """What a scan counted, and its most urgent updates."""

    updates: list[Update]


class Scan(Told, ScanFacts):
    """A scan for updates."""


class Reboot(Told):
    """Whether a host has to be restarted, and why."""

    reasons: list[str]


class RestartFacts(TypedDict):
    """How many processes run files that an update has replaced, and of which services."""

    processes: int | None
    units: list[str]


class Restarts(Told, RestartFacts):
    """Whether services have to be restarted."""


class UpdateRow(TypedDict):
    """What is known of the updates of a host."""

    host: str
    scan: Scan | None
    reboot: Reboot | None
    restarts: Restarts | None
