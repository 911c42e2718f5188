# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which machine this is: keyed hashes that say nothing else of it, and when two of them are one machine's.

A mark is the first half of HMAC-SHA256 in hexadecimal digits. `machine` is made of /etc/machine-id, which is
confidential (machine-id(5)). `hardware` is made of the product's UUID, which tells a clone from its origin; only root
can read it, and of a container it would be its host's. `ssh` is made of a host key: it tells containers of one image
from each other. None changes by a reboot, or when packages are installed again. Addresses and names are in none.
"""

import os

try:  # as the standard library's random does: hashlib loads OpenSSL, which costs each visit 4 ms
    from _sha2 import sha256
except ImportError:
    try:
        from _sha256 import sha256
    except ImportError:
        from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: The application of machine-id(5): whoever has a mark cannot tell the id, or the mark of another application.
_KEY = b"egov.ops machine identity 1"

#: The marks, from the one that each machine has.
MACHINE, HARDWARE, SSH = MARKS = ("machine", "hardware", "ssh")
#: Digits of a mark, and those that name a machine among people.
DIGITS, SHORT = 32, 8

_HOST_KEYS = ("ed25519", "ecdsa", "rsa")
_OF_CONTAINERS = ("/run/.containerenv", "/.dockerenv", "/run/systemd/container")
#: Bytes of a file that are read.
_LIMIT = 16384


def marks(alias="", root="/"):
    # type: (str, str) -> dict[str, str]
    """Return the marks of this machine by name, those alone that can be read; without `machine` it has no identity.

    alias tells simulated hosts of one machine apart. root is where the files are read.
    """
    texts = {MACHINE: _machine_id(root), HARDWARE: _hardware(root), SSH: _host_key(root)}
    return {name: _hashed(name, text, alias) for name, text in texts.items() if text}


def are_same(one, other):
    # type: (Mapping[str, str], Mapping[str, str]) -> bool
    """Tell whether two sets of marks are those of one machine.

    The hardware decides where both have been read by root; the SSH key, which people replace, only where it was not.
    """
    if not one.get(MACHINE) or one[MACHINE] != other.get(MACHINE):
        return False
    for name in (HARDWARE, SSH):
        if one.get(name) and other.get(name):
            return one[name] == other[name]
    return True


def short(found):
    # type: (Mapping[str, str]) -> str
    """Return the digits that name some marks among people, "none" where a machine has no identity."""
    if not found.get(MACHINE):
        return "none"
    text = " ".join(found.get(name, "") for name in MARKS)
    return str(sha256(text.encode("ascii")).hexdigest()[:SHORT])


def _hashed(name, text, alias):
    # type: (str, str, str) -> str
    return _hmac(_KEY, "\n".join((name, text, alias)).encode("utf-8", "surrogateescape"))[:DIGITS]


def _hmac(key, data):
    # type: (bytes, bytes) -> str
    """Return HMAC-SHA256 in hexadecimal digits, for a key of at most 64 bytes."""
    block = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return str(sha256(outer + sha256(inner + data).digest()).hexdigest())


def _machine_id(root):
    # type: (str) -> str
    """Return the machine's id, "" where there is none yet: an image's may be empty or `uninitialized`."""
    text = _read(root, "etc/machine-id").lower()
    return text if len(text) == 32 and text.strip("0123456789abcdef") == "" and text.strip("0") else ""


def _hardware(root):
    # type: (str) -> str
    if any(os.path.exists(os.path.join(root, path.lstrip("/"))) for path in _OF_CONTAINERS):
        return ""
    return _read(root, "sys/class/dmi/id/product_uuid").lower()


def _host_key(root):
    # type: (str) -> str
    for kind in _HOST_KEYS:
        words = _read(root, "etc/ssh/ssh_host_%s_key.pub" % kind).split()
        if len(words) > 1:
            return words[1]
    return ""


def _read(root, path):
    # type: (str, str) -> str
    try:
        descriptor = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _LIMIT).decode("utf-8", "surrogateescape").strip()
    except OSError:
        return ""
    finally:
        os.close(descriptor)
