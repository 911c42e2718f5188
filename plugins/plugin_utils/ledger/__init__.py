# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence: records, the spool in which they wait, and the chained ledger that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils import offering

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import clock, continuity, purge, redaction, witness
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import DEFAULT_ALGORITHM, canonical, digest
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.connection import open_ledger
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import (
        LONGEST,
        Drained,
        drain_spools,
        is_orphaned,
        missing,
        running,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.eraser import Eraser
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError, SpoolError
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Detail, Head, Record
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import (
        Identity,
        controller,
        remember_controller,
        run_id,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.records import (
        CONTROLLER,
        REJECTED,
        is_time,
        iso,
        read_time,
        record,
        record_or_failure,
        stable_id,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.redaction_records import carried_out, redactions
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.rejected import (
        Actor,
        forget_untold,
        sentences,
        untold,
    )
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool, spools
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_lines import Header, Step
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool_load import NOT_LOGGED
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.supposing import suppose
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_export, verify_ledger
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger.witness import read_witnesses
else:
    __getattr__ = offering(
        __name__,
        {
            "chain": ("DEFAULT_ALGORITHM", "canonical", "digest"),
            "connection": ("open_ledger",),
            "drain": ("Drained", "LONGEST", "drain_spools", "is_orphaned", "missing", "running"),
            "eraser": ("Eraser",),
            "errors": ("LedgerError", "SpoolError"),
            "model": ("Detail", "Head", "Record"),
            "process": ("Identity", "controller", "remember_controller", "run_id"),
            "records": (
                "CONTROLLER",
                "REJECTED",
                "is_time",
                "iso",
                "read_time",
                "record",
                "record_or_failure",
                "stable_id",
            ),
            "redaction_records": ("carried_out", "redactions"),
            "rejected": ("Actor", "forget_untold", "sentences", "untold"),
            "spool": ("Spool", "spools"),
            "spool_lines": ("Header", "Step"),
            "spool_load": ("NOT_LOGGED",),
            "sqlite": ("Ledger",),
            "supposing": ("suppose",),
            "verification": ("verify_export", "verify_ledger"),
            "witness": ("read_witnesses",),
        },
    )
