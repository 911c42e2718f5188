# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The overridden gate stands in the first lines."""

from __future__ import annotations

from ansible_collections.egov.ops.plugins.plugin_utils.report.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.text import render_text

from tests.support.report_ledger import DailyRun, ListLedger


def overridden(*hosts: str) -> DailyRun:
    run = DailyRun(ListLedger(), hosts)
    for host in hosts:
        run.good_host(host)
        detail = {"gates": "approval, freeze", "why": "The portal is down.", "user": "li", "message": "restore goes on"}
        run.put(host, "gate", "override", "1a2b3c4d", "critical", **detail)
    run.seal()
    return run


def test_an_override_stands_right_below_the_verdict_in_both_languages() -> None:
    data = overridden("web1").report()
    line = "EMERGENCY OVERRIDE on web1 by li, although refused by approval, freeze: The portal is down."
    assert render_text(data, "en").splitlines()[1] == line
    assert "紧急放行：li 在 web1 上越过审批控制 approval, freeze，理由：The portal is down。" in render_text(data, "zh")
    page = render_html(data, "en")
    assert page.index("EMERGENCY OVERRIDE") < page.index('id="act-heading"')


def test_one_override_on_several_hosts_is_one_line_and_a_finding() -> None:
    data = overridden("web1", "web2").report()
    assert render_text(data, "en").count("EMERGENCY OVERRIDE") == 1
    assert [entry["host"] for entry in data["overrides"]] == ["web1", "web2"]
    assert data["verdict"]["status"] == "critical"
    assert "Gates" in render_text(data, "en")
