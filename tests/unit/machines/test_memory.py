# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of the machine behind a name, from its first visit until a person accepts another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir
from ansible_collections.egov.ops.plugins.plugin_utils.ledger import open_ledger
from ansible_collections.egov.ops.plugins.plugin_utils.machines import memory, short

from tests.support.ledger_cases import make_record

FIRST = {"machine": "1" * 32, "ssh": "a" * 32}
OTHER = {"machine": "2" * 32, "ssh": "b" * 32}
HOSTS = ["n1", "n2"]


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    found = StateDir(tmp_path / "state")
    found.prepare()
    return found


def visit(state: StateDir, host: str, marks: dict[str, str], hosts: list[str] = HOSTS) -> tuple[str, dict[str, str]]:
    """Return the fault of a host, and those that begin or end, by host."""
    known, changed = memory.visited(state, host, marks, hosts)
    return known.fault, {one.host: one.fault for one in changed}


def test_the_first_visit_is_believed_and_the_next_one_compared(state: StateDir) -> None:
    assert visit(state, "n1", FIRST) == ("", {})
    assert visit(state, "n1", FIRST) == ("", {})
    assert visit(state, "n1", OTHER) == ("changed", {"n1": "changed"})
    assert visit(state, "n1", OTHER) == ("changed", {})
    assert visit(state, "n1", FIRST) == ("", {"n1": ""})


def test_a_machine_that_loses_its_id_alone_is_no_longer_known(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    assert visit(state, "n1", {"ssh": FIRST["ssh"]}) == ("missing", {"n1": "missing"})


def test_two_names_that_were_met_under_inventories_of_their_own_are_compared_under_one_of_both(state: StateDir) -> None:
    visit(state, "n1", FIRST, ["n1"])
    visit(state, "n2", FIRST, ["n2"])
    assert visit(state, "n1", FIRST) == ("shared", {"n1": "shared", "n2": "shared"})


def test_the_machine_is_found_in_the_ledger_behind_any_number_of_visits_with_a_fault(state: StateDir) -> None:
    def step(**detail: object) -> dict[str, object]:
        return make_record(kind="step", subject="health_probe", host="n1", detail=detail)

    with open_ledger(state) as ledger:
        ledger.append([step(machine=FIRST)])
        ledger.append(step(machine=OTHER, machine_fault="changed") for _ in range(60))
    assert memory.recall(state, "n1").accepted == FIRST
    assert visit(state, "n1", OTHER) == ("changed", {"n1": "changed"})


def test_machines_with_one_id_that_are_not_the_same_are_compared_once(state: StateDir) -> None:
    other = {**FIRST, "ssh": "b" * 32}  # a container of the same image
    visit(state, "n1", FIRST)
    visit(state, "n2", other)
    visit(state, "n1", FIRST)
    assert (memory.recall(state, "n1").apart, memory.recall(state, "n2").apart) == (("n2",), ("n1",))
    before = {file: file.stat().st_mtime_ns for file in (state.machines / "names").iterdir()}
    assert visit(state, "n1", FIRST) == visit(state, "n2", other) == ("", {})
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_root_adds_the_hardware_which_then_decides(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    assert visit(state, "n1", {**FIRST, "hardware": "c" * 32}) == ("", {})
    assert visit(state, "n1", FIRST) == ("", {})
    assert visit(state, "n1", {**FIRST, "hardware": "d" * 32}) == ("changed", {"n1": "changed"})


def test_one_machine_of_two_names_is_a_fault_of_both_until_one_is_another(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    assert visit(state, "n2", FIRST) == ("shared", {"n1": "shared", "n2": "shared"})
    assert memory.recall(state, "n1").others == ("n2",)
    memory.keep(state, memory.accept(state, "n2", short(FIRST)))
    assert visit(state, "n2", FIRST) == ("", {})
    assert visit(state, "n1", FIRST) == ("shared", {})


def test_a_name_that_the_inventory_has_no_more_shares_nothing(state: StateDir) -> None:
    visit(state, "old", FIRST)
    assert visit(state, "n1", FIRST) == ("", {})


def test_a_twin_that_gets_an_id_of_its_own_frees_the_other_name(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    visit(state, "n2", FIRST)
    assert visit(state, "n2", OTHER)[0] == "changed"
    assert visit(state, "n1", FIRST) == ("", {"n1": ""})


def test_a_machine_without_an_identity_is_a_fault_until_it_is_accepted(state: StateDir) -> None:
    assert visit(state, "n1", {}) == ("missing", {"n1": "missing"})
    memory.keep(state, memory.accept(state, "n1", "none"))
    assert visit(state, "n1", {}) == ("", {})
    assert visit(state, "n1", {"hardware": "c" * 32}) == ("", {})
    assert visit(state, "n1", FIRST) == ("changed", {"n1": "changed"})


def test_a_machine_that_loses_its_identity_is_no_longer_known(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    assert visit(state, "n1", {}) == ("missing", {"n1": "missing"})


def test_only_the_machine_that_was_seen_last_is_accepted(state: StateDir) -> None:
    visit(state, "n1", FIRST)
    with pytest.raises(OpsError, match="nothing to accept"):
        memory.accept(state, "n1", short(FIRST))
    visit(state, "n1", OTHER)
    with pytest.raises(OpsError, match=f"is {short(OTHER)}, and not {short(FIRST)}"):
        memory.accept(state, "n1", short(FIRST))
    memory.keep(state, memory.accept(state, "n1", short(OTHER)))
    assert visit(state, "n1", OTHER) == ("", {})
    assert visit(state, "n1", FIRST) == ("changed", {"n1": "changed"})


@pytest.mark.parametrize("text", ["", "{}", "no JSON", '{"host": 1}'])
def test_a_damaged_file_is_none(state: StateDir, text: str) -> None:
    visit(state, "n1", FIRST)
    (file,) = (state.path / "machines/names").iterdir()
    file.write_text(text)
    assert memory.recall(state, "n1").accepted is None
