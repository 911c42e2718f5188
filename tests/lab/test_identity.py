# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restore for one of two real hosts is carried out on that one, or on none."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.support.gate_requests import approve, ask
from tests.support.signers import make_key, people, signers
from tests.support.sites import Site

from .lab import Lab

PAGE = "/srv/lab-machines/index.html"
OPERATIONS = "/var/lib/egov-ops/host/operations"


@pytest.fixture
def pair(site: Site, lab: Lab) -> Iterator[Site]:
    """A site of two machines, both known, with a proved backup of a page and the machine's id, of which one is lost."""
    site.hosts = {name: {"ansible_host": host, "egov_ops_machine_alias": ""} for name, host in HOSTS.items()}
    for host in HOSTS.values():
        lab.write(host, PAGE, host)
        lab.shell(host, f"rm -rf {OPERATIONS}")
    for name in ("li", "wang"):
        make_key(site.folder, name)
    paths = ["/srv/lab-machines", "/etc/machine-id"]
    data = {"class": "other", "paths": paths, "full": "weekly", "repository": "own"}
    site.variables |= {
        "egov_ops_people": people(),
        "egov_ops_signers": signers(site.folder, "li", "wang"),
        "egov_ops_backup_sets": {"config": {"state": "absent"}, "data": data},
    }
    identity = lab.shell("n1", "cat /etc/machine-id").strip()
    done = site.play("egov.ops.backup")
    assert done.rc == 0, done.output
    assert site.records(domain="machine") == []
    lab.write("n1", PAGE, "spoilt")
    yield site
    lab.shell("n1", f"echo {identity} >/etc/machine-id")


HOSTS = {"web1": "n1", "web2": "n2"}


def approved(site: Site, name: str) -> list[str]:
    digest = ask(site, name, "in_place")
    done = approve(site, digest)
    assert done.rc == 0, done.output
    return ["egov.ops.restore", "--limit", "web1", "--tags", "restore", "-e", f"egov_ops_request={digest}"]


def untouched(lab: Lab) -> bool:
    seen = [lab.shell(host, f"cat {PAGE}; ls {OPERATIONS} 2>/dev/null || true").split() for host in HOSTS.values()]
    return seen == [["spoilt"], ["n2"]]


def test_a_restore_for_one_host_is_not_carried_out_on_another(pair: Site, lab: Lab) -> None:
    restore = approved(pair, "page")
    done = pair.play(*restore, "-e", "ansible_host=n2")
    assert done.rc != 0
    assert "ansible_host" in done.output, done.output
    task = {"name": "Go", "egov.ops.restore_run": {}, "delegate_to": "web2"}
    (pair.folder / "own.yml").write_text(yaml.safe_dump([{"hosts": "web1", "gather_facts": False, "tasks": [task]}]))
    done = pair.play(str(pair.folder / "own.yml"), "-e", restore[-1])
    assert "delegated to web2" in done.output, done.output
    done = pair.play("egov.ops.health_check", "--limit", "web1", "-e", "ansible_connection=local")
    assert (done.rc, pair.steps()["web1", "health_probe"]) == (2, ("unknown", "other_machine")), done.output
    pair.hosts["web1"]["ansible_host"] = "n2"  # the inventory itself is wrong
    done = pair.play(*restore)
    assert "is meant: nothing was done on it" in done.output, done.output
    assert untouched(lab)
    pair.hosts["web1"]["ansible_host"] = "n1"
    assert "answers to web1 is" in pair.play(*restore).output  # until it has been looked at again
    assert untouched(lab)
    assert pair.play("egov.ops.health_check", "--limit", "web1").rc == 0
    done = pair.play(*restore)
    assert done.rc == 0, done.output
    assert lab.shell("n1", f"cat {PAGE}") == "n1"


def test_a_replaced_machine_is_accepted_with_its_restore_and_keeps_its_own_id(pair: Site, lab: Lab) -> None:
    lab.shell("n1", "tr 0-9a-f 1-9a-f0 </etc/machine-id >/run/id; cat /run/id >/etc/machine-id")
    restore = approved(pair, "page")
    done = pair.play(*restore)
    assert done.rc != 0, done.output
    assert untouched(lab)
    accepted = {"egov_ops_accept_machine": {"web1": digits(pair)}, "egov_ops_reason": "A new board."}
    done = pair.play(*restore, "-e", json.dumps(accepted))
    assert done.rc == 0, done.output
    assert "keeps its own id in /etc/machine-id" in done.output, done.output
    assert lab.shell("n1", f"cat {PAGE}; cmp /run/id /etc/machine-id") == "n1"
    assert pair.records(domain="machine", kind="acceptance")[-1]["detail"]["why"] == "A new board."


def digits(site: Site) -> str:
    """Return what names the machine that was seen last, as the finding has it."""
    message = str(site.records(domain="machine", kind="identity")[-1]["detail"]["message"])
    return message.partition("answers to web1 is ")[2][:8]
