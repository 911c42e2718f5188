# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egov.ops.plugins.plugin_utils.plan.checking import check, inspect
from ansible_collections.egov.ops.plugins.plugin_utils.plan.merging import Memory, merge
from ansible_collections.egov.ops.plugins.plugin_utils.plan.problem import PlanError, Problem
from ansible_collections.egov.ops.plugins.plugin_utils.plan.schema import Schema
from ansible_collections.egov.ops.plugins.plugin_utils.plan.values import Opaque, shown
from ansible_collections.egov.ops.plugins.plugin_utils.plan.vocabulary import load_vocabulary

SETS = "egov_ops_backup_sets"
REPOSITORIES = "egov_ops_backup_repositories"

#: One bad value for each variable of the plan and each key of an entry, by its name in messages.
BAD: dict[str, Any] = {
    "egov_ops_state_dir": "var",
    "egov_ops_host_state_dir": ["/var"],
    "egov_ops_tool_path": "opt/bin",
    "egov_ops_machine_alias": ["web1"],
    "egov_ops_managed": "perhaps",
    "egov_ops_platform_name": ["portal"],
    "egov_ops_timezone": "Asia/Beijing",
    "egov_ops_hosts": {"all": True},
    "egov_ops_state_group": {"gid": 0},
    "egov_ops_ephemeral": "perhaps",
    "egov_ops_fail_on": "sometimes",
    "egov_ops_report": "short",
    "egov_ops_report_language": "fr",
    "egov_ops_report_run": ["newest"],
    "egov_ops_report_period": "fortnight",
    "egov_ops_report_from": ["2026-11-01"],
    "egov_ops_report_to": {"day": 30},
    "egov_ops_report_group": ["web"],
    "egov_ops_report_team": "OPS",
    "egov_ops_validate": "perhaps",
    "egov_ops_validate_inventory": ["inventories/site"],
    "egov_ops_validate_base": {"main": True},
    "egov_ops_validate_explain": ["web1"],
    "egov_ops_validate_folder": ["results"],
    "egov_ops_restore_set": ["config"],
    "egov_ops_restore_paths": {"/etc": None},
    "egov_ops_restore_at": ["yesterday"],
    "egov_ops_restore_mode": "over",
    "egov_ops_restore_destination": ["/srv"],
    "egov_ops_restore_of": ["web1"],
    "egov_ops_restore_from": ["vault"],
    "egov_ops_transport": "pigeon",
    "egov_ops_procedures": ["daily"],
    "egov_ops_procedures.daily.title": "Daily",
    "egov_ops_procedures.daily.heading": "Daily",
    "egov_ops_procedures.daily.purpose": {"en": "Looks at each host."},
    "egov_ops_procedures.daily.team": "NIGHT",
    "egov_ops_procedures.daily.cadence": "often",
    "egov_ops_procedures.daily.at": "25:30 Asia/Shanghai",
    "egov_ops_procedures.daily.longest": "soon",
    "egov_ops_procedures.daily.observes": "rarely",
    "egov_ops_procedures.daily.clauses": 3.1,
    "egov_ops_procedures.daily.steps": [{"module": "health_probe"}],
    "egov_ops_probes": "all",
    "egov_ops_probes.cpu.kind": ["cpu"],
    "egov_ops_probes.cpu.layer": "basement",
    "egov_ops_probes.cpu.warning": "high",
    "egov_ops_probes.cpu.critical": True,
    "egov_ops_probes.cpu.severity": "fatal",
    "egov_ops_probes.cpu.timeout": "0",
    "egov_ops_controls": "all",
    "egov_ops_controls.AC-001.title": "No root",
    "egov_ops_controls.AC-001.why": ["because"],
    "egov_ops_controls.AC-001.severity": "fatal",
    "egov_ops_controls.AC-001.clauses": 8.1,
    "egov_ops_controls.AC-001.primitive": ["sshd"],
    "egov_ops_controls.AC-001.expected": False,
    "egov_ops_controls.AC-001.families": True,
    "egov_ops_controls.AC-001.deb": "absent",
    "egov_ops_controls.AC-001.rpm": "absent",
    "egov_ops_controls.AC-001.act": ["mend it"],
    "egov_ops_backup_sets": ["/etc"],
    "egov_ops_backup_sets.config.class": "precious",
    "egov_ops_backup_sets.config.paths": ["etc"],
    "egov_ops_backup_sets.config.exclude": {"*.tmp": True},
    "egov_ops_backup_sets.config.repository": "remote",
    "egov_ops_backup_sets.config.copies": "remote",
    "egov_ops_backup_sets.config.full": "fortnightly",
    "egov_ops_backup_sets.config.incremental": "never",
    "egov_ops_backup_sets.config.pre": "fsfreeze -f /srv",
    "egov_ops_backup_sets.config.post": "fsfreeze -u /srv",
    "egov_ops_backup_sets.config.hook_timeout": "soon",
    "egov_ops_backup_sets.config.snapshot": "sometimes",
    "egov_ops_backup_sets.config.snapshot_size": 101,
    "egov_ops_backup_sets.config.stop": {"nginx.service": True},
    "egov_ops_backup_repositories": "local",
    "egov_ops_backup_repositories.local.location": "../elsewhere",
    "egov_ops_backup_repositories.local.password_file": "password",
    "egov_ops_backup_repositories.local.credentials_file": "credentials",
    "egov_ops_backup_sets.config.rpo": "soon",
    "egov_ops_backup_repositories.local.password": ["hunter2"],
    "egov_ops_backup_repositories.local.password_command": "pass show backup",
    "egov_ops_backup_repositories.local.escrow_file": "envelope",
    "egov_ops_backup_repositories.local.quota": -1,
    "egov_ops_backup_repositories.local.prune_location": "../elsewhere",
    "egov_ops_backup_repositories.local.prune_credentials_file": "credentials",
    "egov_ops_backup_repositories.local.site": ["here"],
    "egov_ops_backup_repositories.local.immutable": "probably",
    "egov_ops_backup_repositories.local.engine": "floppy",
    "egov_ops_backup_repositories.local.create": "maybe",
    "egov_ops_backup_classes": ["precious"],
    "egov_ops_backup_retention": ["config"],
    "egov_ops_backup_retention.config.days": 0,
    "egov_ops_backup_retention.config.weeks": "four",
    "egov_ops_backup_retention.config.months": -1,
    "egov_ops_backup_retention.config.years": 101,
    "egov_ops_backup_holds": ["config"],
    "egov_ops_backup_holds.case.set": ["config"],
    "egov_ops_backup_holds.case.snapshot": ["1a2b3c4d"],
    "egov_ops_backup_holds.case.until": "2027",
    "egov_ops_backup_holds.case.ticket": ["4711"],
    "egov_ops_site": ["north"],
    "egov_ops_backup_proof_files": 5,
    "egov_ops_backup_proof_bytes": "256 MiB",
    "egov_ops_drill_host": ["vault"],
    "egov_ops_drill_copy": ["vault"],
    "egov_ops_drill_folder": "drills",
    "egov_ops_drill_assertions": ["pages"],
    "egov_ops_drill_assertions.pages.set": ["config"],
    "egov_ops_drill_assertions.pages.paths": ["etc/passwd"],
    "egov_ops_drill_assertions.pages.command": "true",
    "egov_ops_drill_assertions.pages.timeout": "soon",
    "egov_ops_unproved_warning": "soon",
    "egov_ops_unproved_critical": ["30d"],
    "egov_ops_max_lists_age": "soon",
    "egov_ops_security_origins": {"security": True},
    "egov_ops_patch_deadline_critical": "15 days",
    "egov_ops_patch_deadline_high": 60,
    "egov_ops_patch_deadline_other": ["90d"],
    "egov_ops_gates": ["approval"],
    "egov_ops_gates.restore.gates": ["approval", "luck"],
    "egov_ops_gates.restore.approvals": 0,
    "egov_ops_gates.restore.teams": ["NIGHT"],
    "egov_ops_people": ["li"],
    "egov_ops_people.li.team": "NIGHT",
    "egov_ops_people.li.may_request": ["everything"],
    "egov_ops_people.li.may_approve": {"restore": True},
    "egov_ops_signers": ["li"],
    "egov_ops_signers.li.person": ["li"],
    "egov_ops_signers.li.key": "ssh-ed25519 AAAA",
    "egov_ops_signers.li.revoked": "yesterday",
    "egov_ops_freezes": True,
    "egov_ops_freezes.congress.from": "2026-03-01",
    "egov_ops_freezes.congress.to": "2026-02-30 18:00 UTC",
    "egov_ops_freezes.congress.reason": ["congress"],
    "egov_ops_proof_max_age": "recently",
    "egov_ops_proof_by": "its own host",
    "egov_ops_request_validity": "1y",
    "egov_ops_request": ["1a2b3c4d"],
    "egov_ops_action": "reformat",
    "egov_ops_operation": "restore",
    "egov_ops_reason": {"because": True},
    "egov_ops_confirm": ["1a2b3c4d"],
    "egov_ops_accept_machine": "5f3c01ab",
    "egov_ops_acknowledge": "db2/health/swap/swap",
    "egov_ops_known_debt": "all of it",
    "egov_ops_redact": "hunter2",
    "egov_ops_accept_ledger": "wang",
    "egov_ops_signing_key": ["id_ed25519"],
    "egov_ops_override": {"reason": ""},
    "egov_ops_ledger_retention_days": 180,
    "egov_ops_witness_key": "id_ed25519",
    "egov_ops_witness_signers": 5,
}


