# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The accessibility engine axe-core: one file of an npm package, of the version and hash in package-lock.json."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import environment

from tests.browser.webdriver import Browser

_HERE = Path(__file__).parent

#: A site's own authority stands with the system's, where npm does not look.
_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
_AUTHORITIES = {"NODE_EXTRA_CA_CERTS": str(_SYSTEM)} if _SYSTEM.exists() else {}

#: What makes a page unusable to somebody.
GRAVE = ("serious", "critical")

#: Of what is alike the first ones are looked at: the engine takes ten seconds for all of 200 hosts.
_ALIKE = "#records details:nth-of-type(n+4), #records li:nth-of-type(n+4), .matrix tbody tr:nth-child(n+20)"

_FOUND = """
document.querySelectorAll(arguments[0]).forEach(function (element) { element.remove(); });
return axe.run(document, { resultTypes: ["violations"], preload: false }).then(function (found) {
  return found.violations.map(function (rule) {
    return {
      id: rule.id, impact: rule.impact, help: rule.help,
      nodes: rule.nodes.slice(0, 5).map(function (node) { return node.html.slice(0, 200) + node.failureSummary; })
    };
  });
});
"""


def script() -> str:
    """Return the engine's script, fetched by npm on first use; raise SetupError with npm's own words if it fails."""
    lock = (_HERE / "package-lock.json").read_bytes()
    folder = environment.CACHE / f"npm-{hashlib.sha256(lock).hexdigest()[:16]}"
    file = folder / "node_modules/axe-core/axe.min.js"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, folder)
        argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(environment.CACHE / "npm")]
        failure = "npm could not fetch axe-core: set its registry to one that this machine reaches."
        environment.call(argv, failure, folder, {**os.environ, **_AUTHORITIES})
    return file.read_text(encoding="utf-8")


def grave(browser: Browser, source: str) -> list[dict[str, Any]]:
    """Return what the engine finds serious or critical on the page that is open."""
    # By the browser's own tools: the page's policy allows no script but its own.
    browser.devtools("Runtime.evaluate", expression=source)
    return [rule for rule in browser.run(_FOUND, _ALIKE) if rule["impact"] in GRAVE]
