# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Effective state: what counts among files that hide, include and override each other, and among Match blocks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.hardening.machine import Machine
from ansible_collections.egov.ops.plugins.module_utils.hardening.pam import pam
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

from tests.support.constructed import MOUNTS, Tree

SYSRQ = "kernel.sysrq at the next start"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def status(tree: Tree, name: str) -> str:
    return str(tree.look(name)[name]["status"])


def test_a_value_right_now_and_wrong_at_the_next_start_is_a_fault(tree: Tree) -> None:
    tree.put("etc/sysctl.d/99-zz.conf", "kernel.sysrq = 1\n")
    assert tree.look("KN-006")["KN-006"]["detail"]["found"] == {SYSRQ: "1"}


def test_a_value_wrong_now_and_right_at_the_next_start_is_a_fault(tree: Tree) -> None:
    tree.put("proc/sys/kernel/sysrq", "1\n")
    assert tree.look("KN-006")["KN-006"]["detail"]["found"] == {"kernel.sysrq": "1"}


def test_a_file_in_etc_hides_one_of_the_same_name_of_the_vendor(tree: Tree) -> None:
    tree.put("usr/lib/sysctl.d/99-zz.conf", "kernel.sysrq = 1\n")
    assert status(tree, "KN-006") == "warning"
    tree.put("etc/sysctl.d/99-zz.conf", "")
    assert status(tree, "KN-006") == "ok"


def test_a_link_to_nothing_hides_our_own_file_of_that_name(tree: Tree) -> None:
    tree.put("usr/lib/sysctl.d/60-vendor.conf", "kernel.sysrq = 0\n")
    tree.edit("etc/sysctl.d/60-egov.conf", "kernel.sysrq = 0\n", "")
    assert status(tree, "KN-006") == "ok"
    (tree.root / "etc/sysctl.d/60-vendor.conf").symlink_to("/dev/null")
    assert tree.look("KN-006")["KN-006"]["detail"]["found"] == {SYSRQ: None}


def test_what_no_file_sets_is_the_kernels_own_value_where_that_is_known(tree: Tree) -> None:
    tree.edit("etc/sysctl.d/60-egov.conf", "net.ipv4.tcp_syncookies = 1\n", "")
    assert status(tree, "KN-023") == "ok"
    tree.edit("etc/sysctl.d/60-egov.conf", "kernel.kptr_restrict = 2\n", "")
    assert status(tree, "KN-003") == "warning"


def test_an_exact_key_wins_over_a_pattern_whatever_the_order(tree: Tree) -> None:
    tree.put("etc/sysctl.d/99-zz.conf", "net.ipv4.conf.*.rp_filter = 0\n")
    assert status(tree, "KN-019") == "ok"
    tree.edit("etc/sysctl.d/60-egov.conf", "net.ipv4.conf.all.rp_filter = 1\n", "")
    assert status(tree, "KN-019") == "warning"


def test_a_setting_that_this_kernel_has_not_is_not_applicable(tree: Tree) -> None:
    (tree.root / "proc/sys/kernel/yama/ptrace_scope").unlink()
    found = tree.look("KN-005")["KN-005"]
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")


def test_a_weaker_value_for_one_match_block_is_a_warning_that_names_it(tree: Tree) -> None:
    tree.put("etc/ssh/sshd_config.d/50-backup.conf", "Match User backup\n  PermitRootLogin yes\n", 0o600)
    assert status(tree, "AC-001") == "ok"
    tree.put("captured/sshd-backup", "permitrootlogin yes\n")
    tree.edit("captured/sshd", "permitrootlogin no\n", "")
    tree.put("bin-of-tests/sshd", _sshd_of(tree), 0o755)
    found = tree.look("AC-001")["AC-001"]
    assert found["status"] == "warning"
    assert "PermitRootLogin in Match User backup is yes" in found["detail"]["message"]


def _sshd_of(tree: Tree) -> str:
    """Return a server that refuses root everywhere but in its block."""
    folder = tree.root / "captured"
    return (
        f"#!/bin/sh\ncat {folder}/sshd\n"
        f'case "$*" in *user=backup*) cat {folder}/sshd-backup ;; *) echo permitrootlogin no ;; esac\n'
    )


def test_an_option_of_another_release_is_not_applicable(tree: Tree) -> None:
    found = tree.one("sshd", "set", option="ChannelTimeout")
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")


