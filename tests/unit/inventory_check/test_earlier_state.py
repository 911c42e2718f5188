# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change compared with its base: a revision of a real repository, or a folder."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.common.errors import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate

from tests.support.validation_site import HOSTS, problems, site, told, write

pytestmark = pytest.mark.programs("git")
IDENTITY = ("-c", "user.name=Operator", "-c", "user.email=operator@example.internal")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *IDENTITY, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "A change")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with an inventory below it, as its first commit."""
    site(tmp_path / "infra/inventories/site")
    git(tmp_path, "init", "--quiet", "infra")
    commit(tmp_path / "infra")
    return tmp_path / "infra"


def edit(repository: Path, file: str, before: str, after: str) -> None:
    path = repository / "inventories/site" / file
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def weaken(repository: Path) -> None:
    edit(repository, "group_vars/web.yml", "full: weekly", "full: yearly")


def compared(repository: Path, base: str = "HEAD") -> dict[str, Any]:
    found: dict[str, Any] = validate(Wanted(str(repository / "inventories/site"), base=base))
    return found


def accept(repository: Path, *digests: str, **other: str) -> None:
    entries = [
        {"digest": digest, "reason": "The site moves to another system.", "person": "Li Wei"} for digest in digests
    ]
    text = yaml.safe_dump([{**entry, **other} for entry in entries])
    (repository / "accepted_changes.yml").write_text(text)


def test_nothing_that_changes_is_no_problem(repository: Path) -> None:
    data = compared(repository)
    assert (data["changes"], data["problems"]) == ([], [])


def test_a_weakening_fails_with_its_place_and_digest(repository: Path) -> None:
    weaken(repository)
    data = compared(repository)
    (change,) = data["changes"]
    (problem,) = data["problems"]
    assert (problem["rule"], problem["severity"], problem["hosts"]) == ("weakening", "error", ["web1", "web2"])
    assert told([problem]) == [
        "web.yml:14: egov_ops_backup_sets.sites.full becomes rarer: weekly, now yearly; undo it, or accept "
        f"{change['digest']} with reason and person in accepted_changes.yml of this change."
    ]


def test_an_improvement_is_told_and_passes(repository: Path) -> None:
    edit(repository, "group_vars/web.yml", "full: weekly", "full: daily")
    data = compared(repository)
    assert [change["weakens"] for change in data["changes"]] == [False]
    assert data["problems"] == []


def test_a_weakening_that_the_same_change_accepts_passes(repository: Path) -> None:
    weaken(repository)
    accept(repository, compared(repository)["changes"][0]["digest"])
    data = compared(repository)
    assert data["problems"] == []
    assert data["changes"][0]["accepted"] == {"reason": "The site moves to another system.", "person": "Li Wei"}


def test_an_acceptance_of_an_earlier_change_accepts_nothing(repository: Path) -> None:
    weaken(repository)
    accept(repository, compared(repository)["changes"][0]["digest"])
    commit(repository)
    edit(repository, "group_vars/web.yml", "full: yearly", "full: weekly")
    commit(repository)
    weaken(repository)
    assert [problem["rule"] for problem in compared(repository)["problems"]] == ["weakening"]


def test_an_acceptance_of_other_hosts_accepts_nothing(repository: Path) -> None:
    weaken(repository)
    accept(repository, compared(repository)["changes"][0]["digest"])
    edit(repository, "group_vars/all.yml", "730", "400")
    rules = [(problem["rule"], problem["variable"]) for problem in compared(repository)["problems"]]
    assert rules == [("weakening", "egov_ops_ledger_retention_days")]


def test_an_acceptance_of_no_weakening_is_a_warning(repository: Path) -> None:
    accept(repository, "0" * 64)
    (problem,) = compared(repository)["problems"]
    assert (problem["rule"], problem["severity"], problem["line"]) == ("accepted", "warning", 1)


@pytest.mark.parametrize(
    "other, sentence",
    [
        ({"reason": " "}, "reason of an entry is empty, but must be a text"),
        ({"person": ""}, "person of an entry is empty, but must be a text"),
        ({"digest": "3cc5faf0"}, "digest is '3cc5faf0', but must be the 64 digits"),
        (
            {"why": "so"},
            "an entry has the keys digest, person, reason, why, but must have exactly digest, reason, person",
        ),
    ],
)
def test_an_acceptance_without_reason_person_or_digest_is_refused(
    repository: Path, other: dict[str, str], sentence: str
) -> None:
    weaken(repository)
    accept(repository, compared(repository)["changes"][0]["digest"], **other)
    found = compared(repository)["problems"]
    assert [problem["rule"] for problem in found] == ["accepted", "weakening"]
    assert sentence in found[0]["message"]


def test_acceptances_that_are_no_yaml_are_told_with_their_line(repository: Path) -> None:
    (repository / "accepted_changes.yml").write_text("- digest: {\n")
    (problem,) = compared(repository)["problems"]
    assert (problem["rule"], problem["line"]) == ("syntax", 2)


def test_a_host_that_is_removed_is_told_where_it_stood(repository: Path) -> None:
    edit(repository, "hosts.yml", "        web2: {ansible_host: 192.0.2.12}\n", "")
    (problem,) = compared(repository)["problems"]
    assert told([problem])[0].startswith("hosts.yml:6: host no longer in the inventory; undo it, or accept ")
    assert (problem["file"], problem["hosts"]) == (str(repository / "inventories/site/hosts.yml"), ["web2"])


def test_a_set_that_is_lost_is_told_where_it_stood(repository: Path) -> None:
    path = repository / "inventories/site/group_vars/web.yml"
    path.write_text(path.read_text().partition("egov_ops_backup_sets__50_web")[0])
    assert told(compared(repository)["problems"])[0].startswith("web.yml:11: egov_ops_backup_sets.sites is lost; ")


def test_a_host_that_leaves_a_group_loses_what_the_group_gave_it(repository: Path) -> None:
    hosts = HOSTS.replace("web2: {ansible_host: 192.0.2.12}", "").replace(
        "db1:", "web2: {ansible_host: 192.0.2.12}\n            db1:"
    )
    write(repository / "inventories/site", hosts=hosts)
    lost = [change["path"] for change in compared(repository)["changes"] if change["effect"] == "is lost"]
    assert lost == [["sites"], ["portal"]]


def test_the_paths_of_the_checkout_are_the_same_in_its_base(repository: Path) -> None:
    site_folder = repository / "inventories/site"
    write(site_folder, group_vars__web='egov_ops_tool_path: ["{{ inventory_dir }}/bin"]\n')
    commit(repository)
    assert compared(repository)["changes"] == []
    link = repository.parent / "link"
    link.symlink_to(repository)
    assert compared(link)["changes"] == []


def test_the_checkout_stays_as_it_is(repository: Path) -> None:
    weaken(repository)
    before = git(repository, "status", "--porcelain=v2", "--branch")
    compared(repository)
    assert git(repository, "status", "--porcelain=v2", "--branch") == before


def test_a_file_that_archives_leave_out_is_still_part_of_the_base(repository: Path) -> None:
    (repository / ".gitattributes").write_text("group_vars export-ignore\n")
    commit(repository)
    weaken(repository)
    assert [problem["rule"] for problem in compared(repository)["problems"]] == ["weakening"]


def test_an_inventory_that_the_base_does_not_have_is_all_new(repository: Path) -> None:
    (repository / "inventories/site").rename(repository / "inventories/other")
    data = validate(Wanted(str(repository / "inventories/other"), base="HEAD"))
    assert {change["effect"] for change in data["changes"]} == {"new in the inventory"}
    assert data["problems"] == []


def test_a_base_that_cannot_be_loaded_stops_no_repair(repository: Path) -> None:
    sound = (repository / "inventories/site/hosts.yml").read_text()
    (repository / "inventories/site/hosts.yml").write_text("all: {\n")
    commit(repository)
    (repository / "inventories/site/hosts.yml").write_text(sound)
    (problem,) = compared(repository)["problems"]
    assert (problem["rule"], problem["severity"]) == ("base", "warning")
    assert "hosts.yml is no YAML" in problem["message"]


def test_a_host_whose_plan_the_base_has_wrong_is_named_and_the_others_are_compared(repository: Path) -> None:
    write(repository / "inventories/site", host_vars__db1="egov_ops_timezone: Mars\n")
    commit(repository)
    write(repository / "inventories/site", host_vars__db1="egov_ops_timezone: UTC\n")
    weaken(repository)
    base, weakening = compared(repository)["problems"]
    assert (base["severity"], base["hosts"]) == ("warning", ["db1"])
    assert (weakening["rule"], weakening["hosts"]) == ("weakening", ["web1", "web2"])


def test_a_revision_that_a_shallow_clone_does_not_have_is_one_sentence(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    commit(repository)
    clone = repository.parent / "clone"
    git(repository.parent, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    with pytest.raises(OpsError, match=r"is no revision that this repository has, and no folder; fetch it .*\.$"):
        compared(clone, first)


def test_a_revision_without_a_repository_is_one_sentence(tmp_path: Path) -> None:
    site(tmp_path)
    with pytest.raises(OpsError, match=r"^The base main cannot be read: not a git repository.*\.$"):
        validate(Wanted(str(tmp_path), base="main"))


@pytest.mark.parametrize("base", ["--upload-pack=touch x", "main; touch x", "$(touch x)"])
def test_a_base_is_never_a_command_or_an_option(repository: Path, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    with pytest.raises(OpsError, match="is no revision"):
        compared(repository, base)
    assert not (repository / "x").exists()


def test_a_folder_is_an_earlier_copy_of_the_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site(tmp_path / "new")
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "new/group_vars/all.yml"
    path.write_text(path.read_text().replace("730", "400"))
    for base in ("./old", str(tmp_path / "old"), "old"):
        (problem,) = problems(tmp_path / "new", base=base)
        assert problem["message"].startswith("egov_ops_ledger_retention_days falls: 730, now 400; ")
    accept(tmp_path, validate(Wanted("new", base="./old"))["changes"][0]["digest"])
    assert problems(tmp_path / "new", base="./old") == []


def test_a_signer_that_is_added_is_a_weakening(repository: Path) -> None:
    signers = repository / "signers"
    signers.write_text("li@example.internal ssh-ed25519 AAAA\n")
    write(repository / "inventories/site", host_vars__db1=f"egov_ops_witness_signers: {signers}\n")
    commit(repository)
    signers.write_text("li@example.internal ssh-ed25519 AAAA\nwang@example.internal ssh-ed25519 BBBB\n")
    (problem,) = compared(repository)["problems"]
    assert problem["message"].startswith("egov_ops_witness_signers is no longer the same list of signers: ")


def test_an_encrypted_file_that_changes_is_not_opened_and_not_passed_over(repository: Path) -> None:
    vault = repository / "inventories/site/host_vars/db1"
    vault.parent.mkdir()
    vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n00\n")
    commit(repository)
    vault.write_text("$ANSIBLE_VAULT;1.1;AES256\n11\n")
    (problem,) = compared(repository)["problems"]
    assert (problem["rule"], problem["severity"]) == ("base", "warning")
    assert problem["message"].endswith("db1 is encrypted and has changed; what that means cannot be told.")
