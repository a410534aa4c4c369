# Every target sets itself up: `make demo` and `make test` are all a fresh machine needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
TIME ?= 600
SEED ?= 1

.PHONY: help demo test test-all attack check format setup coverage mutation docs screenshots package refresh lock sbom \
	audit clean smoke

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: $(VENV)/.app  ## label sample films, print the votes, write CSV and heatmaps, open the window
	$(BIN)/cxr-quorum demo

test: setup  ## install what the tests need and run them
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -m "not slow" -n 2

test-all: setup  ## the slow tests too
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q -n 2

attack: setup  ## hostile films against the decoders: TIME=600 seconds, SEED=1; findings in attack-findings
	$(BIN)/python -m tests.hostile.attack --time $(TIME) --seed $(SEED) --write docs/measured_attack.md

check: setup  ## the one gate: format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

coverage: setup  ## branches of desktop.core that its tests reach; fails below 95 %
	rm -f .coverage .coverage.*
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m coverage run -m pytest -q -m "not slow" -n 2 \
		tests/core tests/cli tests/architecture tests/e2e/test_command_line.py
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python tests/branch_coverage.py

mutation: setup  ## which changes to vote, pixels and export the tests notice; a quarter of an hour
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8'
	$(BIN)/mutmut run --max-children 2
	$(BIN)/mutmut results

smoke: setup  ## train and export all four networks on drawn films, in about a minute
	$(BIN)/cxr-train run-all --smoke

format: setup  ## bring the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMP)  ## a virtual environment with everything a developer needs

$(STAMP): pyproject.toml packaging/system_packages.sh
	sh packaging/system_packages.sh tests
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(if $(LOCKED),$(BIN)/python -m pip install --quiet --requirement packaging/locks/dev.txt)
	$(BIN)/python -m pip install --quiet $(if $(LOCKED),--no-deps --no-build-isolation) --editable '.[dev]'
	touch $(STAMP) $(VENV)/.app

$(VENV)/.app: pyproject.toml packaging/system_packages.sh
	sh packaging/system_packages.sh app
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[samples]'
	touch $(VENV)/.app

docs: $(VENV)/.packaging  ## the manual, strictly, into site/
	$(BIN)/python docs/generate.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "open site/index.html"

screenshots: $(VENV)/.packaging  ## the manual's pictures, from the real window
	QT_QPA_PLATFORM=offscreen $(BIN)/python docs/screenshots.py

package: $(VENV)/.packaging  ## .deb, .tar.gz, SBOM and SHA256SUMS into dist/packages
	$(BIN)/python packaging/make_package.py

refresh: $(VENV)/.packaging  ## after new models: generated pages, pictures and packages
	PYTHON=$(BIN)/python sh packaging/refresh.sh

sbom: $(VENV)/.packaging  ## the bill of materials alone, into dist/
	$(BIN)/python packaging/bill_of_materials.py dist/cxr-quorum.cdx.json

lock: $(VENV)/.packaging  ## pin every dependency with its hash, for all systems and Pythons
	$(BIN)/python packaging/lock.py

audit: $(VENV)/.packaging  ## known vulnerabilities of what users install
	$(BIN)/python -m pip_audit --requirement packaging/locks/app.txt --disable-pip

$(VENV)/.packaging: $(VENV)/.app
	$(BIN)/python -m pip install --quiet --editable '.[packaging]'
	touch $(VENV)/.packaging

clean:  ## remove what the targets made
	rm -rf $(VENV) build dist site demo-output mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
