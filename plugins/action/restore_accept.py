# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accept a restore and remove what it replaced."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.module_utils.backup.options import SETTLE
from ansible_collections.egov.ops.plugins.plugin_utils.restore import SettleTask


class ActionModule(SettleTask):
    """See plugins/modules/restore_accept.py."""

    HALF = ("backup.settle", "accept")
    ARGUMENTS = SETTLE
    KINDS = ("restore_acceptance",)
