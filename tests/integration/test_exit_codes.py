# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of docs/exit-codes.md: a command ends with each of them."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sites import DEAD, Site, start_and_stay

PAGE = (Path(__file__).parents[2] / "docs/exit-codes.md").read_text(encoding="utf-8")
CODES = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
CORES = [None, pytest.param("2.16", marks=pytest.mark.long), pytest.param("2.21", marks=pytest.mark.long)]

pytestmark = pytest.mark.slow

#: What is typed behind `ansible-playbook`, and the code. The one probe of the site has a critical finding.
ENDS = {
    "egov.ops.health_check": 0,
    "egov.ops.health_check -e egov_ops_fail_on=critical": 2,
    "egov.ops.health_check -e egov_ops_fail_on=nothing": 2,
    "egov.ops.health_check --no-such-option": 2,
    "egov.ops.health_check --limit nosuch": 1,
    "egov.ops.nosuch": 1,
    "egov.ops.health_check -e egov_ops_hosts=nosuch": 4,
    "egov.ops.request": 2,
}


@pytest.mark.programs("ssh")
@pytest.mark.parametrize("core", CORES)
def test_a_command_ends_with_each_code_of_the_page(
    site: Site, ansible_core: Callable[[str], Path], core: str | None
) -> None:
    if core:
        site.bin = ansible_core(core)
    site.hosts = {"web1": site.hosts["web1"]}
    memory = {"kind": "memory", "layer": "infrastructure", "warning": "0", "critical": "0"}
    site.variables["egov_ops_probes"] = {"memory": memory}
    ended = {words: site.run("ansible-playbook", *words.split()).rc for words in ENDS}
    assert ended == {words: 1 if core == "2.16" and code == 4 else code for words, code in ENDS.items()}
    process = start_and_stay(site)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    site.hosts = {"web1": dict(DEAD)}
    assert site.play("egov.ops.health_check").rc == 2
    assert process.returncode == 99
    assert {*ENDS.values(), 99} == CODES
