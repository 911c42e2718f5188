#!/usr/bin/python
# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of an action that runs on the controller; see plugins/action."""

DOCUMENTATION = r"""
module: validate
short_description: Check an inventory and its plan, and what a change of it means, without touching a host
version_added: 0.1.0
description:
  - Loads an inventory from its path and checks the plan of each of its hosts, all of it at once - types, unknown
    variables and keys with the nearest known name, references, kinds of probes and primitives of controls with their
    parameters, clauses, steps, addresses, and what else would refuse a run.
  - Each problem has the file and line where it is written, the variable, its value, what is allowed, and the hosts that
    it concerns. A variable of a dynamic inventory has its name alone.
  - Only values that hold Jinja are templated. Values that are encrypted by Ansible Vault stay so, and no password is
    needed; a file that is encrypted as a whole is listed as not checked.
  - An inventory that does not parse is told by file and line, and nothing else of it is checked.
  - With O(base) it says what a change takes away from which hosts. Such a weakening fails the task unless
    C(accepted_changes.yml) of the same change names its digest, a reason and a person; see docs/ci.md.
extends_documentation_fragment:
  - egov.ops.controller
options:
  mode:
    description:
      - With V(trusted) the inventory is loaded as a run would load it, its plugins, scripts and templates included.
      - With V(untrusted) it is read as data, in a process of its own with limits of time and memory - files of YAML and
        INI alone, no link out of the tree. What a template would give, or is encrypted, is unknown, listed by name, and
        an error unless the state of O(base) has the same. See docs/ci.md for how such a job is started.
      - Without it, the run option C(egov_ops_validate).
    type: str
    choices: [trusted, untrusted]
  inventory:
    description:
      - Path of the inventory, a file or a folder, from the folder in which C(ansible-playbook) was started.
      - Without it, the run option C(egov_ops_validate_inventory).
    type: str
  base:
    description:
      - The earlier state with which the inventory is compared, a git revision of the repository that it is in, or a
        folder, an earlier copy of the inventory.
      - What begins with C(.) or C(/) is a folder. Anything else is a revision if there is one of that name.
      - Without it, the run option C(egov_ops_validate_base); where that is empty too, nothing is compared.
    type: str
  explain:
    description:
      - A host of which it is told from which layers each entry of its plan comes, with file and line.
      - Without it, the run option C(egov_ops_validate_explain).
    type: str
  folder:
    description:
      - Folder into which C(validate.txt), C(validate.json), C(validate.junit.xml), C(validate.sarif) and
        C(validate.codequality.json), which is GitLab's format, are written. It is made if need be.
      - Without it, the run option C(egov_ops_validate_folder); where that is empty too, nothing is written.
    type: str
attributes:
  check_mode:
    details:
      - The inventory is checked all the same; no file is written.
notes:
  - A module for the controller, to be called once, on C(localhost).
  - In the mode V(trusted) inventory plugins, scripts and lookups of the inventory are run as in any procedure. Validate
    a change that you do not trust with O(mode=untrusted).
seealso:
  - module: egov.ops.run_begin
"""

EXAMPLES = r"""
- name: Check the site's inventory, and leave the results for the CI server
  egov.ops.validate:
    inventory: inventories/site
    folder: results

- name: Say what the change in the checkout means, and fail if it takes protection away
  egov.ops.validate:
    inventory: inventories/site
    base: origin/main
"""

RETURN = r"""
problems:
  description: What is wrong, the first twenty; all of it is printed, and stands in the files.
  returned: always
  type: list
  elements: dict
  contains:
    severity:
      description: V(error) fails the task, V(warning) does not.
      type: str
    rule:
      description: The kind of mistake, the same in every version.
      type: str
      sample: value
    file:
      description: File in which it stands, from the working directory; empty for a dynamic inventory.
      type: str
      sample: inventories/site/group_vars/web.yml
    line:
      description: Line of the file, V(0) for the file as a whole.
      type: int
      sample: 14
    variable:
      description: The variable as the site wrote it.
      type: str
      sample: egov_ops_probes__50_web
    path:
      description: The keys below the variable.
      type: list
      elements: str
      sample: [portal, warning]
    value:
      description: The value, fit to show.
      type: str
      sample: "'high'"
    allowed:
      description: What may stand there.
      type: str
      sample: a range such as "80", "10:", "~:5" or "@1:2"
    message:
      description: All of it in one sentence.
      type: str
    hosts:
      description: The hosts that it concerns; none where it is the inventory's own.
      type: list
      elements: str
problem_count:
  description: How many problems there are.
  returned: always
  type: int
error_count:
  description: How many of them fail the task.
  returned: always
  type: int
changes:
  description: What a change means, the first twenty effects; all of it is printed, and stands in the files.
  returned: always
  type: list
  elements: dict
  contains:
    effect:
      description: What happens.
      type: str
      sample: is loosened
    weakens:
      description: Whether it takes protection away.
      type: bool
    digest:
      description: What C(accepted_changes.yml) names to accept it.
      type: str
    file:
      description: File in which it stands, or stood; empty for a dynamic inventory.
      type: str
    line:
      description: Line of the file.
      type: int
    variable:
      description: Variable of the plan; empty where a host comes or goes.
      type: str
      sample: egov_ops_probes
    path:
      description: The keys below the variable.
      type: list
      elements: str
      sample: [portal, warning]
    before:
      description: The value before.
      type: raw
    after:
      description: The value after.
      type: raw
    message:
      description: All of it in one sentence.
      type: str
    hosts:
      description: The hosts that it concerns.
      type: list
      elements: str
    accepted:
      description: The C(reason) and C(person) of its acceptance; empty where there is none.
      type: dict
change_count:
  description: How many effects a change has.
  returned: always
  type: int
not_checked:
  description: Files that are encrypted as a whole.
  returned: always
  type: list
  elements: str
unknown:
  description: With O(mode=untrusted) the variables with values that nobody has judged, each with how many.
  returned: always
  type: dict
  sample: {egov_ops_tool_path: 4}
files:
  description: Paths of the files that were written.
  returned: always
  type: list
  elements: str
"""
