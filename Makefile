# Copyright (c) 2026 The egov.ops founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
ARGS ?=
export LC_ALL := C.UTF-8
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help run check test test-long bench build lock clean

help: ## List these commands.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1@\2/p' Makefile | while IFS=@ read -r name words; do \
		printf '%-15s %s\n' "$$name" "$$words"; done

run: ## Prepare this machine and run the daily procedure on it (first time 1 minute, then seconds). ARGS=... to ansible-playbook.
	@$(PYTHON) tools/run.py $(ARGS)

check: ## The fast part of the tests: linters, types, units, the daily procedure (5 minutes).
	@$(PYTHON) tests/suite.py check

test: ## All tests, installing what they need (20 minutes on 2 cores; as root for all of them).
	@$(PYTHON) tests/suite.py test

test-long: ## The same tests over their full matrices, and `make test` on a fresh machine (2 hours).
	@$(PYTHON) tests/suite.py long

bench: ## Measure what a daily run costs, against `ansible -m ping` on the same machine (5 minutes).
	@$(PYTHON) tests/suite.py bench

build: ## Build the collection's archive into build/ (seconds).
	@$(PYTHON) tests/suite.py build

lock: ## Write the lock files again from requirements/*.in (1 minute; needs a package index).
	@$(PYTHON) tools/lock.py

clean: ## Remove .venv, .cache and build. Keeps var: it has the only copy of the backup repository's password.
	rm -rf .venv .cache build
	@echo 'Kept var: it has the ledger, the backups, and the only copy of their password.'
