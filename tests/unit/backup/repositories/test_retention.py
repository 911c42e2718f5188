# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots may go: random catalogues against what the rule promises, and a small model of the count."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.retention import retention, span_of
from hypothesis import given
from hypothesis import strategies as st

NOW = "2026-05-20T12:00:00Z"
RULE = {"days": 3, "weeks": 2, "months": 2, "years": 1}
RULES = {"config": RULE}


def day(age: int, hour: int = 1) -> str:
    """Return a time so many days before now."""
    return (datetime(2026, 5, 20, hour) - timedelta(days=age)).strftime("%Y-%m-%dT%H:%M:%SZ")


def record(name: str, age: int, made: bool = True, **more: Any) -> dict[str, Any]:
    """Return a snapshot that was first seen so many days ago."""
    shape = {"class": "config", "host": "web1", "set": "pages", "copy": "local", "kind": "full"}
    return {**shape, "snapshot": name, "chain": name, "time": day(age), "seen": day(age), "made": made, **more}


def kept(records: list[dict[str, Any]], proofs: list[str], **more: Any) -> dict[str, str]:
    """Return why each snapshot is kept, by its name; what goes is not there."""
    given_: dict[str, Any] = {"rules": RULES, "holds": [], "now": NOW, **more}
    why = retention(records, given_["rules"], given_["holds"], {"pages": proofs}, given_["now"])
    return {entry["snapshot"]: reason for entry, reason in zip(records, why, strict=True) if reason}


RECORDS = st.lists(
    st.builds(
        lambda age, hour, made, set_name, copy, chain: record(
            "", age, made, seen=day(age, hour), set=set_name, copy=copy, chain=chain
        ),
        st.integers(0, 900),
        st.integers(0, 23),
        st.booleans(),
        st.sampled_from(["pages", "mail"]),
        st.sampled_from(["local", "far"]),
        st.one_of(st.just(""), st.sampled_from(["c1", "c2", "c3"])),
    ),
    max_size=40,
).map(
    lambda found: [
        {**entry, "snapshot": f"s{number}", "chain": entry["chain"] or f"s{number}"}
        for number, entry in enumerate(found)
    ]
)
PROOFS = st.lists(st.sampled_from(["s0", "s1", "s2", "s3", "c1", "c2", "gone"]), max_size=4, unique=True)
HOLDS = st.lists(
    st.fixed_dictionaries({"set": st.sampled_from(["pages", "mail"]), "snapshot": st.sampled_from(["s1", "c1", ""])}),
    max_size=1,
)