@pytest.mark.parametrize(
    ("block", "connection"),
    [
        ("User backup", "addr=192.0.2.1,host=host.invalid,user=backup"),
        ("Address 10.1.0.0/16,!10.1.2.3", "addr=10.1.0.0,host=host.invalid,user=nobody"),
        ("Group users", "addr=192.0.2.1,host=host.invalid,user=li"),
        ("User li Host *.example.org", "addr=192.0.2.1,host=x.example.org,user=li"),
        ("Group nobody-is-in-it", ""),
        ("all", ""),
    ],
)
def test_a_match_block_is_looked_at_by_a_connection_that_it_is_meant_for(
    tree: Tree, block: str, connection: str
) -> None:
    tree.put("etc/ssh/sshd_config", f"Port 22\nMatch {block}\n  X11Forwarding yes\n", 0o600)
    tree.put("bin-of-tests/sshd", f'#!/bin/sh\necho "$*" >> {tree.root}/asked\ncat {tree.root}/captured/sshd\n', 0o755)
    tree.look("AC-006")
    asked = (tree.root / "asked").read_text().splitlines()
    assert asked == ["-T", f"-T -C {connection}"] if connection else asked == ["-T"]


def test_a_stack_is_that_of_the_service_with_all_it_includes(tree: Tree) -> None:
    tree.put("etc/pam.d/system-auth", "auth required pam_env.so\n-auth [success=1 new_authtok_reqd=ok] pam_sss.so x\n")
    included = "auth substack system-auth\naccount include system-auth\n"
    tree.put("etc/pam.d/login", included + "auth \\\n required pam_faillock.so\n")
    found = tree.one("pam", "none", services=["login"], type="auth")["detail"]["found"]
    assert found == {"the auth stack of login": ["pam_env.so", "pam_sss.so", "pam_faillock.so"]}


def test_a_stack_that_includes_itself_ends(tree: Tree) -> None:
    tree.put("etc/pam.d/login", "auth required pam_unix.so\n@include login\n")
    found = tree.one("pam", "has:pam_unix.so", services=["login"], type="auth")
    assert found["status"] == "ok"


def test_an_option_in_the_stack_wins_over_the_modules_file(tree: Tree) -> None:
    tree.edit("etc/security/faillock.conf", "deny = 5", "deny = 50")
    assert status(tree, "IA-029") == "critical"
    tree.edit("etc/pam.d/common-auth", "preauth", "preauth deny=3")
    assert status(tree, "IA-029") == "ok"


def test_a_right_file_of_a_module_that_no_stack_has_is_a_fault(tree: Tree) -> None:
    tree.put("etc/pam.d/common-password", "password required pam_unix.so\n")
    assert {name: item["status"] for name, item in tree.look("IA-001", "IA-003").items()} == {
        "IA-001": "critical",
        "IA-003": "warning",
    }


def test_the_main_file_of_the_quality_module_is_read_after_its_drop_ins(tree: Tree) -> None:
    tree.put("etc/security/pwquality.conf.d/50-site.conf", "minlen = 6\n")
    assert status(tree, "IA-001") == "ok"
    tree.edit("etc/security/pwquality.conf", "minlen = 12\n", "")
    assert status(tree, "IA-001") == "critical"


def test_a_drop_in_wins_over_the_main_file_and_an_empty_value_gives_the_default_back(tree: Tree) -> None:
    tree.put("etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n")
    assert status(tree, "AU-035") == "ok"
    tree.put("etc/systemd/journald.conf.d/zz.conf", "[Journal]\nStorage=\n[Other]\nStorage=persistent\n")
    assert tree.look("AU-035")["AU-035"]["detail"]["found"] == {"Storage": "auto"}


@pytest.mark.parametrize(
    ("span", "wanted"), [("190day", "ok"), ("7month", "ok"), ("1year", "ok"), ("26weeks", "critical"), ("0", "ok")]
)
def test_a_span_of_time_is_read_as_systemd_writes_it(tree: Tree, span: str, wanted: str) -> None:
    tree.put("etc/systemd/journald.conf.d/zz.conf", f"[Journal]\nMaxRetentionSec={span}\n")
    assert status(tree, "AU-036") == wanted


def test_an_age_limit_cuts_what_the_number_of_rotations_keeps(tree: Tree) -> None:
    tree.edit("etc/logrotate.d/rsyslog", "rotate 30", "rotate 30\n\tmaxage 30")
    assert tree.look("AU-037")["AU-037"]["detail"]["found"] == {"/var/log/syslog": "30", "/var/log/auth.log": "30"}


def test_a_log_that_nothing_rotates_is_kept_and_one_without_numbers_takes_the_common_ones(tree: Tree) -> None:
    tree.put("etc/logrotate.d/rsyslog", "/var/log/syslog {\n\tcompress\n}\n")
    found = tree.look("AU-037")["AU-037"]
    assert found["detail"]["found"] == {"/var/log/syslog": "28"}


