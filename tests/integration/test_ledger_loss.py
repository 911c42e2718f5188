# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger that is lost while its witness stays ends each run with 2 until a person accepts the new beginning."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

ACCEPT = {"egov_ops_accept_ledger": {"name": "Zhang Wei", "reason": "The disk of the controller broke."}}


def test_a_removed_ledger_is_said_until_it_is_accepted(site):
    assert site.play(site.procedure()).rc == 0
    (site.state / "ledger.sqlite3").unlink()
    done = site.play(site.procedure())
    assert done.rc == 2, done.output
    first_lines = " ".join(done.output.partition("TASK [Probe]")[0].split())
    assert "the witness of" in first_lines and "egov.ops.accept_ledger" in first_lines

    refused = site.play("egov.ops.accept_ledger", "-e", '{"egov_ops_accept_ledger": {"name": "Zhang Wei"}}')
    assert refused.rc == 2 and "The reason is None" in " ".join(refused.output.split()), refused.output
    assert site.play("egov.ops.accept_ledger", "-e", json.dumps(ACCEPT), "--check").rc == 0
    assert site.records(kind="acceptance") == []
    done = site.play("egov.ops.accept_ledger", "-e", json.dumps(ACCEPT))
    assert done.rc == 0, done.output
    (record,) = site.records(kind="acceptance")
    assert (record["host"], record["detail"]["name"]) == ("controller", "Zhang Wei")

    done = site.play(site.procedure())
    assert done.rc == 0, done.output
    assert "accept_ledger" not in done.output
    verified = site.play("egov.ops.ledger_verify")
    assert verified.rc == 0, verified.output
