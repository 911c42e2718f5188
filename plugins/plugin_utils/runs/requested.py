# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a request, on which a procedure works that is given the request and no hosts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.gates import evidence
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.plan import InventoryPlan, load_schema, merge


def hosts_of_request(wanted: object, sources: Iterable[str], loader: Any) -> str:
    """Return the hosts of the request whose digest begins so, as a pattern; raises OpsError where there is none.

    A play's hosts are chosen before Ansible knows their variables, so the inventory is read here for the state folder.
    """
    if not isinstance(wanted, str):
        raise OpsError(f"egov_ops_request is {wanted!r}, but must be a text; put the digest into quotation marks.")
    variables = VariableManager(loader=loader, inventory=InventoryManager(loader=loader, sources=list(sources)))
    names = [host.name for host in variables._inventory.get_hosts("all")]
    if not names:
        return "all"  # what is refused then says why
    plan = merge(
        InventoryPlan(variables, Templar(loader=loader)).variables(names[0]), load_schema(), dict(variables.extra_vars)
    )
    state = StateDir.resolve(plan["egov_ops_state_dir"])
    try:
        request = evidence.find(state, wanted)
    except LedgerError:  # in an emergency there may be no ledger
        request = evidence.find_export(state, wanted)
    unknown = sorted(set(request.hosts) - set(names))
    if unknown:
        raise OpsError(
            f"Request {request.digest[:8]} is for {unknown[0]}, which is not in this inventory; name another with -i."
        )
    return ",".join(request.hosts)
