# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The auditor: wrong controls, what may not be read, what is not there, and that it writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.hardening import auditor
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError, Host
from ansible_collections.egov.ops.plugins.module_utils.host.record import DETAIL_LIMIT, RESULT_LIMIT

from tests.support.constructed import Tree, controls

GOOD: dict[str, Any] = {
    "primitive": "sshd",
    "option": "PermitRootLogin",
    "expected": "=no",
    "clauses": ["8.1.4.2b"],
    "severity": "critical",
}

#: Audits the tree of its argument with the controls on standard input.
PROGRAM = """
import json, sys
from ansible_collections.egov.ops.plugins.module_utils.hardening import auditor
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
host = Host({"now": "2026-11-24T02:00:00Z", "tool_path": [sys.argv[1] + "/bin-of-tests"], "timeout": 30})
json.dump(auditor.audit({"controls": json.load(sys.stdin)}, host, sys.argv[1]), sys.stdout)
"""


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("sshd", "it has to be a dictionary with `primitive` and `expected`"),
        ({**GOOD, "primitive": "ssdh"}, "there is no primitive ssdh; did you mean sshd"),
        ({**GOOD, "primitive": None}, "there is no primitive None"),
        ({**GOOD, "expected": "no"}, "'no' is not of the grammar of expected values; write one like =no, <=4, 1..90,"),
        (
            {**GOOD, "expected": False},
            "False is not of the grammar of expected values; write one like =no, <=4,",
        ),
        ({**GOOD, "clauses": ["8.1.4.99"]}, "there is no clause 8.1.4.99 in GB/T 22239-2019 or the plan"),
        ({**GOOD, "clauses": [{"a": 1}]}, "there is no clause {'a': 1} in GB/T 22239-2019 or the plan"),
        ({**GOOD, "clauses": []}, "its clauses have to be a list with at least one"),
        ({**GOOD, "severity": "high"}, "its severity has to be warning or critical"),
        ({**GOOD, "families": ["apk"]}, "there is no family apk; known are deb, rpm"),
        ({**GOOD, "deb": "absent"}, "its deb has to be a dictionary of what differs there"),
        ({**GOOD, "key": "x"}, "primitive sshd has no argument key; it takes option"),
        ({**GOOD, "option": None}, "primitive sshd needs the argument option"),
        ({**GOOD, "option": ["a"]}, "its option has to be a text"),
        ({**GOOD, "primitive": "package", "option": None, "names": "gcc"}, "its names has to be a list of texts"),
    ],
)
def test_a_wrong_control_is_one_sentence_and_the_others_go_on(entry: Any, sentence: str, tmp_path: Path) -> None:
    found = Tree(tmp_path).look("AC-001", wrong=entry)
    assert (found["wrong"]["status"], found["wrong"]["reason"]) == ("unknown", "error")
    message = found["wrong"]["detail"]["message"]
    assert message.startswith(f"Control wrong cannot be used: {sentence}")
    assert message.endswith(".")
    assert "\n" not in message
    assert found["AC-001"]["status"] == "ok"


def test_an_unknown_fact_is_told_with_the_known_ones(tmp_path: Path) -> None:
    found = Tree(tmp_path).one("accounts", "none", fact="uid_one")
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert "there is no fact uid_one; known are changed_in_future," in found["detail"]["message"]


def test_a_pattern_that_is_none_is_told(tmp_path: Path) -> None:
    found = Tree(tmp_path).one("content", "none", files=["/etc/issue"], patterns=["("])
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert found["detail"]["message"].startswith("Control example could not be judged: missing ), unterminated")


@pytest.mark.parametrize("entries", [{}, {"AC-001": {**GOOD, "state": "absent"}}])
def test_an_audit_without_controls_is_refused(entries: dict[str, Any]) -> None:
    with pytest.raises(HalfError, match="No control is configured"):
        auditor.audit({"controls": entries}, Host({}))


