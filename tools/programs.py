# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the system: installed by root from bindep.txt, or unpacked below .cache for an ordinary user."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import environment
from environment import CACHE, ROOT, SetupError

#: By package manager: its selector in bindep.txt, the question whether a package is installed, the way to install.
_MANAGERS = {
    "apt-get": ("platform:dpkg", ["dpkg", "--status"], ["install", "--yes", "--no-install-recommends"]),
    "dnf": ("platform:rpm", ["rpm", "--query"], ["install", "--assumeyes"]),
    "zypper": ("platform:suse", ["rpm", "--query"], ["--non-interactive", "install"]),
}

UNPACKED = CACHE / "packages"


def wanted(selector: str, *profiles: str) -> list[str]:
    """Return the packages that bindep.txt names for a kind of system, with those of the given profiles."""
    packages = []
    for line in (ROOT / "bindep.txt").read_text().splitlines():
        name, _, conditions = line.split("#")[0].partition("[")
        words = conditions.rstrip("] ").split()
        platforms = [word for word in words if word.startswith("platform:")]
        if name.strip() and (not platforms or selector in platforms) and set(words) <= {*platforms, *profiles}:
            packages.append(name.strip())
    return packages


def install(*profiles: str) -> None:
    """As root, install what bindep.txt names and this system lacks; raise SetupError with the manager's own words."""
    manager = next((name for name in _MANAGERS if shutil.which(name)), None)
    if not manager:
        raise SetupError("This system has none of apt-get, dnf and zypper: install what bindep.txt names by hand.")
    selector, ask, install_words = _MANAGERS[manager]
    missing = [package for package in wanted(selector, *profiles) if not _installed(package, ask)]
    if not missing:
        return
    print(f"Installing {', '.join(missing)} ({manager}).", flush=True)
    failure = f"{manager} could not install {' '.join(missing)}: mend what it says and try again."
    env = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    options = []
    if manager == "apt-get":
        options = [*_mirror(), "-o", "DPkg::Lock::Timeout=120"]
        environment.call([manager, *options, "update"], failure, env=env)
    environment.call([manager, *options, *install_words, *missing], failure, env=env)


def _installed(package: str, ask: list[str]) -> bool:
    # A program that somebody put there without a package serves as well.
    if shutil.which(package):
        return True
    answer = subprocess.run([*ask, package], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return answer.returncode == 0 and b"deinstall" not in answer.stdout


def unpack(packages: list[str]) -> None:
    """As an ordinary user, fetch Debian packages with apt (which checks the signatures) and unpack them below .cache.

    Raised SetupError where this is no system with apt, or with apt's own words.
    """
    if not shutil.which("apt-get"):
        raise SetupError(f"Only root can install {' and '.join(packages)} on this system: ask an administrator.")
    print(f"Fetching {', '.join(packages)} (apt-get, into .cache).", flush=True)
    base = CACHE / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial", "packages"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", *_mirror(), "-o", f"Dir::State={base}/state", "-o", f"Dir::Cache={base}/cache"]
    apt += ["-o", "Dir::State::status=/var/lib/dpkg/status"]
    failure = f"apt-get could not fetch {' '.join(packages)}: mend what it says, or have root install them."
    env = environment.variables()
    environment.call([*apt, "update"], failure, base, env)
    for package in packages:
        environment.call([*apt, "download", package], failure, base, env)
    for archive in sorted(base.glob("*.deb")):
        environment.call(["dpkg", "-x", str(archive), str(UNPACKED)], f"dpkg could not unpack {archive.name}.")
        archive.unlink()


def _mirror() -> list[str]:
    """Return apt's options for the mirror that EGOV_OPS_APT_MIRROR names, none where it names none."""
    mirror = os.environ.get("EGOV_OPS_APT_MIRROR")
    if not mirror:
        return []
    system = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    components = "main universe" if system.get("ID") == "ubuntu" else "main"
    sources = CACHE / "apt/sources.list"
    sources.parent.mkdir(parents=True, exist_ok=True)
    sources.write_text(f"deb {mirror} {system['VERSION_CODENAME']} {components}\n")
    return ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=-"]
