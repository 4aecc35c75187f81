# SPDX-License-Identifier: Apache-2.0
# Every recipe of the project; `make` alone lists them. Plain sh, nothing to install but Python 3.11 or later.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PYTEST_ARGS ?= -n auto

# A stamp is as new as the lock it was installed from, so a second `make install` does nothing.
DEV_STAMP  := $(VENV)/.dev-installed
DEMO_STAMP := $(VENV)/.demo-installed

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Install a lock, and name each package as its turn comes: minutes of silence look like a hang.
install-lock = rm -f $(VENV)/.ok; \
  { $(PIP) --verbose install --require-hashes --no-deps -r $(1) && touch $(VENV)/.ok; } \
  | sed -u -n 's/^Collecting \([^ ]*\).*/  \1/p'; rm $(VENV)/.ok 2>/dev/null

.DEFAULT_GOAL := help
.PHONY: help install demo clients test test-full check format bench bench-full stubs lock clean

help: ## List the recipes
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/\1|\2/p' Makefile \
	  | while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

install: $(DEV_STAMP) ## Make .venv with the locked dependencies and this package in it

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "howdah needs Python 3.11 or later as $(PYTHON): apt-get install python3 python3-venv make" \
	       "(or name another: make install PYTHON=python3.12)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(DEV_STAMP): requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing the locked dependencies into $(VENV): a minute or two"
	@$(call install-lock,requirements/dev.txt)
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEMO_STAMP): requirements/demo.txt $(DEV_STAMP)
	@$(call install-lock,requirements/demo.txt)
	@touch $@

demo: $(DEMO_STAMP) ## Photographs through two pipelines: only what changed runs, a failure is mended
	@$(BIN)/python examples/demo/run.py $(if $(EXECUTION),--execution $(EXECUTION))

# Clients that cannot live beside howdah's own dependencies, each in an environment of its own.
CLIENTS := pachyderm-sdk python-pachyderm jupyterlab-pachyderm
clients: $(CLIENTS:%=build/clients/%/.installed) ## The other clients of the protocol, for the tests that run them

build/clients/%/.installed: requirements/clients-%.txt | $(VENV)/bin/python
	@echo "installing $* into build/clients/$*"
	@$(BIN)/python -m venv --clear build/clients/$*
	@build/clients/$*/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps -r $<
	@touch $@

test: check $(DEMO_STAMP) ## Everything: check, then all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-full: clients test ## test with the other clients, then what takes minutes
	@$(BIN)/python -m pytest $(PYTEST_ARGS) -m full

check: $(DEV_STAMP) ## Lint, format, types, layers, house rules (under a minute)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/house

format: $(DEV_STAMP) ## Put the code into the one format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(DEV_STAMP) ## The short measurements (under fifteen minutes)
	@$(BIN)/python -m bench

bench-full: $(DEV_STAMP) ## All measurements, at full size
	@$(BIN)/python -m bench --full

# protoc of 1.62: its output imports under every protobuf from 4.25 on; newer ones demand the newest.
STUBS_VENV := build/stubs-venv
stubs: ## Write src/howdah/wire/stubs from src/howdah/wire/proto
	@$(PYTHON) -m venv --clear $(STUBS_VENV)
	@$(STUBS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --no-deps \
	  -r requirements/stubs.txt
	@$(STUBS_VENV)/bin/python tools/make_stubs.py
	@rm -rf $(STUBS_VENV)

# No index, host or path is written: the locks hold on any mirror.
COMPILE := CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options
lock: $(DEV_STAMP) ## Write requirements/*.txt anew from pyproject.toml
	@$(COMPILE) $(LOCK_ARGS) -o requirements/base.txt pyproject.toml
	@$(COMPILE) $(LOCK_ARGS) --extra dev -c requirements/base.txt -o requirements/dev.txt pyproject.toml
	@$(COMPILE) $(LOCK_ARGS) --extra demo -c requirements/dev.txt -o requirements/demo.txt pyproject.toml
	@$(COMPILE) $(LOCK_ARGS) -o requirements/stubs.txt requirements/stubs.in
	@for client in $(CLIENTS); do \
	  $(COMPILE) $(LOCK_ARGS) -o requirements/clients-$$client.txt requirements/clients-$$client.in || exit 1; done

clean: ## Remove what the recipes made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache src/howdah.egg-info
