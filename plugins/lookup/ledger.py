# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of the ledger, for playbooks and templates."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ledger
short_description: Read records from the ledger
version_added: 0.1.0
description:
  - Returns the records of the ledger that match all options given, newest first.
  - Reads what was sealed. What the present run records is not in it before the run's seal.
options:
  _terms:
    description: None are taken; the options say what is wanted.
  run:
    description: Records of this run.
    type: str
  procedure:
    description: Records of runs of this procedure.
    type: str
  host:
    description: Records of this host, by its name in the inventory.
    type: str
  domain:
    description: Records of this domain, for example V(health) or V(backup).
    type: str
  kind:
    description: Records of this kind, for example V(step) or V(probe).
    type: str
  subject:
    description: Records of this subject, such as a probe's or a set's name.
    type: str
  status:
    description: Records with one of these statuses.
    type: list
    elements: str
  since:
    description: Records finished at this time or later, as V(2026-01-02T03:04:05Z), UTC.
    type: str
  until:
    description: Records finished before this time, as V(2026-01-02T03:04:05Z), UTC.
    type: str
  limit:
    description: How many records are returned at most.
    type: int
    default: 100
  state_dir:
    description: State folder that holds the ledger. Empty is the folder of the user who runs Ansible.
    type: str
    default: ""
    vars:
      - name: egov_ops_state_dir
seealso:
  - module: egov.ops.ledger_info
author:
  - The egov.ops founders (@egov-ops)
"""

EXAMPLES = r"""
- name: Say when this host was last backed up
  ansible.builtin.debug:
    msg: "{{ backups[0].finished | default('never') }}"
  vars:
    backups: "{{ query('egov.ops.ledger', host=inventory_hostname, kind='backup', status=['ok'], limit=1) }}"
"""

RETURN = r"""
_list:
  description:
    - The records, each with C(seq) and C(hash), its number and hash in the chain.
    - Characters that a terminal obeys, or that reorder or hide text, stand in them as their code, C([U+202E]).
  type: list
  elements: dict
"""

from collections.abc import Mapping

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, inert_value
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(
        self, terms: list[object], variables: Mapping[str, object] | None = None, **kwargs: object
    ) -> list[Mapping[str, object]]:
        """Return the records that match the options; a ledger that cannot be read is a lookup error."""
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            raise AnsibleLookupError(f"egov.ops.ledger takes options such as host=, not the term {terms[0]!r}.")
        asked = {name: value for name, value in self.get_options().items() if name not in ("_terms", "state_dir")}
        state_dir = self._templar.template(self.get_option("state_dir"))  # a variable's value comes as it was written
        try:
            with open_ledger(StateDir.resolve(state_dir), read_only=True) as ledger:
                found = list(ledger.records(**asked, newest_first=True))
        except OpsError as error:
            raise AnsibleLookupError(str(error)) from None
        return [{**inert_value(stored.record), "seq": stored.seq, "hash": stored.hash} for stored in found]
