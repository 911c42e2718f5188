# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of each module that works on the controller alone has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Such a module is an action: it opens no connection and changes nothing on a host."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and predict what it would do without writing anything.
    support: full
  diff_mode:
    description: Can show what it changes, or would change in check mode.
    support: none
    details:
      - It changes no file of a host.
  async:
    description: Can run with C(async).
    support: none
    details:
      - It belongs to the run of the controller process that calls it.
  platform:
    description: Where it works.
    platforms: posix
    support: full
    details:
      - It runs on the controller and opens no connection.
author:
  - The egov.ops founders (@egov-ops)
"""
