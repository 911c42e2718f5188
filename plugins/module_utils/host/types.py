# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Types are read by mypy alone and never run. pylint: disable=unsupported-binary-operation

"""The types that all rooms share: for the type checker alone, so no stream carries this module to a host."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol, TypedDict, TypeVar, Union

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

    #: A value that JSON carries.
    JSON = Union[str, int, float, None, Sequence["JSON"], Mapping[str, "JSON"]]
    #: The facts of an observation that explain its status.
    Detail = Mapping[str, JSON]
    #: One of them, given by keyword. Any: a dictionary of JSON cannot be handed on with ** beside other options.
    Fact = Any

    #: What a half is called with. Any: each half has a TypedDict of its own, for which this stands.
    Arguments = Mapping[str, Any]

    class Observation(TypedDict):
        """The host's part of a record, as record.observation makes it; duration is in seconds."""

        kind: str
        subject: str
        status: str
        reason: str
        clauses: list[str]
        duration: float | None
        detail: Detail

    class Result(TypedDict, total=False):
        """What each half returns or fails with; a half that returns more has a type below this one."""

        changed: bool
        msg: str
        summary: Mapping[str, JSON]
        evidence: list[Observation]
        #: Of work that goes on: the arguments that the next call adds to its own.
        running: bool
        again: Mapping[str, JSON]
        #: Of a half that failed.
        failed: bool
        reason: str
        #: Of a half that broke: for the controller's log of crashes alone.
        traceback: str
        #: The marks of the machine that answers (see identity.py).
        machine: Mapping[str, str]

    #: A Result, or what the controller made of it.
    AnyResult = TypeVar("AnyResult", bound=Mapping[str, object])

    #: A half, which returns a Result. Any: see Arguments.
    Half = Callable[[Any, Host], Result]

    class Permission(TypedDict, total=False):
        """What a half that changes its host is given of the request, and of those who let it."""

        request: str | None
        operation_id: str
        gates: Sequence[str]
        requester: str
        approvers: Sequence[str]

    class Program(TypedDict, total=False):
        """What a job of its own is started with: the envelope without arguments and secrets, and what reads it."""

        envelope: Mapping[str, JSON]
        boot: str

    class Context(TypedDict, total=False):
        """What an envelope says about the call; timeout is in seconds, now is a time in UTC.

        machine are the marks of the machine that is meant, alias what tells simulated hosts apart (see identity.py).
        """

        check_mode: bool
        diff: bool
        now: str
        run: str
        timeout: float
        tool_path: Sequence[str]
        state_dir: str
        program: Program
        alias: str
        machine: Mapping[str, str]

    class Begun(TypedDict):
        """What tells a process from any other, and when it began by both clocks: see job.myself."""

        pid: int
        ticks: int
        boot: str
        monotonic: float
        clock: float

    #: An event of an operation's journal: `event`, `time`, and of "begin" what Begun has. Any: the rest is a domain's.
    Event = dict[str, Any]

    class Module(Protocol):
        """What a half's ordinary module is given by Ansible. Any: its options are those of the half."""

        params: Mapping[str, Any]
        check_mode: bool
        _diff: bool
