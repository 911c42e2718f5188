# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each page is made with: templates, style and script, the policy that allows nothing else, and links."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.egov.ops.plugins.plugin_utils.common import inert
from ansible_collections.egov.ops.plugins.plugin_utils.report.language import NOT_MEASURED, Language
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.report.types import Named

_TEMPLATES = Path(__file__).with_name("templates")

_ANCHOR = re.compile(r"[A-Za-z0-9._-]+")


@functools.cache
def template(name: str) -> Template:
    """Return a page's template; whatever it prints is made inert."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    return environment.get_template(name)


def _shown(value: object) -> object:
    """Make whatever a template prints inert; only markup of our own passes as it is."""
    if value is None:
        return NOT_MEASURED
    return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def asset(name: str) -> Markup:
    """Return a file that stands in the page: style, script."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def dressed(above: str, head: str, words: Language) -> dict[str, Markup | str]:
    """Return `style`, `script` and the `policy` that allows these alone, for a page with such running headers."""
    style, script = asset("style.css") + _margins(above, head, words), asset("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    return {"style": style, "script": script, "policy": policy}


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _margins(above: str, head: str, words: Language) -> Markup:
    """Return the style of the printed page's margins: title, date and run above, the number of the page below."""
    number = words.text("page.number", page='" counter(page) "', pages='" counter(pages) "')
    rules = {"top-left": _quoted(above), "top-right": _quoted(head), "bottom-right": f'"{number}"'}
    boxes = " ".join(f"@{place} {{ content: {text}; font-size: 7.5pt; }}" for place, text in rules.items())
    return Markup(f"@page {{ {boxes} }}\n")


def _quoted(text: str) -> str:
    """Return text as a string of a style sheet, in which nothing but letters and digits stands for itself."""
    shown = inert(text)[:200]
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in shown) + '"'


def anchors_of(hosts: Iterable[Named]) -> dict[str, str]:
    """Return each host's anchor: its name, or its place where the name cannot stand in an address."""
    return {
        host["name"]: f"h-{host['name']}" if _ANCHOR.fullmatch(host["name"]) else f"h-~{number}"
        for number, host in enumerate(hosts)
    }


def links_of(anchors: Mapping[str, str]) -> dict[str, Markup]:
    """Return each host's name as a link to its anchor."""
    return {name: Markup('<a href="#{}">{}</a>').format(anchor, inert(name)) for name, anchor in anchors.items()}


def quoted_address(text: str) -> str:
    """Return text as a value in an address."""
    return urllib.parse.quote(text.encode("utf-8", "backslashreplace"), safe="")
