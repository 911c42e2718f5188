# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planted faults: look at the host with one probe, and prove that the probe tells the fault from its absence."""

from __future__ import annotations

import functools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.module_utils.health import prober
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

FIXTURES = Path(__file__).parents[1] / "unit/health/fixtures"
BAD = ("warning", "critical")

#: What the looks of the running test returned, one list for each look.
_looks: list[list[dict[str, Any]]] = []


def host(**context: Any) -> Host:
    """Return this machine as a half sees it, at the true time unless told otherwise."""
    return Host({"now": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "timeout": 30, **context})


def look(
    kind: str, root: Path | str = "/", layer: str = "platform", on: Host | None = None, **settings: Any
) -> list[dict[str, Any]]:
    """Run one probe, through the prober and its own process, and return what it found."""
    entry = {"kind": kind, "layer": layer, **settings}
    evidence: list[dict[str, Any]] = prober.probe({"probes": {"probe": entry}}, on or host(), str(root))["evidence"]
    _looks.append(evidence)
    return evidence


def one(kind: str, **settings: Any) -> dict[str, Any]:
    """Return the only thing that a probe found."""
    (found,) = look(kind, **settings)
    return found


@contextmanager
def _seen_to_fail_and_pass(kind: str) -> Iterator[None]:
    _looks.clear()
    yield
    states = [{item["subject"]: item["status"] for item in found if item["kind"] == kind} for found in _looks]
    failed = {(subject, place) for place, look in enumerate(states) for subject in look if look[subject] in BAD}
    assert failed, f"{kind} did not find the planted fault: {states}"
    assert any(later.get(subject) == "ok" for subject, place in failed for later in states[place + 1 :]), (
        f"{kind} did not pass once the fault was gone: {states}"
    )


def fault(kind: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Demand of a test that its looks find a kind failing, and afterwards the same thing passing."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def checked(*arguments: Any, **keywords: Any) -> None:
            with _seen_to_fail_and_pass(kind):
                test(*arguments, **keywords)

        return checked

    return decorate


def captured(folder: Path, kind: str = "") -> Path:
    """Return a copy of the captured tree of a healthy host, with the files of a kind's captured fault laid over it."""
    tree = folder / (kind or "healthy")
    shutil.copytree(FIXTURES / "healthy", tree)
    if kind:
        shutil.copytree(FIXTURES / "faulty" / kind, tree, dirs_exist_ok=True)
    return tree
