# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a host could not be reached, by what ssh or Ansible said: each class has words and a next act of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.ledger import Record

#: By class what is looked for, the first that is found counts: OpenSSH's own words (its ssh.c, sshconnect.c and
#: readconf.c), those of getaddrinfo(3) and connect(2), and Ansible's of become and interpreters.
_CLASSES = (
    ("name", r"could not resolve hostname|name or service not known|temporary failure in name resolution"),
    ("host_key_changed", r"remote host identification has changed|host key for \S+ has changed"),
    ("host_key", r"host key verification failed|no \S+ host key is known"),
    ("login", r"permission denied|too many authentication failures|invalid/incorrect password"),
    ("sudo", r"(?:missing|incorrect) sudo password|sudo: a (?:password|terminal) is required|privilege escalation"),
    ("python", r"no python interpreters? found|python\S*: (?:not found|no such file)"),
    ("port", r"connection refused"),
    ("route", r"no route to host|network is unreachable|(?:connection|operation) timed out|timed out"),
    ("closed", r"connection (?:closed|reset)|kex_exchange_identification|broken pipe"),
)
_WORDS = tuple((name, re.compile(words, re.IGNORECASE)) for name, words in _CLASSES)

NAMES = tuple(name for name, _words in _CLASSES)


def class_of(record: Record) -> str:
    """Return the class of a record of a host that was not reached, "" where its message has none of the words."""
    message = str(record["detail"].get("message") or "")
    return next((name for name, words in _WORDS if words.search(message)), "")
