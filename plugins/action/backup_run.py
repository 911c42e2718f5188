# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Back up the sets of a host in one trip."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.module_utils.backup.options import RUN
from ansible_collections.egov.ops.plugins.plugin_utils.backup import BackupTask


class ActionModule(BackupTask):
    """See plugins/modules/backup_run.py."""

    HALF = ("backup.run", "backup")
    ARGUMENTS = RUN
    COPIES = True
