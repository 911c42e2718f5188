# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The prober: what it refuses, what it says of a check that could not be performed, and that nothing holds it up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.health import prober, registry
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT

from tests.support.planted import captured, host, one

MEMORY = {"kind": "memory", "layer": "infrastructure", "warning": "90"}


def probe(root: Path | str = "/", timeout: float = 30, **probes: dict[str, Any]) -> dict[str, Any]:
    return prober.probe({"probes": probes}, host(timeout=timeout), str(root))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("memory", "it has to be a dictionary with `kind` and `layer`"),
        ({**MEMORY, "kind": "memry"}, "there is no kind memry; did you mean memory"),
        ({"layer": "platform"}, "there is no kind None"),
        ({**MEMORY, "layer": "hardware"}, "its layer has to be one of application, infrastructure, platform"),
        (
            {**MEMORY, "warning": "ninety"},
            "'ninety' is not a limit; write one like 80, 10:, ~:5, 10:20 or @1:2, in quotes",
        ),
        ({**MEMORY, "warning": None}, "it measures a value, so it needs `warning` or `critical`"),
        ({**MEMORY, "severity": "bad"}, "its severity has to be warning or critical"),
        ({**MEMORY, "timeout": 60}, "its timeout has to be more than 0 and at most 4 seconds"),
        ({**MEMORY, "path": "/"}, "kind memory has no parameter path; it takes none"),
        ({"kind": "tcp", "layer": "platform"}, "kind tcp needs the parameter address"),
        (
            {"kind": "tcp", "layer": "platform", "adress": "x"},
            "kind tcp has no parameter adress; it takes address, send, expect",
        ),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused_in_one_sentence(entry: Any, sentence: str) -> None:
    with pytest.raises(HalfError) as raised:
        probe(example=entry, other=MEMORY)
    assert str(raised.value) == f"Probe example cannot be used: {sentence}."


@pytest.mark.parametrize("probes", [{}, {"memory": {"state": "absent"}}])
def test_a_check_without_probes_is_refused(probes: dict[str, Any]) -> None:
    with pytest.raises(HalfError, match="No probe is configured"):
        probe(**probes)


def test_a_probe_that_the_plan_removed_does_not_run() -> None:
    assert [item["detail"]["probe"] for item in probe(memory=MEMORY, gone={"state": "absent"})["evidence"]] == [
        "memory"
    ]


def test_an_observation_says_what_how_much_and_what_next(tmp_path: Path) -> None:
    found = one("memory", root=captured(tmp_path, "memory"), layer="infrastructure", warning="90", critical="95")
    assert (found["kind"], found["subject"], found["status"], found["reason"]) == ("memory", "probe", "critical", "")
    assert found["clauses"] == ["S3.1-1", "S3.1-2", "S3.2.1-1"]
    assert found["detail"] == {
        "probe": "probe",
        "layer": "infrastructure",
        "value": 96.709,
        "unit": "%",
        "warning": "90",
        "critical": "95",
        "message": "Memory is 96.7% in use (limit 95%).",
        "next": "Find the largest processes: ps -eo rss,pid,user,args --sort=-rss | head.",
        "total_bytes": 25276063744,
        "free_bytes": 831836160,
    }


def test_the_sentence_names_the_counts_and_the_worst_finding(tmp_path: Path) -> None:
    result = probe(captured(tmp_path, "memory"), memory=MEMORY, swap={**MEMORY, "kind": "swap"})
    assert result["msg"] == "Health: 1 warning, 1 ok; worst: Memory is 96.7% in use (limit 90%)."
    assert result["summary"] == {"warning": 1, "ok": 1}
    assert result["changed"] is False


def test_two_probes_of_one_thing_have_two_subjects() -> None:
    page = {"kind": "tcp", "layer": "application", "address": "127.0.0.1:1"}
    subjects = [item["subject"] for item in probe(first=page, second=page)["evidence"]]
    assert subjects == ["127.0.0.1:1", "127.0.0.1:1 (second)"]


def test_a_failed_check_has_the_severity_of_its_probe() -> None:
    assert one("tcp", address="127.0.0.1:1", severity="warning")["status"] == "warning"


def test_a_probe_past_its_deadline_is_unknown_and_the_others_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "example", registry.Kind(lambda probe: time.sleep(30)))
    before = time.monotonic()
    result = probe(slow={"kind": "example", "layer": "platform", "timeout": 0.3}, memory=MEMORY)
    assert time.monotonic() - before < 2
    found = {item["detail"]["probe"]: item for item in result["evidence"]}
    assert (found["slow"]["status"], found["slow"]["reason"]) == ("unknown", "timeout")
    assert found["slow"]["detail"]["message"] == "Probe slow of slow did not end within 0.3 s."
    assert found["memory"]["status"] in ("ok", "warning")


