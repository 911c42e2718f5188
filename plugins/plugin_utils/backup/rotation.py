# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's memory of a key rotation: the new password, and which repositories have got as far as what.

Repositories of several hosts may have their password from one file, so a rotation is that of a source of passwords: the
file changes when each repository that uses it has been proved to open by the new password, and not before. The folder
of a rotation lies in the state folder until the last old key is gone.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError, StateDir, make_folder, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.plan import password

#: A host and one of its repositories, as it is remembered.
Place = tuple[str, str]


def source_of(name: str, entry: Mapping[str, Any], state: StateDir) -> Path | None:
    """Return the file that a repository has its password from, None where the plan has it by value or command."""
    if entry.get("password") or entry.get("password_command"):
        return None
    return Path(entry["password_file"] or state.path / "passwords" / name)


class Rotation:
    """The rotation of one source: a file of the controller, or what the plan says of the repositories of a name."""

    def __init__(self, name: str, entry: Mapping[str, Any], state: StateDir) -> None:
        """Take a repository of the plan; nothing is read or written yet."""
        self.source = source_of(name, entry, state)
        self.key = f"file {self.source}" if self.source else f"value {name}"
        self.folder = state.path / "rotation" / quote(self.key, safe="")
        self.file = self.folder / "next"

    @property
    def begun(self) -> bool:
        """Return whether there is a new password."""
        return self.file.exists()

    def password(self, make: bool) -> str:
        """Return the new password, made where that is wanted; "" where there is none. Raises OpsError."""
        if not self.begun and not make:
            return ""
        return password.read_or_create(self.file)

    def progress(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return by host and repository the ids of the keys, and `removed` where the old one is gone; OpsError."""
        try:
            found: dict[str, dict[str, dict[str, str]]] = json.loads((self.folder / "progress.json").read_bytes())
            every = [facts for entries in found.values() for facts in entries.values()]
            if not all(isinstance(facts, dict) and all(isinstance(v, str) for v in facts.values()) for facts in every):
                raise ValueError("it is not what a rotation writes")
            return found
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            raise OpsError(
                f"The progress of a key rotation in {self.folder} cannot be read ({error}); bring progress.json back "
                "from a backup of the controller. Without one, keep the passwords next and previous that lie there, "
                "move the folder away, and rotate again: each repository then gets another new key, and the keys "
                "that are left are removed by hand."
            ) from None

    def note(self, host: str, name: str, **facts: str) -> None:
        """Remember what a stage has done with a repository of a host; the caller holds the lock. Raises OpsError."""
        found = self.progress()
        entry = found.setdefault(host, {}).setdefault(name, {})
        entry.update(facts)
        self._write(self.folder / "progress.json", json.dumps(found, sort_keys=True).encode())

    def unsupported(self, host: str, name: str) -> str:
        """Return why a repository of a host cannot take a new key, "" where nothing is known; raises OpsError."""
        return self.progress().get(host, {}).get(name, {}).get("unsupported", "")

    def lacking(self, users: Iterable[Place]) -> list[Place]:
        """Return the users of the source whose repositories were not proved to open by the new password."""
        found = self.progress()
        return [(host, name) for host, name in users if not found.get(host, {}).get(name, {}).get("new")]

    def switch(self) -> bool:
        """Put the new password into the source's file, and tell whether it was not there yet; raises OpsError.

        The old one is kept beside the new until the rotation is over.
        """
        if self.source is None:  # a value of the plan, which people change
            return False
        new, old = password.read(self.file), password.read(self.source)
        if new == old:
            return False
        self._write(self.folder / "previous", f"{old}\n".encode())
        self._write(self.source.resolve(), f"{new}\n".encode())
        return True

    def finish(self, users: Iterable[Place]) -> bool:
        """Forget the rotation where the old key of each user is gone, and tell whether that is so; raises OpsError."""
        found = self.progress()
        if not all(found.get(host, {}).get(name, {}).get("removed") for host, name in users):
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Remove what is remembered."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, path: Path, body: bytes) -> None:
        try:
            make_folder(path.parent)
            write_whole(path, path.with_name(f".{path.name}.{secrets.token_hex(4)}"), [body])
        except OSError as error:
            raise OpsError(f"{path} cannot be written ({error.strerror}); the old key stays, mend it there.") from None
