# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the engines, run on each: what an engine declares works, and what it lacks each procedure names."""

from __future__ import annotations

import inspect
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.engines import registry
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.contract import CAPABILITIES, Engine, NotSupported
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import open_engine
from ansible_collections.egov.ops.plugins.module_utils.backup.proofs.integrity_check import check
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.catalogue import catalogue
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.key_rotation import rotate
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories.prune import prune
from ansible_collections.egov.ops.plugins.module_utils.backup.restores import listing as listing_module
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.drill import run as drill
from ansible_collections.egov.ops.plugins.module_utils.backup.restores.job import work
from ansible_collections.egov.ops.plugins.module_utils.host.half import perform

from tests.support.backup_site import NOW, REPOSITORY, Site, only
from tests.support.engines import CASES, Case, example, is_native
from tests.support.restore_site import call, carry_out, found, now, request, tree

pytestmark = [pytest.mark.programs("restic", "tar"), pytest.mark.slow]

LATER = "2026-05-20T03:00:00Z"


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry know the example's engine where the patch is not applied."""
    if "tar" not in registry.ENGINES:
        monkeypatch.setitem(registry.ENGINES, "tar", example)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test the engines that declare what it needs; what the others say instead is tested below."""
    if "case" in metafunc.fixturenames:
        needed = {name for mark in metafunc.definition.iter_markers("needs") for name in mark.args}
        able = [case for case in CASES if needed <= {*case.engine.CAN, *(["encryption"] if case.encrypted else [])}]
        metafunc.parametrize("case", able, ids=lambda case: str(case.name))


@pytest.fixture
def site(case: Case, tmp_path: Path) -> Iterator[Site]:
    yield case.site(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def opened(site: Site, moment: str = NOW) -> Engine:
    """Return the engine of a site's repository."""
    host = site.host(moment)
    (site.state / "backup/tmp").mkdir(parents=True, exist_ok=True)  # as a run of ours does
    return open_engine("local", site.repositories, host)  # type: ignore[arg-type]


