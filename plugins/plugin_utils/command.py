# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that we print, which run as they stand in the folder in which this process was started."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible import context as cli

#: Options with a value: their name in Ansible's context, how they are typed, and the setting that is their default.
_VALUES = (
    ("remote_user", "-u", "DEFAULT_REMOTE_USER"),
    ("connection", "-c", "DEFAULT_TRANSPORT"),
    ("become_method", "--become-method", "DEFAULT_BECOME_METHOD"),
    ("become_user", "--become-user", ""),
    ("ssh_common_args", "--ssh-common-args", ""),
    ("ssh_extra_args", "--ssh-extra-args", ""),
)
_FILES = (
    ("private_key_file", "--private-key", "DEFAULT_PRIVATE_KEY_FILE"),
    ("connection_password_file", "--connection-password-file", "CONNECTION_PASSWORD_FILE"),
    ("become_password_file", "--become-password-file", "BECOME_PASSWORD_FILE"),
)
_FLAGS = (
    ("ask_vault_pass", "-J", "DEFAULT_ASK_VAULT_PASS"),
    ("ask_pass", "-k", "DEFAULT_ASK_PASS"),
    ("become", "-b", "DEFAULT_BECOME"),
    ("become_ask_pass", "-K", "DEFAULT_BECOME_ASK_PASS"),
)


def playbook(name: str, **variables: str) -> str:
    """Return the command that runs a playbook of ours by its short name, with extra variables."""
    given = [part for variable, value in variables.items() for part in ("-e", f"{variable}={shlex.quote(value)}")]
    return shlex.join(["ansible-playbook", f"egov.ops.{name}", *_given(cli.CLIARGS), *given])


def module(host: str, name: str, **options: str) -> str:
    """Return the command that runs a module of ours, by its short name, on one host."""
    given = " ".join(f"{option}={shlex.quote(value)}" for option, value in options.items())
    return shlex.join(["ansible", host, *_given(cli.CLIARGS), "-m", f"egov.ops.{name}", "-a", given])


def typed_path(path: str) -> str:
    """Return a path as a person here would type it: from the working directory where it lies below it."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _given(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield what this process was given to find its inventory, secrets and hosts, and the next one needs too.

    Of extra variables only files: the others may hold a secret.
    """
    for source in _sources(options):
        yield from ("-i", source if "," in source else typed_path(source))
    for file in options.get("vault_password_files") or ():
        yield from ("--vault-password-file", typed_path(file))
    for identity in options.get("vault_ids") or ():
        yield from ("--vault-id", identity)
    for name, option, setting in _FILES:
        if _differs(options, name, setting):
            yield from (option, typed_path(options[name]))
    for name, option, setting in _VALUES:
        if _differs(options, name, setting):
            value = str(options[name])
            yield from ([f"{option}={value}"] if value.startswith("-") else [option, value])
    for name, option, setting in _FLAGS:
        if _differs(options, name, setting):
            yield option
    for variables in options.get("extra_vars") or ():
        if variables.startswith("@"):
            yield from ("-e", f"@{typed_path(variables[1:])}")


def _sources(options: Mapping[str, Any]) -> list[str]:
    """Return the inventories of the command line, and those of a setting that another shell may not have."""
    sources = list(options.get("inventory") or ())
    if sources != list(constants.DEFAULT_HOST_LIST):
        return sources
    _value, origin = constants.config.get_config_value_and_origin("DEFAULT_HOST_LIST")
    in_file = Path(str(origin)).is_file() and "ANSIBLE_CONFIG" not in os.environ
    return [] if origin == "default" or in_file else sources


def _differs(options: Mapping[str, Any], name: str, setting: str) -> bool:
    value = options.get(name)
    return bool(value) and value != (getattr(constants, setting) if setting else None)
