# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller remembers of a host's snapshots, and what becomes of a memory that is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.backup import pruning
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.common.state_dir import StateDir


@pytest.mark.parametrize("content", [b"\xff", b"[]", b"5", b'{"a":1}', b'{"a":[1,2,3]}', b"[" * 100_000, b"", b'{"a":'])
def test_a_damaged_memory_of_snapshots_is_set_aside_and_said_once(tmp_path: Path, content: bytes) -> None:
    state = StateDir(tmp_path / "state")
    state.prepare()
    pruning.remember(state, "web1", {"0123": ["2026-01-02T03:04:05Z", True]})
    assert pruning.remembered(state, "web1") == {"0123": ("2026-01-02T03:04:05Z", True)}
    (path,) = (state.path / "seen").iterdir()
    path.write_bytes(content)
    with pytest.raises(OpsError, match="damaged and was set aside as") as caught:
        pruning.remembered(state, "web1")
    (aside,) = state.rejected.iterdir()
    assert str(aside) in str(caught.value)
    assert aside.read_bytes() == content
    assert pruning.remembered(state, "web1") == {}
