# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The validation of an inventory: from a path to what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import load_schema
from ansible_collections.egov.ops.plugins.plugin_utils.validation import output
from ansible_collections.egov.ops.plugins.plugin_utils.validation.findings import examine
from ansible_collections.egov.ops.plugins.plugin_utils.validation.loaded import Site


class Wanted(NamedTuple):
    """What is to be validated."""

    inventory: str


def validate(wanted: Wanted) -> output.Data:
    """Return all that is wrong with an inventory as data; raises OpsError where there is none to look at."""
    site = _load(wanted.inventory)
    checked = examine(site, load_schema())
    return {
        "schema": output.SCHEMA,
        "inventory": wanted.inventory,
        "loaded": site.is_loaded,
        "hosts": len(site.hosts),
        "files": site.places.files,
        "not_checked": site.places.encrypted,
        "problems": [output.problem_data(finding) for finding in checked.findings],
    }


def _load(inventory: str) -> Site:
    if not inventory:
        raise OpsError("No inventory is named; give inventory: or -e egov_ops_validate_inventory=PATH.")
    if not Path(inventory).exists():
        raise OpsError(f"The inventory {inventory} does not exist; give the path of a file or folder.")
    return Site(inventory)
