#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module door to module_utils/backup/restores/accept_undo.py."""

DOCUMENTATION = r"""
module: restore_accept
short_description: Accept a restore and remove what it replaced
version_added: 0.1.0
description:
  - Removes what a finished restore in place has kept aside, and records who accepted it and when. From then on it
    cannot be undone.
  - Of a restore beside its source it records the acceptance alone.
  - Whoever runs it on the controller is the person that is recorded. The person shall have looked at the data.
  - One that is stopped half-way is finished by the next call.
options:
  person:
    description:
      - Who decides. Filled in by the action plugin, never by hand.
    type: str
    default: ""
  timeout:
    description:
      - Seconds for the whole call. One that is cut short goes on when it is called again.
    type: float
    default: 3600.0
extends_documentation_fragment:
  - egov.ops.half
  - egov.ops.changing
attributes:
  check_mode:
    support: full
    details:
      - Says what would be done, or why it is refused.
  diff_mode:
    support: none
    details:
      - The paths that change places are those of the request.
seealso:
  - module: egov.ops.restore_run
"""

EXAMPLES = r"""
- name: Accept a restore and remove what it replaced
  egov.ops.restore_accept:
    request: 5f3c01ab
"""

RETURN = r"""
msg:
  description: The outcome in one sentence.
  returned: always
  type: str
  sample: zhao accepted restore 5f3c01ab; what it replaced is removed.
reason:
  description: Why it could not be done, for example V(refused) or V(mismatch).
  returned: always
  type: str
  sample: ""
evidence:
  description: One record, of the set.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: Always V(restore_acceptance).
      returned: always
      type: str
      sample: restore_acceptance
    subject:
      description: Name of the set.
      returned: always
      type: str
      sample: config
    status:
      description: V(ok), or V(failed), or V(skipped) in check mode.
      returned: always
      type: str
      sample: ok
    detail:
      description: Operation, person, message.
      returned: always
      type: dict
      sample:
        operation: 5f3c01ab
        person: zhao
evidence_count:
  description: How many records there are.
  returned: success
  type: int
  sample: 1
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egov.ops.plugins.module_utils.backup import options
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import accept_undo
from ansible_collections.egov.ops.plugins.module_utils.host.half import module_options, run_module


def main():
    # type: () -> None
    """Accept a restore on the host that the module runs on."""
    module = AnsibleModule(argument_spec=dict(options.SETTLE, **module_options()), supports_check_mode=True)
    run_module(accept_undo.accept, module)


if __name__ == "__main__":
    main()
