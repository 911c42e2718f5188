# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema, parse
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema_sources import read_sources

ROOT = Path(__file__).resolve().parents[3]

#: Three probes and a control in place of the default ones, so that tests of the plan do not depend on those.
PROBES = """\
cpu: {kind: cpu_usage, layer: infrastructure, warning: 80, critical: 90}
units: {kind: failed_units, layer: platform, critical: "0"}
portal: {kind: http, layer: application, url: "http://127.0.0.1/", timeout: 3}
"""


CONTROLS = """\
AC-001: {primitive: sshd, option: PermitRootLogin, expected: "=no", clauses: [8.1.4.2b], severity: critical}
"""


@pytest.fixture(scope="session")
def schema_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schema")
    for name in ("schema.yml", "procedures.yml"):
        shutil.copy(ROOT / "plugins/plugin_utils/plan" / name, folder)
    (folder / "probes.yml").write_text(PROBES)
    (folder / "controls.yml").write_text(CONTROLS)
    return folder


@pytest.fixture(scope="session")
def schema(schema_folder: Path) -> Schema:
    return parse(read_sources(schema_folder))
