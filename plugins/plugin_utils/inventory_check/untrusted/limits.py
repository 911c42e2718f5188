# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change from somebody whom nobody trusts may have, and what judging it may take."""

from __future__ import annotations

from typing import NamedTuple, TypedDict

from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import Fault, Place
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Problem

#: Files by which the process that judges says what it has found, and what it reads.
RESULT, READING = "result.json", "reading"
#: How it ends beside 0: the person asked for what there is not, memory was not enough, it met what it cannot read.
ASKED_WRONGLY, NO_MEMORY, BROKE = 3, 4, 5


class Limits(NamedTuple):
    """Limits of a change, and of the process that judges it."""

    file_bytes: int = 1024 * 1024
    total_bytes: int = 32 * 1024 * 1024
    #: Files and folders that are looked at.
    entries: int = 20_000
    links: int = 100
    #: Levels of YAML, and of folders.
    depth: int = 64
    #: Values of one file, an alias counted as all that it stands for.
    nodes: int = 200_000
    #: Hosts that the ranges of one file stand for.
    hosts: int = 10_000
    #: Characters of a key, and of a number.
    key_characters: int = 1024
    number_characters: int = 1000
    line_characters: int = 64 * 1024
    #: Bytes of address space, seconds of CPU and of the clock, and bytes of the result.
    memory: int = 1024 * 1024 * 1024
    cpu: int = 30
    wall: int = 90
    result_bytes: int = 64 * 1024 * 1024


class Request(TypedDict):
    """What the process that judges is asked."""

    #: Where it writes, and the working directory and the top of the tree of the person who asks.
    folder: str
    here: str
    top: str
    #: What the person asks for, and the inventory's absolute path.
    wanted: dict[str, str]
    inventory: str
    limits: dict[str, int]
    #: The parts of `Base`, none where nothing is compared.
    base: list[str]
    #: Paths of Python's modules and of collections.
    modules: list[str]
    collections: list[str]


class Refusal(Exception):
    """A file has what an untrusted change may not have; the text is a sentence without the file's name."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


def refused(file: str, refusal: Refusal) -> Fault:
    """Return the fault of a file that is refused."""
    sentence = f"{file} {refusal}"
    return Fault(Place(file, refusal.line), Problem("", "", sentence, rule="untrusted"))
