# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A key in escrow is tested while its copy lies there, and for a quarter the ledger remembers that it was."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.support.sites import Site

pytestmark = pytest.mark.slow


def verified(site: Site) -> dict[str, Any]:
    """Return the record of the key after a verification of the backups."""
    done = site.play("egov.ops.backup_verify")
    assert done.rc == 0, done.output
    return site.records(kind="escrow")[-1]


def test_a_copy_that_was_tested_is_remembered_after_it_is_taken_away(site: Site) -> None:
    site.hosts = {"web1": site.hosts["web1"]}
    copy = site.folder / "copy"
    site.variables["egov_ops_backup_repositories"]["local"]["escrow_file"] = str(copy)
    assert site.play("egov.ops.backup").rc == 0
    never = verified(site)
    assert (never["status"], never["subject"]) == ("warning", "local")
    assert "egov.ops.backup_verify" in never["detail"]["next"]
    shutil.copy(site.state / "passwords" / "local", copy)
    assert verified(site)["detail"]["message"] == "The key in escrow opens repository local."
    copy.unlink()
    kept = verified(site)
    assert (kept["status"], kept["detail"]["message"]) == (
        "ok",
        "The key in escrow opened repository local 0 days ago.",
    )
    assert site.play("egov.ops.backup_status").rc == 0
    assert site.records(kind="escrow")[-1]["procedure"] == "backup_status"
