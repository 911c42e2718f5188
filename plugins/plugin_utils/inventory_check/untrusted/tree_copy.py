# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A copy of what a change has: files alone, looked at before anything loads them, and what may not be there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible.constants import YAML_FILENAME_EXTENSIONS
from ansible.inventory.manager import IGNORED
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import (
    ENCRYPTED,
    Fault,
    shown_path,
)
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.limits import Limits, Refusal, refused
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.scan import look_at_ini, look_at_yaml

_VARIABLES = ("group_vars", "host_vars")
_YAML = tuple(YAML_FILENAME_EXTENSIONS)
_NO_FILE = "is no file, but a pipe, socket or device; remove it."


class Exhausted(Exception):
    """A limit of the whole change is reached; the text is a sentence without the name of the inventory."""


class Copy:
    """Files of a tree, copied to the same paths below another root; what is refused stands in `faults`."""

    def __init__(self, top: Path, root: Path, limits: Limits, note: Callable[[str], None]) -> None:
        """Take the top of the tree, which no link may lead out of, and what is told each file before it is read."""
        self.faults: list[Fault] = []
        self._top, self._root, self._limits, self._note = top.resolve(), root, limits, note
        self._entries = self._links = self._bytes = 0

    def mirrored(self, path: Path) -> Path:
        """Return where the copy of a path lies."""
        return self._root / path.relative_to(path.anchor)

    def take_inventory(self, path: Path) -> None:
        """Copy all that Ansible would read of an inventory; what is refused is left out."""
        try:
            if path.is_dir():
                self._folder(path, (path.resolve(),), self._source, IGNORED.search)
            else:
                self._guarded(path, self._source)
            base = path if path.is_dir() else path.parent
            for name in _VARIABLES:
                if os.path.lexists(base / name):
                    self._variables(base / name, ())
        except Exhausted as error:
            self._refuse(path, Refusal(str(error)))

    def take_file(self, path: Path) -> None:
        """Copy one file of YAML, if it is there."""
        if not os.path.lexists(path):
            return
        try:
            self._guarded(path, self._plain)
        except Exhausted as error:
            self._refuse(path, Refusal(str(error)))

    def _folder(
        self,
        folder: Path,
        above: tuple[Path, ...],
        take: Callable[[Path], None],
        is_ignored: Callable[[bytes], object],
    ) -> None:
        """Copy a folder; above are the real paths of the folders that hold it, and its own."""
        if len(above) > self._limits.depth:
            raise Exhausted(f"has more than {self._limits.depth} levels of folders; make it flatter.")
        self.mirrored(folder).mkdir(parents=True, exist_ok=True)
        for path in self._listed(folder):
            if is_ignored(os.fsencode(path.name)):
                continue
            if not path.name.isprintable():
                self._refuse(folder, Refusal(f"has a name with control characters, {path.name!a}; rename it."))
                continue
            try:
                real = self._resolved(path)
            except Refusal as refusal:
                self._refuse(path, refusal)
                continue
            if not real.is_dir():
                self._guarded(path, take)
            elif real in above:
                self._refuse(path, Refusal("is a link to a folder that holds it; remove it."))
            else:
                self._folder(path, (*above, real), take, is_ignored)

    def _variables(self, path: Path, above: tuple[Path, ...]) -> None:
        try:
            real = self._resolved(path)
        except Refusal as refusal:
            self._refuse(path, refusal)
            return
        if real.is_dir():
            self._folder(path, (*above, real), self._variable_file, lambda name: name[:1] == b"." or name[-1:] == b"~")

    def _listed(self, folder: Path) -> Iterator[Path]:
        names = []
        with os.scandir(folder) as entries:
            for entry in entries:
                self._entries += 1
                if self._entries > self._limits.entries:
                    raise Exhausted(f"has more than {self._limits.entries} files and folders; move others out of it.")
                names.append(entry.name)
        return (folder / name for name in sorted(names))

    def _resolved(self, path: Path) -> Path:
        """Return where a path leads to; raises Refusal where that is outside of the tree."""
        self._links += path.is_symlink()
        if self._links > self._limits.links:
            raise Exhausted(f"has more than {self._limits.links} links, counted on each way to them; write files.")
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            raise Refusal("is a link that leads nowhere; remove it.") from None
        if not real.is_relative_to(self._top) or real.is_relative_to(self._top / ".git"):
            raise Refusal(f"leads out of {shown_path(self.mirrored(self._top))} by a link; write a file there.")
        return real

    def _guarded(self, path: Path, take: Callable[[Path], None]) -> None:
        """Copy a file by its type. A file that must not be copied becomes a fault of its own, and the copy goes on."""
        try:
            take(path)
        except Refusal as refusal:
            self._refuse(path, refusal)
        except OSError as error:
            self._refuse(path, Refusal(f"cannot be read ({error.strerror}); make it readable."))

    def _source(self, path: Path) -> None:
        """Copy a file that Ansible takes for an inventory."""
        content = self._read(path)
        if path.resolve().stat().st_mode & 0o111 or content.startswith(b"#!"):
            raise Refusal("is a script or executable, and none is run for an untrusted change; write YAML or INI.")
        if path.suffix == ".toml":
            raise Refusal("is TOML; an untrusted change is judged by its YAML and INI files alone.")
        is_yaml = path.suffix in ("", *_YAML) and look_at_yaml(content, self._limits, True)
        if not is_yaml and path.suffix not in _YAML:
            look_at_ini(content, self._limits)
        self._write(path, content)

    def _variable_file(self, path: Path) -> None:
        """Copy a file of variables; Ansible reads no other than these."""
        if path.suffix in ("", *_YAML):
            self._plain(path)

    def _plain(self, path: Path) -> None:
        content = self._read(path)
        if not content.startswith(ENCRYPTED):
            look_at_yaml(content, self._limits, False)
        self._write(path, content)

    def _read(self, path: Path) -> bytes:
        """Return a file's content; raises Refusal for what is no file, leads out of the tree, or is too large."""
        self._note(shown_path(self.mirrored(path)))
        limit = self._limits.file_bytes
        real = self._resolved(path)
        if not stat.S_ISREG(real.stat().st_mode):  # opening a device may do something
            raise Refusal(_NO_FILE)
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refusal(_NO_FILE)
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise Refusal(f"is larger than {limit // 1024} KiB; make it smaller.")
        self._bytes += len(content)
        if self._bytes > self._limits.total_bytes:
            raise Exhausted(f"is larger than {self._limits.total_bytes // 1024**2} MiB; make it smaller.")
        return content

    def _write(self, path: Path, content: bytes) -> None:
        copy = self.mirrored(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)

    def _refuse(self, path: Path, refusal: Refusal) -> None:
        self.faults.append(refused(shown_path(self.mirrored(path)), refusal))
