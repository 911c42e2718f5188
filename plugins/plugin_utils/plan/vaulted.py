# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that ansible-vault has encrypted: whole files of variables, and of single values those that are used.

What a template makes of such a value bears no mark in any ansible-core, so the values themselves are collected.
Decrypting one costs some milliseconds: a value whose name no used variable mentions stays encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError

_HEAD = b"$ANSIBLE_VAULT"
_WORD = re.compile(r"\w+")
#: Words of a template that may look up a variable by a name that is only made when it runs.
DYNAMIC = frozenset(("lookup", "query", "q", "vars", "varnames", "extract"))
#: What follows a name in a file of INI or YAML.
_VALUES = re.compile(r"[=:]\s*(\S[^\n]*)")
#: What is no variable of the host itself, and may be much.
_MAGIC = frozenset(("hostvars", "vars", "groups", "ansible_facts", "ansible_delegated_vars"))
#: The first key of a file that configures an inventory plugin, and how much of a file is looked at for it.
_PLUGIN = re.compile(rb"^[\"']?plugin[\"']?[ \t]*:", re.MULTILINE)
_START = 64 * 1024
_decrypted: dict[Any, str] = {}
#: The variables by which Ansible is let in.
_CONNECTION = re.compile(r"ansible_\w*(pass|password|passphrase|secret|token)$")


def has_vault(loader: Any) -> bool:
    """Return whether this process has a vault password; without one nothing can have been decrypted."""
    return bool(getattr(getattr(loader, "_vault", None), "secrets", True))


def values_of_files(loader: Any, names: Iterable[str]) -> set[str]:
    """Return the texts in those files of variables, of all that Ansible has read, that are encrypted as a whole."""
    encrypted = (loader._FILE_CACHE[name] for name in names if _is_encrypted_file(name))
    return {str(leaf) for content in encrypted for leaf in leaves(content) if isinstance(leaf, str)}


def values_of_sources(loader: Any, sources: Iterable[Any]) -> set[str]:
    """Return the texts in those inventory files, of YAML or INI, that are encrypted as a whole."""
    found: set[str] = set()
    for source in sources:
        if isinstance(source, str) and _is_encrypted_file(source):
            text = Path(loader.get_real_file(source)).read_text(encoding="utf-8", errors="replace")
            words = [word.strip(" \"'") for value in _VALUES.findall(text) for word in (value, *value.split())]
            found |= {part for word in words for part in (word, word.partition("=")[2]) if part}
    return found


def are_computed(sources: Iterable[Any]) -> bool:
    """Return whether an inventory plugin, such as constructed, may have made variables of others, without a trace."""
    paths = [Path(source) for source in sources if isinstance(source, str) and "\n" not in source]
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.y*ml"))]
    return any(_PLUGIN.search(_start_of(file)) for file in files if file.suffix in (".yml", ".yaml"))


def values_in_use(variables: Mapping[str, Any], words: set[str]) -> set[str]:
    """Return the encrypted values among a host's variables that some words lead to, and those by which it is reached.

    Words are names of variables; a template leads on to each variable whose name stands in it.
    """
    encrypted = {name for name, value in variables.items() if any(map(_is_vaulted, leaves(value)))}
    if not encrypted:
        return set()
    seen: set[str] = set()
    words = words | {name for name in variables if _CONNECTION.match(name)}
    while words:
        waiting = (encrypted if words & DYNAMIC else words & variables.keys()) - seen
        seen |= waiting
        words = set().union(*(words_of(variables, name) for name in waiting))
    return {text for name in encrypted & seen for leaf in leaves(variables[name]) for text in _plaintext(leaf)}


def values_of_arguments(arguments: Mapping[str, Any], variables: Mapping[str, Any]) -> set[str]:
    """Return the encrypted values that a task's own arguments may have: templates in them have left no trace."""
    if not any(isinstance(leaf, str) for leaf in leaves(arguments)):
        return set()
    mine = {name: value for name, value in variables.items() if name not in _MAGIC}
    return values_in_use(mine, {*mine})


@contextmanager
def noted(loader: Any, texts: set[str]) -> Iterator[None]:
    """Add to texts whatever is decrypted inside: a lookup reads an encrypted file, and leaves no other trace of it."""
    vault: Any = getattr(loader, "_vault", None)
    decrypt = getattr(vault, "decrypt", None)
    if decrypt is None:
        yield
        return

    def note(*arguments: Any, **options: Any) -> Any:
        plain = decrypt(*arguments, **options)
        texts.add(plain.decode("utf-8", "surrogateescape") if isinstance(plain, bytes) else str(plain))
        return plain

    vault.decrypt = note
    try:
        yield
    finally:
        del vault.decrypt


def words_of(variables: Mapping[str, Any], prefix: str) -> set[str]:
    """Return the names of the variables that begin so, and all words in their templates."""
    names = [name for name in variables if name.startswith(prefix)]
    texts = [leaf for name in names for leaf in leaves(variables[name]) if isinstance(leaf, str) and "{" in leaf]
    return {*names, *(word for text in texts if not _is_vaulted(text) for word in _WORD.findall(text))}


def connection_secrets(variables: Mapping[str, Any]) -> set[str]:
    """Return the values of the variables by which Ansible is let in, as far as they stand there unencrypted."""
    values = (value for name, value in variables.items() if isinstance(name, str) and _CONNECTION.match(name))
    return {str(value) for value in values if isinstance(value, str) and "{" not in value}


def leaves(value: Any) -> Iterator[Any]:
    """Yield the values that are no dictionaries and no lists."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def _is_vaulted(value: Any) -> bool:
    """Return whether a value is encrypted, or was and is marked so; this decrypts nothing."""
    kind = type(value)
    if kind in (str, int, bool, float, type(None)):
        return False
    if hasattr(kind, "_ciphertext") or "_ciphertext" in getattr(value, "__dict__", ()):
        return True
    return any(tag.__name__ == "VaultedValue" for tag in getattr(value, "_ansible_tags_mapping", ()))


def _plaintext(value: Any) -> Iterator[str]:
    """Yield the text of an encrypted value, decrypted once in a process: hosts share what a group has."""
    if not _is_vaulted(value):
        return
    ciphertext = getattr(value, "_ciphertext", None)
    if ciphertext is None or ciphertext not in _decrypted:
        with suppress(AnsibleError):  # the task that needs it says so
            _decrypted[ciphertext] = str(value)
            yield _decrypted[ciphertext]
    else:
        yield _decrypted[ciphertext]


def _is_encrypted_file(name: str) -> bool:
    return _start_of(Path(name), len(_HEAD)) == _HEAD


def _start_of(path: Path, size: int = _START) -> bytes:
    """Return the first bytes of a file, none of one that cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""
