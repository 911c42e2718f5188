# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An untrusted change is read as data: like Ansible where it has no template, and unknown where it has one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import output
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.site import Site
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.confined import (
    refuse_linked_folder,
    validate_untrusted,
)
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.limits import Limits
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.site import UntrustedSite
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.untrusted.tree_copy import Copy
from ansible_collections.egov.ops.plugins.plugin_utils.plan import plain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.validation_site import site, told, write

INI = """\
[web]
web[01:03] ansible_host=192.0.2.7 egov_ops_tool_path="['/opt/bin']" port=80
[web:vars]
egov_ops_timezone=UTC
[all_of_it:children]
web
[database]
db1 egov_ops_fail_on=sometimes # a comment
"""

#: A value that two templates give.
KEY = "egov_ops_witness_key: '/{{ folder }}/key'\nfolder: '{{ top }}/{{ top }}'\ntop: etc\n"

#: Variables that say where an inventory lies: those of a copy lie elsewhere.
MAGIC = ("inventory_dir", "inventory_file")
#: Variables that Ansible adds, and ansible-inventory does not list.
ADDED = (*MAGIC, "group_names", "inventory_hostname", "inventory_hostname_short")


def judged(inventory: Path, **wanted: str) -> output.Data:
    return validate_untrusted(Wanted(str(inventory), **wanted), [], None)


def comparable(data: output.Data) -> Any:
    """Return what a validation says, without the order in which Ansible happens to give the hosts."""
    problems = [{**problem, "hosts": sorted(problem["hosts"])} for problem in data["problems"]]
    changes = [{**change, "hosts": sorted(change["hosts"])} for change in data["changes"]]
    texts = [sorted(map(repr, items)) for items in (problems, changes)]
    return texts, {name: data[name] for name in ("loaded", "hosts", "files", "not_checked", "base", "explain")}


def _table(folder: Path) -> None:
    """Write inventories, one into each folder, of which none has a template."""
    site(folder / "small")
    site(folder / "mistakes")
    write(
        folder / "mistakes",
        group_vars__web="egov_ops_probes: {x: {kind: lod}}\negov_ops_timezone: Nowhere\nx: 1\nx: 2\n",
    )
    write(folder / "mistakes", host_vars__nobody="x: 1\n", host_vars__db1="egov_ops_backup_setz: {}\n")
    (folder / "ini").mkdir()
    (folder / "ini/hosts").write_text(INI)
    write(folder / "ini", group_vars__all__one="egov_ops_platform_name: One\n", group_vars__web__two="room: 2\n")
    site(folder / "mixed")
    (folder / "mixed/more").write_text(INI.replace("192.0.2.7", "192.0.2.8"))
    (folder / "mixed/README.md").write_text("{{ no inventory }}")
    site(folder / "broken")
    (folder / "broken/more.yml").write_text("all: {hosts: [\n")
    site(folder / "unparsed")
    (folder / "unparsed/more").write_text("[web\nx = = y\n")
    site(folder / "linked")
    (folder / "linked/host_vars").mkdir()
    (folder / "linked/host_vars/db1.yml").symlink_to("../group_vars/all.yml")
    (folder / "linked/host_vars/web1").symlink_to("../group_vars")
    write(folder / "json", hosts='{"all": {"hosts": {"a": {"egov_ops_fail_on": "never"}, "b": null}}}')


NAMES = ("small", "mistakes", "ini", "mixed", "broken", "unparsed", "linked", "json")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    _table(folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_an_inventory_without_templates_is_judged_as_a_trusted_one(
    table: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table)
    for inventory in (Path(name), table / name):
        trusted, untrusted = validate(Wanted(str(inventory))), judged(inventory)
        assert comparable(untrusted) == comparable(trusted)
        assert untrusted["unknown"] == {}


def static(inventory: Path, root: Path) -> UntrustedSite:
    """Return an inventory as the process of its own reads it."""
    copy = Copy(inventory, root, Limits(), lambda _file: None)
    copy.take_inventory(inventory)
    assert copy.faults == []
    return UntrustedSite(str(copy.mirrored(inventory)))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("broken", "unparsed")])
