# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package managers: one line each."""

from ansible_collections.egov.ops.plugins.module_utils.host import platform
from ansible_collections.egov.ops.plugins.module_utils.packages import apt, dnf, zypper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: The Pythons that a platform's own tools use, in the order in which one is looked for.
INTERPRETERS = ("/usr/libexec/platform-python", "/usr/bin/python3")


class Engine:
    """A package manager: how it is read and its lists refreshed, the binding it needs, the package that has that."""

    def __init__(self, read, refresh, binding="", package=""):
        # type: (Any, Any, str, str) -> None
        self.read = read
        self.refresh = refresh
        self.binding = binding
        self.package = package

    def is_importable(self):
        # type: () -> bool
        """Return whether this Python has the binding."""
        import importlib.util

        return not self.binding or importlib.util.find_spec(self.binding) is not None


ENGINES = {
    "apt": Engine(apt.read, apt.refresh, "apt_pkg", "python3-apt"),
    "dnf": Engine(dnf.read, dnf.refresh, "dnf", "python3-dnf"),
    "zypper": Engine(zypper.read, zypper.refresh),
}


def missing_binding(root="/"):
    # type: (str) -> str
    """Return the binding that this host's package manager needs and this Python lacks, "" for none."""
    try:
        engine = ENGINES.get(platform.detect(root).package_manager)
    except platform.UnknownPlatform:
        return ""
    return engine.binding if engine and not engine.is_importable() else ""
