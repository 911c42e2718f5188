# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines: which one answers to each name of the inventory, and what would have a task reach another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory
    from ansible_collections.egov.ops.plugins.plugin_utils.machines.chosen import Chosen, choice_fault
    from ansible_collections.egov.ops.plugins.plugin_utils.machines.memory import Known, are_same, short
else:
    __getattr__ = offering(
        __name__,
        {"chosen": ("Chosen", "choice_fault"), "memory": ("Known", "are_same", "short")},
    )
