# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host half is given, and the two doors through which it is called: the stream and an ordinary module.

A half is a function `half(arguments, host)` that returns `{"changed", "msg", "summary", "evidence", ...}`, or raises
HalfError with one sentence. It imports the standard library and its own room alone.
"""

import os
import re
import time

from ansible_collections.egov.ops.plugins.module_utils.host import identity
from ansible_collections.egov.ops.plugins.module_utils.host.files import Files
from ansible_collections.egov.ops.plugins.module_utils.host.progress import Progress
from ansible_collections.egov.ops.plugins.module_utils.host.record import MESSAGE_LIMIT, TRACEBACK_LIMIT
from ansible_collections.egov.ops.plugins.module_utils.host.run import OUTPUT_LIMIT, Completed, find_tool, run
from ansible_collections.egov.ops.plugins.module_utils.host.scrub import Scrubber

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ansible_collections.egov.ops.plugins.module_utils.host.run import Heard
    from ansible_collections.egov.ops.plugins.module_utils.host.types import (
        JSON,
        Arguments,
        Context,
        Half,
        Module,
        Program,
        Result,
    )

PROTOCOL = 1

#: What the controller refuses in an answer (see plugin_utils/transport/answer.py): control characters other than tab
#: and line end, and half characters; and how they look in JSON, beside numbers that are none.
_ACTIVE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
_ACTIVE_IN_JSON = r"\\[bfr]|\\u(?:00[01789]|d[89a-f])|NaN|Infinity"
#: How the traceback of a Python begins that broke before a half could answer.
TRACEBACK = "Traceback (most recent call last):"
#: The result whose texts stay as they are: a later command needs its paths.
_EXACT = "operation"
#: Secrets that let nobody in, and that are words of other text.
_NAMES = ("RESTIC_REST_USERNAME", "AWS_DEFAULT_REGION")
#: How secrets are named that stand in a name of the plan, and so in each record of it.
NAMED = "named:"


class HalfError(Exception):
    """The work could not be done. The message is one sentence: what failed, on what, what to do next.

    stack is the traceback of a process that broke in place of this one, "" for none.
    """

    def __init__(self, message, reason="error", stack=""):
        # type: (str, str, str) -> None
        Exception.__init__(self, message)
        self.reason = reason
        self.stack = stack


class _Span:
    """A block in which a host has another deadline. Not by contextlib, which costs each host 1 ms."""

    def __init__(self, host, deadline):
        # type: (Host, float) -> None
        self._host = host
        self._inside = deadline
        self._outside = host.deadline

    def __enter__(self):
        # type: () -> None
        self._outside, self._host.deadline = self._host.deadline, self._inside

    def __exit__(self, *_error):
        # type: (object) -> None
        self._host.deadline = self._outside


class Host:
    """The managed host as a half sees it: modes, time left, secrets, tools and files."""

    def __init__(self, context, secrets=None):
        # type: (Context, dict[str, str] | None) -> None
        """Take the envelope's context (see types.Context) and its secrets."""
        self.check_mode = bool(context.get("check_mode"))
        self.diff = bool(context.get("diff"))
        self.now = str(context.get("now") or "")
        self.run_id = str(context.get("run") or "")
        self.tool_path = [str(folder) for folder in context.get("tool_path") or []]
        self.state_dir = str(context.get("state_dir") or _default_state_dir())
        self.alias = str(context.get("alias") or "")
        #: The marks of the machine that is meant, {} where any may answer (see identity.py).
        self.machine = dict(context.get("machine") or {})
        self.deadline = time.monotonic() + float(context.get("timeout") or 300)
        self.secrets = dict(secrets or {})
        #: What takes the secrets out of all that leaves the half, or stays on the host's disk.
        self.scrubber = Scrubber(secret_values(self.secrets))
        #: What a job of its own is started with (see job.py); only a task that may detach brings it.
        self.program = context.get("program") or {}  # type: Program
        self.files = Files(self.check_mode)
        #: What the work does now (see watched.py).
        self.progress = Progress()

    def remaining(self):
        # type: () -> float
        """Return the seconds left until the half must have answered; never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def within(self, seconds):
        # type: (float) -> _Span
        """Give a `with` block so many seconds, or what is left where that is less."""
        return _Span(self, min(self.deadline, time.monotonic() + max(0.0, seconds)))

    def at_least(self, seconds):
        # type: (float) -> _Span
        """Give a `with` block that must run, such as a clean-up, so many seconds even where less is left."""
        return _Span(self, max(self.deadline, time.monotonic() + seconds))

    def run(
        self, argv, timeout=None, stdin=b"", env=None, cwd="/", limit=OUTPUT_LIMIT, writes=False, keep=(), heard=None
    ):
        # type: (list[str], float | None, bytes, dict[str, str] | None, str, int, bool, Sequence[int], Heard | None) -> Completed
        """Run a tool (see run.run) within its timeout and the half's deadline; `writes` is refused in check mode."""
        if writes:
            self.files._may_write(argv[0])
        left = self.remaining()
        seconds = left if timeout is None else min(timeout, left)
        done = run(argv, seconds, stdin, env, cwd, self.tool_path, limit, keep, heard)
        done.scrub = self.scrubber.text
        return done

    def tool(self, name):
        # type: (str) -> str
        """Return the path of a tool, "" where it is not installed."""
        return find_tool(name, self.tool_path)


