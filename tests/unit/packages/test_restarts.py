# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restarts that are due: processes that run replaced files, and the host itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.record import REASONS
from ansible_collections.egov.ops.plugins.module_utils.packages import reboot, restarts, scan
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Listing

LIBRARY = "7f00-7f01 r-xp 00000000 fd:01 100  /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)\n"
TEMPORARY = ("/tmp/", "/var/tmp/")
UNIT = "0::/system.slice/portal.service\n"


def process(root: Path, pid: int, maps: str, name: str = "portal", cgroup: str = UNIT) -> Path:
    """Write a process into a captured tree."""
    folder = root / f"proc/{pid}"
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in {"maps": maps, "comm": f"{name}\n", "cgroup": cgroup}.items():
        (folder / file).write_text(text)
    return folder


def observed(root: Path) -> dict[str, Any]:
    return scan._restarts(restarts.look(str(root)), str(root))


def test_a_running_program_that_was_replaced_is_found_until_it_is_gone() -> None:
    # Not in a temporary folder, where the checkout itself may lie: what is removed there was put there by no package.
    lasting = [path for path in (environment.CACHE, Path.home(), Path("/opt")) if not str(path).startswith(TEMPORARY)]
    folder = Path(tempfile.mkdtemp(dir=next(path for path in lasting if os.access(path, os.W_OK))))
    try:
        program = folder / "sleep"
        shutil.copy(shutil.which("sleep") or "", program)
        with subprocess.Popen([str(program), "60"]) as running:
            deadline = time.monotonic() + 20
            while Path(f"/proc/{running.pid}/exe").readlink() != program and time.monotonic() < deadline:
                time.sleep(0.01)
            assert running.pid not in {item.pid for item in restarts.look().outdated}
            program.unlink()
            outdated = {item.pid: item for item in restarts.look().outdated}
            running.kill()
        found = outdated[running.pid]
        assert (found.name, found.files) == ("sleep", [str(program)])
        assert running.pid not in {item.pid for item in restarts.look().outdated}
    finally:
        shutil.rmtree(folder)


def test_a_replaced_library_is_a_finding_with_its_unit_until_the_restart(tmp_path: Path) -> None:
    process(tmp_path, 71, LIBRARY)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    found = observed(tmp_path)
    assert found["status"] == "warning"
    assert found["detail"]["units"] == ["portal.service"]
    assert found["detail"]["next"] == "Restart what runs them: systemctl restart portal.service."
    assert found["detail"]["processes"][0]["files"] == ["/usr/lib/x86_64-linux-gnu/libssl.so.3"]
    process(tmp_path, 71, LIBRARY.replace(" (deleted)", ""))
    assert observed(tmp_path)["status"] == "ok"


@pytest.mark.parametrize(
    "line",
    [
        "7f00-7f01 rw-p 00000000 fd:01 100  /var/lib/portal/cache (deleted)",
        "7f00-7f01 r-xp 00000000 00:05 100  /memfd:jit (deleted)",
        "7f00-7f01 r-xp 00000000 fd:01 100  /tmp/ffi1234 (deleted)",
        "7f00-7f01 rwxs 00000000 00:01 100  /dev/zero (deleted)",
        "7f00-7f01 r-xp 00000000 fd:01 100  /usr/lib/a file with spaces",
    ],
)
def test_what_no_package_owns_or_nobody_executes_asks_for_no_restart(tmp_path: Path, line: str) -> None:
    process(tmp_path, 71, line + "\n")
    assert observed(tmp_path)["status"] == "ok"


def test_what_runs_in_a_container_is_counted_and_not_a_finding(tmp_path: Path) -> None:
    for pid, space in ((0, "pid:[1]"), (71, "pid:[2]")):
        folder = tmp_path / ("proc/self/ns" if not pid else f"proc/{pid}/ns")
        folder.mkdir(parents=True)
        (folder / "pid").symlink_to(space)
    process(tmp_path, 71, LIBRARY)
    found = observed(tmp_path)
    assert (found["status"], found["detail"]["counts"]["containers"]) == ("ok", 1)


def test_processes_that_are_hidden_are_never_ok(tmp_path: Path) -> None:
    found = restarts.Processes()
    found.hidden = 3
    item = scan._restarts(found, str(tmp_path))
    assert (item["status"], item["reason"]) == ("unknown", "permission")
    (tmp_path / "proc/1").mkdir(parents=True)
    item = scan._reboot(str(tmp_path), found, Listing())
    assert (item["status"], item["reason"]) == ("unknown", "permission")
    assert "permission" in REASONS


@pytest.mark.parametrize(("user", "wanted"), [(1000, "become"), (0, "SYS_PTRACE")])
def test_what_to_do_about_hidden_processes_depends_on_who_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, wanted: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    found = restarts.Processes()
    found.hidden = 1
    assert wanted in scan._restarts(found, str(tmp_path))["detail"]["next"]


