# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore drill measured is in the summary, on the page and in the JSON; what a host makes up is not known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.text import render_text

from tests.support.report_ledger import DailyRun, ListLedger

DRILL: dict[str, Any] = {
    "repository": "vault",
    "snapshot": "0123abcd",
    "files": 1200,
    "bytes": 5_000_000,
    "rto_seconds": 4.2,
    "rpo_seconds": 7200,
}


def drilled(status: str = "ok", **detail: Any) -> dict[str, Any]:
    run = DailyRun(ListLedger(), ("web1",), steps=({"module": "restore_drill", "domain": "backup"},))
    run.step("web1", 0)
    run.put("web1", "backup", "drill", "data", status, message="As it went.", **{**DRILL, **detail})
    run.seal()
    return run.report()


def backup_of(data: dict[str, Any]) -> dict[str, Any]:
    return next(entry for entry in data["domains"] if entry["domain"] == "backup")


def test_a_drill_is_told_with_its_rto_and_rpo() -> None:
    data = drilled()
    assert {name: data["backup"][0]["drill"][name] for name in DRILL} == DRILL
    assert backup_of(data)["measured"] == {"ok": 1, "total": 1}
    text = render_text(data, "en")
    assert "1 of 1 set proved by a restore" in text
    said = "web1/data came back in 4.20 s (RTO): 1,200 files, 4.8 MiB of vault; 2 h 0 min of work would be lost (RPO)"
    assert said in text
    assert "web1/data 恢复用时 4.20 秒（RTO）" in render_text(data, "zh")
    for language in ("en", "zh"):
        assert '<th scope="col" class="right">RTO</th>' in render_html(data, language)


def test_a_drill_that_failed_proves_nothing_and_is_a_finding() -> None:
    data = drilled("failed")
    assert backup_of(data)["measured"] == {"ok": 0, "total": 1}
    assert "came back in" not in render_text(data, "en")
    assert [row["kind"] for row in data["findings"]] == ["drill"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("files", -1), ("files", "many"), ("bytes", True), ("rto_seconds", "soon"), ("rpo_seconds", -5), ("snapshot", 7)],
)
def test_what_has_another_shape_is_not_known(name: str, value: object) -> None:
    data = drilled(**{name: value})
    assert data["backup"][0]["drill"][name] is None
    render_text(data, "en")
    render_html(data, "en")
