# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the modules over a host's repositories has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The options by which a module reaches a host's snapshots."""

    DOCUMENTATION = r"""
options:
  repositories:
    description:
      - The repositories by name. Filled in by the action plugin from the plan variable C(egov_ops_backup_repositories).
    type: dict
    default: {}
  host_name:
    description:
      - The name under which the snapshots are kept. Without it, the host's name in the inventory.
    type: str
    default: ""
"""
