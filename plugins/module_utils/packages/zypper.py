# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""zypper: pending updates from its XML, their class from the updateinfo in its cache."""

import glob
import os

from ansible_collections.egov.ops.plugins.module_utils.host.files import lines, read_text
from ansible_collections.egov.ops.plugins.module_utils.host.patterns import matches
from ansible_collections.egov.ops.plugins.module_utils.packages import locks, security, updateinfo, versions
from ansible_collections.egov.ops.plugins.module_utils.packages.listing import (
    Advisory,
    EngineError,
    Held,
    Listing,
    Source,
    Update,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.packages.types import Patterns, ScanArguments

_LOCKED = 7
#: Where the program that locks the database writes its pid.
_PID_FILE = "/run/zypp.pid"
#: Codes by which zypper says that it ended well and has something to tell.
_WELL = (0, 100, 101, 102, 103)
_RAW = "/var/cache/zypp/raw"


def refresh(host, root):
    # type: (Host, str) -> None
    """Fetch the metadata of all repositories, strictly. Raises EngineError."""
    if os.geteuid() != 0:
        raise EngineError("Only root can refresh zypper's metadata; run the scan with become.", "permission")
    _zypper(host, root, ["refresh"], "stale_lists", writes=True)


def read(host, settings, root):
    # type: (Host, ScanArguments, str) -> Listing
    """Return what zypper knows; raises EngineError. settings: `security_origins`, patterns for aliases."""
    folder = root.rstrip("/")
    listing = Listing(_installed(host, root))
    listing.held = _held(folder)
    notices, listing.classified, listing.sources = [], False, []
    for alias in _aliases(folder):
        listing.sources.append(Source(alias, _refreshed(folder, alias)))
        listing.classified = listing.classified or security.is_security_origin([alias], settings["security_origins"])
        for path in glob.glob("%s%s/%s/repodata/*updateinfo.xml*" % (folder, _RAW, glob.escape(alias))):
            try:
                notices += updateinfo.read(path)
            except (OSError, ValueError) as error:
                raise EngineError("The list of advisories of %s cannot be read: %s." % (alias, error))
            listing.classified = True
    answer = _zypper(host, root, ["list-updates", "--all"], "error")
    listing.updates = updates(answer, notices, listing.held, settings["security_origins"])
    return listing


def _zypper(host, root, words, reason, writes=False):
    # type: (Host, str, list[str], str, bool) -> str
    argv = ["zypper", "--xmlout", "--non-interactive"] + (["--root", root] if root != "/" else [])
    done = host.run(argv + ([] if writes else ["--no-refresh"]) + words, writes=writes)
    if done.rc == _LOCKED:
        holder = locks.writer(root.rstrip("/") + _PID_FILE)
        raise EngineError("The package database is in use by %s; scan again when it has ended." % holder, "busy")
    if done.rc not in _WELL:
        said = (messages(done.out) or [done.error])[0]
        raise EngineError("zypper %s failed: %s." % (words[0], said.rstrip(".")[:500]), reason)
    return done.out


def _installed(host, root):
    # type: (Host, str) -> int
    done = host.run(["rpm", "--root", root, "--query", "--all", "--queryformat", "x"])
    if done.rc != 0:
        raise EngineError("rpm cannot read its database: %s; see what rpm --verifydb says." % done.error.rstrip("."))
    return len(done.stdout)


def _xml(text):
    # type: (str) -> Element
    from xml.etree import ElementTree

    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise EngineError("zypper answered with broken XML: %s; run zypper list-updates on the host." % error)


def messages(text):
    # type: (str) -> list[str]
    """Return the errors that zypper's XML holds."""
    from xml.etree import ElementTree

    try:
        found = ElementTree.fromstring(text).iter("message")
    except ElementTree.ParseError:
        return []
    return [" ".join((message.text or "").split()) for message in found if message.get("type") == "error"]


def updates(text, notices, held, patterns):
    # type: (str, list[updateinfo.Notice], list[Held], Patterns) -> list[Update]
    """Return the pending updates of `zypper --xmlout list-updates`, classed by notices; raises EngineError."""
    announced = {}  # type: dict[str, list[tuple[str, updateinfo.Notice]]]
    for notice in notices:
        if notice.type == "security":
            for name, evr, _arch in notice.packages:
                announced.setdefault(name, []).append((evr, notice))
    holds = {entry.name: entry.how for entry in held}
    found = []
    for entry in _xml(text).iter("update"):
        name, installed, candidate = (entry.get(key) or "" for key in ("name", "edition-old", "edition"))
        if entry.get("kind") != "package" or not installed:
            continue
        source = entry.find("source")
        origin = "" if source is None else source.get("alias") or ""
        reached = {
            notice.id: Advisory(notice.id, notice.severity, notice.cves, notice.issued)
            for evr, notice in announced.get(name, [])
            if security.is_security([(evr, True)], installed, candidate, versions.compare_evr)
        }
        found.append(
            Update(
                name,
                entry.get("arch") or "",
                installed,
                candidate,
                [origin],
                bool(reached) or security.is_security_origin([origin], patterns),
                [reached[key] for key in sorted(reached)],
                next((how for pattern, how in holds.items() if matches(name, pattern)), ""),
            )
        )
    return found


def _held(folder):
    # type: (str) -> list[Held]
    try:
        return locks_of(read_text(folder + "/etc/zypp/locks"))
    except FileNotFoundError:
        return []


def locks_of(text):
    # type: (str) -> list[Held]
    """Return the locks of packages in a file /etc/zypp/locks; a lock names packages by a pattern."""
    found = []
    for block in text.split("\n\n"):
        pairs = [line.partition(":") for line in block.splitlines() if not line.startswith("#")]
        fields = {key.strip(): value.strip() for key, _colon, value in pairs}
        if fields.get("solvable_name") and fields.get("type", "package") == "package":
            found.append(Held(fields["solvable_name"], "lock", fields.get("version", "")))
    return found


def _aliases(folder):
    # type: (str) -> list[str]
    """Return the aliases of the enabled repositories."""
    import configparser

    found = []
    for path in sorted(glob.glob(folder + "/etc/zypp/repos.d/*.repo")):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string("\n".join(lines(path)))
        except configparser.Error as error:
            raise EngineError("%s cannot be read: %s." % (path, " ".join(str(error).split()).rstrip(".")))
        found += [name for name in parser.sections() if parser.get(name, "enabled", fallback="1") != "0"]
    return found


def _refreshed(folder, alias):
    # type: (str, str) -> float | None
    try:
        return os.stat("%s%s/%s/repodata/repomd.xml" % (folder, _RAW, alias)).st_ctime
    except OSError:
        return None
