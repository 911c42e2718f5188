# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of backups: what plan and ledger say of a host's sets, repositories and keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.backup import escrow, freshness, new_passwords, pruning
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.escrow import test_command, untested
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.history import watch
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.passwords import (
        passwords_of,
        passwords_of_copies,
        secrets_of,
        secrets_of_entry,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.restore_estimate import estimate
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.rotation import Place, Rotation
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.sets import (
        DIFF,
        Sets,
        absent_files,
        public,
        repositories_of,
        sets_of,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.backup.types import PlannedRepository
else:
    __getattr__ = offering(
        __name__,
        {
            "escrow": ("test_command", "untested"),
            "history": ("watch",),
            "passwords": ("passwords_of", "passwords_of_copies", "secrets_of", "secrets_of_entry"),
            "restore_estimate": ("estimate",),
            "rotation": ("Place", "Rotation"),
            "sets": ("DIFF", "Sets", "absent_files", "public", "repositories_of", "sets_of"),
            "types": ("PlannedRepository",),
        },
    )