def messages(problems: list[Problem]) -> list[str]:
    return [problem.message for problem in problems]


def variables_with(path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    if not rest:
        return {name: value}
    entry, key = rest.split(".")
    return {name: {entry: {key: value}}}


def test_every_variable_and_key_of_the_schema_has_a_bad_value_here(schema: Schema) -> None:
    found = {".".join(path.split(".")[::2]) for path in BAD}
    keys = {f"{name}.{key}" for name, variable in schema.variables.items() for key in variable.entry}
    assert found == {*schema.variables, *keys}


@pytest.mark.parametrize("path", BAD)
def test_a_bad_value_is_one_sentence_with_the_name_and_what_is_allowed(schema: Schema, path: str) -> None:
    (problem,) = check(variables_with(path, BAD[path]), schema)
    assert problem.fatal
    assert problem.variable == path.partition(".")[0]
    assert problem.message.startswith(f"{path} is ")
    assert "must be " in problem.message or "does not have" in problem.message
    assert problem.message.endswith((".", "?"))
    assert "\n" not in problem.message


@pytest.mark.parametrize("path", BAD)
def test_a_plan_with_a_bad_value_is_not_merged(schema: Schema, path: str) -> None:
    with pytest.raises(PlanError):
        merge(variables_with(path, BAD[path]), schema)


def test_the_default_plan_has_no_problem(schema: Schema) -> None:
    assert check({}, schema) == []


def test_a_bad_value_in_a_layer_is_told_with_the_layers_name(schema: Schema) -> None:
    (problem,) = check({f"{SETS}__50_web": {"config": {"full": "often"}}}, schema)
    assert problem.variable == f"{SETS}__50_web"
    assert problem.message.startswith(f"{SETS}__50_web.config.full is 'often', but must be one of hourly, daily,")


def test_all_mistakes_are_told_at_once(schema: Schema) -> None:
    variables = {"egov_ops_fail_on": "x", "egov_ops_reprot": True, SETS: {"config": {"full": "z"}}}
    assert len(check(variables, schema)) == 3


@pytest.mark.parametrize("value", ["precious", ["config"]])
def test_a_wrong_class_is_told_once_and_not_again_for_what_depends_on_it(schema: Schema, value: Any) -> None:
    assert len(check({SETS: {"data": {"class": value, "paths": ["/srv"]}}}, schema)) == 1


def test_an_empty_text_is_refused_where_it_means_nothing(schema: Schema) -> None:
    assert "must be a time zone" in check({"egov_ops_timezone": ""}, schema)[0].message


def test_an_unknown_variable_is_told_with_the_nearest_known_one(schema: Schema) -> None:
    assert messages(check({"egov_ops_backup_set": {}}, schema)) == [
        "egov_ops_backup_set is not a variable of the plan; did you mean egov_ops_backup_sets?"
    ]


def test_an_unknown_variable_with_a_layer_is_told_with_the_nearest_known_one(schema: Schema) -> None:
    (message,) = messages(check({"egov_ops_probe__50_portals_of_the_departments": {}}, schema))
    assert message.endswith("did you mean egov_ops_probes?")


def test_the_value_of_an_unknown_variable_is_not_shown(schema: Schema) -> None:
    (problem,) = check({"egov_ops_password": "hunter2"}, schema)
    assert "hunter2" not in f"{problem}"


def test_a_layer_of_a_variable_that_takes_none_is_refused(schema: Schema) -> None:
    (problem,) = check({"egov_ops_timezone__50_web": "UTC"}, schema)
    assert problem.fatal
    assert "takes none" in problem.message


def test_an_unknown_key_of_a_set_is_told_with_the_nearest_known_one(schema: Schema) -> None:
    assert messages(check({SETS: {"config": {"pathes": ["/etc"]}}}, schema)) == [
        f"{SETS}.config has no key 'pathes'; did you mean paths?"
    ]


def test_a_set_of_class_other_must_say_how_often_it_is_due(schema: Schema) -> None:
    (message,) = messages(check({SETS: {"files": {"class": "other", "paths": ["/srv"]}}}, schema))
    assert message.startswith(f"{SETS}.files lacks full; it must be one of hourly,")


def test_a_set_without_paths_is_refused(schema: Schema) -> None:
    assert "lacks paths" in check({SETS: {"data": {"class": "config"}}}, schema)[0].message


def test_a_set_with_an_empty_list_of_paths_is_refused(schema: Schema) -> None:
    assert "at least one element" in check({SETS: {"config": {"paths": []}}}, schema)[0].message


def test_an_entry_that_is_no_dictionary_is_refused(schema: Schema) -> None:
    assert messages(check({SETS: {"config": "/etc"}}, schema)) == [
        f"{SETS}.config is '/etc', but must be a dictionary of keys."
    ]


@pytest.mark.parametrize("name", ["a/b", "../x", "-x", "", "a,b", "a b", "a\nb"])
def test_a_name_that_could_not_be_a_files_is_refused(schema: Schema, name: str) -> None:
    (problem,) = check({SETS: {name: {"class": "config", "paths": ["/etc"]}}}, schema)
    assert problem.message == (f'{SETS} has an entry {name!r}; names are made of letters, digits, "_", "-" and ".".')


def test_a_chinese_name_of_a_set_is_taken(schema: Schema) -> None:
    assert check({SETS: {"门户-1": {"class": "config", "paths": ["/etc"]}}}, schema) == []


def test_a_state_that_there_is_not_is_refused(schema: Schema) -> None:
    (problem,) = check({SETS: {"config": {"state": "abscent"}}}, schema)
    assert problem.message == f"{SETS}.config.state is 'abscent', but must be one of present, absent."


def test_a_copy_in_a_repository_that_there_is_not_is_refused(schema: Schema) -> None:
    (message,) = messages(check({SETS: {"config": {"copies": ["local", "cloud"]}}}, schema))
    assert message == f"{SETS}.config.copies is 'cloud', which {REPOSITORIES} does not have; known are local."


def test_a_set_in_a_repository_that_was_removed_is_refused(schema: Schema) -> None:
    (message,) = messages(check({REPOSITORIES: {"local": {"state": "absent"}}}, schema))
    assert message == f"{SETS}.config.repository is 'local', which {REPOSITORIES} does not have; known are none."


def test_a_layer_of_the_plan_without_a_probe_is_refused(schema: Schema) -> None:
    assert messages(check({"egov_ops_probes__90_host": {"portal": {"state": "absent"}}}, schema)) == [
        "egov_ops_probes has no probe of the layer application; the plan wants one of each (S3.1-2)."
    ]


def test_a_retention_below_the_laws_six_months_is_refused(schema: Schema) -> None:
    (message,) = messages(check({"egov_ops_ledger_retention_days": 189}, schema))
    assert message == "egov_ops_ledger_retention_days is 189, but must be at least 190 days."


@pytest.mark.parametrize("name", [SETS, f"{SETS}__50_web", "egov_ops_state_dir"])
def test_a_plan_variable_among_the_extra_variables_is_refused_by_name(schema: Schema, name: str) -> None:
    assert messages(check({}, schema, {name: None})) == [
        f"{name} belongs to the plan and is refused as an extra variable; set it in the inventory."
    ]


def test_a_run_option_among_the_extra_variables_is_checked_like_any_other(schema: Schema) -> None:
    assert check({}, schema, {"egov_ops_fail_on": "warning"}) == []
    assert len(check({}, schema, {"egov_ops_fail_on": "often"})) == 1


def test_an_unknown_extra_variable_of_ours_is_told_once(schema: Schema) -> None:
    extra = {"egov_ops_langauge": "zh"}
    assert len(check(extra, schema, extra)) == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("egov_opps_fail_on", "did you mean egov_ops_fail_on?"),
        ("egov_opps_x", "the plan's names begin with egov_ops_."),
        ("egov_op_fail_on", "did you mean egov_ops_fail_on?"),
        ("egovops_fail_on", "did you mean egov_ops_fail_on?"),
        ("ego_ops_fail_on", "did you mean egov_ops_fail_on?"),
        ("egov_pos_fail_on", "did you mean egov_ops_fail_on?"),
        ("egov_0ps_fail_on", "did you mean egov_ops_fail_on?"),
        ("EGOV_OPS_FAIL_ON", "did you mean egov_ops_fail_on?"),
        (f"eegov_ops_{SETS.removeprefix('egov_ops_')}__50_web", f"did you mean {SETS}__50_web?"),
    ],
)
def test_a_slip_in_the_prefix_is_a_warning(schema: Schema, name: str, hint: str) -> None:
    for problems in (check({name: 1}, schema), check({}, schema, {name: 1})):
        sentence = f"{name} is not a variable of the plan, though it looks like one; {hint}"
        assert [(problem.message, problem.fatal) for problem in problems] == [(sentence, False)]