def system(release: str, version: str = "#1 SMP Debian 6.1.176-1") -> Any:
    return SimpleNamespace(release=release, version=version)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host whose newest kernel runs; its images are no files of x86 and older than its start."""
    process(tmp_path, 1, "", "systemd")
    for release in ("6.1.0-9-amd64", "6.1.0-10-amd64", "6.9.0-1-rt-amd64"):
        kernel(tmp_path, release)
    os.utime(tmp_path / "proc/1", (time.time() + 60, time.time() + 60))
    return tmp_path


def kernel(root: Path, release: str) -> Path:
    (root / "boot").mkdir(exist_ok=True)
    image = root / f"boot/vmlinuz-{release}"
    image.write_bytes(b"an image")
    return image


def reasons(root: Path, release: str = "6.1.0-10-amd64", version: str = "#1 SMP Debian 6.1.176-1") -> list[str]:
    return reboot.reasons(str(root), system(release, version), restarts.look(str(root)), [])


def test_a_newer_kernel_of_the_same_flavour_makes_a_restart_due_without_any_mark(root: Path) -> None:
    assert reasons(root) == []
    image = kernel(root, "6.1.0-11-amd64")
    assert reasons(root) == ["kernel 6.1.0-11-amd64 is installed and 6.1.0-10-amd64 runs"]
    image.unlink()
    assert reasons(root) == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("4.19.90-25.10.v2101.ky10.aarch64", "4.19.90-25.24.v2101.ky10.aarch64"),
        ("5.10.0-136.12.0.86.oe2203sp1.x86_64", "5.10.0-153.12.0.92.oe2203sp2.x86_64"),
        ("4.18.0-553.5.1.el8_10.x86_64", "4.18.0-553.16.1.el8_10.x86_64"),
        ("5.14.21-150500.55.7-default", "5.14.21-150500.55.31-default"),
    ],
)
def test_kernels_of_rpm_platforms_are_ordered_by_their_numbers(tmp_path: Path, older: str, newer: str) -> None:
    for release in (older, newer):
        folder = tmp_path / f"lib/modules/{release}"
        folder.mkdir(parents=True)
        (folder / "vmlinuz").write_bytes(b"an image")
    for running in (older, newer):
        assert reboot.kernel(str(tmp_path), running).newest == newer


def test_another_build_of_the_running_release_makes_a_restart_due(root: Path) -> None:
    image = root / "boot/vmlinuz-6.1.0-10-amd64"
    for build, due in (("#1 SMP Debian 6.1.192-2", True), ("#1 SMP Debian 6.1.176-1", False)):
        header = bytearray(0x400)
        header[0x202:0x206] = b"HdrS"
        header[0x20E:0x210] = (0x100).to_bytes(2, "little")
        image.write_bytes(bytes(header[:0x300]) + f"6.1.0-10-amd64 (debian) {build} (2026)".encode() + b"\0")
        assert bool(reasons(root)) is due


def test_an_image_without_a_version_that_is_newer_than_the_start_makes_a_restart_due(root: Path) -> None:
    os.utime(root / "proc/1", (1, 1))
    assert reasons(root) == ["kernel 6.1.0-10-amd64 was replaced by a newer build since the start"]
    os.utime(root / "proc/1", (time.time() + 60, time.time() + 60))
    assert reasons(root) == []


def test_a_kernel_that_is_not_the_hosts_own_asks_for_nothing(root: Path) -> None:
    assert reasons(root, "6.18.44-of-the-container-host") == []


@pytest.mark.parametrize("name", ["reboot-required", "reboot-needed"])
def test_a_mark_file_makes_a_restart_due(root: Path, name: str) -> None:
    (root / "run").mkdir()
    mark = root / "run" / name
    mark.write_text("")
    mark.with_name(f"{name}.pkgs").write_text("linux-base\nlibc6\nlibc6\n")
    assert reasons(root) == [f"/run/{name} is there, for libc6, linux-base"]
    mark.unlink()
    assert reasons(root) == []


@pytest.mark.parametrize(("pid", "name"), [(1, "systemd"), (71, "dbus-daemon")])
def test_a_process_that_cannot_be_restarted_alone_makes_a_restart_due(root: Path, pid: int, name: str) -> None:
    process(root, pid, LIBRARY, name)
    assert reasons(root) == [f"{name} (pid {pid}) runs replaced files"]
    process(root, pid, "", name)
    assert reasons(root) == []


def test_an_outdated_service_alone_does_not_ask_for_a_restart_of_the_host(root: Path) -> None:
    process(root, 71, LIBRARY)
    assert reasons(root) == []
