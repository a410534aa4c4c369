# Every target sets itself up: `make demo` and `make test` are all a fresh machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check format setup system clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: $(VENV)/.app  ## label sample films, print the votes, write CSV and heatmaps, open the window
	$(BIN)/cxr-quorum demo

test: setup  ## install what the tests need and run them
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -m "not slow" -n 2

test-all: setup  ## the slow tests too
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -n 2

check: setup  ## the one gate: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: setup  ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMP)  ## a virtual environment with everything a developer needs

$(STAMP): pyproject.toml packaging/system_packages.sh
	sh packaging/system_packages.sh tests
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $(STAMP) $(VENV)/.app

$(VENV)/.app: pyproject.toml packaging/system_packages.sh
	sh packaging/system_packages.sh app
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[samples]'
	touch $(VENV)/.app

clean:  ## remove what the targets made
	rm -rf $(VENV) build dist demo-output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
