# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a manifest and the digests in them: the same bytes as the standard library's own encoding and hash."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.module_utils.backup.sets import file_metadata
from ansible_collections.egov.ops.plugins.module_utils.backup.sets.manifest_format import decoded, encoded
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

#: Text as a path has it: what is not UTF-8 stands there as a lone surrogate.
words = st.binary(max_size=30).map(lambda name: name.decode("utf-8", "surrogateescape"))
numbers = st.integers(-(2**40), 2**63)
shared = {
    "path": words,
    "mode": st.integers(0, 0o7777),
    "uid": st.integers(0, 2**32),
    "gid": st.integers(0, 2**32),
    "owner": words,
    "group": words,
    "size": st.integers(0, 2**63),
    "mtime": numbers,
    "ctime": numbers,
    "inode": st.integers(0, 2**64),
    "xattrs": st.dictionaries(words, words, max_size=2),
}
entries = st.one_of(
    st.fixed_dictionaries({**shared, "type": st.just("file"), "sha256": st.text("0123456789abcdef", min_size=64)}),
    st.fixed_dictionaries({**shared, "type": st.just("link"), "target": words}),
    st.fixed_dictionaries({**shared, "type": st.sampled_from(["dir", "file"])}, optional={"unreadable": st.just(True)}),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries)
def test_a_line_has_the_bytes_of_json_with_its_keys_in_order(entry: dict[str, Any]) -> None:
    assert encoded(entry) == json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(entries, max_size=5))
def test_lines_are_read_as_they_were_written(written: list[dict[str, Any]]) -> None:
    lines = [encoded(entry) for entry in written]
    assert list(decoded(lines)) == list(zip(lines, written, strict=True))


def test_lines_before_a_damaged_one_are_read() -> None:
    lines = [b'{"a":1}\n', b'{"a":2}\n', b'{"a":\n', b'{"a":4}\n']
    read = []
    with pytest.raises(ValueError, match="Expecting value"):
        for line, entry in decoded(lines):
            read.append((line, entry["a"]))
    assert read == [(lines[0], 1), (lines[1], 2)]


def test_the_digest_of_a_file_knows_nothing_of_the_file_before_it(tmp_path: Path) -> None:
    chunk = file_metadata.CHUNK
    host = Host({"state_dir": str(tmp_path)})
    for size in (3 * chunk + 5, 2 * chunk, chunk + 1, chunk, chunk - 1, 1, 0):
        content = os.urandom(size)
        path = tmp_path / "file"
        path.write_bytes(content)
        assert file_metadata.content(bytes(path), host)[1] == hashlib.sha256(content).hexdigest()
