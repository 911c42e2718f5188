# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which platform a host is, by its own os-release: family, package manager, service manager.

Facts misjudge the platforms of our field (UOS Server counts as Debian, Anolis has no family, Kylin's major version is
0), and one id can stand for a system of either family. So what the file says decides, and what it leaves open is
settled by the package database that is there.
"""

import os

from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: The family of each id that stands for one; ids that derivatives name in ID_LIKE are found here as well.
_FAMILIES = {
    "debian": ("debian", "ubuntu", "deepin", "raspbian", "openkylin"),
    "redhat": (
        "rhel",
        "fedora",
        "centos",
        "rocky",
        "almalinux",
        "ol",
        "anolis",
        "alinux",
        "openeuler",
        "euleros",
        "hce",
        "opencloudos",
        "tencentos",
        "bclinux",
    ),
    "suse": ("suse", "sles", "sled", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sle-micro"),
}
#: Ids whose vendor makes systems of both families.
_EITHER = ("kylin", "uos")
_MANAGERS = {"debian": "apt", "redhat": "dnf", "suse": "zypper"}
#: Before dnf; their libraries are for Python 2 alone.
_WITHOUT_DNF = {("rhel", "7"), ("centos", "7"), ("ol", "7"), ("anolis", "7"), ("alinux", "2")}
_FILES = ("/etc/os-release", "/usr/lib/os-release")
_DATABASES = (("debian", "/var/lib/dpkg/status"), ("redhat", "/var/lib/rpm"), ("redhat", "/usr/lib/sysimage/rpm"))


class UnknownPlatform(Exception):
    """The platform is none that the collection knows; the message is one sentence."""


class Platform:
    """A platform: id, name for people, version, family, package_manager and service_manager ("" for none)."""

    def __init__(self, identity, name, version, family, package_manager, service_manager):
        # type: (str, str, str, str, str, str) -> None
        self.id = identity
        self.name = name
        self.version = version
        self.family = family
        self.package_manager = package_manager
        self.service_manager = service_manager


def parse(text):
    # type: (str) -> dict[str, str]
    """Return the variables of an os-release file; quotes are taken off as a shell does."""
    import shlex

    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        try:
            found[name] = "".join(shlex.split(value))
        except ValueError:  # an unbalanced quote
            found[name] = value
    return found


def resolve(release, exists):
    # type: (dict[str, str], Callable[[str], bool]) -> Platform
    """Return the platform that os-release variables describe; raises UnknownPlatform.

    exists(path) tells whether the host has a file; asked only for what the variables leave open.
    """
    identity = release.get("ID", "").lower()
    name = release.get("PRETTY_NAME") or release.get("NAME") or identity
    version = release.get("VERSION_ID", "").lstrip("Vv")
    family = _family(identity, release, exists)
    if not family:
        raise UnknownPlatform(
            "The platform %s (ID=%s) is not known to egov.ops; take the host out of the plan (egov_ops_managed: false)."
            % (name or "without a name", identity or "none")
        )
    manager = _MANAGERS[family]
    major = version.partition(".")[0]
    if (identity, major) in _WITHOUT_DNF:
        manager = "yum"
    return Platform(identity, name, version, family, manager, "systemd" if exists("/run/systemd/system") else "")


def _family(identity, release, exists):
    # type: (str, dict[str, str], Callable[[str], bool]) -> str
    if release.get("PLATFORM_ID", "").startswith("platform:"):
        return "redhat"
    for word in [identity] + release.get("ID_LIKE", "").lower().split():
        for family, identities in _FAMILIES.items():
            if word in identities:
                return family
    if identity in _EITHER:
        for family, path in _DATABASES:
            if exists(path):
                return family
    return ""


def detect(root="/"):
    # type: (str) -> Platform
    """Return the platform of this host, or of the tree below root; raises UnknownPlatform."""
    folder = root.rstrip("/")
    for path in _FILES:
        try:
            text = read_text(folder + path)
        except OSError:
            continue
        return resolve(parse(text), lambda name: os.path.exists(folder + name))
    raise UnknownPlatform("The host has no /etc/os-release, so its platform is not known; restore the file.")