def test_a_tool_that_does_not_end_is_killed_with_all_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    found = one("nagios_plugin", command=["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"], timeout=0.5)
    assert (found["status"], found["reason"]) == ("unknown", "timeout")
    assert found["detail"]["message"] == "Probe probe was not finished: sh did not end within 0.3 s."
    stat = Path(f"/proc/{pid.read_text().strip()}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_end_of_the_whole_check_ends_every_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "example", registry.Kind(lambda probe: time.sleep(30)))
    slow: dict[str, Any] = {f"slow{number}": {"kind": "example", "layer": "platform"} for number in range(40)}
    before = time.monotonic()
    result = probe(timeout=1.5, **slow)
    assert time.monotonic() - before < 2
    assert {item["reason"] for item in result["evidence"]} == {"timeout", "not_reached"}
    assert result["summary"] == {"unknown": 40}


def test_many_probes_run_side_by_side() -> None:
    before = time.monotonic()
    brief = {"kind": "nagios_plugin", "layer": "platform", "command": ["sleep", "0.3"]}
    many: dict[str, Any] = {f"probe{number}": brief for number in range(30)}
    assert probe(**many)["summary"] == {"ok": 30}
    assert time.monotonic() - before < 3


def test_a_host_at_its_limit_of_processes_still_gets_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = os.fork
    answers = iter([fork, None, fork])

    def scarce() -> int:
        if answered := next(answers):
            return answered()
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", scarce)
    entries: dict[str, Any] = {name: {**MEMORY, "warning": "101"} for name in ("a", "b", "c")}
    found = {item["detail"]["probe"]: item for item in probe(**entries)["evidence"]}
    assert {name: item["status"] for name, item in found.items()} == {"a": "ok", "b": "unknown", "c": "ok"}
    assert (
        "No process could be started for probe b: Resource temporarily unavailable." in found["b"]["detail"]["message"]
    )


def test_a_starter_that_ignores_its_children_does_no_harm() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert probe(memory={**MEMORY, "warning": "101"})["summary"] == {"ok": 1}
    finally:
        signal.signal(signal.SIGCHLD, before)


def _dies(_probe: object) -> list[Any]:
    os._exit(1)


def _floods(probe: Any) -> list[Any]:
    return [probe.passed("x" * 900, str(number)) for number in range(2000)]


def _breaks(_probe: object) -> list[Any]:
    raise KeyError("no such field")


def _denied(_probe: object) -> list[Any]:
    raise PermissionError(13, "Permission denied", "/proc/secret")


@pytest.mark.parametrize(
    ("check", "reason", "words"),
    [
        (_dies, "error", "Probe probe died without a result."),
        (_floods, "too_large", "Probe probe found more than a record can hold."),
        (_breaks, "error", "Probe probe of probe could not be performed: 'no such field'."),
        (_denied, "permission", "Probe probe may not read /proc/secret."),
    ],
)
def test_a_check_that_breaks_is_unknown_with_the_reason(
    check: Callable[..., Any], reason: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.KINDS, "example", registry.Kind(check))
    found = one("example")
    assert (found["status"], found["reason"], found["detail"]["message"]) == ("unknown", reason, words)
    assert found["detail"]["next"]


@pytest.mark.parametrize(("user", "words"), [(0, "what denies it to root"), (65534, "with become")])
def test_who_is_root_already_is_not_told_to_become_it(user: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "example", registry.Kind(_denied))
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert words in one("example")["detail"]["next"]


def test_names_that_are_no_text_stay_printable(monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.fsdecode(b"caf\xe9")
    monkeypatch.setitem(registry.KINDS, "example", registry.Kind(lambda probe: [probe.passed(name, name)]))
    found = one("example")
    assert found["subject"] == found["detail"]["message"] == "caf\\udce9"
    found["subject"].encode("utf-8")


def test_a_probe_holds_none_of_its_parents_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(probe: Any) -> list[Any]:
        return [
            probe.passed(
                "", links=[str(Path(f"/proc/self/fd/{name}").readlink()) for name in (0, 1, 2)], open=_open_files()
            )
        ]

    with open("/etc/passwd") as held:  # noqa: PTH123
        assert str(held.fileno()) in _open_files()
        monkeypatch.setitem(registry.KINDS, "example", registry.Kind(files))
        detail = one("example")["detail"]
    assert detail["links"] == ["/dev/null"] * 3
    # its own pipe and the folder that it lists
    assert len(detail["open"]) == 5


def _open_files() -> list[str]:
    return os.listdir("/proc/self/fd")  # noqa: PTH208


def test_no_detail_exceeds_what_a_record_may_hold(tmp_path: Path) -> None:
    import json

    found = one("kernel_errors", root=_noisy_kernel(tmp_path), warning="0")
    assert found["detail"]["value"] == 5000
    assert len(json.dumps(found["detail"])) < DETAIL_LIMIT


def _noisy_kernel(folder: Path) -> Path:
    tree = captured(folder, "kernel_errors")
    lines = [f"3,{number},1209500000000,-;{'x' * 300}" for number in range(5000)]
    (tree / "dev/kmsg").write_text("\n".join(lines)[: 2 * 1024 * 1024] + "\n")
    return tree
