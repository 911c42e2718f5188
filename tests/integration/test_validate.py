# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The procedure that validates, by a real ansible-playbook, and the CI jobs of docs/ci.md on a real git history."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.check import Wanted, validate

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
GITLAB, GITHUB, PRE_COMMIT, ACCEPTED = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S))

pytestmark = pytest.mark.programs("git")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a CI server gives a job, as far as our commands use it."""
    (tmp_path / "home").mkdir()
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ["ANSIBLE_COLLECTIONS_PATH"],
        "ANSIBLE_NOCOLOR": "1",
        "CI_PROJECT_ID": "7",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
        "TRUST": "trusted",
        "GIT_AUTHOR_NAME": "Operator",
        "GIT_AUTHOR_EMAIL": "operator@example.internal",
        "GIT_COMMITTER_NAME": "Operator",
        "GIT_COMMITTER_EMAIL": "operator@example.internal",
    }


def shell(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-ec", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def repository(tmp_path: Path, environment: dict[str, str]) -> Path:
    """A site's repository: the example inventory on its main branch, and a branch for a change."""
    folder = tmp_path / "infra"
    shutil.copytree(ROOT / "inventories/example", folder / "inventories/site")
    commands = "git init -q -b main && git add -A && git commit -qm 'The site' && git switch -qc change"
    assert shell(commands, folder, environment).returncode == 0
    return folder


def edit(repository: Path, before: str, after: str) -> None:
    path = repository / "inventories/site/group_vars/files.yml"
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


