# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
ARGS ?=
export LC_ALL := C.UTF-8
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help dev generate unit run check test test-long bench screenshots build lock clean molecule \
	lab-up lab-status lab-down lab-ssh lab-fault lab-undo \
	lab-repository

# The words of the lab's verbs: HOSTS=3, HOSTS="web1 db1"; HOST=web1; FAULT="fill_disk file1"; LAB=name for a second lab.
LAB ?= lab
lab = @$(PYTHON) tests/lab --name $(LAB)

help: ## List these commands.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1@\2/p' Makefile | while IFS=@ read -r name words; do \
		printf '%-15s %s\n' "$$name" "$$words"; done

run: ## Prepare this machine and run the daily procedure on it (first time 1 minute, then seconds). ARGS=... to ansible-playbook.
	@$(PYTHON) tools/run.py $(ARGS)

dev: ## Make the environment to work in, and what an editor needs to find the collection (first time 1 minute).
	@$(PYTHON) tests/suite.py dev

generate: ## Write again what follows from the plan's schema, the catalogue and the registries (seconds).
	@$(PYTHON) tests/suite.py generate $(ARGS)

unit: ## The unit tests of one room, ROOM=backup, or of all. ARGS=... to pytest.
	@$(PYTHON) tests/suite.py unit "$(ROOM)" $(ARGS)

check: ## The fast part of the tests: linters, types, units, the daily procedure (5 minutes).
	@$(PYTHON) tests/suite.py check

test: ## All tests, installing what they need (25 minutes on 2 cores; as root for all of them).
	@$(PYTHON) tests/suite.py test

test-long: ## The same tests over their full matrices, `make test` on a fresh machine, mutants (3 hours).
	@$(PYTHON) tests/suite.py long

bench: ## Measure what a daily run costs, against `ansible -m ping` on the same machine (5 minutes).
	@$(PYTHON) tests/suite.py bench

screenshots: ## Take the pictures in docs/img of the report anew, as root (1 minute).
	@$(PYTHON) tests/suite.py screenshots

build: ## Build the collection's archive into build/ (seconds).
	@$(PYTHON) tests/suite.py build

molecule: ## The molecule scenarios on two hosts of the lab, as root (2 minutes; the first time 2 more). ARGS to molecule.
	@$(PYTHON) tests/suite.py molecule $(ARGS)

lab-up: ## Start hosts of the lab, as root: HOSTS=2, HOSTS="web1 db1", or all of the platform. LIGHT=1 for many.
	$(lab) $(if $(LIGHT),--light) up $(HOSTS)

lab-status: ## Say which hosts of the lab are up, and how they are.
	$(lab) status

lab-ssh: ## A shell on a host of the lab: HOST=web1.
	$(lab) ssh $(HOST)

lab-fault: ## Make a fault in the lab: FAULT="partition web1"; without it, the list of faults.
	$(lab) fault $(FAULT)

lab-undo: ## Undo all faults that were made in the lab.
	$(lab) undo

lab-repository: ## The lab's own packages: DO="publish 1.1", take_down, serve, corrupt, index.
	$(lab) repository $(DO)

lab-down: ## Take back all that the lab has put on this machine.
	$(lab) down

lock: ## Write the lock files again from requirements/*.in (1 minute; needs a package index).
	@$(PYTHON) tools/lock.py

clean: ## Remove .venv, .ansible, .cache and build. Keeps var: it has the only copy of the backup repository's password.
	@set -e; for lab in .cache/lab/*; do [ ! -d "$$lab" ] || $(PYTHON) tests/lab --name "$${lab##*/}" down; done
	rm -rf .venv .ansible .cache build
	@echo 'Kept var: it has the ledger, the backups, and the only copy of their password.'
