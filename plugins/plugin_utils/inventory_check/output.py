# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A validation as data, and as the files that people and CI servers read: text, JSON, JUnit, SARIF and code quality."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from ansible_collections.egov.ops.plugins.plugin_utils.common import OpsError
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check import code_quality, explain
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.accepted import Acceptance
from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.source_lines import Finding, Place
from ansible_collections.egov.ops.plugins.plugin_utils.plan import Change

if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.plugin_utils.inventory_check.types import (
        ChangeData,
        ProblemData,
        Validation,
    )

SCHEMA = 1
#: Hosts that a line of text names before it only counts them.
NAMED = 5
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"

#: The kinds of mistakes, as the CI server explains them.
RULES = {
    "accepted": "An acceptance that cannot be taken",
    "address": "An address, or one that two hosts have",
    "base": "A base that cannot be compared",
    "clause": "A clause that the plan does not have",
    "file": "A file that the plan names",
    "floor": "Something that no plan may leave out",
    "key": "A key that an entry does not have",
    "layer": "A layer of the plan that no probe watches",
    "name": "A name that the plan does not have",
    "option": "A variable that looks like a role's option",
    "owner": "A file of variables that nobody reads",
    "reference": "A reference to an entry that is not there",
    "repeated": "A key that stands twice",
    "required": "A key that an entry lacks",
    "scope": "An option of one command in the inventory",
    "step": "A step that no procedure can record",
    "syntax": "A file that cannot be read",
    "template": "A template that cannot be filled in",
    "unknown": "A value that cannot be judged",
    "untrusted": "What an untrusted change may not have",
    "value": "A value that is not allowed",
    "word": "A word that there is not",
    "weakening": "A change that takes protection away and is not accepted",
}

#: Effects that add protection, as far as that is told by their name.
GAINS = ("is new", "new in the inventory", "now looked after")


def blank(inventory: str, base: str) -> Validation:
    """Return the data of an inventory that nobody has looked at."""
    return {
        "schema": SCHEMA,
        "inventory": inventory,
        "base": base,
        "loaded": False,
        "hosts": 0,
        "files": [],
        "not_checked": [],
        "unknown": {},
        "changes": [],
        "explain": {},
        "problems": [],
    }


def problem_data(finding: Finding) -> ProblemData:
    """Return a finding as the JSON has it."""
    place, problem, hosts = finding
    return {
        "severity": "error" if problem.fatal else "warning",
        "rule": problem.rule,
        "file": place.file,
        "line": place.line,
        "variable": problem.variable,
        "path": list(problem.path),
        "value": problem.value,
        "allowed": problem.allowed,
        "message": problem.message,
        "hosts": list(hosts),
    }


def change_data(change: Change, place: Place, acceptance: Acceptance | None) -> ChangeData:
    """Return an effect of a change as the JSON has it."""
    return {
        "effect": change.effect,
        "weakens": change.weakens,
        "digest": change.digest,
        "file": place.file,
        "line": place.line,
        "variable": change.variable,
        "path": list(change.path),
        "before": change.before,
        "after": change.after,
        "message": change.sentence,
        "hosts": list(change.hosts),
        "accepted": {"reason": acceptance.reason, "person": acceptance.person} if acceptance else {},
    }