def places(records: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for entry in records:
        found.setdefault((entry["set"], entry["copy"]), []).append(entry)
    return found


@given(RECORDS, PROOFS, HOLDS)
def test_nothing_held_and_no_last_proved_copy_goes_and_no_chain_is_broken(
    records: list[dict[str, Any]], proofs: list[str], holds: list[dict[str, str]]
) -> None:
    why = retention(records, RULES, holds, {"pages": proofs, "mail": proofs}, NOW)
    gone = {entry["snapshot"] for entry, reason in zip(records, why, strict=True) if not reason}
    for (name, _copy), own in places(records).items():
        left = [entry for entry in own if entry["snapshot"] not in gone]
        for hold in holds:
            held = [
                entry
                for entry in own
                if hold["set"] == name
                and (entry["snapshot"].startswith(hold["snapshot"]) or entry["chain"].startswith(hold["snapshot"]))
            ]
            assert all(entry in left for entry in held)
        there = [proof for proof in proofs if any(proof in (entry["snapshot"], entry["chain"]) for entry in own)]
        if there:
            last = [entry for entry in own if there[0] in (entry["snapshot"], entry["chain"])]
            assert all(entry in left for entry in last)
        else:
            assert left == own
        chains = {entry["chain"] for entry in left}
        assert all(entry in left for entry in own if entry["chain"] in chains)


def test_a_forged_snapshot_of_a_proved_chain_takes_no_proof_away() -> None:
    ours = [record("old", 900), record("new", 0)]
    forged = record("forged", 0, made=False, chain="gone")
    assert kept(ours, ["gone", "old"])["old"] == "proved"
    assert kept([*ours, forged], ["gone", "old"])["old"] == "proved"
    assert kept([*ours, forged], ["gone"]) == dict.fromkeys(("old", "new", "forged"), "unproved")


@given(RECORDS, PROOFS, RECORDS)
def test_what_no_run_of_ours_made_lets_nothing_go_that_one_made(
    records: list[dict[str, Any]], proofs: list[str], forged: list[dict[str, Any]]
) -> None:
    flood = [{**entry, "snapshot": f"f{number}", "made": False} for number, entry in enumerate(forged)]
    sets = {"pages": proofs, "mail": proofs}
    before = retention(records, RULES, [], sets, NOW)
    after = retention([*records, *flood], RULES, [], sets, NOW)[: len(records)]
    proved = {
        place
        for place, own in places(records).items()
        if any(proof in (entry["snapshot"], entry["chain"]) for entry in own for proof in proofs)
    }
    for entry, reason, later in zip(records, before, after, strict=True):
        if (entry["set"], entry["copy"]) in proved and reason and entry["made"]:
            assert later


def model(records: list[dict[str, Any]]) -> set[str]:
    """Return what the count keeps, told another way: the newest of each of the newest periods."""
    found = set()
    keys = {
        "days": lambda moment: moment,
        "weeks": lambda moment: moment.isocalendar()[:2],
        "months": lambda moment: (moment.year, moment.month),
        "years": lambda moment: moment.year,
    }
    for unit, key in keys.items():
        newest: dict[Any, dict[str, Any]] = {}
        for entry in records:
            period = key(date.fromisoformat(entry["seen"][:10]))
            if period not in newest or (entry["seen"], entry["snapshot"]) > (
                newest[period]["seen"],
                newest[period]["snapshot"],
            ):
                newest[period] = entry
        found |= {newest[period]["snapshot"] for period in sorted(newest, reverse=True)[: RULE[unit]]}
    return found


@given(st.lists(st.integers(0, 900), min_size=1, max_size=60))
def test_the_count_is_that_of_a_model(ages: list[int]) -> None:
    records = [record(f"s{number:02}", age, time=day(0)) for number, age in enumerate(ages)]
    proof = max(records, key=lambda entry: (entry["seen"], entry["snapshot"]))["snapshot"]
    assert set(kept(records, [proof])) == model(records)


def test_a_period_without_a_snapshot_takes_no_place() -> None:
    records = [record(f"s{age}", age) for age in (100, 200, 300, 800)]
    rules = {"config": {"days": 3, "weeks": 0, "months": 0, "years": 0}}
    assert kept(records, ["s100"], rules=rules) == {"s100": "proved", "s200": "days", "s300": "days"}


def test_what_a_client_says_of_the_time_counts_for_nothing() -> None:
    records = [record(f"s{age}", age) for age in range(4)]
    for claimed in ("1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        lying = [{**entry, "time": claimed} for entry in records]
        assert kept(lying, ["s0"]) == kept(records, ["s0"])


def test_a_jump_of_the_controllers_clock_lets_nothing_go_that_a_run_made() -> None:
    records = [record(f"s{age}", age) for age in range(0, 60, 7)]
    assert kept(records, ["s0"], now="2099-01-01T00:00:00Z") == kept(records, ["s0"])


def test_what_nobody_made_stays_as_long_as_its_class_reaches_back() -> None:
    assert span_of(RULE) == 366
    records = [record("s0", 0), record("new", 365, made=False), record("old", 367, made=False)]
    assert kept(records, ["s0"]) == {"s0": "proved", "new": "strange"}


@pytest.mark.parametrize(("seen", "why"), [("2025-05-19T12:00:01Z", "strange"), ("2025-05-19T12:00:00Z", None)])
def test_what_nobody_made_goes_in_the_moment_in_which_it_is_as_old_as_its_class_is_kept(seen: str, why: Any) -> None:
    records = [record("s0", 0), record("other", 366, made=False, seen=seen)]
    assert kept(records, ["s0"]).get("other") == why


def test_a_set_that_was_never_proved_loses_nothing() -> None:
    records = [record(f"s{age}", age) for age in range(0, 900, 30)]
    assert set(kept(records, []).values()) == set(kept(records, ["gone"]).values()) == {"unproved"}


def test_an_older_proof_counts_where_the_newest_ones_snapshot_is_no_longer_there() -> None:
    records = [record(f"s{age}", age) for age in range(0, 900, 30)]
    assert kept(records, ["gone", "s600", "s30"])["s600"] == "proved"


def test_a_class_without_a_rule_loses_nothing() -> None:
    records = [record(f"s{age}", age) for age in range(0, 900, 30)]
    assert len(kept(records, ["s0"], rules={})) == len(records)


def test_a_chain_of_which_one_link_is_kept_stays_whole() -> None:
    links = [record(f"s{age}", age, chain="s500", kind="incremental") for age in (500, 499, 498)]
    records = [record("s0", 0), *links, record("s600", 600)]
    held = [{"set": "pages", "snapshot": "s498"}]
    assert kept(records, ["s0"], rules={"config": {"days": 1}}, holds=held) == {
        "s0": "proved",
        "s498": "held",
        "s499": "chain",
        "s500": "chain",
    }


@pytest.mark.long
def test_a_million_records_are_judged_in_twenty_seconds() -> None:
    records = [
        record(f"{name}-{copy}-{number}", number // 4, made=number % 10 > 0, set=f"set{name}", copy=copy)
        for name in range(100)
        for copy in ("local", "far")
        for number in range(5000)
    ]
    proofs = {f"set{name}": [f"{name}-local-1", f"{name}-far-1"] for name in range(100)}
    started = time.monotonic()
    why = retention(records, RULES, [], proofs, NOW)
    assert time.monotonic() - started < 20
    assert len(why) == 1_000_000
    assert 0 < why.count("") < len(why)
