# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: the inventory's egov_ops_* variables, read by one schema, merged in layers and checked."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import (
    PREFIX,
    Schema,
    SchemaError,
    load_schema,
    role_options,
)
from ansible_collections.egov.ops.plugins.plugin_utils.plan.validate import Plan, PlanError, Problem, check, merge

__all__ = [
    "PREFIX",
    "Plan",
    "PlanError",
    "Problem",
    "Schema",
    "SchemaError",
    "check",
    "load_schema",
    "merge",
    "role_options",
]
