# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would have a task reach another machine than the inventory names; what chooses the account is free.

The options of a connection are taken from Ansible's own definitions, so a connection plugin that nobody here knows is
judged as well: each of its options that is not one of the account must come from the inventory or from ansible.cfg.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible import constants
from ansible_collections.egov.ops.plugins.plugin_utils.common import inert

#: Options of connections that choose the account, or how long and how loudly it is used: anybody may set them.
ACCOUNT = frozenset(
    (
        *("remote_user", "password", "private_key_file", "private_key", "private_key_passphrase", "pkcs11_provider"),
        *("password_mechanism", "sshpass_prompt", "look_for_keys", "host_key_checking", "host_key_auto_add"),
        *("record_host_keys", "pipelining", "timeout", "banner_timeout", "connection_timeout", "reconnection_retries"),
        *("retries", "use_tty", "pty", "verbosity", "sftp_batch_mode", "ssh_transfer_method", "control_path_dir"),
        *("use_rsa_sha2_algorithms", "become_success_timeout", "become_strip_preamble", "use_persistent_connections"),
    )
)
#: Variables that choose the machine, whatever the connection is.
_ADDRESSES = ("ansible_host", "ansible_ssh_host", "ansible_paramiko_host")
_VARIABLES = ("ansible_connection", "ansible_port", "ansible_ssh_port", *_ADDRESSES)
#: Options that hold arguments of ssh: those of them that choose no machine may also be set by the environment.
_ARGUMENTS = ("ssh_args", "ssh_common_args", "ssh_extra_args", "sftp_extra_args", "scp_extra_args")
_FLAGS = re.compile(r"-[46AaCKkqTtVvXx]+")
_WITH_VALUE = ("-c", "-E", "-e", "-I", "-i", "-l", "-m")
_SSH_OPTIONS = frozenset(
    (
        *("addkeystoagent", "addressfamily", "batchmode", "certificatefile", "checkhostip"),
        *("ciphers", "compression", "connectionattempts", "connecttimeout", "controlmaster", "controlpersist"),
        *("escapechar", "fingerprinthash", "forwardagent", "forwardx11", "globalknownhostsfile"),
        *("gssapiauthentication", "gssapidelegatecredentials", "hashknownhosts", "hostbasedauthentication"),
        *("hostkeyalgorithms", "identitiesonly", "identityagent", "identityfile", "ipqos"),
        *("kbdinteractiveauthentication", "kexalgorithms", "loglevel", "macs"),
        *("nohostauthenticationforlocalhost", "numberofpasswordprompts", "passwordauthentication"),
        *("pkcs11provider", "preferredauthentications", "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes"),
        *("pubkeyauthentication", "rekeylimit", "requesttty", "serveralivecountmax", "serveraliveinterval"),
        *("stricthostkeychecking", "tcpkeepalive", "updatehostkeys", "user", "userknownhostsfile"),
        *("verifyhostkeydns", "visualhostkey"),
    )
)
#: A socket of ControlMaster that is of the machine that is meant, and in a folder where nobody else can make one.
_OWN_SOCKET = re.compile(r"(?:~|%d)/.*%[Chn]|none")
#: Variables that name a program or its arguments, and what they may be wherever they are set: all that is no command.
_PROGRAM, _SUDO = re.compile(r"auto\w*|[\w./+-]*"), re.compile(r"(?:-[ABEHKPSbikn]+\s*)*")
_PROGRAMS = {
    "ansible_python_interpreter": _PROGRAM,
    "ansible_shell_executable": _PROGRAM,
    "ansible_become_exe": _PROGRAM,
    "ansible_sudo_exe": _PROGRAM,
    "ansible_su_exe": _PROGRAM,
    "ansible_become_flags": _SUDO,
    "ansible_sudo_flags": _SUDO,
    "ansible_su_flags": _SUDO,
}


class Chosen(NamedTuple):
    """How a task would reach its host.

    variables are those that the task sees, connection the plugin that it has, keyword and port what play, block or
    task say.
    """

    variables: Mapping[str, Any]
    plugin: str
    keyword: str
    port: Any