def largest(site: Site) -> Path:
    return max((path for path in site.repository.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(bytes(content))


# What an engine declares


def test_the_methods_are_those_of_the_declared_capabilities(case: Case) -> None:
    engine = case.engine
    assert case.name == engine.ENGINE
    assert set(engine.CAN) <= set(CAPABILITIES)
    assert not inspect.isabstract(engine)
    for capability, (methods, _lacking) in CAPABILITIES.items():
        for method in methods:
            own = getattr(engine, method) is not getattr(Engine, method)
            assert own == (capability in engine.CAN), f"{method} of {capability}"


def test_each_method_of_a_capability_that_is_lacking_says_so(case: Case, site: Site) -> None:
    engine = opened(site)
    for capability in sorted(set(CAPABILITIES) - set(engine.CAN)):
        for method in CAPABILITIES[capability][0]:
            bound = getattr(engine, method)
            with pytest.raises(NotSupported) as raised:
                bound(*["" for _parameter in inspect.signature(bound).parameters])
            assert raised.value.reason == "not_supported"
            assert f"Engine {case.name} of repository local does not support {capability}: " in str(raised.value)


# What it does


@pytest.mark.needs("files", "listing")
def test_odd_names_and_metadata_come_back_as_they_were(case: Case, site: Site) -> None:
    folder = site.source / "folder"
    folder.mkdir(mode=0o2750)
    for name in (
        b"a\nb",
        b"\xff\xfe",
        "中 文".encode(),
        b"*?[x]\\",
        b"-rf",
        b"back\\slash\\n",
        b" lead",
        b"@x",
        b"x,y",
    ):
        (folder / os.fsdecode(name)).write_bytes(b"odd " + name)
    (site.source / "empty").mkdir()
    (site.source / "link").symlink_to("nowhere")
    os.setxattr(site.source / "b", "user.note", b"\x00\xff")
    (site.source / "c").chmod(0o4750)
    (site.source / "big").write_bytes(random.Random(7).randbytes(3_000_000))
    if os.geteuid() == 0:
        os.chown(site.source / "a", 1234, 4321)
        os.utime(site.source / "a", ns=(1, 987654321012345678))
    assert only(site.back_up())["status"] == "ok"
    (snapshot,) = opened(site).snapshots("web1")
    assert (snapshot.set, snapshot.kind, snapshot.time) == ("pages", "full", NOW)
    target = site.base / "target"
    assert opened(site).restore(snapshot.id, [os.fsencode(site.source)], str(target)) == ""
    assert tree(target / str(site.source).lstrip("/")) == tree(site.source)
    one = folder / os.fsdecode(b"*?[x]\\")
    assert opened(site).restore(snapshot.id, [os.fsencode(one)], str(site.base / "one")) == ""
    names = [path.name for path in (site.base / "one").rglob("*") if path.is_file()]
    assert names == [one.name]


@pytest.mark.needs("files", "dump")
def test_the_manifest_can_be_read_from_a_snapshot_without_writing_anything(case: Case, site: Site) -> None:
    site.back_up()
    (manifest,) = (site.state / "backup" / "manifests").glob("*.jsonl")
    (snapshot,) = opened(site).snapshots("web1")
    before = sorted(site.base.rglob("*"))
    assert opened(site).dump(snapshot.id, str(manifest)) == manifest.read_bytes()
    assert sorted(site.base.rglob("*")) == before


@pytest.mark.needs("files")
def test_a_damaged_repository_is_found(case: Case, site: Site) -> None:
    (site.source / "a").write_bytes(random.Random(1).randbytes(2_000_000))
    site.back_up()
    flip(largest(site))
    assert only(site.prove(more={"files": 50}))["status"] == "failed"
    if "check" in case.engine.CAN:
        record = only(site.answer(check, {"data": "all"}, LATER, {}))
        assert (record["status"], record["reason"]) == ("critical", "mismatch")
        assert "damaged" in record["detail"]["message"]


@pytest.mark.needs("encryption")
def test_a_password_that_is_not_the_repository_s_opens_nothing(case: Case, site: Site) -> None:
    site.back_up()
    record = only(site.back_up(LATER, password="another"))
    assert (record["status"], record["reason"]) == ("failed", "not_ours")
    assert "password" in record["detail"]["message"]
    if "keys" in case.engine.CAN:
        assert opened(site).opens()
        other = open_engine("local", site.repositories, site.host(password="another"))  # type: ignore[arg-type]
        assert not other.opens()


def test_a_missing_repository_is_said_and_one_that_held_backups_is_never_made_anew(case: Case, tmp_path: Path) -> None:
    site = case.site(tmp_path)
    site.repository.exists() and site.repository.rename(tmp_path / "away")
    site.repositories["local"]["create"] = False
    record = only(site.back_up())
    assert (record["status"], record["reason"]) == ("failed", "not_ours")
    assert "There is no repository at local" in record["detail"]["message"]
    assert not site.repository.exists()
    site.repositories["local"]["create"] = True
    assert only(site.back_up())["status"] == "ok"
    site.repository.rename(tmp_path / "lost")
    record = only(site.back_up(LATER))
    assert record["status"] == "failed"
    assert "It held snapshots of this host before" in record["detail"]["message"]


def test_a_folder_of_something_else_is_left_alone(case: Case, tmp_path: Path) -> None:
    site = case.site(tmp_path)
    site.repository.exists() and site.repository.rename(tmp_path / "away")
    site.repository.mkdir()
    (site.repository / "theirs").write_text("x")
    record = only(site.back_up())
    assert (record["status"], record["reason"]) == ("failed", "not_ours")
    assert f"no repository of {case.name}" in record["detail"]["message"]
    assert [path.name for path in site.repository.iterdir()] == ["theirs"]


@pytest.mark.needs("files", "listing")
@pytest.mark.parametrize("seconds", [0.2, pytest.param(0.05, marks=pytest.mark.long)])
def test_a_backup_that_is_killed_leaves_no_snapshot_and_a_usable_repository(
    case: Case, site: Site, seconds: float
) -> None:
    assert only(site.back_up())["status"] == "ok"
    (site.source / "big").write_bytes(random.Random(3).randbytes(60_000_000))
    site.sets["pages"]["incremental_since"] = LATER
    line = f'case "$*" in {case.writing}) "$REAL" "$@" & sleep {seconds}; kill -9 $!; wait $!; exit 137;; esac'
    record = only(site.back_up(LATER, tool_path=[case.faulty(site, line)]))
    assert record["status"] == "failed", record
    assert len(opened(site, LATER).snapshots("web1")) == 1
    assert only(site.back_up(LATER))["status"] == "ok"
    assert len(opened(site, LATER).snapshots("web1")) == 2
    assert only(site.prove(LATER))["status"] == "ok"
    if "check" in case.engine.CAN:
        assert only(site.answer(check, {"data": "all"}, LATER, {}))["status"] == "ok"
    if "locks" in case.engine.CAN:
        assert opened(site).locks() == {}


@pytest.mark.needs("files", "listing")
def test_a_run_that_is_killed_while_its_tool_works_on_leaves_a_usable_repository(case: Case, site: Site) -> None:
    assert only(site.back_up())["status"] == "ok"
    (site.source / "big").write_bytes(random.Random(5).randbytes(60_000_000))
    site.sets["pages"]["incremental_since"] = LATER
    began = site.base / "began"
    tools = case.faulty(site, f'case "$*" in {case.writing}) touch {began};; esac')
    run = get_context("fork").Process(target=site.back_up, args=(LATER,), kwargs={"tool_path": [tools]})
    run.start()
    until = time.monotonic() + 30
    while not began.exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    run.kill()
    run.join()
    assert run.exitcode == -signal.SIGKILL
    assert only(site.back_up(LATER))["status"] == "ok"
    assert only(site.prove(LATER))["status"] == "ok"
    if "check" in case.engine.CAN:
        assert only(site.answer(check, {"data": "all"}, LATER, {}))["status"] == "ok"


@pytest.mark.needs("files", "listing")
def test_two_sets_are_backed_up_into_one_repository_at_once(case: Case, site: Site) -> None:
    pages = site.sets["pages"]
    sites = []
    for name in ("one", "two"):
        folder = site.base / name
        folder.mkdir()
        (folder / "file").write_bytes(random.Random(name).randbytes(5_000_000))
        other = Site.__new__(Site)
        other.__dict__.update(site.__dict__, sets={name: {**pages, "paths": [str(folder)]}})
        sites.append(other)
    with ThreadPoolExecutor(2) as pool:
        records = list(pool.map(lambda each: only(each.back_up()), sites))
    assert [record["status"] for record in records] == ["ok", "ok"], records
    assert {snapshot.set for snapshot in opened(site).snapshots("web1")} == {"one", "two"}
    if "locks" in case.engine.CAN:
        assert opened(site).locks() == {}


@pytest.mark.needs("files", "listing", "dump")
def test_snapshots_are_listed_by_host_and_time_and_those_of_the_future_only_on_demand(
    case: Case, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [f"2026-05-2{day}T01:00:00Z" for day in range(5)]
    for moment in moments:
        (site.source / "a").write_text(moment)
        site.sets["pages"]["incremental_since"] = moment
        assert only(site.back_up(moment))["status"] == "ok"
    engine = opened(site, moments[2])
    assert [snapshot.time for snapshot in engine.snapshots("web1")] == moments[:3]
    assert [snapshot.time for snapshot in engine.snapshots("web1", future=True)] == moments
    assert engine.snapshots("web2") == []
    assert len({snapshot.id[:8] for snapshot in engine.snapshots("web1", future=True)}) == 5
    monkeypatch.setattr(listing_module, "LISTED", 2)
    listed = found(site)
    assert (listed["snapshot_count"], [row["time"] for row in listed["snapshots"]]) == (5, moments[:2:-1])
    at = found(site, at="2026-05-22")
    assert at["operation"]["snapshot_time"] == moments[2]


# What each procedure says


def backed_up(site: Site) -> list[dict[str, Any]]:
    return list(site.back_up()["evidence"])


def refused(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return why a half as a whole has not done what a person asked for, as a record."""
    return [{"status": "skipped", "reason": result["reason"], "detail": {"message": result["msg"]}}]


def listed(site: Site) -> list[dict[str, Any]]:
    result = found(site)
    if result.get("failed"):
        return refused(result)
    assert result["path_count"] == 4
    return [{"status": "ok"}]


def state(site: Site) -> list[dict[str, Any]]:
    records = site.answer(catalogue, {}, LATER, {})["evidence"]
    return [record for record in records if record["kind"] == "lock"]


def verified(site: Site) -> list[dict[str, Any]]:
    return list(site.answer(check, {"data": "all"}, LATER, {})["evidence"])


def escrow_tried(site: Site) -> list[dict[str, Any]]:
    site.secrets["escrow:local"] = site.host().secrets["repository:local"]
    records = site.answer(check, {"data": "new", "escrow": {"local": ""}}, LATER, {})["evidence"]
    return [record for record in records if record["kind"] == "escrow"]


def pruned(site: Site) -> list[dict[str, Any]]:
    given = {
        "operation": {"repositories": ["local"]},
        "rules": {"other": {"days": 1}},
        "holds": [],
        "proofs": {},
        "known": {},
    }
    records = list(site.answer(prune, given, LATER, {})["evidence"])
    for record in records:  # the controller knows no run that made them
        record["status"] = "ok" if record["detail"].get("strange") == 1 else record["status"]
    return records


def drilled(site: Site) -> list[dict[str, Any]]:
    return list(site.answer(drill, {}, LATER, {})["evidence"])


def proved(site: Site) -> list[dict[str, Any]]:
    return list(site.prove(LATER)["evidence"])


def rotated(site: Site) -> list[dict[str, Any]]:
    site.secrets["next:local"] = "nine green lanterns"
    given = {"stage": "add", "operation": {"repositories": ["local"]}, "known": {}}
    return list(site.answer(rotate, given, LATER, {})["evidence"])


def copied(site: Site) -> list[dict[str, Any]]:
    site.repositories["vault"] = {**site.repositories["local"], "location": str(site.base / "vault")}
    site.sets["pages"]["copies"] = ["vault"]
    records = [record for record in site.back_up(LATER)["evidence"] if record["kind"] == "copy"]
    assert (site.base / "vault").exists() == (records[0]["status"] == "ok")
    return records


def restored(site: Site) -> list[dict[str, Any]]:
    if found(site).get("failed"):
        return listed(site)
    before = tree(site.source)
    asked = request(site)
    (site.source / "a").write_text("spoilt")
    (site.source / "b").unlink()
    if is_native(type(opened(site))):
        result = carry_out(site, asked)
    else:
        job = get_context("fork").Process(target=perform, args=(work, dict(asked), site.host(now())))
        job.start()
        job.join()
        result = call(site, {**asked, "attach": True})
    if result.get("failed"):  # what a person has ordered is not skipped
        return refused(result)
    assert tree(site.source) == before
    return list(result["evidence"])


#: By procedure what it needs of an engine, of which the first that is lacking is named.
PROCEDURES: dict[str, tuple[Callable[[Site], list[dict[str, Any]]], tuple[str, ...]]] = {
    "backup": (backed_up, ("listing", "files")),
    "backup_copies": (copied, ("listing", "copy")),
    "backup_drill": (drilled, ("listing", "dump", "files")),
    "backup_list": (listed, ("listing", "dump")),
    "backup_prove": (proved, ("listing", "files")),
    "backup_prune": (pruned, ("prune", "listing")),
    "backup_status": (state, ("locks",)),
    "backup_verify": (verified, ("check",)),
    "key_rotate": (rotated, ("keys",)),
    "key_escrow": (escrow_tried, ("keys",)),
    "restore": (restored, ("listing", "dump", "files")),
}


def judge(name: str, engine: type[Engine], site: Site) -> None:
    """Run a procedure and see that it is good, or names what the engine lacks."""
    work, needed = PROCEDURES[name]
    lacking = [capability for capability in needed if capability not in engine.CAN]
    records = work(site)
    assert records, name
    for record in records:
        if lacking:
            assert (record["status"], record["reason"]) == ("skipped", "not_supported"), record
            assert f"Engine {engine.ENGINE} of repository " in record["detail"]["message"]
            assert f"does not support {lacking[0]}: " in record["detail"]["message"]
        else:
            assert record["status"] == "ok", record


@pytest.mark.parametrize("name", PROCEDURES)
def test_each_procedure_works_or_names_what_the_engine_lacks(case: Case, site: Site, name: str) -> None:
    if name != "backup":
        site.back_up()
    judge(name, case.engine, site)


def test_what_nobody_could_look_at_makes_no_copy_count_as_checked(case: Case, site: Site) -> None:
    site.back_up()
    records = {record["subject"]: record["status"] for record in verified(site)}
    found = site.answer(catalogue, {"checks": records}, LATER, {})["evidence"]
    (copies,) = [record for record in found if record["kind"] == "copies"]
    lacking = "local has not been read again without error" in copies["detail"]["lacking"]
    assert lacking == ("check" not in case.engine.CAN)
    assert copies["status"] == "warning"


def without(engine: type[Engine], capability: str) -> type[Engine]:
    """Return an engine that is another one but for one capability."""
    methods = {name: getattr(Engine, name) for name in CAPABILITIES[capability][0]}
    return type("Less", (engine,), {"CAN": tuple(set(engine.CAN) - {capability}), **methods})


@pytest.mark.parametrize("capability", sorted(CAPABILITIES))
def test_an_engine_that_lacks_one_capability_is_told_so_by_each_procedure_that_needs_it(
    capability: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = CASES[0].site(tmp_path)
    site.back_up()
    whole = CASES[0].engine
    less = without(whole, capability)
    monkeypatch.setitem(registry.ENGINES, "restic", lambda: less)
    for name, (_work, needed) in PROCEDURES.items():
        if capability in needed:
            if name == "backup":
                site.sets["pages"]["full_since"] = NOW
            judge(name, less, site)
    result = site.answer(catalogue, {}, LATER, {})
    (copies,) = [record for record in result["evidence"] if record["kind"] == "copies"]
    assert copies["status"] == "warning"
    if capability == "listing":
        assert any("does not support listing" in words for words in copies["detail"]["lacking"])
    if capability == "recovery":
        assert "does not support recovery" in result["without_us"]["pages"][0]
    if capability == "immutability":
        site.repositories["local"]["immutable"] = True
        (copies,) = [
            record for record in site.answer(catalogue, {}, LATER, {})["evidence"] if record["kind"] == "copies"
        ]
        (place,) = copies["detail"]["places"]
        assert "does not support immutability" in place["immutable_words"]


ROTATION = {"operation": {"repositories": ["local"]}, "known": {}}
PRUNING = {"operation": {"repositories": ["local"]}, "rules": {}, "holds": [], "proofs": {}, "known": {}}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("capability", "half", "given"),
    [
        ("check", check, {"data": "new"}),
        ("prune", prune, PRUNING),
        ("keys", rotate, {**ROTATION, "stage": "add"}),
        ("keys", rotate, {**ROTATION, "stage": "remove"}),
        ("keys", rotate, {**ROTATION, "stage": "undo"}),
    ],
)
def test_no_stage_and_no_check_mode_promises_what_the_engine_lacks(
    capability: str, half: Any, given: dict[str, Any], check_mode: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    less = without(CASES[0].engine, capability)
    monkeypatch.setitem(registry.ENGINES, "restic", lambda: less)
    plain = CASES[0].site(tmp_path)
    plain.secrets["next:local"] = "nine green lanterns"
    record = only(plain.answer(half, given, LATER, {"check_mode": check_mode}))
    assert (record["status"], record["reason"]) == ("skipped", "not_supported")
    assert f"does not support {capability}: " in record["detail"]["message"]


def test_a_set_read_from_a_snapshot_needs_an_engine_that_can_take_back_a_spoiled_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = CASES[0].site(tmp_path)
    less = without(CASES[0].engine, "prune")
    monkeypatch.setitem(registry.ENGINES, "restic", lambda: less)
    plain.sets["pages"]["snapshot"] = True
    record = only(plain.back_up())
    assert (record["status"], record["reason"]) == ("skipped", "not_supported")
    assert "does not support prune: " in record["detail"]["message"]
    assert plain.snapshots() == []


def test_no_snapshot_is_copied_between_two_engines(tmp_path: Path) -> None:
    site = CASES[1].site(tmp_path)
    shutil.copytree(REPOSITORY, tmp_path / "vault")
    site.repositories["vault"] = {"location": str(tmp_path / "vault")}
    site.sets["pages"]["copies"] = ["vault"]
    (record,) = [record for record in site.back_up()["evidence"] if record["kind"] == "copy"]
    assert (record["status"], record["reason"]) == ("skipped", "not_supported")
    assert "Engine restic of repository vault does not support copy from repository local, whose engine is tar" in str(
        record["detail"]["message"]
    )
