# Quarterdeck. `make demo` and `make test` set everything up that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# $(call stage,NAME,COMMAND): runs the command and prints how long it took, also when it fails.
stage = @began=$$(date +%s); $(2); code=$$?; echo "== stage $(1): $$(( $$(date +%s) - began )) s"; exit $$code

.PHONY: eval-copilot wheel lock help demo install install-dev test lint test-fast test-faults faults test-live bench docs lab-up lab-down lab-status clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

demo: install ## install what is missing and open the console on the demo cloud
	$(BIN)/qdeck --demo

install: $(VENV)/.installed ## leave .venv/bin/qdeck, with what it needs at run time

install-dev: $(VENV)/.installed-dev ## the same, with what the tests need

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Quarterdeck needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=python3.11, for example." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment could not be made: on Debian, install python3-venv." >&2; exit 1; }

# Nothing but what the lock names is fetched: the project itself is built with the build tool from the lock.
$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(call stage,install,$(PIP) install --require-hashes -r requirements.lock && $(PIP) install --no-deps --no-build-isolation -e .)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(call stage,install,$(PIP) install --require-hashes -r requirements-dev.lock && $(PIP) install --no-deps --no-build-isolation -e .)
	@touch $@ $(VENV)/.installed

test: install-dev lint test-fast test-faults ## every test that needs no cloud

lint: install-dev ## style, types and the layers of the house
	$(call stage,lint,$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache && $(BIN)/mypy)

test-fast: install-dev
	$(call stage,fast,$(BIN)/python -m pytest -n 4 --dist loadfile -m "not live and not faults")

test-faults: install-dev
	$(call stage,faults,$(BIN)/python -m pytest -n 2 --dist loadfile -m faults)

faults: test-faults ## kill, disturb and refuse what is going on, on demo clouds (part of test)

test-live: install-dev ## the tests against real OpenStack services; needs root and apt
	$(call stage,live,$(PYTHON) tests/lab/run_live.py $(BIN)/python)

lab-up: ## bring up the lab cloud and fill it
	$(PYTHON) tests/lab/up.py --populate

lab-down: ## stop the lab cloud
	$(PYTHON) tests/lab/down.py

lab-status: ## one line per service of the lab cloud
	$(PYTHON) tests/lab/status.py

bench: install-dev ## measure, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks.all

eval-copilot: install-dev ## ask the copilot all questions of its evaluation, and count the verdicts
	$(BIN)/python -m tests.copilot.evaluation.run

docs: install-dev ## write the generated pages anew
	$(BIN)/python docs/generate.py

lock: ## resolve the lock files again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra build -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q --extra build --extra dev -o requirements-dev.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .hypothesis .mypy_cache .ruff_cache

wheel: install-dev ## build dist/*.whl
	$(BIN)/python -m hatchling build -t wheel