@pytest.mark.parametrize("name", ["egov_platform_ports", "egov_apps_x", "ops_fail_on", "egov_ops", "e", "devops_team"])
def test_a_name_that_only_resembles_the_prefix_is_the_sites_own(schema: Schema, name: str) -> None:
    assert check({name: 1}, schema) == []


def test_a_password_in_place_of_its_file_is_not_shown(schema: Schema) -> None:
    (problem,) = check({REPOSITORIES: {"local": {"password_file": "hunter2"}}}, schema)
    assert "hunter2" not in f"{problem}"


def test_a_missing_password_file_is_refused_before_anything_is_done(schema: Schema, tmp_path: Path) -> None:
    remote = {"location": "sftp:backup:/srv", "password_file": str(tmp_path / "remote.password")}
    (problem,) = check({f"{REPOSITORIES}__10_site": {"remote": remote}}, schema)
    assert problem.fatal
    assert problem.message == (
        f"{REPOSITORIES}__10_site.remote.password_file is {tmp_path}/remote.password, which does not exist on the "
        "controller; create it, or set create: true."
    )
    assert (problem.variable, problem.path) == (f"{REPOSITORIES}__10_site", ("remote", "password_file"))


def test_a_password_file_that_will_be_created_is_no_error(schema: Schema, tmp_path: Path) -> None:
    assert check({REPOSITORIES: {"local": {"password_file": str(tmp_path / "local.password")}}}, schema) == []


