# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore with restic: what comes back is what was backed up, what it replaced can be had again, once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from backup_site import Site, only
from restore_site import carry_out, request, tree


@pytest.fixture
def saved(ready: Site) -> Site:
    """Give a site that was backed up, with all that a file system can hold, and has changed since."""
    folder = ready.source / "folder"
    folder.mkdir(mode=0o2750)
    for name in (b"a\nb", b"\xff\xfe", "中 文".encode(), b"*?[x]\\", b"-rf"):
        (folder / os.fsdecode(name)).write_bytes(b"odd")
    (ready.source / "link").symlink_to("nowhere")
    os.setxattr(ready.source / "b", "user.note", b"\x00\xff")
    (ready.source / "c").chmod(0o4750)
    if os.geteuid() == 0:
        os.chown(ready.source / "a", 1234, 4321)
        os.utime(ready.source / "a", ns=(1, 987654321012345678))
    ready.back_up()
    return ready


def spoil(site: Site) -> dict[str, object]:
    """Change the source, and return what it is then."""
    (site.source / "a").write_text("spoilt")
    (site.source / "b").unlink()
    (site.source / "extra").write_text("new since")
    return tree(site.source)


def test_a_restore_in_place_brings_back_what_was_backed_up(saved: Site) -> None:
    before = tree(saved.source)
    spoil(saved)
    result = carry_out(saved, request(saved))
    assert not result.get("failed"), result
    assert tree(saved.source) == before
    record = only(result)
    assert (record["kind"], record["subject"], record["status"]) == ("restore", "pages", "ok")
    assert record["detail"]["approvers"] == ["wang@example.org"]
    assert record["detail"]["bytes_per_second"] > 0


def test_a_restore_beside_leaves_the_source_alone(saved: Site) -> None:
    before = tree(saved.source)
    now = spoil(saved)
    wanted = saved.base / "beside"
    result = carry_out(saved, request(saved, mode="beside", destination=str(wanted)))
    assert not result.get("failed"), result
    assert tree(saved.source) == now
    assert tree(Path(f"{wanted}{saved.source}")) == before
