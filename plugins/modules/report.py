#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: report
short_description: Write the report of a run or of a range of days from the ledger
version_added: 0.1.0
description:
  - Writes what a run found as one HTML file that needs no network, and as JSON beside it, from the ledger's evidence;
    in short as Markdown for a merge request or a chat, and as one line for each host for a shell.
  - The report says what failed, where, since when and what to do next; the status of each domain and host;
    and by which records of the ledger this is shown.
  - Each run writes its own report when it is sealed. Use this module to write an earlier one again,
    or one in the other language.
  - With O(period), or with O(from) and O(to), the report is of all runs that began on these days, of all hosts or of
    a group, against the range before. What nothing is known of is shown as no evidence.
  - The same ledger gives the same bytes.
extends_documentation_fragment:
  - egov.ops.controller
options:
  run:
    description:
      - Id of the run, as C(egov.ops.ledger) lists them.
      - Without it, the newest run.
    type: str
  procedure:
    description:
      - Without O(run), the newest run of this procedure, for example V(daily).
      - Of a range of days, the runs of this procedure alone.
    type: str
  language:
    description:
      - Language of the page and of the summary.
      - Without it, the plan's C(egov_ops_report_language).
    type: str
    choices: [en, zh]
  folder:
    description:
      - Folder on the controller in which C(<run>.html), C(<run>.json), C(<run>.md) and C(<run>.txt) are written;
        of a range of days the files are named by its period and its days.
      - Without it, C(reports) in the state folder.
    type: path
  period:
    description:
      - Range of days that the report is of - V(day), V(week), V(month) or V(quarter), in the plan's time zone.
      - Without O(from) the last one that is over, with it the one in which that day lies.
      - Without it, the plan's C(egov_ops_report_period).
    type: str
  from:
    description:
      - First day of the range, such as V(2026-11-01); with O(period) any day of that period.
      - Without it, the plan's C(egov_ops_report_from).
    type: str
  to:
    description:
      - Last day of the range, at most 400 days after the first.
      - Without it, the plan's C(egov_ops_report_to).
    type: str
  group:
    description:
      - Of a range of days, only the hosts of this group of the inventory.
      - Without it, the plan's C(egov_ops_report_group).
    type: str
  team:
    description:
      - Of a range of days, only the findings that this team owns - V(PM), V(SYS), V(SEC), V(DATA), V(SUP), V(CS).
      - Without it, the plan's C(egov_ops_report_team).
    type: str
notes:
  - A module for the controller. Its action plugin reads the ledger; the ledger itself is not changed.
seealso:
  - module: egov.ops.ledger_info
  - module: egov.ops.ledger_verify
"""

EXAMPLES = r"""
- name: Write the report of the newest run again, in Chinese
  egov.ops.report:
    language: zh
  run_once: true

- name: Write the report of an earlier run into a folder of its own
  egov.ops.report:
    run: 20261124T060000Z-9f2c41d70be8
    folder: /srv/reports
  run_once: true

- name: Write the report of the last month
  egov.ops.report:
    period: month
  run_once: true

- name: Write what the web servers did in a fortnight
  egov.ops.report:
    from: 2026-11-09
    to: 2026-11-22
    group: web
  run_once: true
"""

RETURN = r"""
html:
  description: Path of the HTML file.
  returned: success
  type: str
  sample: /var/lib/egov-ops/controller/reports/20261124T060000Z-9f2c41d70be8.html
json:
  description: Path of the JSON file. Its format is docs/report.schema.json, of a range of days docs/period.schema.json.
  returned: success
  type: str
  sample: /var/lib/egov-ops/controller/reports/20261124T060000Z-9f2c41d70be8.json
markdown:
  description: Path of the Markdown file.
  returned: success
  type: str
  sample: /var/lib/egov-ops/controller/reports/20261124T060000Z-9f2c41d70be8.md
lines:
  description:
    - Path of the file with a line for each host, its fields parted by tabs - name, status, status of each domain,
      number of findings, since when, title of the worst finding; of a range of days name, last status, status of each
      domain, runs with a verdict, number of findings, day on which it was seen last.
  returned: success
  type: str
  sample: /var/lib/egov-ops/controller/reports/20261124T060000Z-9f2c41d70be8.txt
verdict:
  description: The one status and sentence of the run, and whether everything announced was looked at.
  returned: success
  type: dict
  contains:
    status:
      description: Worst status of the run.
      type: str
      sample: warning
    sentence:
      description: The verdict in words.
      type: str
      sample: "Watch: 2 warnings"
    complete:
      description: Of a run, whether each announced step has its record and was carried out.
      type: bool
    covered:
      description: Of a range of days, whether each day has evidence and each host was seen on the last of them.
      type: bool
summary:
  description: The summary that a person reads in ten seconds, as text.
  returned: success
  type: str
"""
