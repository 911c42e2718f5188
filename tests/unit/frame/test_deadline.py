# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time of a half: a block may have less of it, a clean-up more, and afterwards it is as it was."""

from __future__ import annotations

import re

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host


@pytest.fixture
def host() -> Host:
    return Host({"timeout": 100})


def test_a_block_has_its_seconds_and_never_more_than_are_left(host: Host) -> None:
    whole = host.deadline
    with host.within(10):
        assert 9 < host.remaining() <= 10
        with host.within(50):
            assert host.remaining() <= 10
        with host.within(-5):
            assert host.remaining() == 0
        assert 9 < host.remaining() <= 10
    with host.within(1000):
        assert host.deadline == whole
    assert host.deadline == whole


def test_a_clean_up_has_its_seconds_even_where_fewer_are_left(host: Host) -> None:
    with host.within(0):
        assert host.run(["sh", "-c", "sleep 1"]).timed_out
        with host.at_least(20):
            assert 19 < host.remaining() <= 20
            assert host.run(["true"]).rc == 0
        assert host.remaining() == 0
    with host.at_least(20):
        assert host.remaining() > 99


@pytest.mark.parametrize("span", ["within", "at_least"])
def test_a_block_that_raises_gives_the_time_back(host: Host, span: str) -> None:
    whole = host.deadline
    with pytest.raises(ValueError, match="x"), getattr(host, span)(500 if span == "at_least" else 5):
        raise ValueError("x")
    assert host.deadline == whole


def test_nothing_sets_a_host_s_deadline_by_hand() -> None:
    for path in (environment.ROOT / "plugins/module_utils").rglob("*.py"):
        found = re.findall(r"^.*\bhost\.deadline\b[^=\n]*[-+]?=(?!=).*$", path.read_text(), re.MULTILINE)
        assert path.name == "half.py" or not found, f"{path.name}: {found}"