def test_hosts_groups_and_variables_are_those_of_ansible_inventory(table: Path, name: str, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "--list", "-i", str(table / name)]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, env={**os.environ}).stdout)
    read = static(table / name, tmp_path)
    assert set(read.hosts) == set(listed["_meta"]["hostvars"]) | {
        h for g in listed.values() for h in g.get("hosts", ())
    }
    for host in read.hosts:
        written = plain(read._reader.written(host))
        assert {name: value for name, value in written.items() if name not in ADDED} == (
            listed["_meta"]["hostvars"].get(host, {})
        )
        groups = {group for group, keys in listed.items() if group != "all" and host in keys.get("hosts", ())}
        assert groups <= {group.name for group in read.hosts[host].get_groups()}


def test_a_value_that_group_vars_all_overrides_is_not_the_place_of_a_mistake(tmp_path: Path) -> None:
    group = "{vars: {egov_ops_timezone: UTC}, hosts: {web1: {}}}"
    write(tmp_path, hosts=f"all: {{children: {{web: {group}}}}}\n", group_vars__all="egov_ops_timezone: Nowhere\n")
    for data in (validate(Wanted(str(tmp_path))), judged(tmp_path)):
        (message,) = told(data["problems"])
        assert message.startswith("all.yml:1: egov_ops_timezone is 'Nowhere'")


