#!/bin/sh
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run once in the root of an image that is being made: the user, and what of Debian has no place in a container.
set -eu

useradd --create-home --shell /bin/bash ops
echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/ops
: >/etc/machine-id
rm -f /etc/ssh/ssh_host_* /etc/hostname /etc/apt/apt.conf.d/99mmdebstrap /etc/apt/sources.list
rm -rf /etc/apt/sources.list.d /var/lib/apt/lists/* /var/cache/apt/*.bin
mkdir /etc/apt/sources.list.d

cat >/etc/systemd/system/lab-hostkey.service <<'END'
[Unit]
Description=Host key of its own
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=multi-user.target
END
ln -s ../lab-hostkey.service /etc/systemd/system/multi-user.target.wants/

# The last two cost two of the machine's inotify instances in each host.
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket \
    systemd-udevd-control.socket sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    proc-sys-fs-binfmt_misc.automount systemd-modules-load.service console-getty.service getty@.service \
    e2scrub_all.timer e2scrub_reap.service systemd-pstore.service \
    systemd-ask-password-console.path systemd-ask-password-wall.path; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done

mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=persistent\nRuntimeMaxUse=8M\nSystemMaxUse=16M\nReadKMsg=no\n' \
    >/etc/systemd/journald.conf.d/lab.conf

# A host starts what it is for; the packages start it all.
for unit in "$@"; do
    [ ! -e "/lib/systemd/system/$unit" ] || systemctl disable --quiet "$unit"
done
# The clock is the machine's, which a host can follow but not set.
[ ! -e /etc/default/chrony ] || echo 'DAEMON_OPTS="-x -F 0"' >/etc/default/chrony
