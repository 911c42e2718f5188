# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything at once, through the real stream: a hung mount, dead names, a silent port and a page that drips."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.transport import stream

from tests.support import servers
from tests.support.hung_mount import HungMount

DEFAULTS = Path(__file__).parents[3] / "plugins" / "plugin_utils" / "plan" / "probes.yml"


def _stream(probes: dict[str, Any], python: str = "", prelude: str = "") -> dict[str, Any]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    data, nonce = stream.envelope(("health.prober", "probe"), {"probes": probes}, {"timeout": 30, "now": now}, {})
    words = ["unshare", "--mount", "sh", "-c", prelude + stream.command(python)] if prelude else []
    done = subprocess.run(
        words or ["sh", "-c", stream.command(python)], input=data, stdout=subprocess.PIPE, check=True, timeout=60
    )
    return stream.parse(done.stdout.decode(), nonce, {})


@pytest.mark.root
def test_a_hung_mount_dead_names_a_silent_port_and_a_dripping_page_cost_less_than_six_seconds(tmp_path: Path) -> None:
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.2\nnameserver 127.0.0.3\n")
    probes = yaml.safe_load(DEFAULTS.read_text())
    with (
        HungMount(tmp_path / "share") as mount,
        servers.datagrams(lambda question: b"", "127.0.0.2", 53),
        servers.datagrams(lambda question: b"", "127.0.0.3", 53),
        servers.talking(servers.silent) as silent,
        servers.talking(servers.dripping) as dripping,
    ):
        probes["name"] = {"kind": "dns", "layer": "platform", "name": "portal.example.org"}
        probes["resolver"] = {"kind": "nameservers", "layer": "platform"}
        probes["port"] = {"kind": "tcp", "layer": "application", "address": silent, "expect": "220"}
        probes["page"] = {"kind": "http", "layer": "application", "url": f"http://{dripping}/"}
        before = time.monotonic()
        result = _stream(probes, prelude=f"mount --bind {resolver} /etc/resolv.conf\n")
        seconds = time.monotonic() - before
    found = {(item["kind"], item["subject"]): item for item in result["evidence"]}
    unanswered = {key for key, item in found.items() if item["reason"] in ("timeout", "stuck")}
    assert unanswered == {
        ("mounts_alive", str(mount.point)),
        ("filesystem_space", str(mount.point)),
        ("filesystem_inodes", str(mount.point)),
        ("dns", "name"),
        ("nameservers", "127.0.0.2"),
        ("nameservers", "127.0.0.3"),
        ("tcp", silent),
        ("http", f"http://{dripping}/"),
    }
    assert {item["detail"]["probe"] for item in result["evidence"]} == set(probes)
    assert seconds < 6


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.11", "3.13"])
def test_the_default_probes_run_on_every_python(version: str, interpreter: Any) -> None:
    result = _stream(yaml.safe_load(DEFAULTS.read_text()), python=interpreter(version))
    assert result["python"].startswith(version + ".")
    broken = [item["detail"]["message"] for item in result["evidence"] if item["reason"] not in ("", *_EXCUSES)]
    assert broken == []


#: Why a default probe may have no answer on a machine where all is well.
_EXCUSES = ("not_applicable", "permission")
