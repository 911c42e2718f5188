# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The platform of a host, by the text of its os-release and nothing else where that is enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.module_utils.host.platform import UnknownPlatform, detect, parse, resolve

KYLIN_SERVER = """NAME="Kylin Linux Advanced Server"
VERSION="V10 (Sword)"
ID="kylin"
VERSION_ID="V10"
PRETTY_NAME="Kylin Linux Advanced Server V10 (Sword)"
"""
KYLIN_DESKTOP = """NAME="Kylin"
VERSION="银河麒麟桌面操作系统V10 (SP1)"
ID=kylin
ID_LIKE=debian
PRETTY_NAME="Kylin V10 SP1"
VERSION_ID="v10"
"""
UOS_SERVER = """PRETTY_NAME="UnionTech OS Server 20"
NAME="UnionTech OS Server 20"
VERSION_ID="20"
ID="uos"
PLATFORM_ID="platform:uelc20"
"""
UOS_DESKTOP = 'PRETTY_NAME="UnionTech OS Desktop 20 Pro"\nNAME="uos"\nVERSION_ID="20"\nID=uos\n'
ANOLIS = 'NAME="Anolis OS"\nVERSION="8.8"\nID="anolis"\nID_LIKE="rhel fedora centos"\nVERSION_ID="8.8"\n'
OPENEULER = 'NAME="openEuler"\nVERSION="22.03 (LTS-SP3)"\nID="openEuler"\nVERSION_ID="22.03"\n'
DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21.3"\n'
LEAP = 'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"\n'
CENTOS = 'NAME="CentOS Linux"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n'
DPKG, RPM, SYSTEMD = "var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "run/systemd/system/x"

#: os-release, files of the host; id, version, family, package manager, service manager.
CASES = {
    "Kylin server": (KYLIN_SERVER, [RPM, SYSTEMD], ("kylin", "10", "redhat", "dnf", "systemd")),
    "Kylin desktop": (KYLIN_DESKTOP, [DPKG], ("kylin", "10", "debian", "apt", "")),
    "UOS server": (UOS_SERVER, [], ("uos", "20", "redhat", "dnf", "")),
    "UOS desktop": (UOS_DESKTOP, [DPKG], ("uos", "20", "debian", "apt", "")),
    "UOS with rpm and no platform id": (UOS_DESKTOP, [RPM], ("uos", "20", "redhat", "dnf", "")),
    "Anolis": (ANOLIS, [], ("anolis", "8.8", "redhat", "dnf", "")),
    "openEuler": (OPENEULER, [], ("openeuler", "22.03", "redhat", "dnf", "")),
    "Debian": (DEBIAN, [], ("debian", "12", "debian", "apt", "")),
    "a derivative": (MINT, [], ("linuxmint", "21.3", "debian", "apt", "")),
    "openSUSE": (LEAP, [], ("opensuse-leap", "15.5", "suse", "zypper", "")),
    "CentOS 7": (CENTOS, [], ("centos", "7", "redhat", "yum", "")),
}


@pytest.mark.parametrize("name", CASES)
def test_the_platform_is_what_the_vendor_says(tmp_path: Path, name: str) -> None:
    text, files, expected = CASES[name]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(text)
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("")
    found = detect(str(tmp_path))
    assert (found.id, found.version, found.family, found.package_manager, found.service_manager) == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [('PRETTY_NAME="Alpine Linux v3.19"\nID=alpine\n', "Alpine Linux v3.19 (ID=alpine)"), ("", "(ID=none)")],
)
def test_an_unknown_platform_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(UnknownPlatform) as caught:
        resolve(parse(text), lambda _path: False)
    assert named in str(caught.value)


def test_a_vendor_of_both_families_is_not_guessed_without_a_package_database() -> None:
    with pytest.raises(UnknownPlatform):
        resolve(parse(UOS_DESKTOP), lambda _path: False)


def test_a_host_without_os_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownPlatform, match="no /etc/os-release"):
        detect(str(tmp_path))


def test_comments_quotes_and_a_broken_quote_do_no_harm() -> None:
    assert parse("# of the vendor\nID='debian'\nNAME=\"broken\n\nVERSION_ID=12") == {
        "ID": "debian",
        "NAME": '"broken',
        "VERSION_ID": "12",
    }
