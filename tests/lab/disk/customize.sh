#!/bin/sh
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Run once in the root of the guest's disk that is being made: the user, the network, and what keeps a start short.
set -eu

useradd --create-home --shell /bin/bash ops
echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/ops
install -d -m 700 -o ops -g ops /home/ops/.ssh
: >/etc/machine-id
echo guest >/etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 guest\n' >/etc/hosts
echo '/dev/vda / ext4 errors=remount-ro 0 1' >/etc/fstab
rm -f /etc/ssh/ssh_host_* /etc/apt/apt.conf.d/99mmdebstrap /etc/apt/sources.list
rm -rf /etc/apt/sources.list.d /var/lib/apt/lists/*
mkdir /etc/apt/sources.list.d

printf '[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\n' >/etc/systemd/network/lab.network
systemctl enable --quiet systemd-networkd
systemctl disable --quiet systemd-networkd-wait-online.service e2scrub_reap.service
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer

# The public key of who may log in stands on the kernel's command line.
cat >/usr/local/sbin/lab-keys <<'END'
#!/bin/sh
sed -n 's/.*lab\.key=\([^ ]*\).*/ssh-ed25519 \1/p' /proc/cmdline >/home/ops/.ssh/authorized_keys
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
END
chmod 755 /usr/local/sbin/lab-keys
cat >/etc/systemd/system/lab-keys.service <<'END'
[Unit]
Description=Keys of the host and of its user
Before=ssh.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lab-keys
[Install]
WantedBy=multi-user.target
END
systemctl enable --quiet lab-keys.service
