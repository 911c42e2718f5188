# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host in a folder that meets every control, with tools that say what real ones said, and a look at it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.egov.ops.plugins.module_utils.hardening import auditor
from ansible_collections.egov.ops.plugins.module_utils.host.half import Host

ROOT = Path(__file__).resolve().parents[2]
BAD = ("warning", "critical")
NOW = "2026-11-24T02:00:00Z"

SSHD_T = """\
usepam yes
logingracetime 60
maxauthtries 4
clientaliveinterval 300
clientalivecountmax 3
permitrootlogin no
ignorerhosts yes
hostbasedauthentication no
gssapiauthentication no
x11forwarding no
strictmodes yes
permitemptypasswords no
allowtcpforwarding no
allowagentforwarding no
ciphers chacha20-poly1305@openssh.com,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com
macs umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-512
banner /etc/issue.net
kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group16-sha512
hostkeyalgorithms ssh-ed25519,ecdsa-sha2-nistp256,sk-ssh-ed25519@openssh.com,rsa-sha2-512,rsa-sha2-256
loglevel VERBOSE
permittunnel no
permituserenvironment no
"""
#: Prints what `sshd -T` said, and for a connection of a user what it said for that user.
SSHD = """\
#!/bin/sh
folder="$(dirname "$0")/../captured"
case "$*" in
*user=backup*) cat "$folder/sshd" "$folder/sshd-backup" ;;
*) cat "$folder/sshd" ;;
esac
"""
#: Prints what `systemctl show` and `systemctl is-active` said of each unit.
SYSTEMCTL = """\
#!/bin/sh
folder="$(dirname "$0")/../captured"
verb=$1
while [ "$1" != -- ]; do shift; done
shift
for unit; do
    if [ "$verb" = is-active ]; then
        grep -q ActiveState=active "$folder/$unit" && echo active || echo inactive
    elif [ -e "$folder/$unit" ]; then
        cat "$folder/$unit"
    else
        printf 'Id=%s\\nLoadState=not-found\\nActiveState=inactive\\nUnitFileState=\\n\\n' "$unit"
    fi
done
"""
PASSWD = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
postgres:x:114:120:PostgreSQL:/var/lib/postgresql:/bin/bash
li:x:1000:100:Li:/home/li:/bin/bash
"""
SHADOW = """\
root:*:20700:0:99999:7:::
daemon:*:20700:0:99999:7:::
www-data:*:20700:0:99999:7:::
postgres:!:20700:0:99999:7:::
li:$y$j9T$abcdefghijklmnop$0123456789abcdefghijklmnopqrstuvwxyz:20700:1:90:7:::
"""
GROUP = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nshadow:x:42:\nusers:x:100:\npostgres:x:120:\n"
DPKG = "Package: {}\nStatus: install ok installed\nPriority: optional\nVersion: 1.0-1\n"
INSTALLED = ("base-files", "sudo", "auditd", "aide", "clamav")
KERNEL = {
    "fs.suid_dumpable": "0",
    "kernel.randomize_va_space": "2",
    "kernel.kptr_restrict": "2",
    "kernel.dmesg_restrict": "1",
    "kernel.yama.ptrace_scope": "1",
    "kernel.sysrq": "0",
    "kernel.unprivileged_bpf_disabled": "2",
    "kernel.perf_event_paranoid": "3",
    "fs.protected_hardlinks": "1",
    "fs.protected_symlinks": "1",
    "fs.protected_fifos": "1",
    "fs.protected_regular": "2",
    "net.ipv4.icmp_ignore_bogus_error_responses": "1",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv4.tcp_syncookies": "1",
    **{
        f"net.ipv4.conf.{scope}.{name}": value
        for scope in ("all", "default")
        for name, value in (
            ("send_redirects", "0"),
            ("accept_redirects", "0"),
            ("secure_redirects", "0"),
            ("rp_filter", "1"),
            ("accept_source_route", "0"),
            ("log_martians", "1"),
        )
    },
    **{
        f"net.ipv6.conf.{scope}.{name}": "0"
        for scope in ("all", "default")
        for name in ("accept_redirects", "accept_source_route")
    },
}
MODULES = (
    *("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "udf", "dccp", "tipc", "rds", "sctp"),
    *("usb-storage", "uas", "bluetooth", "btusb"),
)
UNITS = {
    "auditd.service": "enabled active",
    "chrony.service": "enabled active",
    "ctrl-alt-del.target": "masked inactive",
    "fail2ban.service": "enabled active",
    "nftables.service": "enabled active",
    "rsyslog.service": "enabled active",
}
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0
   1: 0100007F:0017 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0
"""
MOUNTS = """\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
23 22 0:21 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw
24 22 0:22 / /dev/shm rw,nosuid,nodev,noexec - tmpfs tmpfs rw
25 22 254:2 / /var/tmp rw,nosuid,nodev - ext4 /dev/vda2 rw
26 22 254:3 / /home rw,nosuid,nodev - ext4 /dev/vda3 rw
"""

