# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is lost and nothing doubled, wherever an appender or a drain is killed."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.drain import drain_spools
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.process import identity, run_id
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.spool import Spool
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.sqlite import Ledger
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.verification import verify_ledger
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.ledger_cases import (
    NOW,
    append,
    dead_process,
    in_child,
    kill_here,
    living_process,
    make_header,
    make_record,
    make_state,
)

LAST_LINE = 100_000

#: Each kill costs some fsyncs: of the places in a whole drain, one in three is enough.
STRIDE = 3


def killed_at(line: int, work: Callable[[], object]) -> bool:
    """Do some work in a child that is killed before the n-th new line of our code; tell whether it got that far."""
    seen: set[tuple[str, int]] = set()

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        if "plugin_utils" not in frame.f_code.co_filename:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
            if len(seen) == line:
                kill_here()
        return trace

    def traced() -> None:
        sys.settrace(trace)
        work()

    return in_child(traced) == -9


def drain_all(state: StateDir, current: Spool | None = None) -> None:
    with Ledger(state.ledger) as ledger:
        drain_spools(state, ledger, NOW, current)


def stored(state: StateDir) -> list[dict[str, Any]]:
    with Ledger(state.ledger) as ledger:
        assert verify_ledger(ledger, []).ok
        return [row.record for row in ledger.records()]


def test_a_drain_killed_before_any_of_its_lines_is_finished_by_the_next(tmp_path: Path) -> None:
    lines = 0
    for line in range(1, LAST_LINE, STRIDE):
        state = make_state(tmp_path / str(line))
        for number in range(2):
            spool = Spool.find_or_create(state.spool, dead_process(number), make_header(), NOW)
            append(spool, [make_record(identifier=f"{number}-{part}", host="db1") for part in range(2)])
        killed = killed_at(line, lambda state=state: drain_all(state))  # type: ignore[misc]
        drain_all(state)
        subjects = Counter(record["id"] for record in stored(state))
        assert set(subjects.values()) == {1}, f"killed before line {line}"
        assert len(subjects) == 2 * (2 + 2 * 2 + 1), f"killed before line {line}"
        assert list(state.spool.iterdir()) == []
        if not killed:
            break
        lines = line
    assert 100 < lines < LAST_LINE - STRIDE


def test_an_append_killed_before_any_of_its_lines_keeps_what_was_there(tmp_path: Path) -> None:
    process = dead_process()
    lines = 0
    for line in range(1, LAST_LINE):
        folder = tmp_path / str(line)
        folder.mkdir()
        run = run_id(process, NOW)
        before, during, after = (make_record(run=run) for _ in range(3))

        def add(record: dict[str, Any], folder: Path = folder) -> None:
            Spool.find_or_create(folder, process, make_header(), NOW).append([record])

        add(before)
        killed = killed_at(line, lambda add=add, during=during: add(during))  # type: ignore[misc]
        add(after)
        records = Spool.find_or_create(folder, process, make_header(), NOW).read().records
        assert records in ([before, after], [before, during, after]), f"killed before line {line}"
        if not killed:
            assert records == [before, during, after]
            break
        lines = line
    assert 20 < lines < LAST_LINE - 1


events = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 2), st.integers(1, 3)),
    st.tuples(st.just("tear"), st.integers(0, 2), st.integers(1, 200)),
    st.tuples(st.just("kill"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("seal"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("drain"), st.just(0), st.integers(1, 400)),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(events, max_size=12))
def test_no_order_of_appends_deaths_and_drains_loses_or_doubles_a_record(steps: list[tuple[str, int, int]]) -> None:
    """Three runs append, tear their last line, die and seal; drains are killed at any line."""
    with ExitStack() as stack:
        state = make_state(Path(stack.enter_context(TemporaryDirectory())))
        runs = [stack.enter_context(living_process()) for _ in range(3)]
        dead: set[int] = set()
        written: dict[int, list[str]] = {0: [], 1: [], 2: []}

        def spool_of(run: int) -> Spool:
            return Spool.find_or_create(state.spool, runs[run][0], make_header(), NOW)

        for action, run, number in steps:
            if action == "drain":
                killed_at(number, lambda: drain_all(state))
            elif run in dead:
                continue
            elif action == "append":
                records = [make_record() for _ in range(number)]
                append(spool_of(run), records)
                written[run] += [record["id"] for record in records]
            elif action == "tear":
                with spool_of(run).path.open("a") as stream:
                    stream.write('{"id":"torn' + "x" * number)
            elif action == "seal":
                drain_all(state, spool_of(run))
            elif action == "kill":
                runs[run][1]()
                dead.add(run)
        for _, end in runs:
            end()
        drain_all(state)
        assert list(state.spool.iterdir()) == []
        ids = [record["id"] for record in stored(state)]
        assert len(ids) == len(set(ids))
        for of_run in written.values():
            assert [found for found in ids if found in set(of_run)] == of_run


def test_a_run_killed_while_its_own_seal_drains_is_sealed_once(tmp_path: Path) -> None:
    for line in range(1, LAST_LINE, STRIDE):
        state = make_state(tmp_path / str(line))
        begun = tmp_path / str(line) / "begun"

        def run(state: StateDir = state, begun: Path = begun) -> None:
            spool = Spool.find_or_create(state.spool, identity(os.getpid()), make_header(), NOW)
            begun.touch()
            append(spool, [make_record(host="controller", domain="run", kind="seal", subject="daily")])
            drain_all(state, spool)

        killed = killed_at(line, run)
        drain_all(state)
        seals = [record for record in stored(state) if record["kind"] == "seal"]
        if begun.exists():
            assert len(seals) == 1, f"killed before line {line}"
        assert list(state.spool.iterdir()) == []
        if not killed:
            assert seals[0]["status"] == "ok"
            break
    assert line < LAST_LINE - STRIDE