def test_a_password_file_that_others_can_read_is_refused(schema: Schema, tmp_path: Path) -> None:
    file = tmp_path / "local.password"
    file.write_text("secret\n")
    file.chmod(0o644)
    (problem,) = check({REPOSITORIES: {"local": {"password_file": str(file)}}}, schema)
    assert problem.fatal
    assert "open to others" in problem.message
    assert (problem.variable, problem.path) == (REPOSITORIES, ("local", "password_file"))


def test_a_variable_of_the_site_that_looks_like_a_roles_is_a_warning(schema: Schema) -> None:
    options = {"backup": ["backup_timeout"], "health_check": ["health_check_timeout"]}
    (problem,) = check({"backup_timeuot": 5, "backup_timeout": 5, "ntp_servers": []}, schema, role_options=options)
    assert not problem.fatal
    assert problem.message == (
        "backup_timeuot is not an option of the role backup, though it looks like one; did you mean backup_timeout?"
    )


def test_a_freeze_that_ends_before_it_begins_is_refused(schema: Schema) -> None:
    freeze = {"from": "2026-03-15 00:00 Asia/Shanghai", "to": "2026-03-14 16:00 UTC", "reason": "Congress"}
    (message,) = messages(check({"egov_ops_freezes__10_site": {"congress": freeze}}, schema))
    assert message == (
        "egov_ops_freezes__10_site.congress.to is '2026-03-14 16:00 UTC', but must be later than from, "
        "'2026-03-15 00:00 Asia/Shanghai'."
    )


