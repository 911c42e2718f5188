# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attack list: who tries what, and what must come of it. A new attack is a line in the module of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Attack(NamedTuple):
    """An attack: attempt is what its kind's test carries out, outcome a part of the sentence that must follow."""

    kind: str
    actor: str
    name: str
    attempt: Callable[..., Any] | str | bytes
    outcome: str


def all_attacks() -> list[Attack]:
    """Return the whole list."""
    from tests.support.attacks import answers, changes, commands, evidence

    return [*answers.ATTACKS, *changes.ATTACKS, *commands.ATTACKS, *evidence.ATTACKS]
