# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes and services: zombies, stuck, missing and outdated processes, units, logins, files, foreign plugins."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.planted import fault, host, one


@contextmanager
def _running(argv: list[str], state: str) -> Iterator[str]:
    """Run a program below a shell until the block ends, and give its pid once it is in a state of proc(5)."""
    shell = subprocess.Popen(
        ["sh", "-c", '"$@" & echo $!; wait', "sh", *argv], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    assert shell.stdout
    try:
        pid = shell.stdout.readline().strip()
        _until(lambda: _stat(pid)[0] == state)
        yield pid
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
        shell.stdout.close()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the planted process did not reach its state"
        time.sleep(0.01)


def _stat(pid: str) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _only(folder: Path, *pids: str) -> Path:
    """Return a tree in whose /proc are the given real processes alone: others come and go while a test runs."""
    (folder / "proc").mkdir()
    for pid in pids:
        (folder / "proc" / pid).symlink_to(f"/proc/{pid}")
    return folder


@fault("zombies")
def test_a_zombie_is_counted_and_named(tmp_path: Path) -> None:
    parent = (
        "import os, signal, time\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "if os.fork(): signal.sigwait([signal.SIGUSR1]); os.wait(); time.sleep(60)"
    )
    with _running([sys.executable, "-c", parent], "S") as pid:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        _until(lambda: any(_stat(child)[0] == "Z" for child in children.read_text().split()))
        (child,) = children.read_text().split()
        tree = _only(tmp_path, pid, child)
        found = one("zombies", root=tree, warning="0")
        assert [name.rpartition(" ")[2] for name in found["detail"]["processes"]] == [f"({child})"]
        assert found["detail"]["members"] == found["detail"]["processes"]
        os.kill(int(pid), signal.SIGUSR1)
        _until(lambda: not children.read_text())
        one("zombies", root=tree, warning="0")


@fault("uninterruptible")
def test_a_process_that_waits_in_the_kernel_is_counted(tmp_path: Path) -> None:
    # the parent of a vfork waits in state D until its child ends
    parent = "import ctypes,time; ctypes.CDLL(None).vfork(); time.sleep(60)"
    with _running([sys.executable, "-c", parent], "D") as pid:
        tree = _only(tmp_path, pid)
        one("uninterruptible", root=tree, warning="0")
    one("uninterruptible", root=tree, warning="0")


@fault("process_count")
def test_a_missing_process_is_found_by_its_name(tmp_path: Path) -> None:
    program = tmp_path / "egov-ops-worker"
    shutil.copy("/bin/sleep", program)
    one("process_count", name="egov-ops-worker", critical="1:")
    with _running([str(program), "60"], "S"):
        one("process_count", name="egov-ops-worker", critical="1:")


@fault("outdated_processes")
def test_a_process_whose_program_was_replaced_is_counted(tmp_path: Path) -> None:
    program = tmp_path / "outdated"
    shutil.copy("/bin/sleep", program)
    with _running([str(program), "60"], "S") as pid:
        tree = _only(tmp_path, pid)
        program.unlink()
        found = one("outdated_processes", root=tree, warning="0")
        assert found["detail"]["processes"] == [f"outdated ({pid})"]
    one("outdated_processes", root=tree, warning="0")


def _systemd(folder: Path, answers: dict[str, str]) -> Path:
    """Make a tree of a host with systemd, and a systemctl that gives captured answers by its first argument."""
    (folder / "run/systemd/system").mkdir(parents=True, exist_ok=True)
    tool = folder / "systemctl"
    cases = "".join(f"{verb}) cat <<'END'\n{answer}END\n;;\n" for verb, answer in answers.items())
    tool.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}esac\n')
    tool.chmod(0o755)
    return folder


@fault("failed_units")
def test_failed_units_are_counted_and_named(tmp_path: Path) -> None:
    on = host(tool_path=[str(tmp_path)])
    listed = "logrotate.service loaded failed failed Rotate log files\nnginx.service loaded failed failed nginx\n"
    found = one("failed_units", root=_systemd(tmp_path, {"list-units": listed}), on=on, warning="0")
    assert found["detail"]["message"].startswith("2 units have failed: logrotate.service, nginx.service")
    one("failed_units", root=_systemd(tmp_path, {"list-units": ""}), on=on, warning="0")


