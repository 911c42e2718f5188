# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open the ledger that a plan names: the only place that knows where a ledger is and of what kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger


def open_ledger(plan: Mapping[str, Any] | StateDir, read_only: bool = False) -> Ledger:
    """Return the open ledger of a plan, or of the state folder that a plan was resolved to; raises LedgerError."""
    state = plan if isinstance(plan, StateDir) else StateDir.resolve(plan["egov_ops_state_dir"])
    return Ledger(state.ledger, read_only=read_only)
