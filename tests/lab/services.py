# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the platform's hosts are for: their services are set up once, when the hosts are new.

A host that is started alone serves what it can; what it asks of others it finds by their fixed addresses.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from . import stores, system
from .hosts import PLATFORM

if TYPE_CHECKING:
    from .lab import Lab

FILES = Path(__file__).parent / "platform"


def set_up(lab: Lab, names: Sequence[str]) -> None:
    """Set up the services of hosts that are new; a database before who copies or asks it."""
    hosts = [name for name in names if name in PLATFORM]
    for stage in _STAGES:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda name: _BY_HOST[name](lab, name), [name for name in hosts if name in stage]))
    if "backup1" in lab.state["hosts"]:
        clients = PLATFORM if "backup1" in hosts else hosts
        stores.trust(lab, [name for name in clients if name in lab.state["hosts"]])


def _address(lab: Lab, name: str) -> str:
    return str(system.subnet(lab.state["slot"])[PLATFORM[name].number])


def _unit(lab: Lab, host: str, name: str, command: str, *lines: str) -> None:
    text = f"[Unit]\nDescription={name} of the lab\n[Service]\nExecStart={command}\nRestart=on-failure\n"
    lab.write(host, f"/etc/systemd/system/{name}.service", "\n".join([text, *lines, "[Install]", _TARGET]))
    lab.shell(host, f"systemctl daemon-reload; systemctl enable --quiet --now {name}")


_TARGET = "WantedBy=multi-user.target\n"


def _database(lab: Lab, host: str) -> None:
    """The primary: the portal's table, and a role for its copies."""
    subnet, password = system.subnet(lab.state["slot"]), lab.password
    access = f"host all portal {subnet} scram-sha-256\nhost replication replica {subnet} scram-sha-256\n"
    lab.write(host, "/etc/postgresql/15/main/conf.d/lab.conf", "listen_addresses = '*'\nwal_keep_size = 64\n")
    statements = f"""
        CREATE ROLE portal LOGIN PASSWORD '{password}';
        CREATE ROLE replica REPLICATION LOGIN PASSWORD '{password}';
        CREATE DATABASE portal OWNER portal;
        \\connect portal portal
        CREATE TABLE applications (id serial PRIMARY KEY, text text NOT NULL);
    """
    lab.write(host, "/run/lab/portal.sql", textwrap.dedent(statements))
    lab.shell(
        host,
        f"printf '{access}local portal portal trust\\n' | cat - /etc/postgresql/15/main/pg_hba.conf >/run/lab/hba\n"
        "cat /run/lab/hba >/etc/postgresql/15/main/pg_hba.conf\n"
        "systemctl enable --quiet postgresql; systemctl start postgresql@15-main postgresql\n"
        "runuser -u postgres -- psql --quiet --set=ON_ERROR_STOP=1 --file=/run/lab/portal.sql\n",
    )


def _standby(lab: Lab, host: str) -> None:
    """A copy of the primary, if that is up."""
    if "db1" not in lab.state["hosts"]:
        return
    copy = f"pg_basebackup -h {_address(lab, 'db1')} -U replica -D /var/lib/postgresql/15/main -R -X stream -c fast"
    lab.shell(
        host,
        "rm -rf /var/lib/postgresql/15/main\n"
        f"runuser -u postgres -- env PGPASSWORD={lab.password} {copy}\n"
        "systemctl enable --quiet postgresql; systemctl start postgresql@15-main postgresql\n",
    )


def _registers(lab: Lab, host: str) -> None:
    """The registers that other authorities ask, in another make of database."""
    lab.write(host, "/etc/mysql/mariadb.conf.d/90-lab.cnf", "[mysqld]\nbind-address = 0.0.0.0\n")
    statements = f"""
        CREATE DATABASE registers;
        CREATE TABLE registers.companies (id INT PRIMARY KEY, name VARCHAR(80));
        INSERT INTO registers.companies VALUES (1, '示例有限公司');
        CREATE USER registers IDENTIFIED BY '{lab.password}';
        GRANT ALL ON registers.* TO registers;
    """
    lab.write(host, "/run/lab/registers.sql", textwrap.dedent(statements))
    lab.shell(host, "systemctl enable --quiet --now mariadb\nmariadb </run/lab/registers.sql")


def _cache(lab: Lab, host: str) -> None:
    lab.shell(
        host,
        f"printf 'bind 0.0.0.0\\nrequirepass {lab.password}\\n' >>/etc/redis/redis.conf\n"
        "systemctl enable --quiet --now redis-server",
    )


def _web(lab: Lab, host: str) -> None:
    """A web server in front of the portal."""
    lab.write(host, "/srv/www/index.html", "<!doctype html><title>Portal</title><p>政务服务\n")
    lab.write(host, "/etc/nginx/sites-available/default", (FILES / "nginx.conf").read_text())
    lab.write(host, "/usr/local/lib/portal.py", (FILES / "portal.py").read_text())
    database = f"host={_address(lab, 'db1')} dbname=portal user=portal password={lab.password}"
    lab.write(host, "/etc/portal.env", f'PORTAL_DATABASE="{database}"\n', mode="600")
    sandbox = ["DynamicUser=yes", "ProtectSystem=strict", "PrivateDevices=yes", "EnvironmentFile=/etc/portal.env"]
    _unit(lab, host, "portal", "/usr/bin/python3 /usr/local/lib/portal.py", *sandbox)
    lab.shell(host, "systemctl enable --quiet --now nginx")


def _balancer(lab: Lab, host: str) -> None:
    """The balancer, which has the platform's time as well."""
    text = (FILES / "haproxy.cfg").read_text()
    addresses = {name: _address(lab, name) for name in ("web1", "web2")}
    lab.write(host, "/etc/haproxy/haproxy.cfg", text.format(**addresses))
    lab.write(host, "/etc/chrony/conf.d/lab.conf", f"local stratum 8\nallow {system.subnet(lab.state['slot'])}\n")
    lab.shell(host, "systemctl enable --quiet --now haproxy chrony")


def _files(lab: Lab, host: str) -> None:
    """Business files, as people name them."""
    for number in range(1, 4):
        lab.write(host, f"/srv/documents/申请 {number}.txt", f"申请第 {number} 号\n" * 100)


def _monitoring(lab: Lab, host: str) -> None:
    lab.write(host, "/usr/local/lib/sink.py", (FILES / "sink.py").read_text())
    command = "/usr/bin/python3 /usr/local/lib/sink.py /var/lib/sink"
    _unit(lab, host, "sink", command, "StateDirectory=sink")


def _packages(lab: Lab, host: str) -> None:
    """A host whose packages may be rpm: an empty database of them."""
    lab.shell(host, "rpm --initdb")


_BY_HOST: dict[str, Callable[[Lab, str], None]] = {
    "db1": _database,
    "db3": _registers,
    "cache1": _cache,
    "file1": _files,
    "backup1": stores.set_up,
    "mon1": _monitoring,
    "rpm1": _packages,
    "db2": _standby,
    "web1": _web,
    "web2": _web,
    "lb1": _balancer,
}
_STAGES = (("db1", "db3", "backup1", "cache1", "file1", "mon1", "rpm1"), ("db2", "web1", "web2", "lb1"))
