# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""updateinfo.xml: what the vendors of rpm platforms publish about their updates."""

import calendar
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from _typeshed import SupportsRead

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d))?)?")


class Notice:
    """One notice: id, type (security, bugfix, ...), severity, CVEs, date, packages (name, evr, arch), reboot wanted."""

    def __init__(self, identity, kind, severity, cves, issued, packages, reboot):
        # type: (str, str, str, list[str], float, list[tuple[str, str, str]], bool) -> None
        self.id = identity
        self.type = kind
        self.severity = severity
        self.cves = cves
        self.issued = issued
        self.packages = packages
        self.reboot = reboot


def read(path):
    # type: (str) -> list[Notice]
    """Return the notices of a file, compressed or not; raises OSError and ValueError."""
    if path.endswith(".zst"):
        raise ValueError("%s is compressed with zstd, which this Python cannot read" % path)
    if path.endswith(".gz"):
        import gzip as opener
    elif path.endswith(".xz"):
        import lzma as opener  # type: ignore[no-redef]
    elif path.endswith(".bz2"):
        import bz2 as opener  # type: ignore[no-redef]
    else:
        import io as opener  # type: ignore[no-redef]
    with opener.open(path, "rb") as stream:
        return parse(stream)


def parse(stream):
    # type: (SupportsRead[bytes]) -> list[Notice]
    """Return the notices in an open file; raises ValueError."""
    from xml.etree import ElementTree

    found = []
    try:
        for _event, element in ElementTree.iterparse(stream):
            if element.tag == "update":
                found.append(_notice(element))
                element.clear()
    except ElementTree.ParseError as error:
        raise ValueError("it is no XML: %s" % error)
    return found


def _notice(element):
    # type: (Element) -> Notice
    packages = []
    reboot = element.find("reboot_suggested") is not None
    for package in element.iter("package"):
        epoch, version, release = (package.get(key) or "" for key in ("epoch", "version", "release"))
        prefix = "" if epoch in ("", "0") else epoch + ":"
        packages.append((package.get("name") or "", "%s%s-%s" % (prefix, version, release), package.get("arch") or ""))
        reboot = reboot or package.find("reboot_suggested") is not None
    words = " ".join(
        "%s %s" % (reference.get("id") or "", reference.get("title") or "")
        for reference in element.iter("reference")
        if (reference.get("type") or "cve") == "cve"
    )
    issued = element.find("updated")
    issued = element.find("issued") if issued is None else issued
    return Notice(
        (element.findtext("id") or "").strip(),
        element.get("type") or "",
        (element.findtext("severity") or "").strip(),
        sorted(set(re.findall(r"CVE-\d{4}-\d+", words))),
        0.0 if issued is None else _date(issued.get("date") or ""),
        packages,
        reboot,
    )


def _date(text):
    # type: (str) -> float
    """Return seconds since 1970 for a date as the vendors write it, 0 for none that is known."""
    if text.isdigit():
        return float(text)
    found = _DATE.match(text)
    return float(calendar.timegm(tuple(int(piece or 0) for piece in found.groups()) + (0, 0, 0))) if found else 0.0
