# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times that the controller and the tools write, as seconds."""

from __future__ import annotations

import calendar
import time
from datetime import datetime

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.moments import seconds_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_a_time_is_what_the_calendar_says(moment: datetime) -> None:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    wanted = calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    assert {seconds_of(text), seconds_of(f"{text}Z"), seconds_of(f"{text}.123456789+08:00")} == {wanted}


@pytest.mark.parametrize("text", ["", "today", "2026-01-31", "2026-13-01T00:00:00Z", "2026-01-31 02:30:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        seconds_of(text)
