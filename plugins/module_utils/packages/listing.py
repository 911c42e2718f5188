# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a package manager knows of a host: the shape in which each engine answers."""

from ansible_collections.egov.ops.plugins.module_utils.host.public import public_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class EngineError(Exception):
    """The package manager cannot be asked. The message is one sentence, reason one of a record's."""

    def __init__(self, message, reason="error"):
        # type: (str, str) -> None
        Exception.__init__(self, public_text(message))
        self.reason = reason


class Source:
    """A configured source of packages: name, and when its lists were last compared with it (None: it has none)."""

    def __init__(self, name, refreshed):
        # type: (str, float | None) -> None
        self.name = public_text(name)
        self.refreshed = refreshed


class Advisory:
    """What a vendor published about an update: id, severity, CVEs, and when (seconds since 1970, 0 for unknown)."""

    def __init__(self, identity, severity="", cves=(), issued=0.0):
        # type: (str, str, Iterable[str], float) -> None
        self.id = identity
        self.severity = severity.lower()
        self.cves = list(cves)
        self.issued = issued


class Update:
    """A pending update of one package; its security advisories, and what keeps it back ("" for nothing)."""

    def __init__(self, name, arch, installed, candidate, origins, security, advisories=(), hold=""):
        # type: (str, str, str, str, list[str], bool, Iterable[Advisory], str) -> None
        self.name = name
        self.arch = arch
        self.installed = installed
        self.candidate = candidate
        self.origins = origins
        self.security = security
        self.advisories = list(advisories)
        self.hold = hold


class Held:
    """A package that someone has kept from changing: how (hold, pin, versionlock, exclude, lock) and in what words."""

    def __init__(self, name, how, words=""):
        # type: (str, str, str) -> None
        self.name = name
        self.how = how
        self.words = words


class Listing:
    """All that one look brings.

    installed: number of packages. broken: packages whose installation stopped half-way. classified: whether the
    sources say at all which updates are security updates. reboot: why the package manager wants the host restarted.
    """

    def __init__(self, installed=0, classified=True):
        # type: (int, bool) -> None
        self.installed = installed
        self.classified = classified
        self.broken = []  # type: list[str]
        self.updates = []  # type: list[Update]
        self.held = []  # type: list[Held]
        self.sources = []  # type: list[Source]
        self.reboot = []  # type: list[str]
