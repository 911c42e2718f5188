# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Types are read by mypy alone and never run. pylint: disable=unsupported-binary-operation

"""The types of this room: for the type checker alone, so no stream carries this module to a host."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, TypedDict, Union

    class FileState(TypedDict):
        """Mode in octal, owner and group of a file."""

        mode: str
        owner: str
        group: str

    #: What a primitive finds: see expect.py.
    Found = Union[str, float, None, Sequence[str], FileState]
    #: What was looked at, and what was found or what kept it from being seen.
    Pair = tuple[str, Union[Found, Exception]]
    Pairs = Iterator[Pair]
    #: The arguments of a primitive, by name. Any: the auditor looks at each before a primitive gets it.
    Arguments = Mapping[str, Any]
    Look = Callable[..., Pairs]

    class Words(TypedDict, total=False):
        """A text of the plan in both languages."""

        en: str
        zh: str

    class Control(TypedDict, total=False):
        """A control of the plan, which holds the arguments of its primitive beside these."""

        title: str | Words | None
        severity: str | None
        clauses: list[str]
        primitive: str
        expected: str
        families: list[str]
        #: What differs on hosts of this family. Any: it may be each of these.
        deb: Mapping[str, Any]
        rpm: Mapping[str, Any]
        act: str | None
        state: str | None

    class AuditArguments(TypedDict):
        """What the half takes; timeout is in seconds."""

        controls: Mapping[str, Control] | None
        timeout: float