def test_a_key_of_two_signers_is_refused(schema: Schema) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMoEmjK0MoVAK5LRv7y"
    people = {"li": {"team": "DATA"}, "wang": {"team": "SEC"}}
    signers = {"li": {"person": "li", "key": key}, "wang": {"person": "wang", "key": f"{key} wang@desk"}}
    (message,) = messages(check({"egov_ops_people": people, "egov_ops_signers": signers}, schema))
    assert message.startswith("egov_ops_signers.wang.key is the key of li too;")


@pytest.mark.parametrize("left", [["approval"], ["lock", "freeze"], ["freeze"]])
def test_a_gate_that_no_plan_may_leave_out_is_missed_by_name(schema: Schema, left: list[str]) -> None:
    (message,) = messages(check({"egov_ops_gates__90": {"restore": {"gates": left}}}, schema))
    missing = " and ".join(name for name in ("approval", "lock") if name not in left)
    assert message == f"egov_ops_gates__90.restore.gates lacks {missing}, which no plan may leave out."


def test_what_is_of_one_command_is_refused_in_the_inventory(schema: Schema) -> None:
    emergency = {"egov_ops_override": {"reason": "The portal is down"}}
    (message,) = messages(check(emergency, schema))
    assert message == "egov_ops_override is set in the inventory, but must be given on the command line alone (-e)."
    assert merge({}, schema, emergency)["egov_ops_override"] == emergency["egov_ops_override"]


