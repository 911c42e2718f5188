# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every control that the collection ships: it fails on a planted fault, and passes before and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.constructed import BAD, DPKG, KERNEL, Tree, controls

Fault = Callable[[Tree], None]


def edit(path: str, old: str, new: str) -> Fault:
    return lambda tree: tree.edit(path, old, new)


def put(path: str, text: str, mode: int = 0o644) -> Fault:
    return lambda tree: tree.put(path, text, mode)


def add(path: str, text: str) -> Fault:
    return lambda tree: tree.add(path, text)


def mode(path: str, bits: int) -> Fault:
    return lambda tree: tree.mode(path, bits)


def sshd(option: str, value: str) -> Fault:
    """Let the SSH server say another value of an option."""

    def plant(tree: Tree) -> None:
        lines = (tree.root / "captured/sshd").read_text().splitlines()
        assert any(line.startswith(f"{option} ") for line in lines), option
        kept = [line for line in lines if not line.startswith(f"{option} ")]
        tree.put("captured/sshd", "\n".join([*kept, f"{option} {value}"]) + "\n")

    return plant


def quality(option: str, value: str) -> Fault:
    """Let the quality module's own line undo what its file says."""
    return edit("etc/pam.d/common-password", "retry=3", f"retry=3 {option}={value}")


def kernel(key: str, value: str) -> Fault:
    return put(f"proc/sys/{key.replace('.', '/')}", f"{value}\n")


def at_start(key: str, value: str) -> Fault:
    """Let a file that is read last set another value at the next start."""
    return put("usr/lib/sysctl.d/99-zz-vendor.conf", f"{key} = {value}\n")


def installed(name: str) -> Fault:
    return add("var/lib/dpkg/status", "\n" + DPKG.format(name))


def removed(name: str) -> Fault:
    """Leave only the configuration of a package behind."""
    state = f"Package: {name}\nStatus: "
    return edit("var/lib/dpkg/status", state + "install ok installed", state + "deinstall ok config-files")


def unit(name: str, old: str, new: str) -> Fault:
    return edit(f"captured/{name}", old, new)


