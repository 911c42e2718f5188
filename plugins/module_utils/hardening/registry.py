# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The primitives of controls: one line each."""

from ansible_collections.egov.ops.plugins.module_utils.hardening import (
    accounts,
    kernel,
    pam,
    programs,
    settings,
    sshd,
    sudoers,
    tree,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ansible_collections.egov.ops.plugins.module_utils.hardening.types import Look


class Primitive:
    """A primitive: what looks at the host, and the act that mends what it finds.

    look(machine, **arguments) yields pairs of the thing looked at and what was found: see expect.py, or the exception
    that kept this one thing from being seen. It raises Absent where the host has nothing of the kind.
    act is a sentence with the names of the control's arguments, of `things` and of `wanted` in braces.
    """

    def __init__(self, look, act):
        # type: (Look, str) -> None
        self.look = look
        self.act = act

    def parameters(self):
        # type: () -> dict[str, bool]
        """Return the names of the arguments, in order, and whether a control must have them."""
        code = self.look.__code__
        names = code.co_varnames[1 : code.co_argcount]
        required = len(names) - len(self.look.__defaults__ or ())
        return {name: place < required for place, name in enumerate(names)}


#: Arguments that are lists of texts; the others are texts, numbers and switches.
LISTS = ("files", "keys", "known", "logs", "modules", "names", "paths", "patterns", "services", "spared", "units")

PRIMITIVES = {
    "access_control": Primitive(kernel.access_control, "Switch {things} on and restart the host in its next window."),
    "accounts": Primitive(accounts.accounts, "Correct these accounts with usermod, passwd or chage: {found}."),
    "content": Primitive(settings.content, "Edit {things}."),
    "file": Primitive(tree.file, "Use chmod and chown on {things}; wanted: {wanted}."),
    "limit": Primitive(settings.limit, "Write `{domain} hard {item} 0` to a file of /etc/security/limits.d."),
    "listening": Primitive(programs.listening, "Stop or bind to the loopback what listens there: ss -lntup."),
    "login_defs": Primitive(settings.login_defs, "Set {key} in /etc/login.defs; wanted: {wanted}."),
    "logrotate": Primitive(settings.logrotate, "Raise `rotate` for {things} in its file of /etc/logrotate.d."),
    "module": Primitive(
        kernel.module, "Write `install NAME /bin/false` for {things} to a file of /etc/modprobe.d and unload it."
    ),
    "mount": Primitive(tree.mount, "Add the options to {point} in /etc/fstab and remount it."),
    "open_folders": Primitive(tree.open_folders, "Set the sticky bit, or take the right to write away: {found}."),
    "package": Primitive(programs.package, "Install or remove as the plan wants: {names}."),
    "pam": Primitive(pam.pam, "Correct the {type} stack: with pam-auth-update on Debian, with authselect elsewhere."),
    "present": Primitive(tree.present, "Remove {found}."),
    "set_id": Primitive(tree.set_id, "Remove the bit (chmod ug-s), or add it to the known ones in the plan: {found}."),
    "setting": Primitive(settings.setting, "Set {key}, which is read from {files}; wanted: {wanted}."),
    "shell": Primitive(settings.shell, "Set {variable} in a file of /etc/profile.d; wanted: {wanted}."),
    "sshd": Primitive(
        sshd.sshd, "Set {option} in /etc/ssh/sshd_config, where the first value counts; check with sshd -t and reload."
    ),
    "sudo_default": Primitive(sudoers.sudo_default, "Set `Defaults {option}` with visudo; wanted: {wanted}."),
    "sudo_rules": Primitive(sudoers.sudo_rules, "Take {tag} out of the rules for {found}, with visudo."),
    "sysctl": Primitive(
        kernel.sysctl, "Set it in /etc/sysctl.d/99-zz-egov.conf and run sysctl --system: {things}; wanted: {wanted}."
    ),
    "systemd_setting": Primitive(
        settings.systemd_setting, "Set {key} under [{section}] in a drop-in of /etc/systemd/{file}.d; wanted: {wanted}."
    ),
    "unit": Primitive(programs.unit, "Bring it there with systemctl: {things}; wanted: {wanted}."),
}