PLAN = st.dictionaries(
    st.sampled_from(
        ["egov_ops_timezone", "egov_ops_fail_on", "egov_ops_tool_path", "egov_ops_ledger_retention_days", "x"]
    ),
    st.one_of(st.sampled_from(["UTC", "never", "/opt", "", "yes", "0o7", "1:30"]), st.integers(-5, 5000), st.none())
    | st.lists(st.sampled_from(["/opt", "/srv", "x"]), max_size=2),
    max_size=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(everyone=PLAN, group=PLAN, host=PLAN, inline=PLAN)
def test_any_plan_without_templates_gives_the_variables_and_the_findings_of_a_trusted_one(
    tmp_path_factory: pytest.TempPathFactory, everyone: Any, group: Any, host: Any, inline: Any
) -> None:
    folder = tmp_path_factory.mktemp("site")
    hosts = {"all": {"children": {"web": {"hosts": {"web1": inline, "web2": None}, "vars": everyone}}}}
    files = {"hosts": hosts, "group_vars__all": everyone, "group_vars__web": group, "host_vars__web1": host}
    write(folder / "site", **{name: yaml.safe_dump(content) for name, content in files.items()})
    trusted, untrusted = Site(str(folder / "site")), static(folder / "site", folder / "copy")
    for name in ("web1", "web2"):
        ours, theirs = untrusted.variables(name), trusted.variables(name)
        assert {**ours[0], **{key: value for key, value in theirs[0].items() if key in MAGIC}} == theirs[0]
        assert ours[1] == theirs[1]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An inventory with values that only templates and passwords give, and a change of it beside it."""
    for name in ("before", "after"):
        site(tmp_path / name)
        write(
            tmp_path / name,
            group_vars__database=KEY,
            host_vars__web1="egov_ops_tool_path: [\"{{ lookup('env', 'TOOLS') }}\"]\n",
        )
    return tmp_path / "before"


def severities(data: output.Data) -> dict[str, str]:
    worst_last = sorted(data["problems"], key=lambda problem: problem["severity"] == "error")
    return {problem["variable"] or problem["file"]: problem["severity"] for problem in worst_last}


def test_what_is_unknown_is_an_error_without_an_earlier_state_and_a_warning_where_that_has_the_same(
    before: Path,
) -> None:
    after = before.parent / "after"
    assert severities(judged(after)) == {"egov_ops_tool_path": "error", "egov_ops_witness_key": "error"}
    data = judged(after, base=str(before))
    assert severities(data) == {"egov_ops_tool_path": "warning", "egov_ops_witness_key": "warning"}
    assert data["unknown"] == {"egov_ops_tool_path": 1, "egov_ops_witness_key": 1}
    assert "Unknown, because a template or encrypted: egov_ops_tool_path (1)" in output.render_text(data)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "group_vars__database",
            "egov_ops_witness_key: '/{{ folder }}/keys'\nfolder: '{{ top }}/{{ top }}'\ntop: etc\n",
        ),
        (
            "group_vars__database",
            "egov_ops_witness_key: '/{{ folder }}/key'\nfolder: '{{ top }}/{{ top }}'\ntop: tmp\n",
        ),
        ("host_vars__db1", "top: tmp\n"),
        ("host_vars__db1", "egov_ops_witness_key: \"{{ lookup('file', '/x') }}\"\n"),
    ],
)
def test_what_may_have_become_another_value_stays_an_error(before: Path, name: str, text: str) -> None:
    after = write(before.parent / "after", **{name: text})
    assert severities(judged(after, base=str(before)))["egov_ops_witness_key"] == "error"


def test_a_lookup_that_stays_the_same_may_give_another_value(before: Path) -> None:
    for folder in (before, before.parent / "after"):
        write(folder, host_vars__db1="egov_ops_witness_key: \"{{ lookup('file', '/x') }}\"\n")
    assert severities(judged(before.parent / "after", base=str(before)))["egov_ops_witness_key"] == "error"


def test_an_encrypted_file_is_an_error_unless_the_earlier_state_has_it(before: Path) -> None:
    vault = "$ANSIBLE_VAULT;1.1;AES256\n6162\n"
    after = write(before.parent / "after", host_vars__web2=vault)
    file = next(name for name in severities(judged(after, base=str(before))) if name.endswith("web2.yml"))
    assert severities(judged(after, base=str(before)))[file] == "error"
    write(before, host_vars__web2=vault)
    assert severities(judged(after, base=str(before)))[file] == "warning"


def test_a_file_of_keys_in_the_tree_is_unknown_because_it_may_have_changed(before: Path) -> None:
    for folder in (before, before.parent / "after"):
        write(folder, host_vars__db1=f"egov_ops_witness_signers: {before.parent}/after/keys.cfg\n")
    after = before.parent / "after"
    assert severities(judged(after, base=str(before)))["egov_ops_witness_signers"] == "error"
    for folder in (before, after):
        write(folder, host_vars__db1="egov_ops_witness_signers: /etc/egov-ops/signers\n")
    assert "egov_ops_witness_signers" not in severities(judged(after, base=str(before)))


def test_a_path_may_lead_upwards_and_name_a_file(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(table / "ini/group_vars")
    plain_path = Wanted(str(table / "small/hosts.yml"), base=str(table / "small/hosts.yml"))
    wanted = plain_path._replace(inventory="../../small/../small/hosts.yml")
    assert comparable(validate_untrusted(wanted, [], None)) == comparable(validate(plain_path))
    monkeypatch.chdir("/")
    wanted = Wanted(f"../..{table}/small")
    assert comparable(validate_untrusted(wanted, ["a" * 300 + ","], None)) == comparable(validate(wanted))


def test_a_weakening_is_found_and_accepted_as_in_a_trusted_change(tmp_path: Path) -> None:
    site(tmp_path / "before")
    site(tmp_path / "after")
    write(tmp_path / "after", group_vars__all="egov_ops_ledger_retention_days: 200\n")
    wanted = {"base": str(tmp_path / "before")}
    data = judged(tmp_path / "after", **wanted)
    assert comparable(data) == comparable(validate(Wanted(str(tmp_path / "after"), **wanted)))
    (weakening,) = [change for change in data["changes"] if change["weakens"]]
    entry = [{"digest": weakening["digest"], "reason": "Agreed.", "person": "Li Wei"}]
    (tmp_path / "accepted_changes.yml").write_text(yaml.safe_dump(entry))
    assert judged(tmp_path / "after", **wanted)["problems"] == []


def test_a_base_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    site(tmp_path / "before")
    site(tmp_path / "after")
    (tmp_path / "before/more.yml").write_text("plugin: ansible.builtin.constructed\n")
    (message,) = told(judged(tmp_path / "after", base=str(tmp_path / "before"))["problems"])
    assert "Nothing can be compared, because the base cannot be read:" in message


def test_an_explanation_says_that_a_value_is_not_known(before: Path) -> None:
    data = judged(before, explain="db1")
    assert "egov_ops_witness_key" in output.render_text(data)
    assert "{{" not in json.dumps(data["explain"])
    with pytest.raises(OpsError, match="did you mean db1"):
        judged(before, explain="db2")


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(cpu=1), "reached its limit of 1 s of CPU"),
        (Limits(memory=1024 * 1024), "reached its limit of 1 MiB of memory"),
        (Limits(wall=2), "did not end within its limit of 2 s"),
    ],
    ids=["cpu", "memory", "wall"],
)
def test_whatever_takes_too_much_ends_with_one_sentence_about_the_file(
    tmp_path: Path, limits: Limits, sentence: str
) -> None:
    names = "".join(f"egov_ops_backup_sets_{number}: 1\n" for number in range(15_000))
    write(tmp_path, hosts="all: {hosts: {'web[1:500]': {}}}\n", group_vars__all=names)
    began = time.monotonic()
    data = validate_untrusted(Wanted(str(tmp_path)), [], None, limits)
    assert time.monotonic() - began < 60
    (message,) = [problem["message"] for problem in data["problems"]]
    assert sentence in message
    assert str(tmp_path) in message
    assert not data["loaded"]


def test_a_result_that_grows_too_large_ends_with_one_sentence(tmp_path: Path) -> None:
    names = "".join(f"egov_ops_zz_{number}: 1\n" for number in range(100))
    write(tmp_path, hosts="all: {hosts: {web1: {}}}\n", group_vars__all=names)
    data = validate_untrusted(Wanted(str(tmp_path)), [], None, Limits(result_bytes=10_000))
    (message,) = [problem["message"] for problem in data["problems"]]
    assert "File too large" in message


def test_what_ansible_has_read_of_the_tree_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = site(tmp_path / "checkout/inventories/site")
    (tmp_path / "checkout/.git").mkdir()
    (tmp_path / "checkout/localhost,").write_text("#!/bin/sh\n")
    (tmp_path / "checkout/ansible.cfg").touch()
    monkeypatch.chdir(tmp_path / "checkout")
    wanted = Wanted(str(inventory))
    for sources, configuration in (
        ([str(inventory)], None),
        ([str(tmp_path)], None),
        (["localhost,"], None),
        ([], str(tmp_path / "checkout/ansible.cfg")),
    ):
        with pytest.raises(OpsError, match=r"belongs to the change in .* and is in use by this very run"):
            validate_untrusted(wanted, sources, configuration)
    assert validate_untrusted(wanted, ["/dev/null", "other,"], None)["problems"] == []


def test_a_setting_beside_an_unpacked_change_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = site(tmp_path / "change/site")
    (tmp_path / "change/ansible.cfg").touch()
    monkeypatch.chdir(tmp_path / "change")
    with pytest.raises(OpsError, match=r"ansible\.cfg belongs to the change"):
        validate_untrusted(Wanted(str(inventory)), [], str(tmp_path / "change/ansible.cfg"))


def test_results_are_written_over_a_link_and_never_through_it(tmp_path: Path) -> None:
    inventory = site(tmp_path / "site")
    target = tmp_path / "precious"
    target.write_text("kept")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/validate.txt").symlink_to(target)
    os.mkfifo(tmp_path / "results/validate.json")
    output.write(judged(inventory), tmp_path / "results")
    assert target.read_text() == "kept"
    assert json.loads((tmp_path / "results/validate.json").read_text())["hosts"] == 3
    (inventory / "results").symlink_to(tmp_path)
    with pytest.raises(OpsError, match="is a link of the change"):
        refuse_linked_folder(str(inventory), str(inventory / "results"))


def test_no_module_of_the_change_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = site(tmp_path / "site")
    for name in ("json.py", "yaml.py", "ansible.py", "sitecustomize.py"):
        (inventory / name).write_text(f"open({str(tmp_path / 'mark')!r}, 'w')\n")
        (inventory / name).rename(tmp_path / "site/group_vars" / name)
    modules = str(tmp_path / "site/group_vars")
    monkeypatch.chdir(modules)
    monkeypatch.setenv("PYTHONPATH", modules)
    monkeypatch.syspath_prepend(modules)
    assert judged(inventory)["problems"] == []
    assert not (tmp_path / "mark").exists()
