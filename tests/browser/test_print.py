# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages on A4: running header and page numbers, the first page for a leader's desk, no row cut in two."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import pages
from tests.browser.webdriver import Browser

pytestmark = [pytest.mark.slow, pytest.mark.programs("chromium", "chromedriver", "pdftotext")]

Page = Callable[[str, str], Path]

#: The printed pages of each state, at least and at most: a change of a font's width must not count.
SHEETS = {"eventful": (5, 7), "all_green": (3, 5), "one_host": (3, 5), "fortnight": (5, 7)}

#: What a leader reads and signs, on page 1.
SIGNED = {"en": ("Instructions", "Checked by", "Reviewed by"), "zh": ("批示意见", "巡检人", "复核人")}

NUMBERED = {"en": "Page {} of {}", "zh": "第{}页共{}页"}


def sheets(browser: Browser, path: Path, folder: Path) -> list[str]:
    """Return the text of each printed page."""
    browser.open(path)
    printed = folder / "page.pdf"
    printed.write_bytes(browser.pdf())
    text = subprocess.run(["pdftotext", "-layout", str(printed), "-"], stdout=subprocess.PIPE, check=True).stdout
    return text.decode().rstrip("\f").split("\f")


def paper(folder: Path) -> str:
    told = subprocess.run(["pdfinfo", str(folder / "page.pdf")], stdout=subprocess.PIPE, check=True).stdout.decode()
    return next(line for line in told.splitlines() if line.startswith("Page size"))


@pytest.mark.parametrize("language", pages.LANGUAGES)
@pytest.mark.parametrize("state", sorted(SHEETS))
def test_each_sheet_has_its_header_and_number(
    state: str, language: str, chromium: Browser, page: Page, tmp_path: Path
) -> None:
    found = sheets(chromium, page(state, language), tmp_path)
    fewest, most = SHEETS[state]
    assert fewest <= len(found) <= most
    assert "(A4)" in paper(tmp_path)
    for number, sheet in enumerate(found, start=1):
        squeezed = re.sub(r"[\s\u3000]", "", sheet)
        lines = [line for line in sheet.splitlines() if line.strip()]
        assert re.sub(r"[\s\u3000]", "", NUMBERED[language].format(number, len(found))) in squeezed
        assert re.search(r"#\d+ [0-9a-f]{8}", lines[0])
        assert "Harbour City Portal" in lines[0]
        assert len(lines) > 4, sheet


@pytest.mark.parametrize("language", pages.LANGUAGES)
def test_the_first_sheet_is_what_a_leader_reads_and_signs(
    language: str, chromium: Browser, page: Page, tmp_path: Path
) -> None:
    for state in ("eventful", "fortnight"):
        first, second = sheets(chromium, page(state, language), tmp_path)[:2]
        assert all(word in first for word in SIGNED[language])
        assert not any(word in second for word in SIGNED[language])
        assert "db2" in first


def test_no_row_of_a_table_is_cut(chromium: Browser, page: Page, tmp_path: Path) -> None:
    """Every finding's sentence, its act and its owner stand on one sheet, and each heading has rows below it."""
    found = sheets(chromium, page("eventful", "en"), tmp_path)
    chromium.open(page("eventful", "en"))
    rows = chromium.run("""
        return Array.prototype.map.call(document.querySelectorAll("#findings tbody tr"), function (row) {
          return [row.querySelector(".headline").textContent, row.cells[4].textContent.trim().split(/[^A-Za-z]/)[0]];
        });
    """)
    assert rows
    for headline, owner in rows:
        words = headline.split()[:3]
        holding = [sheet for sheet in found[1:] if all(word in sheet for word in words)]
        assert any(owner in sheet and "Next:" in sheet for sheet in holding), headline
    for sheet in found:
        lines = [line.strip() for line in sheet.splitlines() if line.strip()]
        assert not re.match(r"\d [A-Z]", lines[-2]), f"a heading alone at the end: {lines[-2]}"


def test_what_serves_the_screen_alone_is_not_printed(chromium: Browser, page: Page, tmp_path: Path) -> None:
    text = "".join(sheets(chromium, page("eventful", "en"), tmp_path))
    for word in ("Contains", "Record and detail", "Show values", "Print"):
        assert word not in text
    assert "A full /var stops the database" in text


def test_chinese_is_set_in_a_chinese_font(chromium: Browser, page: Page) -> None:
    chromium.open(page("eventful", "zh"))
    chromium.devtools("DOM.enable")
    chromium.devtools("CSS.enable")
    root = chromium.devtools("DOM.getDocument")["root"]["nodeId"]
    for selector in ("h1", "#findings-heading", "#findings .status", ".cover dt"):
        node = chromium.devtools("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        used = chromium.devtools("CSS.getPlatformFontsForNode", nodeId=node)["fonts"]
        assert any("CJK SC" in font["familyName"] for font in used), (selector, used)
