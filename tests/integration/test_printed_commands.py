# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we print as a command does its work when it is pasted into the shell from which the run was started."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.signers import make_key, people, signers
from tests.support.sites import PASSWORD, Done, Site

pytestmark = [pytest.mark.slow, pytest.mark.programs("restic", "ssh-keygen")]

#: Two inventories, a vault and a file of extra variables, all with names that a shell would take apart.
OPTIONS = "-i 'the site/hosts.yml' -i 'the site/more hosts' --vault-password-file 'the vault' -e @'more options.yml'"


@pytest.fixture
def shell(site: Site) -> Site:
    """A site of web1 and web2 in two inventories, whose repository's password is in a vault."""
    make_key(site.folder, "li")
    make_key(site.folder, "wang")
    site.has_repository()
    (site.state / "passwords/local").unlink()
    site.variables |= {"egov_ops_people": people(), "egov_ops_signers": signers(site.folder, "li", "wang")}
    site.variables["egov_ops_signing_key"] = str(site.folder / "wang")
    site.variables["egov_ops_backup_repositories"]["local"]["password"] = "{{ vault_local }}"
    folder = site.folder / "the site"
    (folder / "group_vars/all").mkdir(parents=True)
    (folder / "more hosts").write_text("web2\n")
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"web1": None}}}))
    (folder / "group_vars/all/plan.yml").write_text(yaml.safe_dump({**site.hosts["web1"], **site.variables}))
    (folder / "group_vars/all/vault.yml").write_text(yaml.safe_dump({"vault_local": PASSWORD}))
    (site.folder / "the vault").write_text("open\n")
    (site.folder / "more options.yml").write_text(yaml.safe_dump({"egov_ops_fail_on": "none", "secret": "s3cret"}))
    good(site, "ansible-vault encrypt --vault-password-file 'the vault' 'the site/group_vars/all/vault.yml'")
    return site


def good(site: Site, line: str) -> Done:
    done = site.paste(line)
    assert done.rc == 0, done.output
    return done


def printed(done: Done, start: str) -> str:
    """Return the last command that was printed with such a start, to the end of its line."""
    found = re.findall(rf"{re.escape(start)}[^\n]*", done.output)
    assert found, done.output
    assert "s3cret" not in done.output
    assert found[-1].startswith(f"{start} {OPTIONS.replace('@', '').split(' -e ')[0]}"), found[-1]
    return str(found[-1])


def count(site: Site, kind: str, host: str = "web1") -> int:
    """Return how many good records of a kind a host has, by SQL."""
    with sqlite3.connect(site.state / "ledger.sqlite3") as ledger:
        query = "SELECT COUNT(*) FROM record WHERE kind = ? AND host = ? AND status = 'ok'"
        return int(ledger.execute(query, (kind, host)).fetchone()[0])


def operation(site: Site, **options: str) -> dict[str, Any]:
    found = good(site, f"ansible web1 {OPTIONS} -m egov.ops.backup_list -e {shlex.quote(json.dumps(options))}")
    line = next(line for line in found.output.splitlines() if line.startswith("operation: "))
    return dict(json.loads(line.removeprefix("operation: ")))


def test_from_a_missing_backup_to_its_restore_by_what_is_printed(shell: Site) -> None:
    good(shell, f"ansible web1 {OPTIONS} -m egov.ops.backup_run")

    restored = str(shell.folder / "restored")
    wanted = operation(shell, egov_ops_restore_set="data", egov_ops_restore_destination=restored)
    asked = {"egov_ops_operation": wanted, "egov_ops_reason": "Lost", "egov_ops_signing_key": f"{shell.folder}/li"}
    done = good(shell, f"ansible-playbook egov.ops.request {OPTIONS} -e {shlex.quote(json.dumps(asked))}")
    done = good(shell, printed(done, "ansible-playbook egov.ops.approve"))
    assert count(shell, "approval") == 0
    done = good(shell, printed(done, "ansible-playbook egov.ops.approve"))
    assert count(shell, "approval") == 1
    good(shell, printed(done, "ansible-playbook egov.ops.restore"))
    assert len(list(Path(restored).rglob("file*"))) == 5

    wanted = operation(shell, egov_ops_restore_set="data", egov_ops_restore_mode="in_place")
    asked |= {"egov_ops_operation": wanted}
    done = good(shell, f"ansible-playbook egov.ops.request {OPTIONS} -e {shlex.quote(json.dumps(asked))}")
    digest = re.findall(r"egov_ops_request=(\w+)", done.output)[0]
    done = good(shell, f"ansible-playbook egov.ops.gate_explain {OPTIONS} -e egov_ops_request={digest}")
    assert count(shell, "proof") == 0
    good(shell, printed(done, "ansible web1"))
    good(shell, printed(done, "ansible-playbook egov.ops.approve"))

    shell.paste(f"ansible-playbook egov.ops.backup_status {OPTIONS}")
    assert count(shell, "proof") == 1  # that of a module used alone came into the ledger with this run
    report = shell.report()
    (finding,) = [entry for entry in report["findings"] if entry["host"] == "web2" and entry["kind"] == "freshness"]
    good(shell, finding["next"].partition("Run: ")[2])
    assert count(shell, "backup", "web2") > 0
    done = good(shell, report["evidence"]["verify"])
    assert "The chain is whole" in done.output
