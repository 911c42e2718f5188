# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site with a distinct secret in each place that takes one, and who looks for them in files, texts and processes."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tests.support.sites import Site, wait_for

#: Where each secret is planted, and its value: some with signs that formats write in another way.
PLANTED = {
    "argument, single vaulted value": "Zr7'plug\"in $(x) .*[",
    "user of a URL, encrypted file": "Qw4urlpass%2Fx",
    "query of a URL": "Tk9querytoken",
    "header": "Hd3headervalue",
    "header in base64": "Hb8headerbasic",
    "text sent to a port": "Sd2sentpassword",
    "argument in plain text": "Pl5plainargument",
    "option of a task, single vaulted value": "Op7taskoption",
    "repository password in a file": "Rf1repofile",
    "repository password by command": "Rc6repocommand",
    "repository password in vault": "Rv8repovault",
    "repository password of the environment": "Re4repoenv",
    "become password": "Bc5becomepass",
    "hook, single vaulted value": "Hk7hook 密码 line",
    "REST server in the location": "Rs9restlocation",
    "login of an SFTP server": "Sf3sftplogin",
    "vaulted value of several lines": "Ml6firstlinesecret\nMl6secondlinesecret",
}

#: A plugin that repeats what it was given, as it is and in other spellings, and fails.
PLUGIN = """#!/usr/bin/python3
import base64, json, sys, urllib.parse
words = [w for w in sys.argv[1:]]
shown = [f(w) for w in words for f in (str, repr, json.dumps, urllib.parse.quote, urllib.parse.quote_plus)]
shown += [base64.b64encode(b"x" * n + w.encode()).decode() for w in words for n in range(3)]
print("CRITICAL: " + " ".join(" ".join(shown).split()) + "|time=1")
sys.exit(2)
"""


def spellings(value: str) -> set[str]:
    """Return a value as some formats write it; of several lines each stands for itself."""
    forms = {form for line in value.splitlines() for form in (line, quote(line), quote_plus(line), quote(line, ""))}
    forms |= {json.dumps(form)[1:-1] for form in forms} | {repr(form)[1:-1] for form in forms}
    forms |= {json.dumps(form, ensure_ascii=False)[1:-1] for form in forms}
    lines = [line.encode() for line in value.splitlines()]
    return forms | {base64.b64encode(b"mon:" + line).decode().rstrip("=")[8:-2] for line in lines}


def found_in(text: str) -> list[str]:
    """Return which planted secrets stand in a text."""
    return [name for name, value in PLANTED.items() if any(form in text for form in spellings(value))]


def found_below(*folders: Path) -> list[str]:
    """Return which planted secrets stand in which files, but for those that are there to hold them."""
    return [
        f"{name}: {path}"
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "passwords"
        for name in found_in(path.read_bytes().decode("utf-8", "backslashreplace"))
    ]


#: Which secrets the plan itself gives to which program, by where they are seen. Nobody else may have any.
GIVEN = {
    ("arguments", "check_echo"): {
        "argument, single vaulted value",
        "argument in plain text",
        "hook, single vaulted value",
        "option of a task, single vaulted value",
        "vaulted value of several lines",
    },
    ("environment", "restic"): {"REST server in the location", "login of an SFTP server"},
}
#: What the shell of the test has itself, and so whatever Ansible starts; what the half starts has it no more.
INHERITED = "repository password of the environment"
STARTED_BY_HALF = ("check_echo", "restic")
#: What a process of the sampler's own holds: a sampler that does not find it looks at nothing.
CONTROL = "control"


class Sampler:
    """Looks at the arguments and the environment of every process for as long as a run takes."""

    def __init__(self) -> None:
        #: What was found: secret, where (arguments or environment), program.
        self.found: set[tuple[str, str, str]] = set()
        values = {**PLANTED, CONTROL: f"Ct0control{os.getpid()}"}
        self._control = values[CONTROL]
        self._needles = {
            name: [form.encode() for form in spellings(value) if len(form) >= 8] for name, value in values.items()
        }
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        with subprocess.Popen(
            ["sh", "-c", "read line", self._control], env={"X": self._control}, stdin=subprocess.PIPE
        ) as control:
            wait_for(lambda: len([found for found in self.found.copy() if found[0] == CONTROL]) == 2)
            assert control.stdin
            control.stdin.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def forbidden(self) -> list[str]:
        """Return what was found and was not given: secret, where, program."""
        return [
            f"{name}: {where} of {program}"
            for name, where, program in self.found
            if name != CONTROL
            and name not in GIVEN.get((where, program), ())
            and not (name == INHERITED and where == "environment" and program not in STARTED_BY_HALF)
        ]

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for pid in (path.name for path in Path("/proc").iterdir() if path.name.isdigit()):
                if int(pid) != os.getpid():
                    with suppress(OSError):
                        self._look_at(Path("/proc", pid))

    def _look_at(self, process: Path) -> None:
        """Look at one process; where it becomes another program meanwhile, once more. Raises OSError for one gone."""
        arguments, later = b"", None
        while arguments != later:
            arguments = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
            later = (process / "cmdline").read_bytes()
        for where, content in (("arguments", arguments), ("environment", environment)):
            self.found |= {
                (name, where, _program(arguments))
                for name, needles in self._needles.items()
                if any(needle in content for needle in needles)
            }


def _program(arguments: bytes) -> str:
    """Return the name of the program that a process runs: of a script its own, not its interpreter's."""
    names = [Path(os.fsdecode(word)).name for word in arguments.split(b"\0")[:2]]
    return names[-1] if names[0].startswith("python") and not names[-1].startswith("-") else names[0]


