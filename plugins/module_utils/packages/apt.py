# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt: one look through its own library, low level: reading the lists is nearly all of the cost."""

import functools
import os
import re
import time

from ansible_collections.egov.ops.plugins.module_utils.host.files import lines
from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches
from ansible_collections.egov.ops.plugins.module_utils.packages import apt_cache, locks, security
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import (
    EngineError,
    Held,
    Listing,
    Source,
    Update,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import Binding, Patterns, ScanArguments

#: apt-get ends well when a source does not answer; the older versions that cannot be told otherwise say it like this.
_NOT_FETCHED = re.compile(
    r"^(?:W|E|Err): ?(?:Failed to fetch|Some index files failed|The repository .* does not)", re.M
)


def refresh(host, root):
    # type: (Host, str) -> None
    """Fetch the lists of all sources, strictly: one that cannot be fetched is an error. Raises EngineError."""
    done = host.run(["apt-get", "-o", "APT::Update::Error-Mode=any", "update"], env=_environment(), writes=True)
    said = done.stderr.decode("utf-8", "backslashreplace")
    if "Could not get lock" in said:
        holder = _lists_holder() or "another program"
        raise EngineError("apt's lists are being refreshed by %s; scan again when it has ended." % holder, "busy")
    if done.rc != 0 or _NOT_FETCHED.search(said):
        if "Permission denied" in said:
            raise EngineError("Only root can refresh apt's lists; run the scan with become.", "permission")
        raise EngineError("apt-get update failed: %s." % done.error.rstrip("."), "stale_lists")


def _lists_holder():
    # type: () -> str
    """Return the program that holds the lock of apt's lists, "" for none."""
    import apt_pkg

    apt_pkg.init_config()
    return locks.holder([apt_pkg.config.find_dir("Dir::State::lists") + "lock"])


def _environment():
    # type: () -> dict[str, str]
    return {"APT_CONFIG": os.environ["APT_CONFIG"]} if "APT_CONFIG" in os.environ else {}


def read(host, settings, root):
    # type: (Host, ScanArguments, str) -> Listing
    """Return what apt knows; raises EngineError.

    settings: `security_origins`, patterns for labels, suites, code names and sites. The root is apt's own (APT_CONFIG).
    """
    import apt_pkg

    try:
        apt_pkg.init_config()
        apt_pkg.init_system()
        database = os.path.dirname(apt_pkg.config.find_file("Dir::State::status"))
        holder = locks.holder([database + "/lock-frontend", database + "/lock"])
        if holder:
            raise EngineError("The package database is in use by %s; scan again when it has ended." % holder, "busy")
        cache = apt_cache.load(apt_pkg)
        policy = _policy(apt_pkg, cache)
        listing = Listing()
        _packages(apt_pkg, cache, policy, settings["security_origins"], listing)
        listing.held += _pins(apt_pkg, cache)
        listing.sources = _sources(apt_pkg)
    except (apt_pkg.Error, SystemError) as error:
        raise EngineError("apt cannot read its database: %s; see what apt-get check says." % _sentence(error))
    if _interrupted(database):
        listing.broken.insert(0, "dpkg was interrupted")
    return listing


def _policy(apt_pkg, cache):
    # type: (Binding, Binding) -> Binding
    policy = apt_pkg.Policy(cache)
    policy.init_defaults()
    policy.read_pinfile(apt_pkg.config.find_file("Dir::Etc::preferences"))
    policy.read_pindir(apt_pkg.config.find_dir("Dir::Etc::preferencesparts"))
    return policy


def _packages(apt_pkg, cache, policy, patterns, listing):
    # type: (Binding, Binding, Binding, Patterns, Listing) -> None
    compare, absent = apt_pkg.version_compare, apt_pkg.CURSTATE_NOT_INSTALLED
    sound = (apt_pkg.CURSTATE_INSTALLED, apt_pkg.CURSTATE_CONFIG_FILES)
    for package in cache.packages:
        state = package.current_state
        if state == absent:  # what others only depend on
            continue
        current = package.current_ver
        if state not in sound:
            listing.broken.append(package.get_fullname(True))
        if current is None:
            continue
        listing.installed += 1
        held = package.selected_state == apt_pkg.SELSTATE_HOLD
        if held:
            listing.held.append(Held(package.get_fullname(True), "hold"))
        newer = [version for version in package.version_list if compare(version.ver_str, current.ver_str) > 0]
        if not newer:
            continue
        candidate, hold = policy.get_candidate_ver(package), "hold" if held else ""
        judged = [(version, _is_security(version, patterns)) for version in newer]
        published = [(version.ver_str, safe) for version, safe in judged]
        passed_by = [version for version, safe in judged if safe]
        if candidate is None or compare(candidate.ver_str, current.ver_str) <= 0:
            if not passed_by:
                continue
            # A pin that keeps security updates away must not make them invisible.
            order = functools.cmp_to_key(compare)
            candidate = max(passed_by, key=lambda version: order(version.ver_str))
            hold = hold or "pin"
        listing.updates.append(
            Update(
                package.get_fullname(True),
                candidate.arch,
                current.ver_str,
                candidate.ver_str,
                _origins(candidate),
                security.is_security(published, current.ver_str, candidate.ver_str, compare),
                hold=hold,
            )
        )


def _files(version):
    # type: (Binding) -> list[Binding]
    return [file for file, _place in version.file_list if file.index_type != "Debian dpkg status file"]


def _is_security(version, patterns):
    # type: (Binding, Patterns) -> bool
    return any(
        security.is_security_origin((file.label, file.archive, file.codename, file.site), patterns)
        for file in _files(version)
    )


def _origins(version):
    # type: (Binding) -> list[str]
    return sorted(
        {
            "%s:%s/%s%s"
            % (
                file.label or file.origin or "unnamed",
                file.archive or file.codename or "none",
                file.component or "none",
                " (%s)" % file.site if file.site else "",
            )
            for file in _files(version)
        }
    )


def _pins(apt_pkg, cache):
    # type: (Binding, Binding) -> list[Held]
    """Return the installed packages that a preferences file names; a pin of a whole source decides on no package."""
    config = apt_pkg.config
    folder = config.find_dir("Dir::Etc::preferencesparts")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    paths = [config.find_file("Dir::Etc::preferences")] + [
        os.path.join(folder, name) for name in names if name.endswith(".pref") or "." not in name
    ]
    wanted = []
    for path in paths:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as stream:
                wanted += [_stanza(section) for section in apt_pkg.TagFile(stream)]
    wanted = [(words, pin, priority) for words, pin, priority in wanted if words not in ([], ["*"])]
    if not wanted:
        return []
    absent = apt_pkg.CURSTATE_NOT_INSTALLED
    there = (package for package in cache.packages if package.current_state != absent)
    installed = sorted({package.name for package in there if package.current_ver})
    named = [(_named(words, installed), "%s, priority %s" % (pin, priority)) for words, pin, priority in wanted]
    return [Held(name, "pin", said) for name in installed for names, said in named if name in names]


def _named(words, installed):
    # type: (list[str], list[str]) -> set[str]
    """Return the installed packages that the words of a stanza name; most are plain names."""
    plain = {word.partition(":")[0] for word in words if not any(sign in word for sign in "*?[/")}
    patterns = [word for word in words if word.partition(":")[0] not in plain]
    return {name for name in installed if name in plain or any(_names(word, name) for word in patterns)}


def _stanza(section):
    # type: (Binding) -> tuple[list[str], str, str]
    return section.get("Package", "").split(), section.get("Pin", ""), section.get("Pin-Priority", "")


def _names(word, name):
    # type: (str, str) -> bool
    if len(word) > 2 and word.startswith("/") and word.endswith("/"):
        try:
            return bool(re.search(word[1:-1], name))
        except re.error:
            return False
    return matches(name, word.partition(":")[0])


def _sources(apt_pkg):
    # type: (Binding) -> list[Source]
    """Return the configured sources, each component on its own, and when they were last compared."""
    sources = apt_pkg.SourceList()
    sources.read_main_list()
    folder = apt_pkg.config.find_dir("Dir::State::lists")
    found = []
    for release in sources.list:
        path = _release_file(apt_pkg, release, folder)
        refreshed = _refreshed(path, _place(release))
        wanted = {}  # type: dict[str, list[Binding]]
        for index in release.index_files:
            if index.has_packages:
                wanted.setdefault(index.describe.split(" ")[1], []).append(index)
        for component, indexes in sorted(wanted.items()):
            there = any(index.exists for index in indexes) or _is_empty(path, component[len(release.dist) :], indexes)
            found.append(Source("%s %s" % (release.uri, component), refreshed if there else None))
    return found


def _place(release):
    # type: (Binding) -> str
    dist = str(release.dist)
    return str(release.uri) + (dist if dist.endswith("/") else "dists/%s/" % dist)


def _release_file(apt_pkg, release, folder):
    # type: (Binding, Binding, str) -> str
    """Return the path of the Release file among the lists, "" where there is none."""
    for name in ("InRelease", "Release"):
        path = os.path.join(folder, apt_pkg.uri_to_filename(_place(release) + name))
        if os.path.exists(path):
            return path
    return ""


def _is_empty(path, component, indexes):
    # type: (str, str, list[Binding]) -> bool
    """Return whether the Release file says that a component has no package; apt keeps no list of such a one."""
    names = {"%s/binary-%s/Packages" % (component.strip("/"), index.describe.split(" ")[2]) for index in indexes}
    fields = [line.split() for line in lines(path, 16 * 1024 * 1024)] if path else []
    sizes = [words[1] for words in fields if len(words) == 3 and words[2] in names]
    return bool(sizes) and set(sizes) == {"0"}


def _refreshed(path, place):
    # type: (str, str) -> float | None
    """Return when a source's lists were last compared with it.

    A list has the source's own time of change as its time, but its Release file is renamed into place at each
    comparison, even if it is the same. That of a local source is not; for it the files themselves are compared. Nor is
    an unsigned one, whose lists seem older than they are: an error on the safe side.
    """
    if not path:
        return None
    if place.startswith(("file:", "copy:")):
        source = place.partition(":")[2] + path.rpartition("_")[2]
        if _same(path, source):
            return time.time()
    return os.stat(path).st_ctime


def _same(path, other):
    # type: (str, str) -> bool
    try:
        with open(path, "rb") as one, open(other, "rb") as two:
            return one.read() == two.read()
    except OSError:
        return False


def _interrupted(database):
    # type: (str) -> bool
    try:
        return any(name.isdigit() for name in os.listdir(os.path.join(database, "updates")))
    except OSError:
        return False


def _sentence(error):
    # type: (Exception) -> str
    text = re.sub(r"\b[EW]:", "", " ".join(str(error).split()))
    return (text.strip().rstrip(".") or type(error).__name__)[:500]
