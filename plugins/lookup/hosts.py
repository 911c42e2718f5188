# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of a play, which is refused where there are none."""

from __future__ import annotations

DOCUMENTATION = r"""
name: hosts
short_description: Refuse a play that would work on no host
version_added: 0.1.0
description:
  - Returns the pattern that it is given, for C(hosts) of a play.
  - Raises an error where the pattern, the inventory or C(--limit) leaves no host, or where a part of the pattern or of
    the limit is neither a host nor a group. Ansible itself passes over such a play and ends with 0.
  - Returns the pattern unseen where nothing is run, as with C(--syntax-check), C(--list-hosts), C(--list-tasks) and
    C(--list-tags).
options:
  _terms:
    description: One pattern of hosts, as C(hosts) of a play takes it.
    type: list
    elements: str
    required: true
  request:
    description:
      - Digest of a request, or its beginning. Where the pattern is empty and there is no C(--limit), the hosts of the
        request are returned, so that a procedure which carries it out works on them alone.
    type: str
    default: ""
seealso:
  - module: egov.ops.run_begin
author:
  - The egov.ops founders (@egov-ops)
"""

EXAMPLES = r"""
- name: A procedure of the site's own
  hosts: "{{ lookup('egov.ops.hosts', egov_ops_hosts | default('all', true)) }}"
  gather_facts: false
  tasks:
    - name: Begin the run
      egov.ops.run_begin:
        procedure: site_procedure
      run_once: true
"""

RETURN = r"""
_raw:
  description:
    - The pattern, or the hosts of the request.
  type: list
  elements: str
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ansible import context as cli
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.runs import hosts_of_request, refuse_no_match

if TYPE_CHECKING:
    from typing import TypedDict

    class Variables(TypedDict, total=False):
        """Of all variables those that the lookup reads: the names of the hosts of each group."""

        groups: Mapping[str, Iterable[str]]


#: Options with which ansible-playbook runs nothing.
_LISTINGS = ("syntax", "listhosts", "listtasks", "listtags")


class LookupModule(LookupBase):  # type: ignore[misc]
    """See DOCUMENTATION."""

    def run(self, terms: list[object], variables: Variables | None = None, **kwargs: object) -> list[object]:
        """Return the pattern; one that leaves no host is a lookup error."""
        self.set_options(var_options=variables, direct=kwargs)
        if len(terms) != 1:
            raise AnsibleLookupError(f"egov.ops.hosts takes one pattern of hosts, not {len(terms)}.")
        if not any(cli.CLIARGS.get(option) for option in _LISTINGS):
            sources = list(cli.CLIARGS.get("inventory") or ())
            try:
                request = self.get_option("request")
                if not terms[0] and request and not cli.CLIARGS.get("subset"):
                    terms = [hosts_of_request(request, sources, self._loader)]
                refuse_no_match(
                    terms[0] or "all",
                    variables.get("groups", {}) if variables else {},
                    sources,
                    cli.CLIARGS.get("subset"),
                    self._loader,
                )
            except OpsError as error:
                raise AnsibleLookupError(str(error)) from None
        return [terms[0] or "all"]
