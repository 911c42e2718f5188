# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set that is read from a snapshot of its file system: its freeze lasts no longer than the snapshot takes.

The snapshot is seen under the set's own paths, in a mount namespace that only this process and what it starts are in:
manifest, engine, proof and restore know of none.
"""

import contextlib
import os
import time

from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots import cleanup
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.mount_namespace import (
    Namespace,
    bind,
    unmount,
)
from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import read_live
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import hooks
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import Named, shown
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.set_state import WAIT_SECONDS
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Live
from ansible_collections.egov.ops.plugins.module_utils.host.half import HalfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible_collections.egov.ops.plugins.module_utils.backup.fs_snapshots.registry import Volume
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.result import Outcome
    from ansible_collections.egov.ops.plugins.module_utils.backup.sets.source import Source
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import BackupSet, Facts
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: Seconds that removing a snapshot has, and the share of the time left that is kept for it where there is little.
REMOVE_SECONDS = 60.0
_SHARE = 0.25

#: What a record tells of the volumes is bounded.
_NAMED = 20


def around(backup_set, volumes, source, name, host, work):
    # type: (BackupSet, list[Volume], Source, str, Host, Callable[[Live], Outcome]) -> Outcome
    """Freeze a set by its hooks, take the snapshots, let go, and do the work on them; they are removed in any case.

    name is the set's of this inventory host. Raises HalfError.
    """
    lock = cleanup.lock(name, host, WAIT_SECONDS)
    if lock < 0:
        raise cleanup.refusal(name, host)
    failed = None
    try:
        cleanup.clear(name, host, (lock,))
        frozen = _Frozen(backup_set, volumes, source, name, host, lock)
        try:
            with host.within(host.remaining() - min(REMOVE_SECONDS, _SHARE * host.remaining())):
                made = frozen.read(work)
        except HalfError as error:
            failed = error
        finally:
            with host.at_least(REMOVE_SECONDS):
                left = frozen.remove()
                frozen.space.close()
    finally:
        os.close(lock)
    if failed:
        raise HalfError(("%s %s" % (failed, left)).strip(), failed.reason)
    if left:
        _warn(made, left)
    return made


def _warn(made, sentence):
    # type: (Outcome, str) -> None
    """Let an outcome that is good tell of something that is not."""
    made.message += " " + sentence
    if made.status == "ok":
        made.status, made.reason = "warning", "error"
        made.detail["next"] = "See why the snapshot could not be removed, and run the backup again."


class _Frozen(Live):
    """How a set is read from the snapshots of its volumes."""

    def __init__(self, backup_set, volumes, source, name, host, lock):
        # type: (BackupSet, list[Volume], Source, str, Host, int) -> None
        """As `around`, and the open lock of the set's snapshots; raises HalfError."""
        self.keep = (lock,)
        self.space = Namespace()
        self._set = backup_set
        self._volumes = volumes
        self._source = source
        self._name = name
        self._host = host

    def read(self, work):
        # type: (Callable[[Live], Outcome]) -> Outcome
        """Take the snapshots and do the work on them; raises HalfError."""
        with self.space.inside():
            cleanup.open_all(self._volumes, self._host)
        cleanup.note(self._name, self._volumes, self._host)
        with self.space.inside():
            for volume in self._volumes:
                volume.prepare()
        began = time.monotonic()
        if self._set.get("pre") or self._set.get("post"):
            hooks.around(self._set, self._host, self._take)
        else:
            self._take()
        seconds = time.monotonic() - began
        live = read_live(self._source)
        for volume in self._volumes:
            volume.refuse(self._source, live)  # a subvolume that was made since the first look
        with self.space.inside():
            try:
                for volume in self._volumes:
                    volume.attach()
                with self._in_place(live):
                    made = work(self)
            except HalfError:
                self.refuse_spoiled()  # which explains whatever went wrong in it
                raise
        self._tell(made, seconds, live)
        return made

    def refuse_spoiled(self):
        # type: () -> None
        for volume in self._volumes:
            why = volume.spoiled()
            if why:
                raise HalfError(why)

    def remove(self):
        # type: () -> str
        """Remove the snapshots; return why one could not be removed, "" for done."""
        with self.space.inside():
            left = [why for why in map(self._left, self._volumes) if why]
        if not left:
            cleanup.forget(self._name, self._host)
        return " ".join(left)

    def _left(self, volume):
        # type: (Volume) -> str
        try:
            volume.remove(self.keep)
        except (HalfError, OSError) as error:
            return "A snapshot of the file system stays: %s" % error
        return ""

    def _take(self):
        # type: () -> None
        self.started = time.time()
        with self.space.inside():
            for volume in self._volumes:
                volume.take(self.keep, float(self._set.get("hook_timeout") or hooks.SECONDS))

    @contextlib.contextmanager
    def _in_place(self, live):
        # type: (list[bytes]) -> Iterator[None]
        """Let each root be seen as it is in its snapshot, with what is mounted within it as it is mounted."""
        pairs = [(volume.seen(root), root) for volume in self._volumes for root in sorted(volume.roots)]
        bound = []  # type: list[bytes]
        try:
            _bind(pairs + [(point, point) for point in live], bound)
            yield
        finally:
            for place in reversed(bound):
                unmount(place, busy=True)

    def _tell(self, made, seconds, live):
        # type: (Outcome, float, list[bytes]) -> None
        """Let an outcome tell of what was read, and how many seconds the freeze lasted."""
        told = {
            "kinds": sorted({volume.KIND for volume in self._volumes}),
            "of": [name for volume in self._volumes for name in volume.of()][:_NAMED],
            "freeze_seconds": round(seconds, 3),
        }  # type: Facts
        for volume in self._volumes:
            told.update(volume.room())
        if live:
            told["read_live"] = Named(live).detail()
            words = ", ".join(Named(live).first[:3])
            made.message = "%s; mounted within the set and read live: %s." % (made.message.rstrip("."), words)
        made.detail["file_system_snapshot"] = told


def _bind(pairs, bound):
    # type: (list[tuple[bytes, bytes]], list[bytes]) -> None
    """Let each path be seen at the place beside it, and add the place to `bound`; raises HalfError.

    All are opened first: what one covers may be what another shows.
    """
    opened = []  # type: list[tuple[int, bytes]]
    try:
        for path, place in pairs:
            opened.append((os.open(path, os.O_PATH | os.O_NOFOLLOW), place))
        for descriptor, place in opened:
            bind(descriptor, place)
            bound.append(place)
    except OSError as error:
        raise HalfError("The snapshot of %s cannot be seen in its place: %s." % (shown(place), error.strerror))
    finally:
        for descriptor, _place in opened:
            os.close(descriptor)
