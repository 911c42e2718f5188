# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: the inventory's egov_ops_* variables, read by one schema, merged in layers and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.plan import password, vaulted
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.changes import Change, Plans, difference
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check, inspect
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.inventory_variables import InventoryPlan
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.layers import layer_names
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import DEFAULT, Memory, Plan, merge
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import Problem
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import (
        PREFIX,
        Key,
        RoleOptions,
        Schema,
        Variable,
        load_schema,
        parse,
        role_options,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema_sources import read_role_options, read_sources
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.step_options import OPTIONS, options_of, procedures_with
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import Opaque, plain, read_moment, shown
    from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import load_vocabulary
else:
    __getattr__ = offering(
        __name__,
        {
            "changes": ("Change", "Plans", "difference"),
            "checking": ("check", "inspect"),
            "inventory_variables": ("InventoryPlan",),
            "layers": ("layer_names",),
            "merging": ("DEFAULT", "Memory", "Plan", "merge"),
            "problem": ("Problem",),
            "schema": ("Key", "PREFIX", "RoleOptions", "Schema", "Variable", "load_schema", "parse", "role_options"),
            "schema_sources": ("read_role_options", "read_sources"),
            "step_options": ("OPTIONS", "options_of", "procedures_with"),
            "values": ("Opaque", "plain", "read_moment", "shown"),
            "vocabulary": ("load_vocabulary",),
        },
    )
