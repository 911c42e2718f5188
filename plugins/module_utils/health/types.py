# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Types are read by mypy alone and never run. pylint: disable=unsupported-binary-operation

"""The types of this room: for the type checker alone, so no stream carries this module to a host."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypedDict, Union

    from ansible_collections.egov.ops.plugins.module_utils.host.types import Observation

    class Settings(TypedDict, total=False):
        """A probe's entry of the plan, which holds the parameters of its kind beside these; timeout is in seconds."""

        kind: str
        layer: str
        warning: str | float | None
        critical: str | float | None
        severity: str | None
        timeout: float | None
        state: str | None

    class ProbeArguments(TypedDict):
        """What the half takes; timeout is in seconds."""

        probes: Mapping[str, Settings] | None
        timeout: float

    class Facts(TypedDict):
        """What is recorded of a web server's answer."""

        http_status: int
        bytes: int

    #: The parameters of one probe, by name, as the plan has them: a check judges what it is given.
    Parameters = Mapping[str, object]
    #: check(probe, **parameters), and each(probe, **parameters), which lists the things that are checked.
    Check = Callable[..., Sequence[Observation]]
    Each = Callable[..., list[str]]
    #: Returns what of a parameter's value is secret. Any: each takes what its parameter may be.
    SecretsOf = Callable[[Any], list[str]]
    #: Patterns or ports of the plan.
    Words = Sequence[Union[str, int]]
