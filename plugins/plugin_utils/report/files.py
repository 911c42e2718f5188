# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report's files: one run's page and data, and the links to the newest."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import (
    OpsError,
    StateDir,
    folder_held,
    printed_commands,
    write_whole,
)
from ansible_collections.egov.ops.plugins.plugin_utils.report.model import Facts
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.period.types import PeriodReport
    from ansible_collections.egov.ops.plugins.plugin_utils.report.run.types import RunReport

LATEST = "latest"

_SHORT = {"md", "txt"}

#: What the name of a file does not hold.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")

#: Seconds to wait for another run that writes its report into the same folder.
PATIENCE = 60.0


# Made once: json.dumps would make an encoder for each of thousands of elements.
_encode = json.JSONEncoder(sort_keys=True).encode


def facts_of(plan: Mapping[str, Any], state: StateDir) -> Facts:
    """Return what a report says beside the ledger's records."""
    return Facts(
        platform=plan["egov_ops_platform_name"],
        zone=plan["egov_ops_timezone"],
        ledger=str(state.ledger),
        witness=str(state.witness),
        procedures=plan["egov_ops_procedures"],
        commands={name: printed_commands.playbook(name) for name in (*plan["egov_ops_procedures"], "ledger_verify")},
    )


def write_report(data: RunReport, folder: Path, language: str, newest: bool = True, short: bool = False) -> Path:
    """Write a run's report as `<run>.html` and `<run>.json`, if wanted in short too, and return the path of the page.

    In short are `<run>.md` (Markdown) and `<run>.txt` (a line for each host). Of the newest run `latest` with these
    endings names its files, and the path is that of the page. Files are replaced whole, links in one step. Raises
    OpsError where the files cannot be written.
    """
    name = data["run"]["id"]
    contents = {
        "html": render_html(data, language).encode("utf-8"),
        "json": _lines(data).encode("ascii"),
    }
    if short:
        # Imported here: a run that is sealed writes neither.
        from ansible_collections.egov.ops.plugins.plugin_utils.report.render.markdown import (
            render_lines,
            render_markdown,
        )

        contents["md"] = render_markdown(data, language).encode("utf-8")
        contents["txt"] = render_lines(data).encode("utf-8")
    forgotten = _SHORT - contents.keys() if newest else set()
    _write(folder, name, contents, forgotten, newest)
    return folder / f"{LATEST if newest else name}.html"


def write_period_report(data: PeriodReport, folder: Path, language: str) -> Path:
    """Write the report of a range as files of its own, each ending, and return the path of the page.

    Raises OpsError where they cannot be written.
    """
    # Imported here: a run that is sealed needs none of it.
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period
    from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_text import (
        render_period_lines,
        render_period_markdown,
    )

    span = data["range"]
    parts = [span["period"], span["first"], span["last"], span["group"], span["team"], span["procedure"]]
    name = "-".join(_UNSAFE.sub("_", part) for part in parts if part)
    contents = {
        "html": render_period(data, language).encode("utf-8"),
        "json": _lines(data).encode("ascii"),
        "md": render_period_markdown(data, language).encode("utf-8"),
        "txt": render_period_lines(data).encode("utf-8"),
    }
    _write(folder, name, contents, set(), newest=False)
    return folder / f"{name}.html"


def _write(folder: Path, name: str, contents: Mapping[str, bytes], forgotten: set[str], newest: bool) -> None:
    """Write a report's files by their endings; of the newest, link `latest` to them and away from those forgotten."""
    try:
        with folder_held(folder, PATIENCE) as held:
            if not held:
                raise OpsError(
                    f"The folder {folder} is held by another process since {PATIENCE:.0f} s; end it and render the "
                    f"report {name} again with egov.ops.report."
                )
            for ending, content in contents.items():
                path = folder / f"{name}.{ending}"
                write_whole(path, path.with_name(f"{name}.{ending}.new"), [content])
                if newest:
                    _link(folder / f"{LATEST}.{ending}", path.name)
            for ending in forgotten:
                (folder / f"{LATEST}.{ending}").unlink(missing_ok=True)  # it would name an earlier run's
    except OSError as error:
        raise OpsError(
            f"The report {name} cannot be written to {folder} ({error.strerror}); the evidence is in the "
            "ledger: free space and render it again with egov.ops.report."
        ) from None


def _link(link: Path, target: str) -> None:
    temporary = link.with_name(f"{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.rename(link)


def _lines(data: Mapping[str, object]) -> str:
    """Return data as JSON with each key, and each element of a list, on a line: an indent would cost ten times that."""
    parts = []
    for key in sorted(data):
        value = data[key]
        if isinstance(value, list) and value:
            inner = ",\n".join(map(_encode, value))
            parts.append(f"{_encode(key)}: [\n{inner}\n]")
        else:
            parts.append(f"{_encode(key)}: {_encode(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
