# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What smartctl says of a disk, in the shape that smartctl 7 writes it for ATA, NVMe and SCSI, and where it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.repositories import smart
from hypothesis import given
from hypothesis import strategies as st


def told(exit_status: int = 0, passed: bool | None = True, **more: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "json_format_version": [1, 0],
        "smartctl": {"version": [7, 3], "exit_status": exit_status},
    }
    if passed is not None:
        document["smart_status"] = {"passed": passed}
    return {**document, **more}


def ata(**raw: int) -> dict[str, Any]:
    """Return the attributes of an ATA disk by number, with those that count how long and how warm it was."""
    values = {"a9": 36055, "a194": 38, "a5": 0, "a197": 0, "a198": 0, "a188": 4295032853, **raw}
    rows = [
        {"id": int(name[1:]), "name": name, "value": 100, "thresh": 10, "raw": {"value": value, "string": str(value)}}
        for name, value in values.items()
    ]
    return {"ata_smart_attributes": {"revision": 16, "table": rows}}


def nvme(**log: int) -> dict[str, Any]:
    sound = {"critical_warning": 0, "available_spare": 100, "percentage_used": 3, "media_errors": 0}
    return {"nvme_smart_health_information_log": {**sound, "num_err_log_entries": 12, **log}}


@pytest.mark.parametrize(
    ("document", "status", "words"),
    [
        (told(), "ok", "it passes"),
        (told(**ata()), "ok", "it passes"),
        (told(**nvme()), "ok", "it passes"),
        (told(scsi_grown_defect_list=0), "ok", "it passes"),
        (told(64 + 128), "ok", "it passes"),  # errors that were logged once
        (told(8, passed=False), "critical", "it says itself that it fails"),
        (told(16), "critical", "past its threshold"),
        (told(**ata(a5=8)), "warning", "8 reallocated sectors"),
        (
            told(**ata(a197=1, a198=2)),
            "warning",
            "1 sectors that wait to be reallocated, 2 sectors that cannot be read",
        ),
        (told(8, passed=False, **ata(a5=900)), "critical", "900 reallocated sectors"),
        (told(**nvme(critical_warning=2)), "warning", "temperature"),
        (told(**nvme(critical_warning=1 + 4)), "critical", "spare space is used up, its reliability is degraded"),
        (told(**nvme(critical_warning=8)), "critical", "it can only be read"),
        (
            told(**nvme(media_errors=3, percentage_used=101)),
            "warning",
            "3 errors of its media, it is worn out by 101 %",
        ),
        (told(scsi_grown_defect_list=260), "warning", "260 defects grown"),
    ],
)
def test_a_disk_is_judged_by_what_it_says_itself(document: dict[str, Any], status: str, words: str) -> None:
    found = smart.judge(document)
    assert found[0] == status
    assert words in found[1]


CONTROLLER = "Smartctl open device: /dev/sda failed: DELL or MegaRaid controller, please try adding '-d megaraid,N'"


@pytest.mark.parametrize(
    ("exit_status", "said", "status"),
    [
        (1, "/dev/vda: Unable to detect device type", smart.SILENT),
        (2, CONTROLLER, smart.SILENT),
        (4, "", smart.SILENT),
        (2, "Smartctl open device: /dev/sda failed: Input/output error", "unknown"),
    ],
)
def test_a_disk_that_has_nothing_to_say_is_told_from_one_that_cannot_be_asked(
    exit_status: int, said: str, status: str
) -> None:
    document = told(exit_status, passed=None)
    document["smartctl"]["messages"] = [{"string": said, "severity": "error"}] if said else []
    found = smart.judge(document)
    assert found[0] == status
    assert said in found[1]


@given(
    st.integers(0, 255),
    st.sampled_from([True, False, None]),
    st.dictionaries(st.sampled_from(["a5", "a187", "a197", "a198", "a9"]), st.integers(0, 2**48)),
    st.integers(0, 255),
)
def test_a_disk_that_says_it_fails_is_never_well(
    code: int, passed: bool | None, raw: dict[str, int], warnings: int
) -> None:
    status, words = smart.judge(told(code, passed, **ata(**raw), **nvme(critical_warning=warnings)))
    assert words
    if passed is None:
        assert status == ("unknown" if code & 2 else smart.SILENT)
    elif not passed or code & 8 or code & 16 or warnings & 0b101101:
        assert status == "critical"
    elif warnings & 0b10010 or any(raw.get(name) for name in ("a5", "a187", "a197", "a198")):
        assert status == "warning"
    else:
        assert status == "ok"