class Gitlab:
    """The script of the GitLab job, on the branch of the change, with the base that GitLab computes."""

    def run(self, repository: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        shell("git add -A && git commit -qm 'A change' --allow-empty", repository, environment)
        base = shell("git merge-base main change", repository, environment).stdout.strip()
        variables = {**environment, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
        return shell("\n".join(GITLAB["validate-plan"]["script"]), repository, variables)


class Github:
    """The commands of the GitHub job, in a shallow clone of the change as it would be merged."""

    def run(self, repository: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        commit = "git add -A && git commit -qm 'A change' --allow-empty && git switch -q --detach main"
        shell(f"{commit} && git merge -q --no-ff -m Merge change && git tag -f merged", repository, environment)
        clone = repository.parent / "clone"
        shutil.rmtree(clone, ignore_errors=True)
        checkout, *steps = GITHUB["jobs"]["validate"]["steps"]
        depth = f"--depth={checkout['with']['fetch-depth']}"
        shell(f"git clone -q {depth} --branch merged file://{repository} {clone}", repository.parent, environment)
        shell("git switch -q change", repository, environment)
        commands = "\n".join(step["run"] for step in steps if "run" in step)
        done = shell(commands, clone, {**environment, "GITHUB_WORKSPACE": str(clone)})
        if (clone / "results").exists() and not (clone / "results").is_symlink():
            shutil.copytree(clone / "results", repository / "results", dirs_exist_ok=True)
        return done


#: What a server says of a change that comes from a fork.
OUTSIDE = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8", "TRUST": "untrusted"}
BOTH = pytest.mark.parametrize("server", [Gitlab(), Github()], ids=["gitlab", "github"])


@BOTH
@pytest.mark.parametrize("trust", ["trusted", pytest.param("untrusted", marks=pytest.mark.slow)])
def test_a_job_passes_a_change_fails_a_weakening_and_passes_it_when_it_is_accepted(
    server: Any, trust: str, repository: Path, environment: dict[str, str]
) -> None:
    environment |= OUTSIDE if trust == "untrusted" else {}
    (repository / ".gitignore").write_text("/results/\n")
    edit(repository, 'critical: "90"', 'critical: "88"')
    done = server.run(repository, environment)
    assert done.returncode == 0, done.stdout
    edit(repository, "    paths: [/srv/shares]\n", "    paths: [/srv/shares]\n    full: weekly\n")
    done = server.run(repository, environment)
    assert done.returncode == 2, done.stdout
    assert "egov_ops_backup_sets.shares.full becomes rarer: daily, now weekly" in done.stdout
    data = json.loads((repository / "results/validate.json").read_text())
    (weakening,) = [change for change in data["changes"] if change["weakens"]]
    assert weakening["hosts"] == ["file1", "file2"]
    results = json.loads((repository / "results/validate.sarif").read_text())["runs"][0]["results"]
    assert [result["ruleId"] for result in results if result["level"] == "error"] == ["weakening"]
    acceptance = [{**ACCEPTED[0], "digest": weakening["digest"]}]
    (repository / "accepted_changes.yml").write_text(yaml.safe_dump(acceptance))
    done = server.run(repository, environment)
    assert done.returncode == 0, done.stdout
    assert f"accepted by {ACCEPTED[0]['person']}" in done.stdout


#: What leaves a mark beside itself, as a callback, an inventory script and a template of a change.
MARKS = """\
import pathlib

pathlib.Path({mark!r}).touch()
"""


def hostile_change(repository: Path, mark: Path) -> None:
    """Put into a change whatever Ansible would run of it, had it been started in the usual way."""
    (repository / "plugins").mkdir()
    (repository / "plugins/spy.py").write_text(MARKS.format(mark=str(mark)))
    folders = "callback_plugins = plugins\nvars_plugins = plugins\ninventory = inventories/site\n"
    (repository / "ansible.cfg").write_text(f"[defaults]\n{folders}callbacks_enabled = spy\n")
    for name in ("localhost,", "inventories/site/dynamic"):
        (repository / name).write_text(f"#!/bin/sh\ntouch {mark}\necho '{{}}'\n")
        (repository / name).chmod(0o755)
    lookup = f"{{{{ lookup('pipe', 'touch {mark}') }}}}"
    (repository / "inventories/site/host_vars/db1.yml").write_text(f'egov_ops_witness_key: "{lookup}"\n')
    (repository / "inventories/site/more.yml").write_text("plugin: ansible.builtin.constructed\n")
    (repository / "results").symlink_to(repository.parent / "home")


@BOTH
def test_a_job_runs_nothing_of_a_change_from_outside_and_names_what_it_refuses(
    server: Any, repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    hostile_change(repository, tmp_path / "mark")
    done = server.run(repository, {**environment, **OUTSIDE})
    assert done.returncode != 0, done.stdout
    assert "results is a link of the change, and results are not written by way of it" in done.stdout
    (repository / "results").unlink()
    done = server.run(repository, {**environment, **OUTSIDE})
    assert done.returncode == 2, done.stdout
    assert "inventories/site/dynamic is a script or executable" in done.stdout
    assert "inventories/site/more.yml names an inventory plugin in line 1" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "mark").exists()
    assert list((tmp_path / "home").glob("validate*")) == []
    assert (repository / "results/validate.sarif").exists()


def test_a_repository_inside_a_change_gives_git_no_settings(
    repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    inside = repository / "inventories/site"
    for name in ("objects", "refs"):
        (inside / name).mkdir()
    (inside / "HEAD").write_text("ref: refs/heads/main\n")
    (inside / "config").write_text(
        f'[core]\n\trepositoryformatversion = 0\n\tworktree = {repository}\n\tfsmonitor = "touch {tmp_path}/mark"\n'
    )
    chosen = "-e egov_ops_validate=untrusted -e egov_ops_validate_inventory=inventories/site"
    done = play(repository, environment, "-i /dev/null", chosen, "-e egov_ops_validate_base=main")
    assert done.returncode != 0
    assert "cannot use bare repository" in done.stdout
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("options", ["-i inventories/site", "-i localhost,"])
def test_a_run_that_has_read_something_of_an_untrusted_change_is_refused(
    options: str, repository: Path, environment: dict[str, str]
) -> None:
    (repository / "localhost,").write_text("web9\n")
    shutil.rmtree(repository / "inventories/site/group_vars/all")  # a password that this run does not have
    chosen = "-e egov_ops_validate=untrusted -e egov_ops_validate_inventory=inventories/site"
    done = play(repository, environment, options, chosen)
    assert done.returncode != 0
    assert "belongs to the change in" in done.stdout
    assert "start with -i /dev/null" in " ".join(done.stdout.split())


def test_a_run_with_the_settings_of_an_untrusted_change_is_refused(
    repository: Path, environment: dict[str, str]
) -> None:
    (repository / "ansible.cfg").write_text("[defaults]\n")
    chosen = "-e egov_ops_validate=untrusted -e egov_ops_validate_inventory=inventories/site"
    done = play(repository, environment, "-i /dev/null", chosen)
    assert done.returncode != 0
    assert "ansible.cfg belongs to the change in" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("core", ["2.16", "2.21"])
def test_other_versions_of_ansible_judge_an_untrusted_change_the_same(
    core: str, ansible_core: Any, repository: Path, environment: dict[str, str]
) -> None:
    environment["PATH"] = f"{ansible_core(core)}:{environment['PATH']}"
    chosen = "-e egov_ops_validate=untrusted -e egov_ops_validate_inventory=inventories/site"
    done = play(repository, environment, "-i /dev/null", chosen, "-e egov_ops_validate_base=main")
    assert done.returncode == 0, done.stdout
    assert "Unknown, because a template or encrypted: egov_ops_backup_repositories (21)." in done.stdout


def test_the_gitlab_job_ends_where_the_server_gives_no_base(repository: Path, environment: dict[str, str]) -> None:
    done = shell("\n".join(GITLAB["validate-plan"]["script"]), repository, environment)
    assert done.returncode != 0
    assert "CI_MERGE_REQUEST_DIFF_BASE_SHA" in done.stdout


def play(repository: Path, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return shell(f"ansible-playbook egov.ops.validate {' '.join(options)}", repository, environment)


def test_all_mistakes_are_printed_and_written_and_the_playbook_fails(
    repository: Path, environment: dict[str, str]
) -> None:
    edit(repository, "paths: [/srv/shares]", "pathes: [/srv/shares]")
    edit(repository, 'critical: "90"', 'critical: "high"')
    chosen = ("-e egov_ops_validate_inventory=inventories/site", "-e egov_ops_validate_folder=results")
    done = play(repository, environment, *chosen)
    assert done.returncode == 2
    place = "inventories/site/group_vars/files.yml"
    assert f"{place}:14: egov_ops_backup_sets__50_files.shares has no key 'pathes'; did you mean paths?" in done.stdout
    assert f"{place}:9: egov_ops_probes__50_files.file_system_space.critical is 'high', but must be" in done.stdout
    assert "Traceback" not in done.stdout
    assert sorted(path.name for path in (repository / "results").iterdir()) == [
        "validate.codequality.json",
        "validate.json",
        "validate.junit.xml",
        "validate.sarif",
        "validate.txt",
    ]


def test_a_failed_validation_prints_no_json_and_no_warning_of_ansible(
    repository: Path, environment: dict[str, str]
) -> None:
    edit(repository, "paths: [/srv/shares]", "pathes: [/srv/shares]")
    chosen = "-e egov_ops_validate_inventory=inventories/site"
    plain, configured = f"-i localhost, {chosen}", {**environment, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    for options, variables in ((plain, environment), (chosen, configured)):
        done = play(repository, variables, options)
        assert done.returncode == 2
        assert "has no key 'pathes'" in done.stdout
        assert '"problems"' not in done.stdout
        assert "1 error, 0 warnings" in done.stdout
        assert "[WARNING]" not in done.stdout


def test_an_option_with_a_misspelt_prefix_is_a_warning(repository: Path, environment: dict[str, str]) -> None:
    chosen = "-e egov_ops_validate_inventory=inventories/site -e egov_opps_validate_base=main"
    done = play(repository, environment, chosen)
    assert done.returncode == 0, done.stdout
    assert "did you mean egov_ops_validate_base?" in " ".join(done.stdout.split())


def test_the_hook_of_a_site_refuses_a_commit_of_a_plan_with_a_mistake(
    repository: Path, environment: dict[str, str]
) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (chosen,) = PRE_COMMIT["repos"][0]["hooks"]
    assert chosen["id"] == hook["id"]
    config = {"repos": [{"repo": "local", "hooks": [{**hook, **chosen}]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    done = shell("git add -A && pre-commit run", repository, environment)
    assert done.returncode == 0, done.stdout
    edit(repository, "paths: [/srv/shares]", "pathes: [/srv/shares]")
    done = shell("git add -A && pre-commit run", repository, environment)
    assert done.returncode == 1, done.stdout
    assert "has no key 'pathes'" in done.stdout


def test_check_mode_writes_nothing(repository: Path, environment: dict[str, str]) -> None:
    chosen = ("-e egov_ops_validate_inventory=inventories/site", "-e egov_ops_validate_folder=results", "--check")
    assert play(repository, environment, *chosen).returncode == 0
    assert not (repository / "results").exists()


@pytest.mark.parametrize(
    "options, sentence",
    [
        ("", "No inventory is named"),
        ("-e egov_ops_validate_bsae=main", "egov_ops_validate_bsae is not a variable of the plan; did you mean"),
        ("-e egov_ops_timezone=UTC", "egov_ops_timezone belongs to the plan and is refused as an extra variable"),
        ("-e egov_ops_validate_inventory=inventories/site -e egov_ops_validate_explain=db9", "did you mean db"),
        ("-e egov_ops_validate_inventory=inventories/site -e egov_ops_validate_base=v9", "The base v9 is no revision"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    repository: Path, environment: dict[str, str], options: str, sentence: str
) -> None:
    done = play(repository, environment, options)
    assert done.returncode == 2
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout


def test_dictionaries_that_ansible_would_merge_are_refused_as_in_a_run(
    repository: Path, environment: dict[str, str]
) -> None:
    chosen = {**environment, "ANSIBLE_HASH_BEHAVIOUR": "merge"}
    done = play(repository, chosen, "-e egov_ops_validate_inventory=inventories/site")
    assert done.returncode == 2
    assert "hash_behaviour: merge is refused" in done.stdout


def test_a_hosts_plan_is_explained_through_its_layers(repository: Path, environment: dict[str, str]) -> None:
    done = play(
        repository,
        environment,
        "-e egov_ops_validate_inventory=inventories/site",
        "-e egov_ops_validate_explain=backup1",
    )
    assert done.returncode == 0, done.stdout
    explained = done.stdout.partition("\negov_ops_backup_sets.config\n")[2].splitlines()[:3]
    assert explained == [
        "  default: class, full, incremental, paths, repository",
        "  egov_ops_backup_sets (inventories/site/group_vars/all/main.yml:28): class, paths, repository",
        "  egov_ops_backup_sets__50_backup_server (inventories/site/group_vars/backup_server.yml:16): repository",
    ]


@pytest.mark.slow
def test_five_hundred_hosts_are_validated_and_compared_in_the_time_that_is_promised(tmp_path: Path) -> None:
    """The promise is 20 s, and 40 s with a base; measured is CPU time, to which other work does not add."""
    inventory = tmp_path / "site"
    shutil.copytree(ROOT / "inventories/example", inventory)
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
    web = hosts["all"]["children"]["application"]["children"]["web"]["hosts"]
    for number in range(4, 483):
        web[f"web{number}"] = {"ansible_host": f"198.18.{number // 250}.{number % 250}"}
        own = f'---\negov_ops_probes__90_host:\n  memory: {{warning: "{80 + number % 15}", critical: "99"}}\n'
        (inventory / f"host_vars/web{number}.yml").write_text(own)
    (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts, sort_keys=False))
    shutil.copytree(inventory, tmp_path / "base")
    (inventory / "group_vars/all/site.yml").write_text("---\negov_ops_patch_deadline_high: 40d\n")
    used = {}
    for base in ("", str(tmp_path / "base")):
        before = resource.getrusage(resource.RUSAGE_SELF)
        data = validate(Wanted(str(inventory), base=base))
        after = resource.getrusage(resource.RUSAGE_SELF)
        used[base] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert data["hosts"] == 500
    assert [len(change["hosts"]) for change in data["changes"]] == [499]
    assert all(seconds < limit for seconds, limit in zip(used.values(), (20, 40), strict=True)), used
