# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the host has to be restarted for its updates to take effect, and why. A mark file alone does not tell."""

import os
import re

from ansible_collections.egov.ops.plugins.module_utils.host.files import lines
from ansible_collections.egov.ops.plugins.module_utils.packages import versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.packages.restarts import Processes
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import System

_FLAVOUR = re.compile(r"[-+]([a-z][a-z0-9_-]*)$")
#: Processes that cannot be restarted on their own without harm.
_LASTING = ("dbus-daemon", "dbus-broker")


class Kernel:
    """The running kernel, and the newest installed one of its flavour ("" where the running one was not installed)."""

    def __init__(self, running, newest):
        # type: (str, str) -> None
        self.running = running
        self.newest = newest


def boot_time(root):
    # type: (str) -> float
    """Return when the host was started, or the container in which we are."""
    return os.stat(root.rstrip("/") + "/proc/1").st_mtime


def kernel(root, release):
    # type: (str, str) -> Kernel
    """Return the running kernel (release, as uname gives it) and the newest installed one."""
    flavour = _flavour(release)
    installed = [name for name in _images(root) if _flavour(name) == flavour]
    if release not in installed:
        return Kernel(release, "")
    newest = release
    for name in installed:
        if versions.compare(name, newest) > 0:
            newest = name
    return Kernel(release, newest)


def _flavour(release):
    # type: (str) -> str
    found = _FLAVOUR.search(release)
    return found.group(1) if found else ""


def _images(root):
    # type: (str) -> dict[str, str]
    """Return the installed kernels: release and image."""
    folder, found = root.rstrip("/"), {}
    for name in _entries(folder + "/lib/modules"):
        image = "%s/lib/modules/%s/vmlinuz" % (folder, name)
        if os.path.exists(image):
            found[name] = image
    for name in _entries(folder + "/boot"):
        if name.startswith("vmlinuz-") and "rescue" not in name:
            found[name[8:]] = "%s/boot/%s" % (folder, name)
    return found


def _entries(folder):
    # type: (str) -> list[str]
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _build(image):
    # type: (str) -> str
    """Return the version text in a kernel image of x86, "" where there is none that we can read."""
    try:
        with open(image, "rb") as stream:
            head = stream.read(0x210)
            if head[0x202:0x206] != b"HdrS":
                return ""
            stream.seek(int.from_bytes(head[0x20E:0x210], "little") + 0x200)
            return stream.read(512).split(b"\0", 1)[0].decode("ascii", "replace")
    except OSError:
        return ""


def _is_rebuilt(root, release, build):
    # type: (str, str, str) -> bool
    """Return whether the running kernel's image was replaced by another build of the same release."""
    image = _images(root)[release]
    text = _build(image)
    if text:
        return build not in text
    return os.stat(image).st_ctime > boot_time(root)


def reasons(root, system, processes, wanted):
    # type: (str, System, Processes | None, list[str]) -> list[str]
    """Return why the host has to be restarted, nothing if it has not; raises OSError.

    system: what os.uname() returns. processes: those that run replaced files, None where they are not known.
    wanted: what the package manager says.
    """
    found = _marks(root) + list(wanted)
    running = kernel(root, system.release)
    if running.newest and running.newest != running.running:
        found.append("kernel %s is installed and %s runs" % (running.newest, running.running))
    elif running.newest and _is_rebuilt(root, system.release, system.version):
        found.append("kernel %s was replaced by a newer build since the start" % running.running)
    for process in processes.outdated if processes else []:
        if process.pid == 1 or process.name in _LASTING:
            found.append("%s (pid %d) runs replaced files" % (process.name, process.pid))
    return found


def _marks(root):
    # type: (str) -> list[str]
    """Return what mark files say: Debian's names the packages, SUSE's is empty."""
    folder, found = root.rstrip("/"), []
    for path in ("/run/reboot-required", "/run/reboot-needed"):
        if os.path.exists(folder + path):
            found.append("%s is there" % path)
            try:
                packages = sorted(set(lines(folder + path + ".pkgs")))
                found[-1] += ", for %s" % ", ".join(packages[:10])
            except OSError:
                continue
    return found
