# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small inventory of real files, and its validation."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate

HOSTS = """\
    all:
      children:
        web:
          hosts:
            web1: {ansible_host: 192.0.2.11}
            web2: {ansible_host: 192.0.2.12}
        database:
          hosts:
            db1: {ansible_host: 192.0.2.31}
"""

ALL = """\
    ---
    egov_ops_timezone: Asia/Shanghai
    egov_ops_ledger_retention_days: 730
"""

WEB = """\
    ---
    egov_ops_probes__50_web:
      portal:
        kind: http
        layer: application
        url: http://127.0.0.1/
        warning: "3"
        critical: "15"

    egov_ops_backup_sets__50_web:
      sites:
        class: other
        paths: [/srv/www]
        full: weekly
        incremental: daily
"""


def write(folder: Path, **files: str) -> Path:
    """Write files into a folder, named with double underscores for folders, and return the folder."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def site(folder: Path) -> Path:
    """Write the small inventory and return its folder."""
    return write(folder, hosts=HOSTS, group_vars__all=ALL, group_vars__web=WEB)


def problems(inventory: Path, **wanted: str) -> list[dict[str, Any]]:
    """Return what is wrong with an inventory."""
    found: list[dict[str, Any]] = validate(Wanted(str(inventory), **wanted))["problems"]
    return found


def told(found: list[dict[str, Any]]) -> list[str]:
    """Return problems in short: the file's name, the line and the sentence."""
    return [f"{Path(problem['file']).name}:{problem['line']}: {problem['message']}" for problem in found]
