# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of an INI inventory, as the same nodes that a YAML inventory has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

import yaml

_SECTION = re.compile(r"\[(?P<name>[^:\]]+)(?::(?P<kind>\w+))?\]")
_STRING = "tag:yaml.org,2002:str"


class Entry(NamedTuple):
    """A host or a group with the variables of one place, as a dictionary whose keys have lines."""

    is_host: bool
    name: str
    key: yaml.Node
    variables: yaml.Node


def entries(text: str) -> Iterator[Entry]:
    """Yield the hosts and the groups that an inventory gives variables; what Ansible would not take is passed over."""
    name, kind = "ungrouped", ""
    for number, line in enumerate(text.splitlines()):
        section = _SECTION.match(line.strip())
        if section:
            name, kind = section["name"], section["kind"] or ""
        elif line.strip() and line.strip()[0] not in "#;" and kind in ("", "vars"):
            words = [line.strip()] if kind else _words(line)
            host = "" if kind else words[0]
            pairs = [_pair(number, word) for word in words if "=" in word]
            variables = yaml.MappingNode("tag:yaml.org,2002:map", pairs, _mark(number), _mark(number))
            yield Entry(not kind, host or name, _scalar(number, host or name), variables)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True) or [""]
    except ValueError:
        return line.split()


def _pair(number: int, word: str) -> tuple[yaml.Node, yaml.Node]:
    name, _separator, value = word.partition("=")
    return _scalar(number, name.strip()), _scalar(number, value.strip())


def _scalar(number: int, text: str) -> yaml.Node:
    return yaml.ScalarNode(_STRING, text, _mark(number), _mark(number))


def _mark(number: int) -> yaml.Mark:
    return yaml.Mark("", 0, number, 0, None, 0)
