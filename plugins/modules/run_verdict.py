#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: run_verdict
short_description: Fail exactly the hosts whose run is not good
version_added: 0.1.0
description:
  - Reads the host's records of this run from the ledger. A host fails if a step could not be done or proved, so that
    Ansible's recap, its exit code and a relaunch on failed hosts tell the truth.
  - Findings fail a host only from the severity that the run option C(egov_ops_fail_on) names.
options: {}
extends_documentation_fragment:
  - egov.ops.controller
seealso:
  - module: egov.ops.run_begin
  - module: egov.ops.run_seal
"""

EXAMPLES = r"""
- name: Judge each host
  egov.ops.run_verdict:
  tags: [always]
"""

RETURN = r"""
reasons:
  description: Why the host's run is not good, one sentence each; empty if it is.
  returned: always
  type: list
  elements: str
  sample: []
"""
