# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule of the exit code."""

from __future__ import annotations

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.runs.verdict import judge


def entry(kind="step", status="ok", reason="", message="what happened"):
    return {"kind": kind, "subject": "x", "status": status, "reason": reason, "detail": {"message": message}}


def test_complete_steps_are_good():
    assert judge([entry(), entry("probe", "ok")]) == []


def test_a_host_without_any_step_is_bad():
    assert judge([entry("probe", "ok")]) == ["The run holds no step of this host."]


@pytest.mark.parametrize("status", ["failed", "unreachable", "unknown", "critical"])
def test_a_step_that_could_not_be_done_is_bad(status):
    assert judge([entry(status=status)]) == ["what happened"]


@pytest.mark.parametrize("reason", ["not_reached", "interrupted", "busy", "not_started"])
def test_a_step_left_out_is_bad(reason):
    assert judge([entry(status="skipped", reason=reason)]) == ["what happened"]


@pytest.mark.parametrize("reason", ["not_built", "not_ours"])
def test_a_step_that_is_not_there_to_do_is_excused(reason):
    assert judge([entry(status="skipped", reason=reason)]) == []


@pytest.mark.parametrize("status", ["failed", "unreachable"])
def test_work_that_failed_is_bad_whatever_fail_on_says(status):
    assert judge([entry(), entry("backup", status)], "none") == ["what happened"]


@pytest.mark.parametrize(
    ("fail_on", "status", "bad"),
    [
        ("none", "critical", False),
        ("none", "warning", False),
        ("critical", "critical", True),
        ("critical", "warning", False),
        ("critical", "unknown", False),
        ("warning", "warning", True),
        ("warning", "critical", True),
        ("warning", "unknown", True),
        ("warning", "ok", False),
        ("warning", "skipped", False),
    ],
)
def test_findings_are_bad_from_the_severity_asked_for(fail_on, status, bad):
    assert bool(judge([entry(), entry("probe", status)], fail_on)) is bad


def test_what_could_not_be_done_stands_before_findings():
    records = [entry("probe", "critical", message="finding"), entry(status="failed", message="undone")]
    assert judge(records, "warning") == ["undone", "finding"]
