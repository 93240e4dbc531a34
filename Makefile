# make build sets everything up and builds the demo; make test runs what a change can break.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

INPUT ?= demo
LANGUAGE ?= en
SIZES ?= demo 10k 100k 1m
PYTHON ?= python3
UV ?= uv

VENV := .venv
BIN := $(VENV)/bin
# an example that needs a package has a lock of its own
LOCK := $(if $(wildcard requirements-$(INPUT).lock),$(INPUT),base)
PYTEST := $(BIN)/pytest --durations 10
# tests of a file share what is built for them, and stay together; files in the order that conftest.py gives them
BY_TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check
COMPILE := pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--strip-extras --no-header --no-annotate --group build

.PHONY: help build refresh restate dashboard test test-long lint docs bench lock clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  INPUT is demo, completejourney, cdnow or the path of a vars file (docs/your_own_data.md)."

build: $(VENV)/.installed-$(LOCK) ## environment, build or what is new, and report; INPUT=demo
	@$(BIN)/segmentation build --input "$(INPUT)"

refresh: build ## another name for build, which brings up to date what was built before

restate: $(VENV)/.installed-$(LOCK) ## computes everything anew, and publishes the whole history anew
	@$(BIN)/segmentation build --input "$(INPUT)" --restate

dashboard: $(VENV)/.installed-$(LOCK) $(VENV)/.installed-dashboard ## the boards of what was built, as pages in build/site/; LANGUAGE=ko
	@$(BIN)/segmentation dashboard --input "$(INPUT)" --language "$(LANGUAGE)"

test: $(VENV)/.installed-dev ## what a change can break; ARGS="-k clusters" runs that part of the Python tests alone
ifdef ARGS
	@$(PYTEST) -m "not long" $(ARGS)
else
	@echo "1 of 3: style and types"
	@$(MAKE) lint
	@echo "2 of 3: a browser for the pages"
	@$(BIN)/python tests/python/chromium.py
	@echo "3 of 3: dbt's tests on the demo, and the Python tests, by two workers"
	@$(PYTEST) $(BY_TWO) -m "not long"
endif

test-long: $(VENV)/.installed-dev ## the rest: kills, many drawn examples, real inputs, all sites, metrics, benchmarks
ifdef ARGS
	@LANE=long $(PYTEST) -m "long or drawn" $(ARGS)
else
	@echo "1 of 3: style of SQL by sqlfluff, some minutes"
	@$(BIN)/sqlfluff lint --quiet --disable-progress-bar --processes 0 models tests/marts
	@echo "2 of 3: a browser for the pages"
	@$(BIN)/python tests/python/chromium.py
	@echo "3 of 3: Python tests that take long, by two workers"
	@LANE=long $(PYTEST) $(BY_TWO) -m "long or drawn"
endif

lint: $(VENV)/.installed-dev ## style of Python and SQL, and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@found=$$($(BIN)/sqruff lint --nocolor models tests/marts 2>&1) || { echo "$$found"; exit 1; }
	@! grep -rnE --include='*.sql' '.{121}' models tests || { echo "A line is longer than 120."; exit 1; }
	@$(BIN)/segmentation contract --check
	@$(BIN)/segmentation schema --check

docs: $(VENV)/.installed-$(LOCK) $(VENV)/.installed-docs ## every table and column, and where it comes from, as pages in build/docs/
	@$(BIN)/segmentation docs --input "$(INPUT)"

bench: $(VENV)/.installed-bench ## speed and memory beside two references, into benchmarks/; SIZES="demo 10k 100k 1m"
	@$(BIN)/python benchmarks/run.py $(SIZES) $(FLAGS)

lock: ## the locks anew, from pyproject.toml; needs uv; FLAGS=--upgrade takes newer versions
	@$(UV) $(COMPILE) $(FLAGS) --extra dev --output-file requirements-dev.lock
	@$(UV) $(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock
	@for extra in bench cdnow completejourney dashboard docs; do \
		$(UV) $(COMPILE) --constraint requirements-dev.lock --extra $$extra \
			--output-file requirements-$$extra.lock; \
	done

clean: ## removes the environment, the databases and all that is generated
	@rm -rf $(VENV) .hypothesis .mypy_cache .pytest_cache .ruff_cache target logs build/*.duckdb build/*.duckdb.wal build/aside build/tests build/site build/dashboard build/docs build/screenshots

$(VENV)/.installed-base: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make build PYTHON=python3.11"; exit 1; }
	@echo "Making the environment in $(VENV), with the packages of requirements.lock (about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement requirements.lock
	@$(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.installed-%: requirements-%.lock $(VENV)/.installed-base
	@echo "Adding the packages of requirements-$*.lock ..."
	@$(PIP_INSTALL) --no-deps --require-hashes --requirement $<
	@touch $@