def choice_fault(
    host: str, chosen: Chosen, inventory: Mapping[str, Any], template: Callable[[Any], Any], own: Callable[[Any], Any]
) -> str:
    """Return what chooses another machine than the inventory does for a host, as a sentence; "" for nothing.

    inventory are its variables as they are written there; template gives the value of one that the task sees, own
    of one of the inventory, from the inventory's variables alone (and raises OpsError or AnsibleError).
    """
    definitions = constants.config.get_configuration_definitions("connection", chosen.plugin)
    options = {name: entry for name, entry in definitions.items() if name not in ACCOUNT}
    names = [*_VARIABLES, *(item["name"] for entry in options.values() for item in entry.get("vars") or ())]
    for name in dict.fromkeys(names):
        fault = _variable_fault(name, host, chosen.variables, inventory, template, own)
        if fault:
            return _sentence(host, fault)
    for name, allowed in _PROGRAMS.items():
        if chosen.variables.get(name) is not None and chosen.variables[name] != inventory.get(name):
            value = str(template(chosen.variables[name]))
            own_value = own(inventory[name]) if name in inventory else None
            if value != own_value and not allowed.fullmatch(value):
                text = (
                    f"{name} is {value[:80]!r} by -e, a play, a task or a fact, which may be a way to another machine"
                )
                return _sentence(host, text)
    if "ansible_connection" not in inventory and _plain(chosen.keyword) != _usual_connection():
        return _sentence(
            host, f"the connection is {chosen.keyword}, by -c, ANSIBLE_TRANSPORT or a play's or task's `connection`"
        )
    for name in options:
        fault = _setting_fault(name, chosen)
        if fault:
            return _sentence(host, fault)
    return ""


def _sentence(host: str, fault: str) -> str:
    return (
        f"Which machine {host} is stands in the inventory alone, and {inert(fault)}: set it in the inventory, or "
        "leave it out."
    )


def _variable_fault(
    name: str,
    host: str,
    variables: Mapping[str, Any],
    inventory: Mapping[str, Any],
    template: Callable[[Any], Any],
    own: Callable[[Any], Any],
) -> str:
    if name == "inventory_hostname":  # who the host is, is compared by the task itself
        return ""
    if variables.get(name) is None:
        return f"{name} is emptied by -e, a play, a task or a fact" if inventory.get(name) is not None else ""
    if name not in inventory:
        # Ansible itself fills some in where nobody has set them.
        usual = {**dict.fromkeys(_ADDRESSES, host), "ansible_connection": _usual_connection()}
        is_usual = name in usual and variables[name] in (usual[name], f"ansible.builtin.{usual[name]}")
        return "" if is_usual else f"{name} is set by -e, -c, a play, a task or a fact"
    here, there = variables[name], inventory[name]
    if here == there and not _is_template(here):
        return ""
    value, wanted = template(here), own(there)
    return "" if value == wanted else f"{name} is {str(value)[:80]!r} by -e, a play, a task or a fact"


def _setting_fault(name: str, chosen: Chosen) -> str:
    """Return what the environment, the command line or a keyword says of an option, as a part of a sentence."""
    value, origin = constants.config.get_config_value_and_origin(
        name, plugin_type="connection", plugin_name=chosen.plugin, variables=chosen.variables
    )
    if name == "port" and chosen.port is not None and not str(origin).startswith("var:") and chosen.port != value:
        return f"the port is {chosen.port} by a play's or task's `port`"
    kind, _colon, source = str(origin).partition(": ")
    if kind not in ("env", "cli"):
        return ""
    if name in _ARGUMENTS:
        word = next(naming_words(str(value)), "")
        where = source if kind == "env" else f"--{source.replace('_', '-')}"
        return f"{where} has {word[:80]!r}, which may name another machine" if word else ""
    return f"{name} of the connection is set by {source}"


def naming_words(arguments: str) -> Iterator[str]:
    """Yield the arguments of ssh that may name a machine: all that are not known to name none."""
    try:
        words = shlex.split(arguments)
    except ValueError:
        yield arguments
        return
    rest = iter(words)
    for word in rest:
        if _FLAGS.fullmatch(word):
            continue
        if word[:2] in _WITH_VALUE:
            if len(word) == 2:
                next(rest, "")
        elif word[:2] == "-o":
            setting = word[2:] or next(rest, "")
            name, value = (*re.split(r"\s*=\s*|\s+", setting.strip(), maxsplit=1), "")[:2]
            if name.lower() == "controlpath" and _OWN_SOCKET.fullmatch(value):
                continue
            if name.lower() not in _SSH_OPTIONS:
                yield setting
        else:
            yield word


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _plain(connection: Any) -> str:
    """Return the name of a connection, of Ansible's own the short one; `smart` has been ssh for long."""
    name = re.sub(r"^ansible\.(builtin|legacy)\.", "", str(connection))
    return "ssh" if name == "smart" else name


def _usual_connection() -> str:
    """Return the connection of a site's ansible.cfg, or Ansible's own."""
    value, origin = constants.config.get_config_value_and_origin("DEFAULT_TRANSPORT")
    return "ssh" if str(origin).startswith("env:") else _plain(value)
