# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the modules whose work may take long has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The option by which a call asks for work that goes on."""

    DOCUMENTATION = r"""
options:
  job:
    description:
      - The work that an earlier call has started and that still goes on. Filled in by the action plugin, never by hand.
    type: str
    default: ""
"""
