# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dnf: one look through its own library, from its caches alone; plugins stay off, their lists are read here."""

import calendar
import os
import time

from ansible_collections.egov.ops.plugins.module_utils.host.files import lines
from ansible_collections.egov.ops.plugins.module_utils.packages import locks, security, updateinfo, versions
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import (
    Advisory,
    EngineError,
    Held,
    Listing,
    Source,
    Update,
)
from ansible_collections.egov.ops.plugins.module_utils.packages.reboot import boot_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import Binding, Patterns, ScanArguments

#: What a running host keeps of these from before their update, as `dnf needs-restarting -r` has it.
_CORE = ("kernel", "kernel-core", "kernel-rt", "kernel-default", "linux-firmware", "microcode_ctl") + (
    "glibc",
    "systemd",
    "dbus",
    "dbus-broker",
    "dbus-daemon",
)
_VERSIONLOCK = "/etc/dnf/plugins/versionlock.list"
_DATABASES = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")


def refresh(host, root):
    # type: (Host, str) -> None
    """Fetch the metadata of all repositories, strictly, skip_if_unavailable or not. Raises EngineError."""
    argv = [
        "dnf",
        "--assumeyes",
        "--noplugins",
        "--setopt=*.skip_if_unavailable=False",
        "--setopt=skip_if_unavailable=0",
    ]
    if root != "/":
        argv += ["--installroot=" + root, "--config=%s/etc/dnf/dnf.conf" % root]
        argv += ["--setopt=reposdir=%s/etc/yum.repos.d" % root, "--setopt=cachedir=%s/var/cache/dnf" % root]
    if os.geteuid() != 0:
        raise EngineError("Only root can refresh dnf's metadata; run the scan with become.", "permission")
    done = host.run(argv + ["makecache", "--refresh"], writes=True)
    if done.rc != 0:
        raise EngineError("dnf makecache failed: %s." % done.error.rstrip("."), "stale_lists")


def read(host, settings, root):
    # type: (Host, ScanArguments, str) -> Listing
    """Return what dnf knows; raises EngineError. settings: `security_origins`, patterns for ids of repositories."""
    import dnf
    import hawkey

    folder = root.rstrip("/")
    holder = locks.holder([folder + path + "/.rpm.lock" for path in _DATABASES])
    if holder:
        raise EngineError("The package database is in use by %s; scan again when it has ended." % holder, "busy")
    try:
        base = _base(dnf, root)
        try:
            sources = _load(dnf, base)
            listing = _listing(hawkey, base, settings["security_origins"], folder)
            listing.sources = sources
            return listing
        finally:
            base.close()
    except (dnf.exceptions.Error, hawkey.Exception, OSError, RuntimeError) as error:
        words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise EngineError("dnf cannot read its database: %s; see what rpm --verifydb says." % words[:500])


def _base(dnf, root):
    # type: (Binding, str) -> Binding
    base = dnf.Base()
    conf = base.conf
    if root != "/":
        conf.installroot = root
        conf.config_file_path = root + "/etc/dnf/dnf.conf"
        conf.reposdir = [root + "/etc/yum.repos.d"]
        conf.cachedir = root + "/var/cache/dnf"
        conf.logdir = root + "/var/log"
    conf.read()
    conf.substitutions.update_from_etc(root)
    if not conf.substitutions.get("releasever"):
        conf.substitutions["releasever"] = dnf.rpm.detect_releasever(root) or ""
    conf.disable_excludes = ["all"]  # what is excluded is told, not hidden
    base.read_all_repos()
    return base


def _load(dnf, base):
    # type: (Binding, Binding) -> list[Source]
    """Load the rpm database and the cached metadata of each repository; one without any is left out."""
    sources = []
    for repo in list(base.repos.iter_enabled()):
        repo._repo.setSyncStrategy(dnf.repo.SYNC_ONLY_CACHE)
        try:
            repo.load()
            sources.append(Source(repo.id, time.time() - repo._repo.getAge()))
        except dnf.exceptions.RepoError:
            sources.append(Source(repo.id, None))
            repo.disable()
    base.fill_sack(load_system_repo=True, load_available_repos=True)
    return sources


