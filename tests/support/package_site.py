# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts with real package databases and repositories of their own, each in a folder, and the scan of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environment

DAY = 86400
PYTHON = "/usr/bin/python3"
SETTINGS: dict[str, Any] = {
    "refresh": False,
    "max_lists_age": 26 * 3600,
    "security_origins": ["*security*"],
    "deadlines": {"critical": 15 * DAY, "high": 30 * DAY, "other": 90 * DAY},
}
RELEASES = {
    "apt": 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n',
    "dnf": 'NAME="openEuler"\nID="openEuler"\nVERSION_ID="22.03"\n',
    "zypper": 'NAME="openSUSE Leap"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.5"\n',
}
#: Started on the host's Python: reads {root, settings, context} and prints what the half returns.
_DRIVER = """
import json, sys
given = json.load(sys.stdin)
sys.path.insert(0, given["tree"])
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host, perform
from ansible_collections.egov.ops.plugins.module_utils.packages import scan
half = lambda arguments, host: scan.scan(arguments, host, given["root"])
print(json.dumps(perform(half, given["settings"], Host(given["context"]))))
"""


def run(*words: str | Path, **options: Any) -> str:
    """Run a tool that has to succeed, and return what it prints."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return str(done.stdout)


def has_binding(name: str) -> bool:
    """Return whether the system's Python has a binding."""
    return subprocess.run([PYTHON, "-I", "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


def tree(folder: Path, manager: str) -> Path:
    """Make the root of a host with a healthy /proc and no kernel of its own."""
    root = folder / "host"
    (root / "proc/1").mkdir(parents=True)
    (root / "proc/1/maps").write_text("")
    (root / "etc").mkdir()
    (root / "etc/os-release").write_text(RELEASES[manager])
    return root


def scan(
    root: Path, python: str = PYTHON, env: dict[str, str] | None = None, now: float | None = None, **settings: Any
) -> dict[str, Any]:
    """Scan a host on a Python of its own and return the half's whole result."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    context = {"now": stamp, "timeout": 60, "check_mode": settings.pop("check_mode", False)}
    given = {
        "tree": os.environ["PYTHONPATH"].split(":")[0],
        "root": str(root),
        "settings": {**SETTINGS, **settings},
        "context": context,
    }
    printed = run(python, "-I", "-c", _DRIVER, input=json.dumps(given), env={**environment.variables(), **(env or {})})
    result: dict[str, Any] = json.loads(printed.splitlines()[-1])
    assert not result.get("failed"), result
    for item in result["evidence"]:
        assert "\n" not in item["detail"]["message"]
        assert item["detail"]["message"].endswith(".")
    return result


@dataclass
class Site:
    """A host's root and the sources of its packages."""

    folder: Path
    root: Path

    def environment(self) -> dict[str, str]:
        """Return what the package manager needs to find the host's configuration."""
        return {}

    def look(self, **settings: Any) -> dict[tuple[str, str], dict[str, Any]]:
        """Scan the host and return its records by kind and subject."""
        evidence = scan(self.root, env=self.environment(), **settings)["evidence"]
        found = {(item["kind"], item["subject"]): item for item in evidence}
        assert len(found) == len(evidence) == 5
        return found

    def pending(self, **settings: Any) -> dict[str, Any]:
        """Scan the host and return the record of its pending updates."""
        return self.look(**settings)["package_list", "pending"]


class AptSite(Site):
    """A host with dpkg and apt: two suites in a folder, of which one is for security."""

    SUITES = ("egov", "egov-security")

    def environment(self) -> dict[str, str]:
        return {"APT_CONFIG": str(self.folder / "apt.conf")}

    @classmethod
    def make(cls, folder: Path) -> AptSite:
        site = cls(folder, tree(folder, "apt"))
        for path in ("lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/sources.list.d", "log"):
            (folder / path).mkdir(parents=True)
        for path in ("info", "updates", "triggers"):
            (site.database / path).mkdir(parents=True)
        (site.database / "status").write_text("")
        (site.database / "available").write_text("")
        settings = {
            "Dir::State::status": site.database / "status",
            "Dir::State::lists": folder / "lists",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::pkgcache": "pkgcache.bin",
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Etc": folder / "etc",
            "Dir::Log": folder / "log",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "",
            "Acquire::Retries": "0",
            "Acquire::http::Proxy": "DIRECT",
        }
        (folder / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
        for suite in cls.SUITES:
            site.publish(suite)
        site.sources(*cls.SUITES)
        return site

    @property
    def database(self) -> Path:
        return self.root / "var/lib/dpkg"

    def sign(self, suite: str) -> None:
        """Sign the index of a suite with a key that the host knows."""
        home = self.folder / "gpg"
        home.mkdir(mode=0o700)
        gpg: list[str | Path] = ["gpg", "--homedir", home, "--batch", "--quiet", "--passphrase", ""]
        run(*gpg, "--quick-gen-key", "ops@example.org", "ed25519", "sign", "never")
        keys = self.folder / "etc/trusted.gpg.d"
        keys.mkdir()
        run(*gpg, "--export", "--output", keys / "egov.gpg")
        release = self.folder / f"repository/dists/{suite}/Release"
        run(*gpg, "--clearsign", "--output", release.with_name("InRelease"), release)
        run("gpgconf", "--homedir", home, "--kill", "all")

    def sources(self, *suites: str, at: str = "") -> None:
        """Configure the suites as sources."""
        lines = [f"deb [trusted=yes] {at or f'file:{self.folder}/repository'} {suite} main\n" for suite in suites]
        (self.folder / "etc/sources.list").write_text("".join(lines))

    def package(self, name: str, version: str) -> Path:
        """Build a package."""
        source = self.folder / "build" / f"{name}_{version}"
        (source / "DEBIAN").mkdir(parents=True, exist_ok=True)
        fields = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "egov <ops@example.org>"}
        text = "".join(f"{key}: {value}\n" for key, value in fields.items()) + "Description: of the portal\n"
        (source / "DEBIAN/control").write_text(text)
        built = source.with_name(f"{name}_{version}_all.deb")
        if not built.exists():
            run("dpkg-deb", "--root-owner-group", "-Znone", "--build", source, built)
        return built

    def publish(self, suite: str, *packages: tuple[str, str]) -> None:
        """Put packages into a suite, beside those that it has, and write its index again."""
        pool, dists = (self.folder / "repository" / name / suite for name in ("pool", "dists"))
        index = dists / "main/binary-amd64"
        for folder in (pool, index):
            folder.mkdir(parents=True, exist_ok=True)
        for name, version in packages:
            built = self.package(name, version)
            (pool / built.name).write_bytes(built.read_bytes())
        listed = run("apt-ftparchive", "packages", f"pool/{suite}", cwd=self.folder / "repository")
        (index / "Packages").write_text(listed)
        (dists / "Release").unlink(missing_ok=True)
        options = {"Suite": suite, "Label": "EGov", "Architectures": "amd64", "Components": "main"}
        words = [f"-oAPT::FTPArchive::Release::{key}={value}" for key, value in options.items()]
        (dists / "Release").write_text(run("apt-ftparchive", *words, "release", dists))

    def install(self, name: str, version: str) -> None:
        """Install a package with dpkg."""
        options = ["--force-not-root", "--force-bad-path", f"--log={self.folder}/dpkg.log", f"--root={self.root}"]
        run("dpkg", *options, "--install", self.package(name, version))

    def update(self) -> None:
        """Fetch the lists as an administrator would."""
        run("apt-get", "update", env={**environment.variables(), **self.environment()})


class RpmSite(Site):
    """A host with an rpm database, and a repository with advisories in a folder."""

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.folder / "home")}

    @classmethod
    def make(cls, folder: Path, manager: str) -> RpmSite:
        site = cls(folder, tree(folder, manager))
        (folder / "home").mkdir()
        (folder / "home/.rpmmacros").write_text("%_dbpath /var/lib/rpm\n")
        for path in ("var/lib/rpm", "var/cache", "var/log", "etc/dnf/plugins", "etc/dnf/vars", "etc/yum.repos.d"):
            (site.root / path).mkdir(parents=True)
        (site.root / "etc/zypp/repos.d").mkdir(parents=True)
        (site.root / "etc/dnf/dnf.conf").write_text("[main]\ngpgcheck=0\nplugins=0\n")
        (site.root / "etc/dnf/vars/releasever").write_text("22.03\n")
        site.source("update", folder / "repository", skip_if_unavailable="True")
        return site

    def source(self, name: str, place: Path, **options: str) -> None:
        """Configure a repository, for both package managers."""
        entries = {"name": name, "baseurl": f"file://{place}", "enabled": "1", "gpgcheck": "0", **options}
        text = f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in entries.items())
        (self.root / f"etc/yum.repos.d/{name}.repo").write_text(text)
        (self.root / f"etc/zypp/repos.d/{name}.repo").write_text(text.replace("file://", "dir://"))

    def package(self, name: str, version: str) -> Path:
        """Build a package into the repository."""
        built = self.folder / f"repository/noarch/{name}-{version}-1.noarch.rpm"
        if not built.exists():
            specification = self.folder / f"{name}-{version}.spec"
            specification.write_text(
                f"Name: {name}\nVersion: {version}\nRelease: 1\nSummary: of the portal\nLicense: none\n"
                "BuildArch: noarch\nAutoReqProv: no\n%description\nx\n%files\n"
            )
            defines = {"_topdir": self.folder / "rpmbuild", "_rpmdir": self.folder / "repository"}
            words = [f"--define={key} {value}" for key, value in defines.items()]
            run("rpmbuild", "-bb", "--quiet", *words, specification, env=self._variables())
        return built

    def publish(self, *packages: tuple[str, str], advisories: str = "") -> None:
        """Put packages into the repository, beside those that it has, with its advisories in updateinfo's XML."""
        for name, version in packages:
            self.package(name, version)
        (self.folder / "repository").mkdir(exist_ok=True)
        run("createrepo_c", "--quiet", self.folder / "repository")
        if advisories:
            file = self.folder / "updateinfo.xml"
            file.write_text(f"<updates>{advisories}</updates>")
            run("modifyrepo_c", "--mdtype=updateinfo", file, self.folder / "repository/repodata")

    def install(self, name: str, version: str) -> None:
        """Install a package with rpm."""
        options: list[str | Path] = ["--root", self.root, "--nodeps", "--force-debian", "--replacepkgs"]
        run("rpm", *options, "-U", self.package(name, version), env=self._variables())

    def _variables(self) -> dict[str, str]:
        return {**environment.variables(), **self.environment()}


def advisory(identity: str, name: str, version: str, **fields: str) -> str:
    """Return an advisory as updateinfo has it: type, severity, date, cve, and reboot to suggest one."""
    given = {"type": "security", "severity": "Important", "date": "2026-10-01 00:00:00", "cve": "", **fields}
    reference = f'<reference id="{given["cve"]}" type="cve" href="x" title="{given["cve"]}"/>' if given["cve"] else ""
    reboot = "<reboot_suggested>True</reboot_suggested>" if "reboot" in given else ""
    return f"""
<update from="ops@example.org" status="final" type="{given["type"]}" version="1">
<id>{identity}</id><title>{identity}</title><severity>{given["severity"]}</severity>
<issued date="{given["date"]}"/><updated date="{given["date"]}"/><references>{reference}</references>
<pkglist><collection short="egov"><name>egov</name>
<package name="{name}" version="{version}" release="1" epoch="0" arch="noarch">
<filename>{name}-{version}-1.noarch.rpm</filename>{reboot}</package></collection></pkglist></update>"""


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold a lock as dpkg does, in another process, and yield its pid."""
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX)"
    hold += "; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        yield holder.pid
        holder.communicate()
