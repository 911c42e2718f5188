# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The map of the rooms: each package is on the page, and each file that the pages name is there."""

from __future__ import annotations

import re
from pathlib import Path

import environment
import pytest

ROOT = environment.ROOT
PAGES = [ROOT / name for name in ("docs/architecture.md", "docs/development.md", "CONTRIBUTING.md")]
FILES = [Path(name) for name in environment.checkout_files()]


def rows(text: str) -> set[str]:
    """Return the folders that begin a row of a table."""
    return set(re.findall(r"^\| `([\w/]+)/` \|", text, re.MULTILINE))


def test_each_package_is_on_the_page() -> None:
    text = PAGES[0].read_text(encoding="utf-8").partition("## Contracts between rooms")[0]
    folders = {
        path.name
        for room in ("plugins/module_utils/backup", "plugins/plugin_utils")
        for path in (ROOT / room).glob("*/")
        if any(path.glob("*.py"))
    }
    assert folders == {name for name in rows(text) if "/" not in name} - {"tests"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    """A name may leave out the folders above it."""
    named = set(re.findall(r"`(?:[\w.]+/)*[\w.]+\.(?:py|yml|patch|in)\b", page.read_text(encoding="utf-8")))
    assert named
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name[1:]}") for file in FILES)] == []
