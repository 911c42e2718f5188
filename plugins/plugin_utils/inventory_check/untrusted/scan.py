# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at a file's text that makes nothing of it: what would take too much, or run something, is refused."""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from ansible.plugins.inventory import detect_range
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import ini
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.limits import Limits, Refusal

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TAGS = {None, "!", "!vault", "!vault-encrypted", "!unsafe"}
_TAGS |= {f"{_CORE}{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str")}
_RANGE = re.compile(r"\[([^\[\]:]*):([^\[\]:]*)(?::([^\[\]:]*))?\]")
#: Digits of a number in a range that is taken for one; whatever is longer stands for too many hosts.
_DIGITS = 15
_NUMBER = re.compile(r"[-+.]?[0-9][0-9a-fA-FxobOB_:.+-]*")


class _Open:
    """A list or dictionary that has begun and not ended."""

    def __init__(self, event: Any, is_mapping: bool) -> None:
        self.is_mapping = is_mapping
        self.anchor = event.anchor
        #: Keys and values that have begun in it.
        self.children = 0
        #: Values in it so far, itself among them, each alias as all that it stands for.
        self.size = 1


def look_at_yaml(content: bytes, limits: Limits, is_source: bool) -> bool:
    """Return whether a content is one dictionary of YAML that may be loaded; raises Refusal.

    is_source tells that Ansible takes the file for an inventory. A content that is no YAML is no dictionary.
    """
    sizes: dict[str, int] = {}
    stack: list[_Open] = []
    is_mapping, hosts, finished = False, 0, 0
    for event in _events(content):
        line = event.start_mark.line + 1
        parent = stack[-1] if stack else None
        if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag not in _TAGS:
            raise Refusal(f"has the tag {str(event.tag)[:80]!r} in line {line}; allowed are !vault and !unsafe.", line)
        is_key = bool(parent and parent.is_mapping and parent.children % 2 == 0)
        if isinstance(event, yaml.CollectionStartEvent):
            is_mapping = is_mapping or (parent is None and isinstance(event, yaml.MappingStartEvent))
            stack.append(_Open(event, isinstance(event, yaml.MappingStartEvent)))
            if len(stack) > limits.depth:
                raise Refusal(f"is nested deeper than {limits.depth} levels in line {line}; make it flatter.", line)
            sizes.pop(event.anchor or "", None)
            continue
        if isinstance(event, yaml.ScalarEvent):
            size, anchor = 1, event.anchor
            _look_at_scalar(event, is_key, limits)
            if is_key and is_source:
                hosts += _hosts_of(event.value) - 1  # names alone are bounded as values
                if len(stack) == 1 and event.value == "plugin":
                    raise Refusal(
                        f"names an inventory plugin in line {line}, and none is run for an untrusted change; "
                        "write its hosts as YAML or INI.",
                        line,
                    )
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                if any(outer.anchor == event.anchor for outer in stack):
                    raise Refusal(f"has an alias {str(event.anchor)[:80]!r} in line {line} that holds itself.", line)
                return False  # the loader says what is wrong with it
            size, anchor = sizes[event.anchor], None
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = stack.pop()
            size, anchor = ended.size, ended.anchor
        else:
            continue
        if anchor:
            sizes[anchor] = size
        if stack:
            stack[-1].children += 1
            stack[-1].size += size
        else:
            finished += size
        if finished + sum(outer.size for outer in stack) > limits.nodes:
            raise Refusal(
                f"has more than {limits.nodes} values by line {line}, each alias counted as all that it stands for; "
                "write less.",
                line,
            )
        if hosts > limits.hosts:
            raise Refusal(f"has ranges of more than {limits.hosts} hosts by line {line}; write shorter ones.", line)
    return is_mapping


def look_at_ini(content: bytes, limits: Limits) -> None:
    """Refuse an INI inventory with what may not be loaded; raises Refusal."""
    text = content.decode("utf-8", "replace")
    hosts = 0
    for number, whole in enumerate(text.splitlines(), 1):
        if len(whole) > limits.line_characters:
            raise Refusal(f"has a line of more than {limits.line_characters} characters, line {number}.", number)
    for entry in ini.entries(text):
        line = int(entry.key.start_mark.line) + 1
        hosts += _hosts_of(entry.name) - 1 if entry.is_host else 0
        if hosts > limits.hosts:
            raise Refusal(f"has ranges of more than {limits.hosts} hosts by line {line}; write shorter ones.", line)
        for _key, value in entry.variables.value:
            if _depth(value.value) > limits.depth:
                raise Refusal(f"is nested deeper than {limits.depth} levels in line {line}; make it flatter.", line)


def _events(content: bytes) -> Iterator[Any]:
    """Yield the events of a YAML file, up to where it is none."""
    try:
        yield from yaml.parse(content, Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError):
        yield yaml.StreamEndEvent(yaml.Mark("", 0, 0, 0, None, 0), None)


def _look_at_scalar(event: Any, is_key: bool, limits: Limits) -> None:
    line = event.start_mark.line + 1
    if is_key and len(event.value) > limits.key_characters:
        raise Refusal(f"has a key of more than {limits.key_characters} characters in line {line}; shorten it.", line)
    if event.implicit[0] and len(event.value) > limits.number_characters and _NUMBER.fullmatch(event.value):
        raise Refusal(
            f"has a number of more than {limits.number_characters} characters in line {line}; shorten it.", line
        )


def _hosts_of(pattern: str) -> int:
    """Return how many hosts a name stands for, or a large number where that cannot be told."""
    number = 1
    for first, last, step in _RANGE.findall(pattern) if detect_range(pattern) else ():
        if max(map(len, (first, last, step))) > _DIGITS:
            return sys.maxsize
        if last in string.ascii_letters and first in string.ascii_letters:
            span = len(string.ascii_letters)
        else:
            try:
                span = (int(last) - int(first or 0)) // max(1, int(step or 1)) + 1
            except ValueError:
                continue  # Ansible refuses it
        number *= max(1, span)
    return number


def _depth(text: str) -> int:
    """Return how deep a value of INI may be nested: its open brackets, and signs in a row."""
    deepest = level = signs = 0
    for character in text:
        if character in "+-~":
            signs += 1
        elif not character.isspace():
            signs = 0
            level += (character in "[({") - (character in "])}")
        deepest = max(deepest, level + signs)
    return deepest