def _default_state_dir():
    # type: () -> str
    if os.geteuid() == 0:
        return "/var/lib/egov-ops/host"
    home = os.environ.get("HOME") or "/"
    return os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state"), "egov-ops", "host")


def secret_values(secrets):
    # type: (dict[str, str]) -> list[str]
    """Return the values that are taken out of texts."""
    named = [value for name, value in secrets.items() if name.startswith(NAMED)]
    return [
        value
        for name, value in secrets.items()
        if value and value not in named and name.rpartition(":")[2] not in _NAMES
    ]


def perform(half, arguments, host):
    # type: (Half, Arguments, Host) -> Result
    """Call a half and return its result, or its failure, as a dictionary in the shape that both doors hand on.

    It holds none of the host's secrets. Nothing is done on another machine than the one that is meant.
    """
    found = identity.marks(host.alias)
    result = host.scrubber.result(_perform(half, arguments, host, found))
    result["machine"] = found
    return result


def _perform(half, arguments, host, found):
    # type: (Half, Arguments, Host, Mapping[str, str]) -> Result
    try:
        if host.machine and not identity.are_same(host.machine, found):
            raise HalfError(
                "The machine that answers is %s, and %s is meant: nothing was done on it."
                % (identity.short(found), identity.short(host.machine)),
                "other_machine",
            )
        result = half(arguments, host)  # type: Result
    except HalfError as error:
        failure = {"failed": True, "changed": False, "msg": str(error), "reason": error.reason}  # type: Result
        if error.stack:
            failure["traceback"] = error.stack
        return failure
    except Exception as error:  # a defect of ours: the user gets a sentence, the maintainer the stack
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        words = "%s in %s line %s: %s" % (
            type(error).__name__,
            os.path.basename(place[0]),
            place[1],
            error or "no text",
        )
        return {
            "failed": True,
            "changed": False,
            "msg": "The program of egov.ops on the host broke: %s." % words,
            "reason": "error",
            "traceback": traceback.format_exc(),
        }
    result.setdefault("changed", False)
    result.setdefault("evidence", [])
    result.setdefault("summary", {})
    return result


def answer(result):
    # type: (Result) -> str
    """Return a half's result as JSON that the controller accepts, whatever names of files or output of tools hold."""
    import json

    result["msg"] = _one_line(str(result.get("msg") or ""))[:MESSAGE_LIMIT]
    for found in result.get("evidence") or ():
        found["subject"] = _one_line(str(found["subject"]))
    if result.get("traceback"):
        result["traceback"] = _end_of(_plain(result["traceback"]))
    text = json.dumps(result)
    if re.search(_ACTIVE_IN_JSON, text):
        text = json.dumps({key: value if key == _EXACT else _plain(value) for key, value in result.items()})
    return text


def _end_of(text):
    # type: (str) -> str
    """Return the last bytes of a traceback, up to the limit: the innermost calls and the error stand there."""
    data = text.encode("utf-8")
    if len(data) <= TRACEBACK_LIMIT:
        return text
    cut = "[the beginning is left out]\n"
    return cut + data[len(cut) - TRACEBACK_LIMIT :].decode("utf-8", "ignore")


def _one_line(text):
    # type: (str) -> str
    return _plain(text).replace("\n", "\\n").replace("\t", "\\t")  # type: ignore[no-any-return]


def _plain(value):
    # type: (Any) -> Any  # Any: of what shape goes in, the same comes out
    """Return a JSON value with what is active in its texts as escapes, and null for a number that is none."""
    if isinstance(value, str):
        return value if value.isprintable() else re.sub(_ACTIVE, _escape, value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _escape(match):
    # type: (re.Match[str]) -> str
    return match.group().encode("unicode_escape").decode("ascii")


def module_options():
    # type: () -> dict[str, Mapping[str, JSON]]
    """Return the two options that each module over a half takes from its action plugin, for its argument spec."""
    return {"context": {"type": "dict", "default": {}}, "secrets": {"type": "dict", "no_log": True, "default": {}}}


def run_module(half, module):
    # type: (Half, Module) -> None
    """Be the body of an ordinary module over a half: for connections that take no standard input.

    The answer is printed by itself: exit_json would add keys of its own, and the controller takes the half's alone.
    """
    import sys

    arguments = dict(module.params)
    context = arguments.pop("context")  # type: Context
    context["check_mode"], context["diff"] = module.check_mode, module._diff
    result = perform(half, arguments, Host(context, arguments.pop("secrets")))
    sys.stdout.write("\n%s\n" % answer(result))
    sys.stdout.flush()
    sys.exit(0)  # pylint: disable=ansible-bad-function
