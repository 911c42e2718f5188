# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of each module over a host half has in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that the action plugin fills in, what every such module returns, and where it runs."""

    DOCUMENTATION = r"""
options:
  context:
    description:
      - Modes, time, folders and deadline of the call. Filled in by the action plugin of the same name, never by hand.
    type: dict
    default: {}
  secrets:
    description:
      - Secrets that the work needs. Filled in by the action plugin of the same name, never by hand.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Can run in check mode and predict what it would do without changing the host.
  diff_mode:
    description: Can show what it changes, or would change in check mode.
  async:
    description: Can run with C(async).
    support: none
    details:
      - The evidence is appended by the task itself, so the task has to wait for the host.
  platform:
    description: The hosts that it works on.
    platforms: linux
    support: full
    details:
      - The host needs Python 3.6 or newer and nothing else.
notes:
  - The work travels as a stream to the host's Python in one round trip; no file is copied. Where the connection or the
    become method takes no input, it runs as an ordinary module. The plan variable C(egov_ops_transport) decides.
  - The evidence goes to the ledger of the run. The result shows the worst five records alone, and in a procedure
    of those only what is not ok, as message and next step.
author:
  - The egov.ops founders (@egov-ops)
"""