@contextmanager
def system_log() -> Iterator[list[str]]:
    """Be the system's log where there is none, and give its lines; [] where there is one, or may be none."""
    lines: list[str] = []
    if os.geteuid() != 0 or Path("/dev/log").exists():
        yield lines
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind("/dev/log")
        log.settimeout(0.1)
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    lines.append(log.recv(65536).decode("utf-8", "replace"))

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield lines
        finally:
            time.sleep(0.2)
            over.set()
            thread.join()
            Path("/dev/log").unlink()


def encrypted(site: Site, name: str, value: str, password: Path) -> str:
    """Return the YAML of one encrypted variable."""
    done = subprocess.run(
        [site.bin / "ansible-vault", "encrypt_string", "--vault-password-file", password, "--stdin-name", name],
        input=value,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + "\n"


def plant(site: Site, web: int, echo: str, silent_rest: int) -> list[str]:
    """Put each secret in its place of the site, and return the options by which ansible-playbook finds them."""
    folder = site.folder
    password = folder / "vault-password"
    password.write_text("of the vault\n")
    variables = folder / "group_vars" / "all"
    variables.mkdir(parents=True)
    single = {
        "vault_plugin": "argument, single vaulted value",
        "vault_hook": "hook, single vaulted value",
        "vault_repository": "repository password in vault",
        "vault_lines": "vaulted value of several lines",
        "vault_option": "option of a task, single vaulted value",
    }
    (variables / "single.yml").write_text(
        "".join(encrypted(site, name, PLANTED[what], password) for name, what in single.items())
    )
    whole = variables / "whole.yml"
    whole.write_text(
        json.dumps(
            {
                "vault_url": PLANTED["user of a URL, encrypted file"],
                "vault_become": PLANTED["become password"],
                "vault_token": PLANTED["query of a URL"],
            }
        )
    )
    subprocess.run([site.bin / "ansible-vault", "encrypt", "--vault-password-file", password, whole], check=True)
    plugin = folder / "check_echo"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    kept = folder / "kept-elsewhere"
    kept.write_text(PLANTED["repository password by command"] + "\n")
    kept.chmod(0o600)
    passwords = site.state / "passwords"
    passwords.mkdir(parents=True, mode=0o700)
    (passwords / "local").write_text(PLANTED["repository password in a file"] + "\n")
    (passwords / "local").chmod(0o600)
    for name in ("rest", "sftp"):
        (passwords / name).write_text("none of the planted\n")
        (passwords / name).chmod(0o600)
    site.environment["PLANTED_REPOSITORY"] = PLANTED["repository password of the environment"]
    basic = base64.b64encode(f"mon:{PLANTED['header in base64']}".encode()).decode()
    http: dict[str, Any] = {"kind": "http", "layer": "application", "status": 299}
    rest, login = PLANTED["REST server in the location"], PLANTED["login of an SFTP server"]
    site.variables["egov_ops_probes"] = {
        "plugin_vaulted": _plugin(plugin, "-p", "{{ vault_plugin }}", "-x", "{{ vault_lines }}"),
        "plugin_plain": _plugin(plugin, "--password", PLANTED["argument in plain text"]),
        "page": {**http, "url": f"http://mon:{{{{ vault_url }}}}@127.0.0.1:{web}/a?token={{{{ vault_token }}}}"},
        "page_again": {**http, "url": f"http://127.0.0.1:{web}/a?token=another-one"},
        "page_broken": {**http, "url": "http://mon:{{ vault_url }}/x@127.0.0.1:99999/"},
        "page_header": {
            **http,
            "url": f"http://127.0.0.1:{web}/b",
            "headers": {"X-Api-Token": PLANTED["header"], "Authorization": f"Basic {basic}", "X-Bad\n": "x"},
        },
        "port": {
            "kind": "tcp",
            "layer": "platform",
            "address": echo,
            "send": f"AUTH {PLANTED['text sent to a port']}\r\n",
            "expect": "+OK",
        },
    }
    repository = site.variables["egov_ops_backup_repositories"]
    repository["command"] = {**_at(folder, "command"), "password_command": ["cat", str(kept)]}
    repository["vault"] = {**_at(folder, "vault"), "password": "{{ vault_repository }}"}
    repository["env"] = {**_at(folder, "env"), "password": "{{ lookup('env', 'PLANTED_REPOSITORY') }}"}
    repository["rest"] = {"location": f"rest:http://web1:{rest}@127.0.0.1:{silent_rest}/", "create": True}
    repository["sftp"] = {"location": f"sftp:backup:{login}@127.0.0.1:/nowhere", "create": True}
    data = site.variables["egov_ops_backup_sets"].pop("data")
    for name in repository:
        site.variables["egov_ops_backup_sets"][f"set_{name}"] = {**data, "repository": name}
    site.variables["egov_ops_backup_sets"]["set_hook"] = {
        **data,
        "pre": [str(plugin), "--quiet", "{{ vault_hook }}"],
    }
    for host in site.hosts.values():
        host["ansible_become_password"] = "{{ vault_become }}"
    return ["--vault-password-file", str(password)]


def _plugin(plugin: Path, *arguments: str) -> dict[str, Any]:
    return {"kind": "nagios_plugin", "layer": "platform", "command": [str(plugin), *arguments]}


def _at(folder: Path, name: str) -> dict[str, Any]:
    return {"location": str(folder / f"repository-{name}"), "create": True}


def assert_nowhere(found: Iterable[str]) -> None:
    """Fail with each secret and where it was found."""
    listed = sorted(set(found))
    if listed:
        pytest.fail("secrets were found:\n" + "\n".join(listed))
