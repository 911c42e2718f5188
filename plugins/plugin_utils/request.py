# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests, as the ledger keeps them."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.state_dir import StateDir


def read(state: StateDir, digest: str) -> dict[str, Any]:
    """Return the request of a digest; raises OpsError where the ledger does not have it."""
    with Ledger(state.ledger, read_only=True) as ledger:
        found = ledger.artefact(digest)
    if found is None:
        raise OpsError(f"The ledger has no request {digest}; see its digest where it was made.")
    request: dict[str, Any] = json.loads(found.content)
    return request
