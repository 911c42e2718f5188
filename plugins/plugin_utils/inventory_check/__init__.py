# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory under review: loaded from its path, all that is wrong with it, and what a change means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import output
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.confined import (
        refuse_linked_folder,
        validate_untrusted,
    )
else:
    __getattr__ = offering(
        __name__,
        {
            "check": ("Wanted", "validate"),
            "untrusted.confined": ("refuse_linked_folder", "validate_untrusted"),
        },
    )