def test_an_observation_says_what_is_what_is_wanted_and_what_next(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("etc/login.defs", "PASS_MAX_DAYS 99999\n")
    found = tree.look("IA-012")["IA-012"]
    assert (found["kind"], found["subject"], found["status"], found["reason"]) == ("control", "IA-012", "critical", "")
    assert found["clauses"] == ["8.1.4.1a", "S5.2-1"]
    assert found["detail"] == {
        "title": {"en": "Default maximum password age 90 days", "zh": "新账户口令最长有效期 90 天"},
        "severity": "critical",
        "primitive": "login_defs",
        "expected": "1..90",
        "found": {"PASS_MAX_DAYS": "99999"},
        "message": "Default maximum password age 90 days: PASS_MAX_DAYS is 99999; wanted: 1 to 90.",
        "next": "Set PASS_MAX_DAYS in /etc/login.defs; wanted: 1 to 90.",
        "members": ["PASS_MAX_DAYS"],
        "more_members": 0,
    }


def test_the_sentence_names_the_counts_and_the_worst_finding(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("etc/login.defs", "PASS_MAX_DAYS 99999\nUMASK 027\n")
    wanted = {name: controls()[name] for name in ("IA-012", "AC-029", "AC-065")}
    result = auditor.audit({"controls": wanted}, tree.host(), str(tree.root))
    assert result["summary"] == {"critical": 1, "ok": 1, "skipped": 1}
    assert result["msg"].startswith("Hardening: 1 critical, 1 ok, 1 skipped; worst: Default maximum password age")
    assert result["changed"] is False


def test_the_failing_member_of_several_is_named(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("proc/sys/fs/protected_fifos", "0\n")
    assert tree.look("KN-010")["KN-010"]["detail"]["found"] == {"fs.protected_fifos": "0"}


def test_a_control_for_another_kind_of_packages_is_not_applicable(tmp_path: Path) -> None:
    found = Tree(tmp_path).look("AC-065")["AC-065"]
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")
    assert found["detail"]["message"] == "The control is for hosts with rpm packages."


def test_what_differs_by_kind_of_packages_counts_there_alone(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    (tree.root / "var/lib/dpkg/status").unlink()
    tree.folder("var/lib/rpm")
    tree.put("bin-of-tests/rpm", "#!/bin/sh\necho bash\necho audit\n", 0o755)
    assert tree.look("AU-001")["AU-001"]["status"] == "ok"
    tree.put("bin-of-tests/rpm", "#!/bin/sh\necho auditd\necho nfs-utils\n", 0o755)
    found = tree.look("AU-001", "SV-008")
    assert (found["AU-001"]["status"], found["SV-008"]["status"]) == ("critical", "warning")


def test_a_broken_package_database_is_unknown_and_the_others_go_on(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("var/lib/dpkg/status", "garbage\n")
    found = tree.look("SV-001", "AC-001")
    assert (found["SV-001"]["status"], found["SV-001"]["reason"]) == ("unknown", "error")
    assert "/var/lib/dpkg/status names no installed package" in found["SV-001"]["detail"]["message"]
    assert found["AC-001"]["status"] == "ok"


def test_a_failed_tool_is_unknown_with_its_own_words(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.put("bin-of-tests/systemctl", "#!/bin/sh\necho Failed to connect to bus >&2\nexit 1\n", 0o755)
    found = tree.look("AU-002")["AU-002"]
    assert (found["status"], found["reason"]) == ("unknown", "error")
    assert "systemctl failed: Failed to connect to bus." in found["detail"]["message"]


def test_a_host_that_has_nothing_has_no_fault_in_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "host")
    empty = tmp_path / "empty"
    empty.mkdir()
    others = {name: item for name, item in controls().items() if item["primitive"] not in ("sshd", "access_control")}
    evidence = auditor.audit({"controls": others}, tree.host(), str(empty))["evidence"]
    assert {(item["status"], item["reason"]) for item in evidence} <= {("skipped", "not_applicable"), ("ok", "")}
    assert {item["detail"]["primitive"] for item in evidence if item["status"] == "ok"} <= {
        "set_id",
        "open_folders",
        "listening",
    }


def test_an_audit_that_runs_out_of_time_says_what_it_did_not_reach(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    host = Host({"timeout": 0.5, "tool_path": [str(tree.root / "bin-of-tests")]})
    (found,) = auditor.audit({"controls": {"AC-001": GOOD}}, host, str(tree.root))["evidence"]
    assert (found["status"], found["reason"]) == ("unknown", "not_reached")


@pytest.mark.root
@pytest.mark.programs("setpriv")
def test_what_an_ordinary_user_may_not_read_is_unknown_and_never_ok(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "host")
    for folder in (tmp_path.parent.parent, tmp_path.parent, tmp_path, tree.root):
        folder.chmod(0o755)
    tree.mode("etc/sudoers.d", 0o750)
    tree.mode("home/li/.ssh", 0o700)
    no_keys = "#!/bin/sh\necho 'sshd: no hostkeys available -- exiting.' >&2\nexit 1\n"
    tree.put("bin-of-tests/sshd", no_keys, 0o755)
    program = tmp_path / "audit.py"
    program.write_text(PROGRAM)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run(
        [*user, sys.executable, str(program), str(tree.root)],
        input=json.dumps(controls()),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "HOME": "/"},
    )
    found = {item["subject"]: item for item in json.loads(done.stdout)["evidence"]}
    closed = {name for name, item in found.items() if (item["status"], item["reason"]) == ("unknown", "permission")}
    shadow = {"IA-015", "IA-016", "IA-017", "IA-019", "IA-020", "AC-015"}
    servers = {name for name, control in controls().items() if control["primitive"] == "sshd"}
    sudo = {name for name, control in controls().items() if control["primitive"].startswith("sudo_")}
    auditd = {"AU-005", "AU-006", "AU-007", "AU-008", "AU-009"}
    assert shadow | servers | sudo | auditd | {"AC-028", "AC-048"} <= closed
    assert {found[name]["detail"]["next"] for name in closed} == {"Run the audit with become."}
    assert found["IA-019"]["detail"]["message"] == "/etc/shadow may not be read."
    assert {item["status"] for item in found.values()} <= {"ok", "unknown", "skipped"}


def test_an_audit_writes_nothing(tmp_path: Path) -> None:
    tree = Tree(tmp_path)

    def state() -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for path in sorted(tree.root.rglob("*")):
            about = path.lstat()
            found[str(path)] = (about.st_mode, about.st_uid, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        return found

    before = state()
    tree.look(*controls())
    assert state() == before


def test_this_machine_is_audited_in_one_record_for_each_control_and_little_time() -> None:
    before = sum(os.times()[:4])
    evidence = auditor.audit({"controls": controls()}, Host({"timeout": 30}))["evidence"]
    assert sum(os.times()[:4]) - before <= 0.3
    assert [item["subject"] for item in evidence] == sorted(controls())
    assert [item["detail"] for item in evidence if item["reason"] == "error"] == []
    assert all(item["detail"]["message"].endswith(".") for item in evidence)
    assert all(item["detail"]["next"] for item in evidence if item["status"] in ("warning", "critical", "unknown"))
    assert max(len(json.dumps(item["detail"])) for item in evidence) < DETAIL_LIMIT
    assert len(json.dumps(evidence)) < RESULT_LIMIT / 8


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.13"])
def test_the_audit_finds_the_same_on_each_python(
    version: str, interpreter: Callable[[str], str], tmp_path: Path
) -> None:
    tree = Tree(tmp_path)
    tree.put("proc/sys/kernel/sysrq", "438\n")
    done = subprocess.run(
        [interpreter(version), "-c", PROGRAM, str(tree.root)],
        input=json.dumps(controls()).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    here = auditor.audit({"controls": controls()}, tree.host(), str(tree.root))
    assert json.loads(done.stdout) == json.loads(json.dumps(here))