def named(hosts: Sequence[str]) -> str:
    """Return some hosts for a sentence: the first by name, the others by number."""
    more = len(hosts) - NAMED
    return ", ".join(hosts[:NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 host`, `2 hosts`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def sentence_of(data: Validation) -> str:
    """Return the outcome in one sentence."""
    errors = sum(problem["severity"] == "error" for problem in data["problems"])
    warnings = len(data["problems"]) - errors
    parts = [counted(errors, "error"), counted(warnings, "warning")]
    outcome = ", ".join(parts) if data["problems"] else "no mistake"
    hosts = counted(data["hosts"], "host") if data["loaded"] else "cannot be loaded"
    return f"{data['inventory']}: {hosts}, {counted(len(data['files']), 'file')}, {outcome}."


def render_text(data: Validation) -> str:
    """Return what a person reads: a line for each problem, as compilers write them, and the outcome."""
    lines = [explain.render(data["explain"])] if data["explain"] else []
    if data["base"]:
        lines += [f"Compared with {data['base']}:", *map(_change_line, data["changes"])]
        lines += [] if data["changes"] else ["  nothing changes"]
    lines += [_line_of(problem) for problem in data["problems"]]
    if data["not_checked"]:
        lines.append(f"Not checked, because encrypted: {', '.join(data['not_checked'])}.")
    if data["unknown"]:
        names = ", ".join(f"{name} ({number})" for name, number in data["unknown"].items())
        lines.append(f"Unknown, because a template or encrypted: {names}.")
    lines.append(sentence_of(data))
    return "\n".join(lines)


def render_json(data: Validation) -> str:
    """Return all of it as JSON."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def render_junit(data: Validation) -> str:
    """Return a JUnit report: a test case for each file that was read, which fails by its errors."""
    by_file: dict[str, list[ProblemData]] = {file: [] for file in data["files"]}
    for problem in data["problems"]:
        by_file.setdefault(problem["file"] or data["inventory"], []).append(problem)
    failed = sum(any(problem["severity"] == "error" for problem in found) for found in by_file.values())
    counts = {"tests": str(len(by_file)), "failures": str(failed), "errors": "0"}
    skipped = set(data["not_checked"])
    root = ElementTree.Element("testsuites", {"name": "egov.ops.validate", **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": "egov.ops.validate", **counts})
    suite.set("skipped", str(len(skipped)))
    for file, problems in by_file.items():
        case = ElementTree.SubElement(suite, "testcase", {"classname": "egov.ops.validate", "name": file, "file": file})
        errors = [problem for problem in problems if problem["severity"] == "error"]
        warnings = [problem for problem in problems if problem["severity"] == "warning"]
        if errors:
            failure = ElementTree.SubElement(case, "failure", {"message": _printable(errors[0]["message"])})
            failure.text = _printable("\n".join(map(_line_of, errors)))
        elif file in skipped:
            ElementTree.SubElement(case, "skipped", {"message": "encrypted"})
        if warnings:
            ElementTree.SubElement(case, "system-out").text = _printable("\n".join(map(_line_of, warnings)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def render_sarif(data: Validation) -> str:
    """Return a SARIF 2.1.0 log, which code hosts show beside the lines of a change."""
    rules = sorted({problem["rule"] for problem in data["problems"]})
    driver = {
        "name": "egov.ops.validate",
        "informationUri": "https://example.invalid/egov/ops",
        "rules": [{"id": rule, "shortDescription": {"text": RULES[rule]}} for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": problem["rule"],
                "ruleIndex": rules.index(problem["rule"]),
                "level": problem["severity"],
                "message": {"text": problem["message"] + _for_hosts(problem)},
                "locations": list(_locations(problem)),
            }
            for problem in data["problems"]
        ],
    }
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


FILES: Mapping[str, Callable[[Validation], str]] = {
    "validate.txt": lambda data: render_text(data) + "\n",
    "validate.json": render_json,
    "validate.junit.xml": render_junit,
    "validate.sarif": render_sarif,
    "validate.codequality.json": code_quality.render,
}


def write(data: Validation, folder: Path) -> list[str]:
    """Write the files into a folder, which is made if need be, and return their paths; raises OpsError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, render in FILES.items():
            # A file of its own takes the name: what stands there, a link or a pipe, is neither followed nor opened.
            temporary = folder / f".{name}.{secrets.token_hex(8)}"
            with temporary.open("x", encoding="utf-8") as stream:
                stream.write(render(data))
            temporary.replace(folder / name)
    except OSError as error:
        raise OpsError(f"The results cannot be written to {folder} ({error.strerror}); name another folder.") from error
    return [str(folder / name) for name in FILES]


def _line_of(problem: ProblemData) -> str:
    place = f"{problem['file']}:{problem['line']}: " if problem["line"] else f"{problem['file']}: "
    severity = "" if problem["severity"] == "error" else "warning: "
    return f"{place if problem['file'] else ''}{severity}{problem['message']}{_for_hosts(problem)}"


def _change_line(change: ChangeData) -> str:
    sign = "-" if change["weakens"] else "+" if change["effect"] in GAINS else " "
    accepted = f"; accepted by {change['accepted']['person']}" if change["accepted"] else ""
    return f"  {sign} {change['message']}{_for_hosts(change)}{accepted}"


def _for_hosts(problem: ProblemData | ChangeData) -> str:
    return f" ({named(problem['hosts'])})" if problem["hosts"] else ""


def _locations(problem: ProblemData) -> Iterator[Mapping[str, object]]:
    if problem["file"]:
        place: dict[str, object] = {"artifactLocation": {"uri": _uri(problem["file"])}}
        if problem["line"]:
            place["region"] = {"startLine": problem["line"]}
        yield {"physicalLocation": place}


def _uri(file: str) -> str:
    from urllib.parse import quote

    return Path(file).as_uri() if Path(file).is_absolute() else quote(file)


def _printable(text: str) -> str:
    """Return a text without the characters that XML does not take."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())
