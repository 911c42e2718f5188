# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of this package: for the type checker alone, so no task loads this module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class PlannedRepository(TypedDict, total=False):
    """A repository of the plan; `unprunable` says why it cannot be pruned from where that is wanted."""

    engine: str
    location: str
    create: bool
    immutable: bool
    site: str
    password: str
    password_command: Sequence[str]
    password_file: str
    escrow_file: str
    credentials_file: str
    prune_location: str
    prune_credentials_file: str
    unprunable: str