def _listing(hawkey, base, patterns, folder):
    # type: (Binding, Binding, Patterns, str) -> Listing
    listing = Listing()
    newest = {}  # type: dict[tuple[str, str], Binding]
    for package in base.sack.query().installed():
        listing.installed += 1
        key = (package.name, package.arch)
        newest[key] = max(newest.get(key, package), package)
    listing.held = _held(base, folder)
    held = {entry.name: entry.how for entry in listing.held}
    for candidate in base.sack.query().available().filter(upgrades=True, latest_per_arch=True):
        current = newest.get((candidate.name, candidate.arch)) or newest.get((candidate.name, "noarch"))
        if current is None or current.evr_cmp(candidate) >= 0:
            continue
        advisories = [
            advisory
            for advisory in current.get_advisories(hawkey.GT)
            if advisory.type == hawkey.ADVISORY_SECURITY and _reaches(advisory, current, candidate)
        ]
        listing.updates.append(
            Update(
                candidate.name,
                candidate.arch,
                current.evr,
                candidate.evr,
                [candidate.reponame],
                bool(advisories) or security.is_security_origin([candidate.reponame], patterns),
                [_advisory(hawkey, advisory) for advisory in advisories],
                held.get(candidate.name, ""),
            )
        )
    listing.classified = any(
        repo.get_metadata_path("updateinfo") or security.is_security_origin([repo.id], patterns)
        for repo in base.repos.iter_enabled()
    )
    listing.reboot = _reboot(base, boot_time(folder))
    return listing


def _reaches(advisory, current, candidate):
    # type: (Binding, Binding, Binding) -> bool
    """Return whether updating to the candidate brings what an advisory announced, in it or in a version before it."""
    announced = [(package.evr, True) for package in advisory.packages if package.name == current.name]
    return security.is_security(announced, current.evr, candidate.evr, versions.compare_evr)


def _advisory(hawkey, advisory):
    # type: (Binding, Binding) -> Advisory
    cves = [reference.id for reference in advisory.references if reference.type == hawkey.REFERENCE_CVE]
    return Advisory(advisory.id, advisory.severity or "", cves, calendar.timegm(advisory.updated.timetuple()))


def _held(base, folder):
    # type: (Binding, str) -> list[Held]
    """Return the installed packages that the versionlock plugin's list or an exclude of the configuration names."""
    from dnf.subject import Subject

    wanted = [("exclude", pattern) for pattern in base.conf.excludepkgs]
    for repo in base.repos.iter_enabled():
        wanted += [("exclude", pattern) for pattern in repo.excludepkgs]
    try:
        entries = [line.partition("#")[0].strip() for line in lines(folder + _VERSIONLOCK)]
    except FileNotFoundError:
        entries = []
    wanted += [("versionlock", entry.lstrip("!")) for entry in entries if entry]
    found = {}
    for how, pattern in wanted:
        names = {package.name for package in Subject(pattern).get_best_query(base.sack).installed()}
        if how == "versionlock" and not names:  # it names a version that is not the installed one
            names = {match.name for match in Subject(pattern).get_nevra_possibilities() if match.name in _names(base)}
        for name in names:
            found[(name, how)] = Held(name, how, pattern)
    return [found[key] for key in sorted(found)]


def _names(base):
    # type: (Binding) -> set[str]
    return {package.name for package in base.sack.query().installed()}


def _reboot(base, boot):
    # type: (Binding, float) -> list[str]
    """Return which packages were put in since the host's start and want it restarted, and who says so."""
    recent = {package.name: package for package in base.sack.query().installed() if package.installtime > boot}
    if not recent:
        return []
    reasons = ["%s %s was installed since the start" % (name, recent[name].evr) for name in _CORE if name in recent]
    for repo in base.repos.iter_enabled():
        path = repo.get_metadata_path("updateinfo")
        for notice in _notices(path) if path else []:
            for name, evr, _arch in notice.packages if notice.reboot else []:
                if name in recent and versions.compare_evr(recent[name].evr, evr) == 0:
                    reasons.append("%s asks for it for %s %s" % (notice.id, name, recent[name].evr))
    return sorted(set(reasons))


def _notices(path):
    # type: (str) -> list[updateinfo.Notice]
    """Return the notices of a file; none of one that only dnf can read (zstd), which leaves the core packages."""
    try:
        return updateinfo.read(path)
    except ValueError:
        return []
