# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On each Python of a host: the parsers on captured input, and one sentence where the library is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.packages import updateinfo, zypper
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import EngineError
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream

from tests.support.package_site import run, scan, tree

CAPTURED = Path(__file__).parent / "captured"
PYTHONS = ["3.6", "3.7", "3.8", "3.13"]
_PARSE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.egov.ops.plugins.module_utils.packages import updateinfo, zypper
folder = sys.argv[2]
notices = updateinfo.read(folder + "/updateinfo.xml")
held = zypper.locks_of(open(folder + "/zypp_locks").read())
updates = zypper.updates(open(folder + "/zypper_list_updates.xml").read(), notices, held, ["*security*"])
print(json.dumps([[vars(update.advisories[0]), update.candidate, update.hold, update.security] for update in updates]))
"""


@pytest.mark.parametrize("version", PYTHONS)
def test_captured_answers_are_read_on_each_python(interpreter: Callable[[str], str], version: str) -> None:
    printed = run(interpreter(version), "-I", "-c", _PARSE, os.environ["PYTHONPATH"].split(":")[0], CAPTURED)
    (found,) = json.loads(printed)
    advisory = {"id": "EGOV-2026:1", "severity": "important", "cves": ["CVE-2026-0001"], "issued": 1790899200.0}
    assert found == [advisory, "1.2-1", "lock", True]


@pytest.mark.parametrize("version", PYTHONS)
@pytest.mark.parametrize(("manager", "binding"), [("apt", "apt_pkg"), ("dnf", "dnf")])
def test_a_python_without_the_library_says_so_and_the_rest_goes_on(
    interpreter: Callable[[str], str], tmp_path: Path, manager: str, binding: str, version: str
) -> None:
    python = interpreter(version)
    evidence = scan(tree(tmp_path, manager), python)["evidence"]
    assert [item["status"] for item in evidence] == ["unknown", "unknown", "unknown", "ok", "ok"]
    assert evidence[0]["reason"] == "not_supported"
    assert f"cannot import {binding}; install python3-" in evidence[0]["detail"]["message"]


def test_the_python_of_the_platforms_own_tools_comes_before_one_that_an_administrator_chose() -> None:
    line = stream.command(site_packages=True)
    assert line.index("command -v /usr/libexec/platform-python") < line.index("command -v /usr/bin/python3 ")


def test_a_platform_that_cannot_be_scanned_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    root = tree(tmp_path, "apt")
    for text in ("ID=alpine\n", 'ID="centos"\nVERSION_ID="7"\nNAME="CentOS Linux"\n'):
        (root / "etc/os-release").write_text(text)
        evidence = scan(root)["evidence"]
        assert [item["status"] for item in evidence] == ["unknown", "unknown", "unknown", "ok", "ok"]
        assert evidence[0]["reason"] == "not_supported"


def test_the_first_error_of_zypper_is_its_sentence() -> None:
    (first, *_others) = zypper.messages((CAPTURED / "zypper_refresh_failed.xml").read_text())
    assert first.startswith("Problem retrieving files from 'update'. Specified path ")


def test_broken_xml_of_zypper_is_one_sentence() -> None:
    with pytest.raises(EngineError, match="zypper answered with broken XML"):
        zypper.updates("<stream>", [], [], [])


def test_broken_or_unreadable_advisories_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "updateinfo.xml").write_text("<updates>")
    for name, words in (("updateinfo.xml", "no XML"), ("updateinfo.xml.zst", "zstd")):
        with pytest.raises(ValueError, match=words):
            updateinfo.read(str(tmp_path / name))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1790899200", 1790899200), ("2026-10-02 00:00:00", 1790899200), ("2026-10-02", 1790899200), ("soon", 0)],
)
def test_dates_are_read_as_the_vendors_write_them(tmp_path: Path, text: str, seconds: int) -> None:
    file = tmp_path / "updateinfo.xml"
    file.write_text(f'<updates><update type="security"><id>A</id><issued date="{text}"/></update></updates>')
    assert [notice.issued for notice in updateinfo.read(str(file))] == [seconds]
