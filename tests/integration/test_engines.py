# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each engine of the plan in each procedure of a backup, as an operator runs them: good, or not supported by name."""

from __future__ import annotations

import environment
import pytest
import yaml
from ansible_collections.egov.ops.plugins.module_utils.backup.engines.registry import ENGINES

from tests.support.sites import Site

pytestmark = [pytest.mark.slow, pytest.mark.programs("restic")]

SCHEMA = environment.ROOT / "plugins/plugin_utils/plan/schema.yml"
ENTRY = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["variables"]["egov_ops_backup_repositories"]["entry"]

#: By playbook the kind of its records, what that needs of an engine, and the statuses that are good.
PROCEDURES = {
    "backup": ("backup", "files", ("ok",)),
    "backup_list": ("", "dump", ()),
    "backup_verify": ("check", "check", ("ok",)),
    "restore_drill": ("drill", "dump", ("ok",)),
    "backup_status": ("lock", "locks", ("ok",)),
    "backup_prune": ("prune", "prune", ("ok", "warning")),
    "key_rotate": ("key", "keys", ("ok",)),
}


@pytest.mark.parametrize("engine", ENTRY["engine"]["choices"])
def test_each_procedure_works_or_names_what_the_engine_lacks(site: Site, engine: str) -> None:
    capabilities = ENGINES[engine]().CAN
    site.hosts = {"web1": site.hosts["web1"]}
    site.variables["egov_ops_backup_repositories"]["local"]["engine"] = engine
    for name, (kind, capability, good) in PROCEDURES.items():
        options = ("-v", "-e", "egov_ops_restore_set=data") if name == "backup_list" else ()
        done = site.play(f"egov.ops.{name}", *options)
        assert done.rc == 0, done.output
        assert "AttributeError" not in done.output
        if not kind:
            assert "5 files" in done.output
            continue
        # Without the one that says where a new password lies.
        records = [record for record in site.records(kind=kind) if record["detail"].get("stage") != "create"]
        assert records, done.output
        for record in records:
            found = record["status"], record["reason"]
            if capability in capabilities:
                assert record["status"] in good, record
            else:
                assert found == ("skipped", "not_supported"), record
                assert f"Engine {engine} of repository local does not support {capability}: " in str(record["detail"])
    password = (site.state / "passwords" / "local").read_text()
    rotated = "keys" in capabilities
    assert bool(list((site.state / "rotation").glob("*/next"))) != rotated
    if not rotated:  # the stages that would switch the password leave it as it is
        done = site.play("egov.ops.key_rotate")
        assert done.rc == 0, done.output
        assert (site.state / "passwords" / "local").read_text() == password
