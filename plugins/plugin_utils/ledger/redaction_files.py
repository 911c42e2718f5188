# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the state folder out of which a redaction takes a value: exports, reports, witnesses, and all others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.egov.ops.plugins.plugin_utils.common import StateDir, file_digest, sync_folder, write_whole
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.chain import canonical, digest
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.eraser import SHORT, Eraser
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.errors import LedgerError
from ansible_collections.egov.ops.plugins.plugin_utils.ledger.model import Stored

#: The ending of an export that waits to take the place of the one beside it.
_READY = ".redacted"


@dataclass(frozen=True)
class Export:
    """A segment that a purge has exported: its file and its first line."""

    path: Path
    header: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the file's name, as the checkpoint has it."""
        return self.path.name

    def rows(self) -> Iterator[Stored]:
        """Yield its records; raises LedgerError for a file that cannot be read as an export."""
        try:
            with self.path.open(encoding="utf-8") as stream:
                next(stream, "")
                for line in stream:
                    yield Stored(**json.loads(line))
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(self.path, error) from None


def exports(state: StateDir) -> list[Export]:
    """Return the exports of the state folder in the order of the chain; raises LedgerError."""
    found = [_export(path) for path in state.exports.glob("ledger-*.jsonl")]
    return sorted(found, key=lambda export: int(export.header["first"]))


def write_exports(state: StateDir, eraser: Eraser) -> list[Export]:
    """Write what becomes of each export that changes beside it, and note its digest; return those that change."""
    changed = []
    for export in exports(state):
        old_previous = export.header["previous"]
        previous = eraser.names.get(old_previous, old_previous)
        lines, is_changed = [], previous != old_previous
        for stored in export.rows():
            row = eraser.row(stored, previous, old_previous)
            is_changed = is_changed or row is not stored
            lines.append(canonical(asdict(row)))
            previous, old_previous = row.hash, stored.hash
        if is_changed:
            header = json.loads(eraser.mapped(canonical(export.header)))
            ready = export.path.with_name(export.name + _READY)
            content = "".join(line + "\n" for line in [canonical(header), *lines]).encode("utf-8")
            write_whole(ready, ready.with_suffix(".new"), [content])
            eraser.names[file_digest(export.path)] = digest(content)
            changed.append(export)
    return changed


def forget_exports(state: StateDir) -> None:
    """Remove what a call has written that was killed before the ledger was changed."""
    for path in (*state.exports.glob(f"*{_READY}"), *state.exports.glob("*.new")):
        path.unlink(missing_ok=True)


def put_exports(state: StateDir) -> None:
    """Put the exports that wait into the places of the old ones."""
    for ready in sorted(state.exports.glob(f"*{_READY}")):
        ready.rename(ready.with_name(ready.name.removesuffix(_READY)))
    sync_folder(state.exports)


def note_digests(state: StateDir, eraser: Eraser) -> None:
    """Note what becomes of the digests of files that were set aside: they stand in records and in their names."""
    for path in _files(state.rejected):
        content = path.read_bytes()
        new = _scrubbed(content, eraser)
        if new != content:
            old_digest, new_digest = digest(content), digest(new)
            eraser.names |= {old_digest: new_digest, old_digest[:SHORT]: new_digest[:SHORT]}


def texts(state: StateDir) -> list[Path]:
    """Return the files in which evidence stands as text, besides exports, spools and the witness file."""
    folders = (state.reports, state.rollups, state.requests, state.rejected, state.untold, state.crashes)
    return [path for folder in folders for path in _files(folder)]


def holds(path: Path, eraser: Eraser) -> bool:
    """Tell whether the value stands in a file; one that was removed meanwhile holds nothing."""
    try:
        return eraser.holds(_text(path.read_bytes()))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise LedgerError(f"{path} cannot be read ({error.strerror}); mend its permissions.") from None


def erase_texts(state: StateDir, eraser: Eraser) -> None:
    """Take the value, and what was made over it, out of each text file; what is derived or a copy is removed.

    Roll-ups are made again from the ledger when they are wanted. A copy of the ledger, which an update of its schema
    has left, cannot be redacted.
    """
    for path in (*_files(state.rollups), *state.path.glob(f"{state.ledger.name}.schema*")):
        path.unlink(missing_ok=True)
    for path in texts(state):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # what a killed writer left was replaced by now
            continue
        new = _scrubbed(content, eraser)
        if path.parent != state.rejected:
            new = _bytes(eraser.mapped(_text(new)))
        place = path.with_name(eraser.mapped(eraser.text(path.name)))
        if new != content:
            write_whole(place, place.with_name(f"{place.name}.new"), [new])
        if place != path:
            if new == content:
                path.rename(place)
            path.unlink(missing_ok=True)


def erase_witnesses(path: Path, eraser: Eraser) -> None:
    """Take out of the witness file the heads over the value: from them a weak one could be guessed."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return
    kept = [line for line in lines if eraser.text(_text(line)) == _text(line)]
    if kept != lines:
        write_whole(path, path.with_suffix(".new"), kept)


def _export(path: Path) -> Export:
    try:
        with path.open(encoding="utf-8") as stream:
            header = json.loads(next(stream, ""))
        return Export(path, {**header, "first": int(header["first"]), "previous": str(header["previous"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> LedgerError:
    return LedgerError(f"The export {path} cannot be read ({error}); bring it back or move it away.")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())


def _scrubbed(content: bytes, eraser: Eraser) -> bytes:
    return _bytes(eraser.scrubbed(_text(content)))


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
