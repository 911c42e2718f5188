# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which values of ansible-vault count as secrets of a host's plan: real files, really encrypted."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.egov.ops.plugins.plugin_utils.plan import vaulted
from ansible_collections.egov.ops.plugins.plugin_utils.plan.inventory_variables import InventoryPlan

SECRET = VaultSecret(b"of the vault")


def encrypt(text: str) -> str:
    return VaultLib([("default", SECRET)]).encrypt(text.encode()).decode()


def inline(name: str, value: str) -> str:
    return f"{name}: !vault |\n{textwrap.indent(encrypt(value), '  ')}\n"


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., set[str]]:
    """Give what writes an inventory of files, reads the plan of web1, and returns the secrets it found."""

    def reading(with_vault: bool = True, **files: str) -> set[str]:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        loader = DataLoader()
        if with_vault:
            loader.set_vault_secrets([("default", SECRET)])
            try:
                from ansible.parsing.vault import VaultSecretsContext

                VaultSecretsContext.initialize(VaultSecretsContext(secrets=[("default", SECRET)]))
            except (ImportError, RuntimeError):
                pass  # an older ansible-core has none; a later test finds it made
        inventory = InventoryManager(loader=loader, sources=[str(tmp_path / "hosts.yml")])
        manager = VariableManager(loader=loader, inventory=inventory)
        reader = InventoryPlan(manager, Templar(loader=loader))
        reader.variables("web1")
        return reader.secrets

    return reading


HOSTS = {"hosts.yml": "all: {hosts: {web1: {}, db1: {}}}\n"}


def test_each_text_of_an_encrypted_file_counts(read: Callable[..., set[str]]) -> None:
    found = read(**HOSTS, group_vars__all__vault=encrypt("a: one-secret\nb: {c: [two-secret, 3, true]}\n"))
    assert found == {"one-secret", "two-secret"}


def test_of_single_values_those_count_that_the_plan_or_the_connection_leads_to(read: Callable[..., set[str]]) -> None:
    variables = (
        inline("vault_used", "used-secret")
        + inline("vault_led_to", "led-secret")
        + inline("vault_unused", "unused-secret")
        + inline("ansible_become_password", "become-secret")
        + 'between: "{{ vault_led_to }}"\n'
        + 'egov_ops_platform_name: "{{ vault_used }} at {{ between }}"\n'
    )
    assert read(**HOSTS, group_vars__all__x=variables) == {"used-secret", "led-secret", "become-secret"}


def test_a_name_made_when_a_template_runs_may_be_any(read: Callable[..., set[str]]) -> None:
    variables = inline("vault_a", "a-secret") + "egov_ops_platform_name: \"{{ lookup('vars', 'vault_' ~ 'a') }}\"\n"
    assert read(**HOSTS, group_vars__all__x=variables) == {"a-secret"}


def test_an_encrypted_file_that_a_template_of_the_plan_reads_counts(
    read: Callable[..., set[str]], tmp_path: Path
) -> None:
    variables = f"egov_ops_platform_name: \"{{{{ lookup('file', '{tmp_path}/token') | trim }}}}\"\n"
    assert read(**HOSTS, token=encrypt("looked-up-secret"), group_vars__all__x=variables) == {"looked-up-secret"}


def test_what_an_inventory_plugin_makes_of_a_value_counts(read: Callable[..., set[str]]) -> None:
    hosts = {
        "hosts.yml__1.yml": HOSTS["hosts.yml"],
        "hosts.yml__2.yml": (
            "plugin: constructed\nstrict: true\nuse_vars_plugins: true\n"
            "compose: {egov_ops_platform_name: \"'of ' ~ vault_a\"}\n"
        ),
    }
    assert read(**hosts, **{"hosts.yml__group_vars__all__x": inline("vault_a", "a-secret")}) == {"a-secret"}


def test_an_encrypted_inventory_counts(read: Callable[..., set[str]]) -> None:
    inventory = "all:\n  hosts:\n    web1:\n      mine: inventory-secret\n"
    assert "inventory-secret" in read(**{"hosts.yml": encrypt(inventory)})


def test_without_a_vault_nothing_is_read(read: Callable[..., set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vaulted, "words_of", None)
    monkeypatch.setattr(vaulted, "values_of_files", None)
    assert read(with_vault=False, **HOSTS) == set()


def test_the_encrypted_values_that_a_tasks_arguments_may_have_count() -> None:
    variables = DataLoader().load(inline("password", "hunter2") + inline("other", "s3cret") + "plain: x\n")
    loader = DataLoader()
    loader.set_vault_secrets([("default", SECRET)])
    encrypted = loader.load(inline("password", "hunter2") + "plain: x\n")
    assert variables.keys() == {"password", "other", "plain"}
    assert vaulted.values_of_arguments({"url": "http://x/"}, encrypted) == {"hunter2"}
    assert vaulted.values_of_arguments({"deep": [{"url": "http://x/"}]}, encrypted) == {"hunter2"}
    assert vaulted.values_of_arguments({"count": 5, "list": []}, encrypted) == set()


def test_a_value_is_decrypted_once_and_counts_each_time() -> None:
    loader = DataLoader()
    loader.set_vault_secrets([("default", SECRET)])
    variables = loader.load(inline("egov_ops_a", "one-of-two") + inline("egov_ops_b", "two-of-two"))
    for _again in range(2):
        assert vaulted.values_in_use(variables, {"egov_ops_a"}) == {"one-of-two"}
        assert vaulted.values_in_use(variables, {"egov_ops_b"}) == {"two-of-two"}
        assert vaulted.values_in_use(variables, {"egov_ops_a", "egov_ops_b"}) == {"one-of-two", "two-of-two"}


def test_what_is_decrypted_inside_is_noted_and_nothing_after() -> None:
    loader = DataLoader()
    loader.set_vault_secrets([("default", SECRET)])
    texts: set[str] = set()
    with vaulted.noted(loader, texts):
        assert loader._vault.decrypt(encrypt("inside").encode()) == b"inside"
    loader._vault.decrypt(encrypt("outside").encode())
    assert texts == {"inside"}


def test_a_loader_without_a_vault_notes_nothing() -> None:
    texts: set[str] = set()
    with vaulted.noted(object(), texts):
        pass
    assert texts == set()