#: Path, text and mode of the other files of the tree.
FILES: dict[str, tuple[str, int]] = {
    "etc/passwd": (PASSWD, 0o644),
    "etc/passwd-": (PASSWD, 0o644),
    "etc/group": (GROUP, 0o644),
    "etc/group-": (GROUP, 0o644),
    "etc/shadow": (SHADOW, 0o640),
    "etc/shadow-": (SHADOW, 0o640),
    "etc/gshadow": ("root:*::\n", 0o640),
    "etc/login.defs": (
        "PASS_MAX_DAYS\t90\nPASS_MIN_DAYS\t1\nPASS_WARN_AGE\t7\nUMASK\t\t027\nUID_MIN 1000\n",
        0o644,
    ),
    "etc/default/useradd": ("SHELL=/bin/sh\nINACTIVE=30\n", 0o644),
    "etc/security/pwquality.conf": (
        "minlen = 12\nminclass = 3\ndifok = 3\nmaxrepeat = 3\ndictcheck = 1\nusercheck = 1\nenforce_for_root\n",
        0o644,
    ),
    "etc/security/pwhistory.conf": ("# remember = 10\nremember = 5\nenforce_for_root\n", 0o644),
    "etc/security/faillock.conf": ("deny = 5\nunlock_time = 600\nfail_interval = 900\n", 0o644),
    "etc/security/opasswd": ("", 0o600),
    "etc/security/limits.conf": ("# a comment\n*  hard  core  0\n", 0o644),
    "etc/pam.d/common-auth": (
        "auth required pam_faillock.so preauth\n"
        "auth [success=1 default=ignore] pam_unix.so\n"
        "auth [default=die] pam_faillock.so authfail\n"
        "auth required pam_permit.so\n",
        0o644,
    ),
    "etc/pam.d/common-password": (
        "password requisite pam_pwquality.so retry=3\n"
        "password required pam_pwhistory.so use_authtok\n"
        "password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt\n",
        0o644,
    ),
    "etc/pam.d/passwd": ("@include common-password\n", 0o644),
    "etc/pam.d/login": ("auth optional pam_faildelay.so delay=3000000\n@include common-auth\n", 0o644),
    "etc/pam.d/sshd": ("@include common-auth\n", 0o644),
    "etc/pam.d/su": (
        "auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid\n@include common-auth\n",
        0o644,
    ),
    "etc/profile": ("PATH=/usr/bin\n[ -d /etc/profile.d ] && . /etc/profile.d/*.sh\n", 0o644),
    "etc/profile.d/egov.sh": (
        "readonly TMOUT=600\nexport HISTTIMEFORMAT='%F %T '\nHISTSIZE=1000\numask 027\n",
        0o644,
    ),
    "etc/shells": ("/bin/bash\n", 0o644),
    "etc/ssh/sshd_config": ("Include /etc/ssh/sshd_config.d/*.conf\n", 0o600),
    "etc/ssh/ssh_host_ed25519_key": ("key\n", 0o600),
    "etc/sudoers": ("Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440),
    "etc/sudoers.d/egov": (
        'Defaults use_pty, logfile="/var/log/sudo.log"\nDefaults timestamp_timeout=5\n%ops ALL=(ALL:ALL) ALL\n',
        0o440,
    ),
    "etc/crontab": ("# m h dom mon dow user command\n", 0o600),
    "etc/cron.allow": ("root\n", 0o640),
    "etc/at.allow": ("root\n", 0o640),
    "usr/bin/at": ("", 0o755),
    "etc/issue": ("Authorised use only.\n", 0o644),
    "etc/issue.net": ("Authorised use only.\n", 0o644),
    "etc/motd": ("", 0o644),
    "boot/grub/grub.cfg": ("set timeout=5\n", 0o600),
    "etc/systemd/system/portal.service": ("[Service]\nExecStart=/usr/bin/true\n", 0o644),
    "etc/systemd/journald.conf": ("[Journal]\n#Storage=auto\n", 0o644),
    "etc/systemd/journald.conf.d/egov.conf": ("[Journal]\nStorage=persistent\nMaxRetentionSec=200day\n", 0o644),
    "etc/systemd/coredump.conf": ("[Coredump]\nStorage=none\n", 0o644),
    "etc/audit/auditd.conf": (
        "max_log_file = 50\nmax_log_file_action = keep_logs\nnum_logs = 10\n"
        "space_left_action = email\ndisk_full_action = halt\n",
        0o640,
    ),
    "etc/logrotate.conf": ("weekly\nrotate 4\ncreate\ninclude /etc/logrotate.d\n", 0o644),
    "etc/logrotate.d/rsyslog": (
        "/var/log/syslog\n/var/log/auth.log\n{\n\trotate 30\n\tweekly\n\tpostrotate\n\t\ttrue\n\tendscript\n}\n",
        0o644,
    ),
    "var/log/syslog": ("", 0o640),
    "var/log/auth.log": ("", 0o640),
    "etc/rsyslog.conf": ("$FileOwner root\n$FileCreateMode 0640\n", 0o644),
    "etc/ssl/private/portal.key": ("key\n", 0o600),
    "home/li/.ssh/authorized_keys": ("ssh-ed25519 AAAA li\n", 0o600),
    "etc/sysctl.d/60-egov.conf": ("".join(f"{key} = {value}\n" for key, value in KERNEL.items()), 0o644),
    "etc/modprobe.d/egov.conf": ("".join(f"install {name} /bin/false\n" for name in MODULES), 0o644),
    "proc/sys/kernel/osrelease": ("6.1.0-31-amd64\n", 0o644),
    "proc/modules": ("ext4 983040 1 - Live 0x0000000000000000\n", 0o644),
    "lib/modules/6.1.0-31-amd64/modules.dep": (
        "".join(f"kernel/drivers/{name}.ko: kernel/lib/crc16.ko\n" for name in MODULES),
        0o644,
    ),
    "lib/modules/6.1.0-31-amd64/modules.builtin": ("kernel/fs/ext4/ext4.ko\n", 0o644),
    "proc/net/tcp": (TCP, 0o444),
    "proc/self/mountinfo": (MOUNTS, 0o444),
    "etc/fstab": ("/dev/vda3 /home ext4 nosuid,nodev 0 2\n", 0o644),
    "sys/module/apparmor/parameters/enabled": ("Y\n", 0o444),
    "usr/bin/sudo": ("", 0o4755),
    "usr/lib/openssh/ssh-keysign": ("", 0o4755),
    "usr/sbin/nologin": ("", 0o755),
    "var/lib/dpkg/status": ("\n".join(DPKG.format(name) for name in INSTALLED), 0o644),
    "bin-of-tests/sshd": (SSHD, 0o755),
    "bin-of-tests/systemctl": (SYSTEMCTL, 0o755),
    "captured/sshd": (SSHD_T, 0o644),
    "captured/sshd-backup": ("", 0o644),
    **{f"proc/sys/{key.replace('.', '/')}": (f"{value}\n", 0o644) for key, value in KERNEL.items()},
    **{
        f"captured/{name}": (
            "Id={}\nLoadState=loaded\nUnitFileState={}\nActiveState={}\nTriggeredBy=\n\n".format(name, *states.split()),
            0o644,
        )
        for name, states in UNITS.items()
    },
}
FOLDERS = {
    "tmp": 0o1777,
    "var/tmp": 0o1777,
    "dev/shm": 0o1777,
    "root": 0o700,
    "home/li": 0o750,
    "run/systemd/system": 0o755,
    "usr/local/bin": 0o755,
    "usr/local/sbin": 0o755,
    **{f"etc/cron.{name}": 0o700 for name in ("d", "hourly", "daily", "weekly", "monthly")},
}


@functools.cache
def controls() -> dict[str, dict[str, Any]]:
    """Return the controls that the collection ships."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        (ROOT / "plugins/plugin_utils/plan/controls.yml").read_text(encoding="utf-8")
    )
    return found


class Tree:
    """A host in a folder, as good as the controls want it until a fault is planted."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        for path, mode in FOLDERS.items():
            self.folder(path, mode)
        for path, (text, mode) in FILES.items():
            self.put(path, text, mode)

    def folder(self, path: str, mode: int = 0o755) -> None:
        """Make a folder."""
        (self.root / path).mkdir(parents=True, exist_ok=True)
        (self.root / path).chmod(mode)

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file anew."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(text)
        place.chmod(mode)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file, which has it."""
        place = self.root / path
        text = place.read_text()
        assert old in text, (path, old)
        mode = place.stat().st_mode & 0o7777
        self.put(path, text.replace(old, new, 1), mode)

    def add(self, path: str, text: str) -> None:
        """Append to a file."""
        place = self.root / path
        self.put(path, (place.read_text() if place.exists() else "") + text, 0o644)

    def mode(self, path: str, mode: int) -> None:
        """Set the mode of a file or folder."""
        (self.root / path).chmod(mode)

    def host(self) -> Host:
        """Return the host as a half sees it."""
        return Host({"now": NOW, "timeout": 30, "tool_path": [str(self.root / "bin-of-tests")]})

    def look(self, *names: str, **entries: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Return the observations of shipped controls and of given ones, by their ids."""
        wanted: dict[str, Any] = {**{name: controls()[name] for name in names}, **entries}
        evidence = auditor.audit({"controls": wanted}, self.host(), str(self.root))["evidence"]
        return {item["subject"]: item for item in evidence}

    def one(self, primitive: str, expected: str, **arguments: Any) -> dict[str, Any]:
        """Return the observation of one control over a primitive."""
        entry = {"primitive": primitive, "expected": expected, "clauses": ["8.1.4.1a"], **arguments}
        return self.look(example=entry)["example"]
