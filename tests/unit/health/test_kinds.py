# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registry: every kind is registered, documented, and proved by a planted fault; the default probes are sound."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.module_utils.health import prober, registry
from ansible_collections.egov.ops.plugins.module_utils.health.probe import LAYERS

from tests.support.planted import FIXTURES, host

HERE = Path(__file__).parent
PLUGINS = HERE.parents[2] / "plugins"
DEFAULTS: dict[str, dict[str, Any]] = yaml.safe_load((PLUGINS / "plugin_utils/plan/probes.yml").read_text())

_HELPERS = {"not_after", "pem_certificates", "split_address", "listeners"}


def test_every_check_is_registered() -> None:
    known = {kind.check for kind in registry.KINDS.values()} | {kind.each for kind in registry.KINDS.values()}
    themes = [module for _name, module in inspect.getmembers(registry, inspect.ismodule)]
    assert len(themes) == len(list((PLUGINS / "module_utils/health").glob("*.py"))) - len(
        ("entry", "options", "probe", "prober", "registry", "thresholds", "types")
    )
    missing = [
        f"{module.__name__}.{name}"
        for module in themes
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_") and name not in _HELPERS
        if function not in known
    ]
    assert missing == []


def test_every_kind_has_the_name_of_its_check() -> None:
    assert {name: kind.check.__name__ for name, kind in registry.KINDS.items()} == {
        name: name for name in registry.KINDS
    }


def test_every_kind_is_proved_by_a_planted_fault() -> None:
    proved = {folder.name for folder in (FIXTURES / "faulty").iterdir()}
    for file in HERE.glob("test_*_faults.py"):
        proved |= set(re.findall(r'^@fault\("(\w+)"\)$', file.read_text(), re.M))
    assert proved == set(registry.KINDS)


def test_there_are_kinds_enough() -> None:
    assert len(registry.KINDS) >= 25


@pytest.mark.parametrize("kind", sorted(registry.KINDS))
def test_every_kind_is_documented_with_its_parameters(kind: str) -> None:
    text = (PLUGINS / "modules/health_probe.py").read_text()
    described = re.search(rf"C\({kind}\)(?:\s+\((.*?(?:\(.*?\).*?)*)\))?[,.]", text, re.S)
    assert described, f"{kind} is not documented"
    words = re.split(r"[\s,;]+", described.group(1) or "")
    assert [name for name in registry.KINDS[kind].parameters() if name not in words] == []


def test_the_default_probes_cover_each_layer() -> None:
    assert {entry["layer"] for entry in DEFAULTS.values()} == set(LAYERS)


def test_the_default_probes_need_nothing_beyond_the_host() -> None:
    asking = {"certificate_served", "http", "nameservers", "ntp_offset", "tcp"}
    assert [name for name, entry in DEFAULTS.items() if entry["kind"] in asking] == []


def test_the_default_probes_give_each_thing_one_record_with_a_sentence() -> None:
    evidence = prober.probe({"probes": DEFAULTS}, host())["evidence"]
    keys = [(item["kind"], item["subject"]) for item in evidence]
    assert len(keys) == len(set(keys))
    assert {item["detail"]["probe"] for item in evidence} == set(DEFAULTS)
    assert [item for item in evidence if not item["detail"]["message"].endswith(".")] == []
    assert [item for item in evidence if item["status"] not in ("ok", "skipped") and not item["detail"]["next"]] == []


def test_subjects_are_the_same_in_each_run() -> None:
    first, second = (prober.probe({"probes": DEFAULTS}, host())["evidence"] for _ in range(2))
    assert [(item["kind"], item["subject"]) for item in first] == [(item["kind"], item["subject"]) for item in second]