FAULTS: dict[str, Fault] = {
    "IA-001": quality("minlen", "8"),
    "IA-002": edit("etc/security/pwquality.conf", "minclass = 3", "minclass = 1"),
    "IA-003": edit("etc/security/pwquality.conf", "difok = 3", "difok = 1"),
    "IA-004": quality("dictcheck", "0"),
    "IA-005": quality("usercheck", "0"),
    "IA-006": edit("etc/security/pwquality.conf", "maxrepeat = 3", "maxrepeat = 0"),
    "IA-008": edit("etc/security/pwquality.conf", "enforce_for_root", "# enforce_for_root"),
    "IA-009": edit("etc/pam.d/common-password", "password requisite pam_pwquality.so", "#"),
    "IA-010": edit("etc/security/pwhistory.conf", "\nremember = 5", "\nremember = 3"),
    "IA-011": edit("etc/security/pwhistory.conf", "enforce_for_root", ""),
    "IA-012": edit("etc/login.defs", "PASS_MAX_DAYS\t90", "PASS_MAX_DAYS\t99999"),
    "IA-013": edit("etc/login.defs", "PASS_MIN_DAYS\t1", "PASS_MIN_DAYS\t0"),
    "IA-014": edit("etc/login.defs", "PASS_WARN_AGE\t7", "PASS_WARN_AGE\t3"),
    "IA-015": edit("etc/shadow", ":20700:1:90:", ":20700:1:99999:"),
    "IA-016": edit("etc/shadow", ":20700:1:90:", ":20700:0:90:"),
    "IA-017": edit("etc/shadow", ":20700:1:90:", ":30000:1:90:"),
    "IA-019": edit("etc/shadow", "li:$y$j9T$", "li:$1$"),
    "IA-020": edit("etc/shadow", "postgres:!:", "postgres::"),
    "IA-021": edit("etc/pam.d/common-auth", "pam_unix.so", "pam_unix.so nullok"),
    "IA-022": add("etc/passwd", "wang:x:1000:100:Wang:/home/wang:/bin/bash\n"),
    "IA-025": add("etc/passwd", "toor:x:0:0:root:/root:/bin/sh\n"),
    "IA-026": add("etc/passwd", "wang:x:1001:4711:Wang:/home/wang:/bin/bash\n"),
    "IA-027": edit("etc/passwd", "li:x:", "li:$6$salt$hash:"),
    "IA-028": edit("etc/pam.d/sshd", "@include common-auth", "auth required pam_unix.so"),
    "IA-029": edit("etc/pam.d/common-auth", "preauth", "preauth deny=0"),
    "IA-030": edit("etc/security/faillock.conf", "unlock_time = 600", "unlock_time = 60"),
    "IA-031": edit("etc/security/faillock.conf", "fail_interval = 900", "fail_interval = 60"),
    "IA-033": edit("etc/profile.d/egov.sh", "readonly TMOUT=600", "# readonly TMOUT=600"),
    "IA-035": sshd("clientaliveinterval", "0"),
    "IA-036": sshd("clientalivecountmax", "30"),
    "IA-037": sshd("maxauthtries", "6"),
    "IA-038": sshd("logingracetime", "0"),
    "IA-041": edit("etc/default/useradd", "INACTIVE=30", "INACTIVE=-1"),
    "IA-042": sshd("ciphers", "aes256-ctr,aes128-cbc"),
    "IA-043": sshd("macs", "hmac-sha2-512,hmac-sha1"),
    "IA-044": sshd("kexalgorithms", "curve25519-sha256,diffie-hellman-group14-sha1"),
    "IA-045": sshd("hostkeyalgorithms", "ssh-ed25519,ssh-rsa"),
    "IA-049": sshd("permitemptypasswords", "yes"),
    "IA-050": sshd("usepam", "no"),
    "AC-001": sshd("permitrootlogin", "without-password"),
    "AC-003": sshd("hostbasedauthentication", "yes"),
    "AC-004": sshd("ignorerhosts", "no"),
    "AC-005": sshd("permituserenvironment", "yes"),
    "AC-006": sshd("x11forwarding", "yes"),
    "AC-007": sshd("allowtcpforwarding", "yes"),
    "AC-008": sshd("allowagentforwarding", "yes"),
    "AC-009": sshd("permittunnel", "yes"),
    "AC-010": sshd("strictmodes", "no"),
    "AC-011": sshd("loglevel", "QUIET"),
    "AC-012": sshd("banner", "none"),
    "AC-013": sshd("gssapiauthentication", "yes"),
    "AC-014": edit("etc/passwd", "/var/www:/usr/sbin/nologin", "/var/www:/bin/sh"),
    "AC-015": edit("etc/shadow", "www-data:*:", "www-data:$y$j9T$salt$hash:"),
    "AC-021": removed("sudo"),
    "AC-022": add("etc/sudoers.d/zz", "Defaults !use_pty\n"),
    "AC-023": edit("etc/sudoers.d/egov", ', logfile="/var/log/sudo.log"', ""),
    "AC-024": add("etc/sudoers.d/backup", "backup ALL=(root) NOPASSWD: ALL\n"),
    "AC-025": add("etc/sudoers.d/zz", "Defaults:li !authenticate\n"),
    "AC-026": edit("etc/sudoers.d/egov", "timestamp_timeout=5", "timestamp_timeout=-1"),
    "AC-027": edit("etc/pam.d/su", "auth required pam_wheel.so", "# auth required pam_wheel.so"),
    "AC-028": mode("etc/sudoers.d/egov", 0o644),
    "AC-029": edit("etc/login.defs", "UMASK\t\t027", "UMASK\t\t022"),
    "AC-030": add("etc/profile.d/zz.sh", "umask 0022\n"),
    "AC-031": mode("home/li", 0o755),
    "AC-032": mode("root", 0o750),
    "AC-034": put("home/li/.netrc", "machine portal login li password secret\n"),
    "AC-035": mode("etc/passwd", 0o664),
    "AC-036": mode("etc/shadow-", 0o644),
    "AC-037": mode("etc/security/opasswd", 0o644),
    "AC-038": mode("etc/profile.d/egov.sh", 0o666),
    "AC-045": mode("etc/ssh/sshd_config", 0o644),
    "AC-046": mode("etc/ssh/ssh_host_ed25519_key", 0o644),
    "AC-048": mode("home/li/.ssh/authorized_keys", 0o664),
    "AC-049": mode("etc/crontab", 0o644),
    "AC-050": mode("etc/cron.daily", 0o755),
    "AC-051": lambda tree: (tree.root / "etc/cron.allow").unlink(),
    "AC-052": lambda tree: (tree.root / "etc/at.allow").unlink(),
    "AC-053": mode("etc/motd", 0o666),
    "AC-054": put("etc/issue", "Debian GNU/Linux 12 \\n \\l\n"),
    "AC-055": mode("boot/grub/grub.cfg", 0o644),
    "AC-058": mode("usr/local/bin", 0o775),
    "AC-059": mode("etc/systemd/system/portal.service", 0o664),
    "AC-061": mode("var/tmp", 0o777),
    "AC-063": put("usr/local/bin/shell", "", 0o4755),
    "AC-064": put("sys/module/apparmor/parameters/enabled", "N\n"),
    "AC-065": put("sys/fs/selinux/enforce", "0"),
    "AU-001": removed("auditd"),
    "AU-002": unit("auditd.service", "ActiveState=active", "ActiveState=failed"),
    "AU-005": edit("etc/audit/auditd.conf", "max_log_file = 50", "max_log_file = 8"),
    "AU-006": edit("etc/audit/auditd.conf", "keep_logs", "ignore"),
    "AU-007": edit("etc/audit/auditd.conf", "num_logs = 10", "num_logs = 5"),
    "AU-008": edit("etc/audit/auditd.conf", "space_left_action = email", "space_left_action = ignore"),
    "AU-009": edit("etc/audit/auditd.conf", "disk_full_action = halt", "disk_full_action = ignore"),
    "AU-034": unit("rsyslog.service", "ActiveState=active", "ActiveState=inactive"),
    "AU-035": put("etc/systemd/journald.conf.d/zz.conf", "[Journal]\nStorage=volatile\n"),
    "AU-036": put("run/systemd/journald.conf.d/zz.conf", "[Journal]\nMaxRetentionSec=1month 2week\n"),
    "AU-037": edit("etc/logrotate.d/rsyslog", "rotate 30", "rotate 4"),
    "AU-038": put("etc/rsyslog.d/zz.conf", "$FileCreateMode 0644\n"),
    "AU-042": unit("chrony.service", "UnitFileState=enabled", "UnitFileState=disabled"),
    "AU-045": edit("etc/profile.d/egov.sh", "export HISTTIMEFORMAT", "# export HISTTIMEFORMAT"),
    "KN-001": kernel("fs.suid_dumpable", "2"),
    "KN-002": kernel("kernel.randomize_va_space", "1"),
    "KN-003": at_start("kernel.kptr_restrict", "0"),
    "KN-004": kernel("kernel.dmesg_restrict", "0"),
    "KN-005": at_start("kernel/yama/ptrace_scope", "0"),
    "KN-006": kernel("kernel.sysrq", "438"),
    "KN-007": at_start("kernel.unprivileged_bpf_disabled", "0"),
    "KN-008": kernel("kernel.perf_event_paranoid", "1"),
    "KN-010": kernel("fs.protected_fifos", "0"),
    "KN-013": kernel("net.ipv4.conf.all.send_redirects", "1"),
    "KN-014": kernel("net.ipv4.icmp_ignore_bogus_error_responses", "0"),
    "KN-015": at_start("net.ipv4.icmp_echo_ignore_broadcasts", "0"),
    "KN-016": at_start("-net.ipv4.conf.default.accept_redirects", "1"),
    "KN-017": kernel("net.ipv6.conf.default.accept_redirects", "1"),
    "KN-018": kernel("net.ipv4.conf.all.secure_redirects", "1"),
    "KN-019": kernel("net.ipv4.conf.default.rp_filter", "0"),
    "KN-020": kernel("net.ipv4.conf.all.accept_source_route", "1"),
    "KN-021": kernel("net.ipv6.conf.all.accept_source_route", "1"),
    "KN-022": at_start("net.ipv4.conf.all.log_martians", "0"),
    "KN-023": kernel("net.ipv4.tcp_syncookies", "0"),
    "KN-028": edit("etc/modprobe.d/egov.conf", "install udf /bin/false", "blacklist udf"),
    "KN-029": add("proc/modules", "sctp 413696 0 - Live 0x0000000000000000\n"),
    "KN-030": add("proc/modules", "usb_storage 81920 0 - Live 0x0000000000000000\n"),
    "KN-031": put("lib/modprobe.d/zz.conf", ""),
    "MT-001": edit("proc/self/mountinfo", "/tmp rw,nosuid,nodev", "/tmp rw"),
    "MT-002": edit("proc/self/mountinfo", "/dev/shm rw,nosuid,nodev,noexec", "/dev/shm rw,nosuid,nodev"),
    "MT-003": edit("proc/self/mountinfo", "25 22 254:2 / /var/tmp", "25 22 254:2 / /srv"),
    "MT-004": edit("etc/fstab", "nosuid,nodev", "defaults"),
    "SV-001": installed("telnetd"),
    "SV-002": installed("rsh-server"),
    "SV-003": installed("xinetd"),
    "SV-004": installed("vsftpd"),
    "SV-005": installed("tftpd-hpa"),
    "SV-006": installed("nis"),
    "SV-007": installed("samba"),
    "SV-008": installed("nfs-kernel-server"),
    "SV-009": installed("rpcbind"),
    "SV-010": installed("snmpd"),
    "SV-011": installed("cups-daemon"),
    "SV-012": installed("xserver-xorg-core"),
    "SV-013": installed("telnet"),
    "SV-014": installed("gcc"),
    "SV-016": edit("proc/net/tcp", "0100007F:0017", "00000000:0017"),
    "SV-017": unit("ctrl-alt-del.target", "UnitFileState=masked", "UnitFileState=disabled"),
    "SV-018": put("etc/security/limits.d/zz.conf", "* hard core unlimited\n"),
    "SV-019": put("etc/systemd/coredump.conf.d/zz.conf", "[Coredump]\nStorage=external\n"),
    "SV-024": unit("fail2ban.service", "ActiveState=active", "ActiveState=failed"),
    "FW-002": unit("nftables.service", "UnitFileState=enabled", "UnitFileState=disabled"),
    "ML-001": removed("clamav"),
    "TV-001": removed("aide"),
    "DI-003": mode("etc/ssl/private/portal.key", 0o644),
    "RS-002": edit("etc/profile.d/egov.sh", "HISTSIZE=1000", "HISTSIZE=100000"),
}
FAULTS["KN-031"] = edit("etc/modprobe.d/egov.conf", "install btusb /bin/false", "install btusb /sbin/modprobe -i btusb")


