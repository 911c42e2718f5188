# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make screenshots`: the pictures in docs/img, of an invented platform's month."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import environment

sys.path.insert(0, str(environment.link_collection(environment.CACHE / "tree")))

import ledgers
from ansible_collections.egov.ops.plugins.plugin_utils.report.period.span import Span
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.html import render_html
from ansible_collections.egov.ops.plugins.plugin_utils.report.render.period_html import render_period

from tests.browser.webdriver import Browser, browser

#: The names that the platform has in the pictures.
PLATFORMS = {"en": "Harbour City Portal", "zh": "海港城政务门户"}

#: Each picture: its page, its language, and the width and height of what it shows.
PICTURES = {
    "report-en.png": ("run", "en", 1280, 820),
    "report-zh.png": ("run", "zh", 1280, 820),
    "report-phone-en.png": ("run", "en", 390, 844),
    "report-phone-zh.png": ("run", "zh", 390, 844),
    "report-200-hosts.png": ("many", "en", 1280, 800),
    "report-month-en.png": ("month", "en", 1280, 820),
}

#: The first printed sheet of the daily report, by language; dots to an inch.
SHEETS = {"report-print-en.png": "en", "report-print-zh.png": "zh"}
DENSITY = "72"

#: The moment at which the pages are opened: when the last run is over.
OPENED = int((ledgers.LAST.timestamp() + ledgers.DURATION) * 1000)


def pages(folder: Path) -> dict[tuple[str, str], Path]:
    """Write the pages that are shown, and return their paths."""
    month = ledgers.make(replace(ledgers.STATES["eventful"](), days=30), folder / "month")
    data = {
        "run": ledgers.report(month),
        "many": ledgers.report(ledgers.make(ledgers.STATES["many"](), folder / "many")),
        "month": ledgers.period(month, Span("month", date(2026, 11, 1), date(2026, 11, 30), ledgers.FACTS.zone)),
    }
    made = {}
    for name, language in {(picture[0], picture[1]) for picture in PICTURES.values()}:
        found = data[name]
        part = "range" if name == "month" else "run"
        named = {**found, part: {**found[part], "platform": PLATFORMS[language]}}
        made[name, language] = folder / f"{name}-{language}.html"
        render = render_period if name == "month" else render_html
        made[name, language].write_text(render(named, language), encoding="utf-8")
    return made


def take(opened: Browser, made: dict[tuple[str, str], Path], target: Path, folder: Path) -> None:
    """Take each picture anew."""
    opened.devtools("Page.addScriptToEvaluateOnNewDocument", source=f"Date.now = function () {{ return {OPENED}; }};")
    for name, (page, language, width, height) in PICTURES.items():
        opened.resize(width, height)
        opened.open(made[page, language], "#hosts" if page == "many" else "")
        (target / name).write_bytes(opened.picture())
    for name, language in SHEETS.items():
        opened.open(made["run", language])
        printed = folder / f"{language}.pdf"
        printed.write_bytes(opened.pdf())
        argv = ["pdftoppm", "-png", "-r", DENSITY, "-singlefile", str(printed), str(target / Path(name).stem)]
        subprocess.run(argv, check=True)


def main() -> int:
    """Take the pictures; return the exit code."""
    target = environment.ROOT / "docs/img"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="egov-ops-") as temporary:
        folder = Path(temporary)
        made = pages(folder)
        with browser(folder) as opened:
            take(opened, made, target, folder)
    for path in sorted(target.glob("*.png")):
        print(f"{path.relative_to(environment.ROOT)}: {path.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
