# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare a restored file, folder or link with its entry in the manifest."""

import os
import stat

from ansible_collections.egov.ops.plugins.module_utils.backup.sets.file_metadata import content, kind_of, xattrs
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.paths import to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.backup.types import Entry
    from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

#: The only extended attributes that an ordinary user can set.
USER = "user."

SET_ID = stat.S_ISUID | stat.S_ISGID


def compare(entry, path, root, host, info=None):
    # type: (Entry, bytes, bool, Host, os.stat_result | None) -> tuple[list[str], list[str]]
    """Return what differs between an entry and the restored path, and what could not be compared.

    `info` is what is known of the path by lstat, None where it has not been asked for.
    An ordinary user (`root` false) cannot set an owner, the system's extended attributes, or keep set-id bits: they are
    not compared.
    Raises HalfError at the deadline.
    """
    digest, found = "", None  # type: tuple[str, dict[str, str] | None]
    try:
        if info is None and root and entry["type"] == "file":
            try:
                info, digest, found = content(path, host)
                if _is_as_recorded(entry, info, digest, found):  # nearly all are, and are not asked one by one
                    return [], []
            except OSError:
                pass  # lstat tells what is there instead
        info = info or os.lstat(path)
    except OSError:
        return ["missing"], []
    if kind_of(info.st_mode) != entry["type"]:
        return ["type"], []
    differs, skipped = [], []  # type: tuple[list[str], list[str]]
    if info.st_mtime_ns != entry["mtime"]:
        differs.append("mtime")
    if not root:
        skipped.append("owner")
    elif (info.st_uid, info.st_gid) != (entry["uid"], entry["gid"]):
        differs.append("owner")
    if found is None and entry["type"] == "file":
        digest, found = _content(path, stat.S_IMODE(info.st_mode), root, host)
    elif found is None:
        found = xattrs(path)
    wanted = entry["xattrs"]
    if not root:
        if any(not name.startswith(USER) for name in wanted):
            skipped.append("system xattrs")
        wanted = {name: value for name, value in wanted.items() if name.startswith(USER)}
        found = {name: value for name, value in found.items() if name.startswith(USER)}
    if wanted != found:
        differs.append("xattrs")
    if entry["type"] == "link":
        if to_text(os.readlink(path)) != entry["target"]:
            differs.append("target")
        return differs, skipped
    mode, wanted_mode = stat.S_IMODE(info.st_mode), entry["mode"]
    if not root and wanted_mode & SET_ID:
        # an engine may set the owner after the mode, and the kernel then takes these bits off but for root
        skipped.append("set-id bits")
        mode, wanted_mode = mode & ~SET_ID, wanted_mode & ~SET_ID
    if mode != wanted_mode:
        differs.append("mode")
    if entry["type"] == "dir":
        return differs, skipped
    if info.st_size != entry["size"]:
        differs.append("size")
    if digest != entry["sha256"]:
        differs.append("content")
    return differs, skipped


def _is_as_recorded(entry, info, digest, attributes):
    # type: (Entry, os.stat_result, str, dict[str, str]) -> bool
    return bool(
        digest == entry["sha256"]
        and info.st_size == entry["size"]
        and info.st_mtime_ns == entry["mtime"]
        and info.st_mode & 0o7777 == entry["mode"]
        and info.st_uid == entry["uid"]
        and info.st_gid == entry["gid"]
        and attributes == entry["xattrs"]
    )


def _content(path, mode, root, host):
    # type: (bytes, int, bool, Host) -> tuple[str, dict[str, str]]
    unreadable = not root and not mode & stat.S_IRUSR  # restored as it was, which its own owner may not read
    try:
        if unreadable:
            os.chmod(path, 0o600)
        return content(path, host)[1:]
    except OSError:
        return "", xattrs(path)
    finally:
        if unreadable:
            os.chmod(path, mode)  # another name of the same file is compared too
