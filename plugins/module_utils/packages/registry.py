# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package managers: one line each."""

from ansible_collections.egov.ops.plugins.module_utils.host import platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.packages import types
    from ansible_collections.egov.ops.plugins.module_utils.packages.listing import Listing

#: The Pythons that a platform's own tools use, in the order in which one is looked for.
INTERPRETERS = ("/usr/libexec/platform-python", "/usr/bin/python3")


class Engine:
    """A package manager: the module that reads it, the binding that this needs, the package that has the binding."""

    def __init__(self, module, binding="", package=""):
        # type: (Callable[[], types.Engine], str, str) -> None
        self._module = module
        self.binding = binding
        self.package = package

    def read(self, host, settings, root):
        # type: (Host, types.ScanArguments, str) -> Listing
        """Return what the package manager knows; raises EngineError."""
        return self._module().read(host, settings, root)

    def refresh(self, host, root):
        # type: (Host, str) -> None
        """Fetch the lists of all sources, strictly; raises EngineError."""
        self._module().refresh(host, root)

    def is_importable(self):
        # type: () -> bool
        """Return whether this Python has the binding."""
        import importlib.util

        return not self.binding or importlib.util.find_spec(self.binding) is not None


# A host has one of them, and the others need not be compiled on it.
def _apt():
    # type: () -> types.Engine
    from ansible_collections.egov.ops.plugins.module_utils.packages import apt

    return apt


def _dnf():
    # type: () -> types.Engine
    from ansible_collections.egov.ops.plugins.module_utils.packages import dnf

    return dnf


def _zypper():
    # type: () -> types.Engine
    from ansible_collections.egov.ops.plugins.module_utils.packages import zypper

    return zypper


ENGINES = {
    "apt": Engine(_apt, "apt_pkg", "python3-apt"),
    "dnf": Engine(_dnf, "dnf", "python3-dnf"),
    "zypper": Engine(_zypper),
}


def missing_binding(root="/"):
    # type: (str) -> str
    """Return the binding that this host's package manager needs and this Python lacks, "" for none."""
    try:
        engine = ENGINES.get(platform.detect(root).package_manager)
    except platform.UnknownPlatform:
        return ""
    return engine.binding if engine and not engine.is_importable() else ""