def test_a_retention_for_a_class_that_there_is_not_is_refused(schema: Schema) -> None:
    (message,) = messages(check({"egov_ops_backup_retention__10_site": {"precious": {"days": 7}}}, schema))
    assert message.startswith("egov_ops_backup_retention__10_site.precious is no class; known are business_data,")


def test_a_retention_that_ends_before_the_next_full_backup_is_refused(schema: Schema) -> None:
    short = {"config": {"days": 7, "weeks": 3, "months": 0, "years": 0}}
    (message,) = messages(check({"egov_ops_backup_retention": short}, schema))
    assert message == (
        f"{SETS}.config.full is 'monthly', but egov_ops_backup_retention keeps the class config for 21 days, less than "
        "from one full backup to the next; keep it longer, or make full backups more often."
    )


def test_a_password_from_two_places_is_refused_and_not_shown(schema: Schema) -> None:
    (message,) = messages(
        check({REPOSITORIES: {"local": {"password": "hunter2", "password_command": ["pass"]}}}, schema)
    )
    assert message == (
        f"{REPOSITORIES}.local.password_command is given beside password, and a repository has its password from one "
        "place; take one out."
    )


def test_what_backups_leave_out_is_said_where_a_plan_is_validated_and_not_where_it_is_run(schema: Schema) -> None:
    variables = {"egov_ops_backup_classes": ["database"], SETS: {"config": {"state": "absent"}}}
    assert check(variables, schema) == []
    _plan, found = inspect(variables, schema, {}, load_vocabulary(), Memory())
    assert ["egov_ops_backup_classes has the class database" in problem.message for problem in found] == [True]


