# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attacks by a managed host: what it answers in the place of what its half has observed."""

from __future__ import annotations

from tests.support import hostile
from tests.support.attacks import Attack

#: In place of the path at which an answer would have left a file behind.
MARK = "/egov-ops-mark"

ATTACKS = [
    Attack("answer", "managed host", name, answer, "is malformed") for name, answer in hostile.attacks(MARK).items()
]
ATTACKS.append(Attack("answer", "managed host", "flood", '{"msg": "' + "x" * 10_000_000 + '"}', "too_large"))
