# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of this room: for the type checker alone, so no stream carries this module to a host."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Protocol, TypedDict

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.types import JSON
    from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Listing

    class ScanArguments(TypedDict):
        """What the half takes; ages and deadlines are in seconds."""

        refresh: bool
        max_lists_age: float
        security_origins: Sequence[str]
        deadlines: Mapping[str, float]
        timeout: float

    #: Patterns for sources of security updates.
    Patterns = Sequence[str]
    #: Orders two versions: below 0, 0 or above 0.
    Compare = Callable[[str, str], int]
    #: A module or an object of apt_pkg, dnf or hawkey. Any: these bindings come without types.
    Binding = Any

    class Pending(TypedDict):
        """What is recorded of the pending updates; omitted is the number of those that found no room."""

        counts: Mapping[str, int]
        sources: list[dict[str, JSON]]
        updates: list[dict[str, JSON]]
        omitted: int

    class Kept(TypedDict):
        """What is recorded of the packages that are kept from changing."""

        counts: Mapping[str, int]
        held: list[dict[str, str]]
        omitted: int

    class Replaced(TypedDict):
        """What is recorded of the processes that run replaced files, and of their units."""

        counts: Mapping[str, int]
        units: list[str]
        processes: Sequence[Mapping[str, object]]
        omitted: int

    class Restart(TypedDict):
        """What is recorded of why the host has to be restarted, if it has."""

        kernel: Mapping[str, str]
        reasons: list[str]

    class Engine(Protocol):
        """The module of a package manager."""

        def read(self, host: Host, settings: ScanArguments, root: str) -> Listing:
            """Return what is installed, pending and held."""

        def refresh(self, host: Host, root: str) -> None:
            """Read the package lists anew; raises HalfError."""

    class Named(Protocol):
        """An update or a held package."""

        name: str

    class System(Protocol):
        """What os.uname returns, as far as it is read."""

        @property
        def release(self) -> str:
            """Return the release of the kernel."""

        @property
        def version(self) -> str:
            """Return the version of the kernel."""
