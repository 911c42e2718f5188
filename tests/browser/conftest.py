# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages of each state of a report, and a browser to look at them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import engine, pages
from tests.browser.webdriver import Browser, browser


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Give the page of a state in a language, made on first use."""
    return pages.Pages(tmp_path_factory.mktemp("pages")).page


@pytest.fixture(scope="session")
def axe() -> str:
    """Give the script of the accessibility engine."""
    return engine.script()
