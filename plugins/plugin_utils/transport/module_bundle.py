# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a half needs of its rooms, in the two forms in which it travels: as sources, and as Python has compiled them."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import marshal
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

PACKAGE = "ansible_collections.egov.ops.plugins.module_utils"
_ROOM = Path(__file__).resolve().parents[2] / "module_utils"

#: Host code imports absolutely and statically: modules from packages, names from modules, at any depth.
_IMPORT = re.compile(rf"^ *from {re.escape(PACKAGE)}((?:\.\w+)*) import (\([^)]*\)|[^#\n]*)", re.MULTILINE)
#: What only a type checker reads does not travel.
_TYPING_BLOCK = re.compile(r"^if TYPE_CHECKING:\n(?:[ \t].*\n|[ \t]*\n)*", re.MULTILINE)

#: A stronger compression costs the controller more than a LAN gains by it.
_LEVEL = 1


@dataclass(frozen=True)
class Sources:
    """The modules that one half needs: what a host reads them from, and the digest that stands in records."""

    envelope: Mapping[str, str]
    digest: str


@functools.cache
def sources(half: str) -> Sources:
    """Return what a half, named below PACKAGE, imports anywhere, and the frame's `host.half`; raises OSError.

    `code` serves only Pythons whose bytecode is this one's, `magic`.
    """
    texts: dict[str, str] = {}
    ahead = {"host.half", half}
    while ahead:
        name = ahead.pop()
        texts[f"{PACKAGE}.{name}"], needed = _read(name)
        ahead |= {other for other in needed if f"{PACKAGE}.{other}" not in texts}
    plain = json.dumps(texts, sort_keys=True).encode()
    # A release that packs in another way takes nothing that was packed before it.
    digest = hashlib.sha256(plain + Path(__file__).read_bytes()).hexdigest()
    # Packing costs more than all the rest, so it is kept where Python keeps what it compiles, and as that is named.
    kept = Path(cache_from_source(str(_path(half)))).with_suffix(".stream.pyc")
    envelope = _kept(kept, digest)
    if not envelope:
        compiled = _compiled(texts)
        envelope = {
            "package": PACKAGE,
            "sources": _packed(plain),
            "magic": MAGIC_NUMBER.hex() if compiled else "",
            "code": _packed(marshal.dumps(compiled)) if compiled else "",
        }
        if compiled:
            _keep(kept, digest, envelope)
    return Sources(envelope, hashlib.sha256(plain).hexdigest()[:16])


@functools.cache
def _read(name: str) -> tuple[str, set[str]]:
    """Return the text of a module and what it imports."""
    text = _path(name).read_text(encoding="utf-8")
    return text, imports(text)


def _kept(path: Path, digest: str) -> dict[str, str]:
    """Return the envelope that was made of the same sources by a Python of this bytecode, empty where there is none."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(path.read_bytes())
        envelope: dict[str, str] = found["envelope"]
        if (found["digest"], envelope["magic"]) == (digest, MAGIC_NUMBER.hex()):
            return envelope
    return {}


def _keep(path: Path, digest: str, envelope: dict[str, str]) -> None:
    with suppress(OSError):
        temporary = path.with_suffix(f".{os.getpid()}.pyc")  # renamed, since other runs may read and write it
        temporary.write_text(json.dumps({"digest": digest, "envelope": envelope}), encoding="ascii")
        temporary.replace(path)


def imports(text: str) -> set[str]:
    """Return the modules that a source needs when it runs, named below PACKAGE: `room.module`, `room.package.module`.

    A name that is imported from a package is a module of it: packages of host code hold no names of their own.
    """
    modules = set()
    for origin, imported in _IMPORT.findall(_TYPING_BLOCK.sub("", text)):
        origin = origin[1:]
        if _is_module(origin):
            modules.add(origin)
        else:
            names = re.findall(r"(?:^|,)\s*(\w+)", re.sub(r"#.*", "", imported.strip("()")))
            modules |= {f"{origin}.{name}".lstrip(".") for name in names}
    return modules


@functools.cache
def _is_module(name: str) -> bool:
    return bool(name) and _path(name).is_file()


def _path(name: str) -> Path:
    return _ROOM / f"{name.replace('.', '/')}.py"


def _compiled(names: Iterable[str]) -> dict[str, bytes]:
    """Return each module as Python keeps it compiled; none where it can keep nothing, and would compile each time."""
    found = {}
    for name in names:
        path = str(_path(name.removeprefix(f"{PACKAGE}.")))
        code = SourceFileLoader(name, path).get_code(name)
        if not Path(cache_from_source(path)).exists():
            return {}
        found[name] = marshal.dumps(code)
    return found


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, _LEVEL)).decode()
