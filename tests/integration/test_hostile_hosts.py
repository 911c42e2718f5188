# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a host answers, over either transport, is data: nothing of it is obeyed, and nothing is printed raw."""

from __future__ import annotations

import json
import resource
import sqlite3

import pytest

from tests.support.hostile import FLOOD, FOUND, GOOD, ODD, attacks, python
from tests.support.sites import PROBE, Done, Site

BAD = ("failed", "malformed_answer")
#: What no terminal and no report may hold of a host: ESC, BEL, CSI, and the sign that turns a line round.
ACTIVE = [b"\x1b", b"\x07", "\x9b".encode(), "\u202e".encode()]


def rows(site: Site, query: str) -> list[tuple[object, ...]]:
    """Return what SQL finds in the ledger."""
    with sqlite3.connect(f"file:{site.state / 'ledger.sqlite3'}?mode=ro", uri=True) as ledger:
        return ledger.execute(query).fetchall()


def is_harmless(site: Site, done: Done) -> None:
    """Check with outside eyes that nothing was obeyed, and what terminal, reports and ledger hold."""
    assert not (site.folder / "mark").exists()
    assert "invented" not in done.output.rpartition("PLAY RECAP")[2]
    shown = [done.output.encode()]
    shown += [path.read_bytes() for path in (site.state / "reports").iterdir()]
    assert len(shown) > 2
    for content in shown:
        assert [sign for sign in ACTIVE if sign in content] == []
    assert (
        rows(
            site,
            "SELECT seq FROM record WHERE body LIKE '%\\u001b%' OR instr(body, char(27)) OR instr(body, char(155))",
        )
        == []
    )
    assert site.spools() == []
    assert site.verified()


def hostile_site(site: Site, answers: dict[str, str]) -> None:
    """Let the site have a host for each answer beside db1, which is honest."""
    honest = site.hosts["db1"]
    hosts = {
        name: {**honest, "ansible_python_interpreter": python(site.folder, name, text)}
        for name, text in answers.items()
    }
    site.hosts = {**hosts, "db1": honest}
    site.environment = {"ANSIBLE_FORKS": "4"}


def attack(site: Site) -> None:
    """Let each attack run in one play, and check what came of it."""
    answers = attacks(str(site.folder / "mark"))
    answers["flood"] = '{"msg": "' + "x" * 10_000_000 + '"}'
    hostile_site(site, answers)
    task = {**PROBE, "register": "found"}
    keys = {"ansible.builtin.debug": {"msg": "KEYS {{ found.keys() | sort | join(' ') }}."}, "name": "Keys"}
    done = site.play(site.procedure([task, keys]), "-vvv", timeout=300)
    assert done.rc == 2, done.output[-4000:]
    is_harmless(site, done)
    wrong = {host: step for (host, _module), step in site.steps().items() if step != BAD}
    assert wrong == {"db1": ("ok", ""), "flood": ("failed", "too_large")}
    assert rows(site, "SELECT DISTINCT kind FROM record WHERE host NOT IN ('db1', 'controller')") == [("step",)]
    assert rows(site, "SELECT host FROM record WHERE kind = 'step' AND status = 'ok'") == [("db1",)]
    told = {entry["host"]: entry["detail"]["message"] for entry in site.records(kind="step")}
    for host in answers.keys() - {"flood"}:
        assert f"The answer of {host} to health_probe is malformed" in told[host], told[host]
    common = "changed cpu evidence evidence_count failed msg python reason status summary transport"
    for line in done.output.splitlines():
        if "KEYS " in line:
            assert set(line.partition("KEYS ")[2].partition(".")[0].split()) <= set(common.split()), line


def test_each_answer_that_is_none_is_a_record_and_nothing_else(either):
    attack(either)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("core", "transport"),
    [
        ("2.16", "module"),
        ("2.21", "stream"),
        pytest.param("2.16", "stream", marks=pytest.mark.long),
        pytest.param("2.21", "module", marks=pytest.mark.long),
    ],
)
def test_no_ansible_obeys_a_host(site, ansible_core, core, transport):
    site.bin = ansible_core(core)
    site.variables["egov_ops_transport"] = transport
    attack(site)


