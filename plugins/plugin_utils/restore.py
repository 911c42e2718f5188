# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person decides about a restore, on the controller's side."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.changing import ChangingTask
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Plan
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import user_name


class SettleTask(ChangingTask):
    """An action that accepts or undoes a restore; the person is the user of this process."""

    DOMAIN = "restore"

    def prepare(
        self, arguments: dict[str, Any], plan: Plan, host: str, now: datetime
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Name the person; the half knows the rest from its journal."""
        return {**arguments, "person": user_name(os.geteuid())}, {}
