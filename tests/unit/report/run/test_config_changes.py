# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's chapter of backups tells the new versions of the configuration: what differs and who changed it."""

from __future__ import annotations

import html
import json
from typing import Any

import environment
import jsonschema
import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html

from tests.support.report_ledger import DailyRun, ListLedger

VERSION = {
    "changes": [
        {
            "path": "/etc/ssh/sshd_config",
            "change": "modified",
            "author": "session of li on pts/0",
            "time": "2026-11-24T21:00:00Z",
            "diff": ["@@ -1 +1 @@", "-PermitRootLogin yes", "+PermitRootLogin no <b>"],
        },
        {"path": "/etc/gone", "change": "removed", "author": "unknown", "time": "2026-11-24T21:01:00Z"},
    ],
    "more": 3,
}


def report(**detail: Any) -> dict[str, Any]:
    run = DailyRun(ListLedger())
    run.all_steps("local")
    run.backed_up("local", **detail)
    run.seal()
    return run.report()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["New version of config on local", "2 changes are told, 3 more", "modified", "removed", "unknown"]),
        ("zh", ["local 上 config 的新版本", "列出 2 处变更，另有 3 处", "修改", "删除", "不详"]),
    ],
)
def test_a_new_version_is_told_with_its_changes(language: str, words: list[str]) -> None:
    page = html.unescape(render_html(report(version=VERSION), language))
    for each in [*words, "/etc/ssh/sshd_config", "-PermitRootLogin yes", "session of li on pts/0"]:
        assert each in page
    assert "<b>" not in render_html(report(version=VERSION), language).partition("PermitRootLogin no")[2][:20]


def test_the_schema_of_the_data_knows_a_new_version() -> None:
    schema = json.loads((environment.ROOT / "docs/report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report(version={**VERSION, "message": "No more can be told."}))


def test_a_backup_without_a_new_version_has_no_such_part() -> None:
    data = report()
    assert "version" not in data["backup"][0]
    assert "New version" not in render_html(data, "en")
    assert report(version=VERSION)["backup"][0]["version"]["more"] == 3