def site(folder: Path, name: str) -> Tree:
    """Return a good host of the kind that a control is for."""
    tree = Tree(folder)
    if controls()[name].get("families") == ["rpm"]:
        (tree.root / "var/lib/dpkg/status").unlink()
        tree.folder("var/lib/rpm")
        tree.put("sys/fs/selinux/enforce", "1")
    return tree


def cases() -> list[object]:
    """Return the ids of the controls; the owners of files can be planted by root alone."""
    marked = {name for name, control in controls().items() if control["primitive"] == "file"}
    return [pytest.param(name, marks=[pytest.mark.root] if name in marked else []) for name in controls()]


@pytest.mark.parametrize("name", cases())
def test_a_control_fails_on_its_planted_fault_and_passes_without_it(name: str, tmp_path: Path) -> None:
    tree = site(tmp_path / "host", name)
    before = tree.look(name)[name]
    assert before["status"] == "ok", before["detail"]
    FAULTS[name](tree)
    found = tree.look(name)[name]
    assert found["status"] == controls()[name]["severity"], found["detail"]
    assert "; wanted: " in found["detail"]["message"]
    assert found["detail"]["next"]
    assert found["detail"]["found"]
    assert site(tmp_path / "mended", name).look(name)[name]["status"] == "ok"


def test_every_control_has_a_planted_fault_and_every_fault_a_control() -> None:
    assert sorted(FAULTS) == sorted(controls())


@pytest.mark.root
def test_a_fault_is_seen_by_those_controls_alone_that_look_at_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert {name for name, found in tree.look(*controls()).items() if found["status"] in BAD} == set()
    kernel("kernel.sysrq", "438")(tree)
    assert {name for name, found in tree.look(*controls()).items() if found["status"] in BAD} == {"KN-006"}


def test_the_tree_has_every_setting_of_the_kernel_that_a_control_looks_at() -> None:
    keys = {key for control in controls().values() for key in control.get("keys", ())}
    assert keys == set(KERNEL)
