# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One probe of the plan as its check sees it: where to look, what is allowed, and how to say what was found."""

import errno
import os
import time

from ansible_collections.egov.ops.plugins.module_utils.health import thresholds
from ansible_collections.egov.ops.plugins.module_utils.host.files import read_text
from ansible_collections.egov.ops.plugins.module_utils.host.public import program_of
from ansible_collections.egov.ops.plugins.module_utils.host.record import observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.health.types import Settings
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
    from ansible_collections.egov.ops.plugins.module_utils.host.run import Completed
    from ansible_collections.egov.ops.plugins.module_utils.host.types import Fact, Observation

#: The clause of the operations plan that asks for the data of each layer.
LAYERS = {"infrastructure": "S3.2.1-1", "platform": "S3.2.1-2", "application": "S3.2.1-3"}


class Absent(Exception):
    """What the probe looks at does not exist on this host; the message is one sentence."""


class Unusable(ValueError):
    """A parameter makes no sense; the message says so without the value of one that may hold a secret."""


class Probe:
    """A probe: name, kind, layer, limits, timeout, and the one thing (`subject`) it is about."""

    def __init__(self, name, settings, subject, host, root="/"):
        # type: (str, Settings, str, Host, str) -> None
        """Take the probe's entry of the plan; raises ValueError for a limit that is none.

        root is the folder below which the files of the host are read, for captured trees.
        """
        self.name = name
        self.subject = subject
        self.host = host
        self.kind = str(settings["kind"])
        self.layer = str(settings["layer"])
        self.warning = _limit(settings.get("warning"))
        self.critical = _limit(settings.get("critical"))
        self.severity = str(settings.get("severity") or "critical")
        self.timeout = float(settings.get("timeout") or 3)
        self.root = root.rstrip("/")
        self.deadline = 0.0  # of the monotonic clock; set when its process starts

    def path(self, path):
        # type: (str) -> str
        """Return where a file of the host is to be read."""
        return self.root + path

    def read(self, path):
        # type: (str) -> str
        """Return the text of a file; raises Absent where the host has none, and OSError."""
        try:
            return read_text(self.path(path))
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EOPNOTSUPP, errno.ENODEV):
                raise Absent("%s is not there." % path)
            raise

    def entries(self, folder):
        # type: (str) -> list[str]
        """Return the sorted names in a folder; none where there is no such folder."""
        try:
            return sorted(os.listdir(self.path(folder)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def run(self, argv):
        # type: (list[str]) -> Completed
        """Run a tool to its end; raises TimeoutError if that does not come before the probe's own, for which it is
        killed a moment earlier: nobody else would end it.
        """
        seconds = max(0.1, self.deadline - time.monotonic() - 0.2)
        done = self.host.run(argv, timeout=seconds)
        if done.timed_out:
            raise TimeoutError("%s did not end within %.1f s" % (program_of(argv), seconds))
        return done

    def finding(self, status, message, act="", subject="", reason="", **detail):
        # type: (str, str, str, str, str, Fact) -> Observation
        """Return the observation of one thing: a sentence, the next act, and further facts."""
        return observation(
            self.kind,
            _printable(subject or self.subject),
            status,
            reason,
            ("S3.1-1", "S3.1-2", LAYERS[self.layer]),
            probe=self.name,
            layer=self.layer,
            message=_printable(message),
            next=act,
            warning=self.warning.text if self.warning else "",
            critical=self.critical.text if self.critical else "",
            **detail,
        )

    def measured(self, value, unit, message, act, subject="", **detail):
        # type: (float, str, str, str, str, Fact) -> Observation
        """Return the observation of a value, judged by the probe's limits; the limit passed joins the message."""
        status = thresholds.judge(value, self.warning, self.critical)
        if status == "ok":
            return self.finding(status, message + ".", "", subject, value=round(value, 3), unit=unit, **detail)
        passed = self.critical if status == "critical" else self.warning
        message = "%s (limit %s)." % (message, passed.words(unit) if passed else "")
        return self.finding(status, message, act, subject, value=round(value, 3), unit=unit, **detail)

    def failed(self, message, act, subject="", **detail):
        # type: (str, str, str, Fact) -> Observation
        """Return the observation of something that is not as it has to be, with the probe's own severity."""
        return self.finding(self.severity, message, act, subject, **detail)

    def passed(self, message, subject="", **detail):
        # type: (str, str, Fact) -> Observation
        """Return the observation of something that is as it has to be."""
        return self.finding("ok", message, "", subject, **detail)


def _printable(text):
    # type: (str) -> str
    """Return a text that every store takes: names of files may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:1000]


def _limit(given):
    # type: (str | float | None) -> thresholds.Range | None
    return None if given in (None, "") else thresholds.parse(given)
