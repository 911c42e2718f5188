# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's files, also when several runs end at the same moment."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.report import files

from tests.support.report_ledger import DailyRun, ListLedger


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir.resolve(str(tmp_path / "state"))
    state.prepare()
    return state


def report(name: str) -> dict[str, Any]:
    run = DailyRun(ListLedger(), ("local",))
    run.good_host("local")
    run.seal()
    data = run.report()
    return {**data, "run": {**data["run"], "id": name}}


def test_of_the_newest_run_latest_names_the_files(state: StateDir) -> None:
    files.write_report(report("one"), state.reports, "en")
    assert files.write_report(report("two"), state.reports, "en") == state.reports / "latest.html"
    files.write_report(report("old"), state.reports, "en", newest=False)
    assert (state.reports / "latest.html").readlink() == Path("two.html")
    assert json.loads((state.reports / "latest.json").read_text())["run"]["id"] == "two"
    assert sorted(path.name for path in state.reports.iterdir()) == sorted(
        [f"{name}.{ending}" for name in ("one", "two", "old", "latest") for ending in ("html", "json")]
    )


def test_what_is_in_short_is_of_the_same_run_as_the_page_or_not_there(state: StateDir) -> None:
    files.write_report(report("one"), state.reports, "en", short=True)
    assert (state.reports / "latest.md").readlink() == Path("one.md")
    assert (state.reports / "latest.txt").read_text().startswith("local\tok\t")
    files.write_report(report("two"), state.reports, "en")
    assert not list(state.reports.glob("latest.[mt]*"))
    assert (state.reports / "one.md").exists()


def test_runs_that_end_at_the_same_moment_do_not_fail_each_other(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "render_html", lambda data, language: data["run"]["id"])  # the race is in the writing
    forked = multiprocessing.get_context("fork")
    start = forked.Barrier(8)

    def runs(number: int) -> None:
        data = {"run": {"id": f"run{number}"}}
        start.wait(30)
        for _round in range(20):
            files.write_report(data, state.reports, "en")

    writers = [forked.Process(target=runs, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 8
    page = (state.reports / "latest.html").read_text()
    assert json.loads((state.reports / f"{page}.json").read_text())["run"]["id"] == page