def _public_key(kind: str, *numbers: int) -> str:
    """Return the line of a public key: its kind and the numbers of its algorithm, as RFC 4253 writes them."""
    fields = [kind.encode(), *(number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers)]
    blob = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return f"{kind} {base64.b64encode(blob).decode()}"


RSA = {bits: _public_key("ssh-rsa", 65537, 2**bits - 1) for bits in (2048, 3071, 3072, 4096)}


@pytest.mark.parametrize(
    ("key", "weakness"),
    [
        (RSA[2048], "an RSA key of 2048 bits"),
        (RSA[3071], "an RSA key of 3071 bits"),
        (RSA[3072], ""),
        (RSA[4096], ""),
        (_public_key("ssh-dss", 2**1024 - 1, 5, 7, 9), "a DSA key"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMoEmjK0MoVAK5LRv7y", ""),
    ],
)
def test_a_key_that_is_too_weak_to_sign_is_named_where_a_plan_is_validated(
    schema: Schema, key: str, weakness: str
) -> None:
    people = {"li": {"team": "DATA"}}
    for revoked in ({}, {"revoked": "2026-01-01 00:00 UTC"}):
        variables = {
            "egov_ops_people": people,
            "egov_ops_signers__50_site": {"li": {"person": "li", "key": key} | revoked},
        }
        assert check(variables, schema) == []
        _plan, found = inspect(variables, schema, {}, load_vocabulary(), Memory())
        if not weakness or revoked:
            assert found == []
            continue
        (problem,) = found
        allowed = "an Ed25519 or ECDSA key, or one of RSA with at least 3072 bits"
        assert (problem.variable, problem.path) == ("egov_ops_signers__50_site", ("li", "key"))
        assert (problem.rule, problem.allowed, problem.fatal) == ("weakening", allowed, True)
        assert problem.value == shown(key)
        assert problem.message == (
            f"egov_ops_signers__50_site.li.key is {weakness}, which is too weak to sign with; it must be {allowed}."
        )


def test_a_word_that_there_is_not_is_named_where_a_plan_is_validated(schema: Schema) -> None:
    variables = {"egov_ops_probes__50_site": {"odd": {"kind": "oracle", "layer": "platform", "critical": "0"}}}
    assert check(variables, schema) == []
    plan, (problem,) = inspect(variables, schema, {}, load_vocabulary(), Memory())
    assert plan is not None
    assert (problem.variable, problem.path, problem.value) == ("egov_ops_probes__50_site", ("odd", "kind"), "'oracle'")
    assert problem.message.startswith("egov_ops_probes__50_site.odd.kind is")
    assert problem.rule
    assert problem.allowed


def test_a_plan_that_cannot_be_followed_is_not_shown_and_its_problems_are(schema: Schema) -> None:
    plan, found = inspect({"egov_ops_fail_on": "often", "egov_ops_x": 1}, schema, {}, load_vocabulary(), Memory())
    assert plan is None
    assert sorted(problem.variable for problem in found) == ["egov_ops_fail_on", "egov_ops_x"]


def test_a_layer_that_a_variable_does_not_take_names_the_variable(schema: Schema) -> None:
    (problem,) = check({"egov_ops_fail_on__50_site": "none"}, schema)
    assert (problem.variable, problem.allowed, problem.rule) == (
        "egov_ops_fail_on__50_site",
        "egov_ops_fail_on",
        "name",
    )
    assert problem.message == (
        "egov_ops_fail_on__50_site looks like a layer, but egov_ops_fail_on takes none; set egov_ops_fail_on."
    )


def test_a_layer_of_a_probe_that_is_encrypted_may_be_any(schema: Schema) -> None:
    probes = {"portal": {"state": "absent"}, "cpu": {"layer": Opaque("of the vault")}}
    assert check({"egov_ops_probes__90_host": probes}, schema) == []
