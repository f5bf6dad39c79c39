# The only commands a newcomer must know: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# Bytecode is kept: without it every import of MLflow and scikit-learn compiles anew.
unexport PYTHONDONTWRITEBYTECODE
# How long threads of a fit wait awake; `mlops` sets the same, with the reason.
export GOMP_SPINCOUNT ?= 1000
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help demo replay test unit functional soak bench check format services pictures clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/demo ## Install, run the flights use case from its YAML to a version in Staging, say where to look
	mlflow run . --env-manager local
	@echo
	@echo "Compare in MLflow's UI:   $(VENV)/bin/mlflow server"
	@echo "then open                 http://127.0.0.1:5000/#/experiments?workflowType=machine_learning"

replay: $(VENV)/demo ## Score and monitor two past years week by week, each in a store of its own below replay/ (some four minutes)
	mlops replay projects/flight_delays --since 2013-07-01 --until 2014-01-01
	mlops replay projects/bike_demand --since 2011-04-01 --until 2012-01-01

test: $(VENV)/dev services ## Install, run every test; what a missing service keeps from running fails the run
	pytest -n 2

unit: $(VENV)/dev ## The quick tests: no server, no browser, no launcher
	pytest -m "not functional"

functional: $(VENV)/dev services ## Real processes, servers and browsers only
	pytest -m functional

soak: $(VENV)/dev ## Lifecycles, transitions, scoring and monitoring killed at 50 random moments (about 15 minutes); MLOPS_SOAK_SEED draws others
	MLOPS_SOAK_KILLS=50 pytest -s tests/functional/test_soak.py tests/functional/test_transitions_killed.py tests/functional/test_monitor_killed.py \
		tests/functional/test_score.py::test_killed_at_any_moment_it_leaves_no_half_written_output_and_the_next_call_goes_on

bench: $(VENV)/dev ## Measure against the peer and the floors (half an hour on a quiet machine) into benchmarks/RESULTS.md
	python -m benchmarks.results

check: $(VENV)/dev ## Lint, types, import contracts
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format: $(VENV)/dev ## Format and mend what can be mended
	ruff format .
	ruff check --fix .

services: ## Debian packages that tests need: chromium, PostgreSQL; where they may not be installed, tests say so
	@tests/services.sh

pictures: $(VENV)/dev services ## Run the flights against a server and write the browser's pictures into docs/pictures
	pytest tests/functional/test_browser.py tests/functional/test_governance_story.py --pictures docs/pictures

clean: ## Delete the environment and caches; runs stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else f"needs Python 3.11 to 3.13, got {sys.version.split()[0]}: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo]'
	@touch $@

$(VENV)/dev: setup.cfg pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/demo