def test_text_that_is_only_odd_is_shown_harmless_and_never_a_template(either):
    hostile_site(either, {"odd": ODD})
    done = either.play(either.procedure([PROBE]), "-vvv")
    assert either.steps()[("odd", "health_probe")] == ("ok", ""), done.output
    is_harmless(either, done)
    assert "{{ 7 * 7 }}" in done.output
    query = "{{ query('egov.ops.ledger', host='odd') }}"
    asked = either.run("ansible", "db1", "-m", "ansible.builtin.debug", "-a", f'msg="{query}"')
    assert asked.rc == 0, asked.output
    assert "[U+202E]" in asked.output
    told = either.run("ansible", "db1", "-m", "egov.ops.ledger_info", "-a", "host=odd")
    assert "[U+202E]" in told.output
    assert "\u202e" not in asked.output + told.output
    assert json.loads(json.dumps(either.records(host="odd", kind="memory")[0]["subject"])) == "a\u202eb"


def templates(site: Site) -> None:
    """Let plays use what a host says in each way in which Ansible evaluates templates, and check that none ran."""
    mark = site.folder / "mark"
    orders = f"{{{{ lookup('pipe', 'touch {mark}') }}}} {{% for x in 'ab' %}}{{{{ x }}}}{{% endfor %}} {{# c #}}"
    seen = {**FOUND, "subject": orders, "status": "warning", "detail": {"message": orders, orders: orders}}
    answers = {"odd": json.dumps({**GOOD, "msg": orders, "evidence": [seen]})}
    answers["ends"] = json.dumps({"failed": True, "msg": orders})
    hostile_site(site, answers)
    debug, shown = "ansible.builtin.debug", {"msg": "{{ kept }} {{ item }}"}
    tasks = [
        {**PROBE, "register": "found"},
        {**PROBE, "name": "Loop", "register": "all", "loop": [1, 2]},
        {"name": "Keep", "ansible.builtin.set_fact": {"kept": "{{ found.msg }} {{ hostvars['odd'].found.msg }}"}},
        {"name": "Show", debug: shown, "loop": "{{ found.evidence + all.results | map(attribute='msg') | list }}"},
        {"name": "Nest", debug: {"var": "hostvars['odd'].kept"}},
        {"name": "Test", debug: {"msg": "{{ inner }}"}, "vars": {"inner": "{{ kept }}"}, "when": "found.msg != ''"},
        {"name": "End", "ansible.builtin.fail": {"msg": "{{ found.msg }}"}, "ignore_errors": True},
        {"name": "Write", "ansible.builtin.copy": {"content": "{{ kept }}", "dest": f"{site.folder}/copy"}},
    ]
    done = site.play(site.procedure(tasks), "-v", "--diff", timeout=300)
    assert orders in (site.folder / "copy").read_text()
    for name in ("Show", "Nest", "Test", "End"):
        part = done.output.partition(f"TASK [{name}]")[2].partition("TASK [")[0]
        assert "{% for x in 'ab' %}" in part, done.output[-6000:]
    is_harmless(site, done)


def test_no_template_of_a_host_is_evaluated(site):
    templates(site)


@pytest.mark.slow
@pytest.mark.parametrize("core", ["2.16", "2.21"])
def test_no_ansible_evaluates_a_template_of_a_host(site, ansible_core, core):
    site.bin = ansible_core(core)
    templates(site)


def test_a_day_with_a_hostile_host_does_the_others_work(either):
    answer = attacks(str(either.folder / "mark"))["addhost"]
    either.has_repository()
    hostile_site(either, {"web1": answer})
    done = either.play("egov.ops.daily", timeout=300)
    assert done.rc == 2, done.output[-4000:]
    is_harmless(either, done)
    steps = either.steps()
    if either.variables["egov_ops_transport"] == "stream":  # it goes to the system's own Python
        assert steps.pop(("web1", "package_scan")) == ("ok", "")
    assert {step for (host, _module), step in steps.items() if host == "web1"} == {BAD}
    assert {step for (host, _module), step in steps.items() if host == "db1"} == {("ok", "")}
    assert len(steps) > 6


def test_a_host_that_prints_without_end_does_not_fill_the_controller(either):
    program = either.folder / "flood"
    program.write_text(FLOOD)
    program.chmod(0o755)
    either.hosts["web1"]["ansible_python_interpreter"] = str(program)
    done = either.play(either.procedure([PROBE]), timeout=200)
    assert done.rc == 2, done.output[-4000:]
    steps = {host: step for (host, _module), step in either.steps().items()}
    assert steps == {"web1": ("failed", "too_large"), "web2": ("ok", ""), "db1": ("ok", "")}
    # Of all processes that this one has waited for, so of the largest worker too.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1536 * 1024
