# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's table of mounts, as each domain reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import environment
import pytest
from ansible_collections.egov.ops.plugins.module_utils.host import blocks

LINE = "36 35 98:0 / {} rw,noatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"


@pytest.mark.parametrize(
    ("written", "point"),
    [
        ("/srv/data", "/srv/data"),
        ("/srv/with\\040blank", "/srv/with blank"),
        ("/srv/全角\u3000空格", "/srv/全角\u3000空格"),
        ("/srv/next\u2028line", "/srv/next\u2028line"),
        ("/srv/tab\\011and\\134", "/srv/tab\tand\\"),
    ],
)
def test_a_mount_point_is_read_whatever_its_name_holds(written: str, point: str) -> None:
    found = blocks.visible(LINE.format("/") + LINE.format(written))
    assert set(found) == {"/", point}
    assert (found[point].type, found[point].source, found[point].device) == ("ext4", "/dev/vda1", "98:0")
    assert found[point].writable
    assert found[point].super_writable


def test_of_two_mounts_on_one_point_the_later_is_seen() -> None:
    hidden = LINE.format("/srv").replace("ext4", "xfs").replace("rw,errors", "ro,errors")
    found = blocks.visible(hidden + LINE.format("/srv"))
    assert [mount.type for mount in found.values()] == ["ext4"]
    assert blocks.visible(hidden)["/srv"].super_writable is False


def test_the_options_of_a_mount_are_those_of_the_mount_in_the_tables_order() -> None:
    over = LINE.format("/srv").replace("rw,noatime", "ro,nosuid,noexec")
    found = blocks.mounts(LINE.format("/srv") + over)
    assert [mount.options for mount in found] == [["rw", "noatime"], ["ro", "nosuid", "noexec"]]


def docstrings(tree: ast.AST) -> set[int]:
    """Return the identities of the constants that are docstrings."""
    bodies = (node.body for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    return {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}


def test_the_table_of_mounts_is_named_and_parsed_in_one_place() -> None:
    plugins, found = Path(environment.ROOT / "plugins"), set()
    for path in plugins.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in texts and isinstance(node.value, (str, bytes)):
                text = node.value if isinstance(node.value, str) else node.value.decode(errors="replace")
                if "mountinfo" in text or text.endswith(("proc/mounts", "self/mounts", "etc/mtab")) or text == " - ":
                    found.add(str(path.relative_to(plugins)))
    assert found == {"module_utils/host/blocks.py"}