@fault("service")
def test_a_failed_service_is_found(tmp_path: Path) -> None:
    on = host(tool_path=[str(tmp_path)])
    dead = "NRestarts=5\nLoadState=loaded\nActiveState=failed\nSubState=failed\n"
    alive = "NRestarts=0\nLoadState=loaded\nActiveState=active\nSubState=running\n"
    found = one("service", root=_systemd(tmp_path, {"show": dead}), on=on, unit="nginx.service")
    assert found["detail"]["message"] == "nginx.service is failed (failed)."
    one("service", root=_systemd(tmp_path, {"show": alive}), on=on, unit="nginx.service")


@pytest.mark.parametrize("kind", ["failed_units", "service"])
def test_a_host_without_systemd_is_skipped_with_the_reason(kind: str, tmp_path: Path) -> None:
    settings = {"unit": "nginx.service"} if kind == "service" else {"warning": "0"}
    found = one(kind, root=tmp_path, **settings)
    assert (found["status"], found["reason"]) == ("skipped", "not_applicable")


@fault("login")
def test_a_lock_file_keeps_users_out(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    lock = tmp_path / "run/nologin"
    lock.touch()
    one("login", root=tmp_path)
    lock.unlink()
    one("login", root=tmp_path)


def test_an_account_file_without_root_is_found(tmp_path: Path) -> None:
    assert one("login", root=tmp_path)["detail"]["message"] == "/etc/passwd has no account of root."


@fault("reboot_required")
def test_an_installed_kernel_that_does_not_run_asks_for_a_restart(tmp_path: Path) -> None:
    (tmp_path / "boot").mkdir()
    running, newer = (tmp_path / "boot" / f"vmlinuz-{name}" for name in (os.uname().release, "99.9.0-1-amd64"))
    for kernel in (running, newer):
        kernel.touch()
    os.utime(running, (1, 1))
    one("reboot_required", root=tmp_path, severity="warning")
    newer.unlink()
    one("reboot_required", root=tmp_path, severity="warning")


def test_an_update_that_asks_for_a_restart_is_found(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/reboot-required").touch()
    assert one("reboot_required", root=tmp_path, severity="warning")["status"] == "warning"


@fault("file_age")
def test_the_newest_of_several_files_must_be_young_enough(tmp_path: Path) -> None:
    pattern = str(tmp_path / "dump-*.sql")
    old, new = tmp_path / "dump-1.sql", tmp_path / "dump-2.sql"
    old.touch()
    os.utime(old, (time.time() - 90000, time.time() - 90000))
    found = one("file_age", path=pattern, critical="24")
    assert found["detail"]["message"].endswith("was written 25 hours ago (limit 24 hours).")
    new.touch()
    one("file_age", path=pattern, critical="24")


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    assert one("file_age", path=str(tmp_path / "none"), warning="24")["status"] == "critical"


@fault("nagios_plugin")
def test_the_exit_code_of_a_plugin_is_the_status(tmp_path: Path) -> None:
    plugin = tmp_path / "check_example"
    plugin.write_text('#!/bin/sh\necho "EXAMPLE - $1 | time=0.1s"\nexit $2\n')
    plugin.chmod(0o755)
    found = one("nagios_plugin", command=[str(plugin), "broken", "2"])
    assert (found["detail"]["message"], found["detail"]["performance"]) == ("EXAMPLE - broken", "time=0.1s")
    one("nagios_plugin", command=[str(plugin), "fine", "0"])


@pytest.mark.parametrize("code", ["3", "127"])
def test_a_plugin_that_does_not_know_is_unknown(code: str) -> None:
    assert one("nagios_plugin", command=["sh", "-c", f"exit {code}"])["status"] == "unknown"


def test_processes_of_the_check_itself_do_not_count(tmp_path: Path) -> None:
    ours = subprocess.Popen(["true"])
    try:
        _until(lambda: _stat(str(ours.pid))[0] == "Z")
        assert one("zombies", root=_only(tmp_path, str(ours.pid)), warning="0")["detail"]["value"] == 0
    finally:
        ours.wait()