def test_sudo_reads_included_folders_without_names_that_have_a_dot(tree: Tree) -> None:
    tree.put("etc/sudoers.d/old.bak", "li ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    assert status(tree, "AC-024") == "ok"
    tree.put("etc/sudoers.d/new", "li ALL=(ALL) \\\n  NOPASSWD: ALL\n", 0o440)
    found = tree.look("AC-024")["AC-024"]
    assert (found["status"], found["detail"]["found"]) == ("critical", {"": ["li"]})


def test_the_automation_account_that_the_plan_names_may_do_without_a_password(tree: Tree) -> None:
    tree.put("etc/sudoers.d/new", "deploy ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    assert tree.one("sudo_rules", "none", tag="NOPASSWD", spared=["deploy"])["status"] == "ok"


def test_the_last_default_of_sudo_counts(tree: Tree) -> None:
    tree.put("etc/sudoers.d/zz", "Defaults timestamp_timeout=60\n", 0o440)
    assert tree.look("AC-026")["AC-026"]["detail"]["found"] == {"timestamp_timeout": "60"}


def test_a_socket_that_would_start_a_service_makes_it_active(tree: Tree) -> None:
    stopped = "Id=telnet.service\nLoadState=loaded\nUnitFileState=disabled\nActiveState=inactive\n"
    tree.put("captured/telnet.service", stopped + "TriggeredBy=telnet.socket\n\n")
    tree.put("captured/telnet.socket", "ActiveState=inactive\n")
    assert tree.one("unit", "lacks:active", units=["telnet.service"])["status"] == "ok"
    tree.put("captured/telnet.socket", "ActiveState=active\n")
    assert tree.one("unit", "lacks:active", units=["telnet.service"])["status"] == "warning"


def test_a_unit_that_is_not_there_is_missing(tree: Tree) -> None:
    assert tree.one("unit", "has:active", units=["none.service"])["detail"]["found"] == {"none.service": ["missing"]}


def test_a_mount_that_covers_another_is_the_one_that_counts(tree: Tree) -> None:
    tree.put("proc/self/mountinfo", MOUNTS + "30 23 0:30 / /tmp rw,relatime - tmpfs tmpfs rw\n")
    assert status(tree, "MT-001") == "warning"


@pytest.mark.root
def test_files_on_a_network_file_system_are_left_alone(tree: Tree) -> None:
    tree.mode("home/li", 0o777)
    tree.put("proc/self/mountinfo", MOUNTS.replace("/home rw,nosuid,nodev - ext4", "/home rw,nosuid,nodev - nfs4"))
    assert status(tree, "AC-034") == "ok"
    assert {item["status"] for item in tree.look("AC-031", "AC-048").values()} <= {"ok", "skipped"}


def test_programs_on_a_mount_without_set_id_do_not_matter(tree: Tree) -> None:
    tree.put("tmp/shell", "", 0o4755)
    assert status(tree, "AC-063") == "ok"
    tree.put("proc/self/mountinfo", MOUNTS.replace("/tmp rw,nosuid", "/tmp rw"))
    assert tree.look("AC-063")["AC-063"]["detail"]["found"] == {"": ["/tmp/shell"]}


def test_more_files_than_an_audit_may_look_at_are_unknown(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.egov.ops.plugins.module_utils.hardening.tree._MOST_ENTRIES", 3)
    found = tree.look("AC-063")["AC-063"]
    assert (found["status"], found["reason"]) == ("unknown", "too_large")


def test_names_that_are_no_utf_8_are_told_in_escapes(tree: Tree) -> None:
    tree.put(os.fsdecode(b"usr/local/bin/sh\xff"), "", 0o4755)
    assert tree.look("AC-063")["AC-063"]["detail"]["found"] == {"": ["/usr/local/bin/sh\\udcff"]}


def test_a_port_bound_to_the_loopback_is_no_open_port(tree: Tree) -> None:
    tcp6 = "  sl  local_address remote_address st\n"
    loopback = "   0: 00000000000000000000000001000000:0015 00000000000000000000000000000000:0000 0A x\n"
    tree.put("proc/net/tcp6", tcp6 + loopback)
    assert status(tree, "SV-016") == "ok"
    tree.put("proc/net/tcp6", tcp6 + loopback.replace("01000000", "00000000"))
    assert tree.look("SV-016")["SV-016"]["detail"]["found"] == {"": ["21/tcp", "22/tcp"]}


@pytest.mark.parametrize("rule", ["@include {}", "auth include {}", "auth substack {}"])
def test_a_pam_stack_is_followed_through_sixteen_includes_and_a_circle_ends(tmp_path: Path, rule: str) -> None:
    folder = tmp_path / "etc/pam.d"
    folder.mkdir(parents=True)
    for depth in range(20):
        line = rule.format(f"s{depth + 1}")
        (folder / f"s{depth}").write_text(f"auth required pam_{depth}.so\n{line}\n")
    (folder / "circle").write_text("auth required pam_unix.so\n" + rule.format("circle") + "\n")
    machine = Machine(Host({}), root=str(tmp_path))
    ((_what, modules),) = pam(machine, ["s0"], "auth")
    assert modules == [f"pam_{depth}.so" for depth in range(17)]
    ((_what, modules),) = pam(machine, ["circle"], "auth")
    assert set(modules) == {"pam_unix.so"}
