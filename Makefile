# Two commands set everything up by themselves: `make demo` and `make test`.
# They need make and Python 3.11 or later, and write only inside this folder.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# `make PYTHON=/path/to/python test` chooses the interpreter.
PYTHON ?=
# How many tests run at once; most of them wait for a socket or a process.
WORKERS ?= 4
# How many mutants are tried at once.
MUTANTS_AT_ONCE ?= 2

# The environment exists; it can run the demo; it can also run the tests; it can build the docs;
# it can make a release.
CREATED := $(VENV)/.created
DEMO_READY := $(VENV)/.demo-ready
TEST_READY := $(VENV)/.test-ready
DOCS_READY := $(VENV)/.docs-ready
RELEASE_READY := $(VENV)/.release-ready
# It can change an expression and see whether a test notices.
MUTANTS_READY := $(VENV)/.mutants-ready

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test soak bench mutants docs dist test-wheel test-lowest audit clean

help:
	@echo 'make demo    play a whole pilot against the sandbox; writes demo-output/'
	@echo 'make test    lint, format, types, layers, tests with coverage'
	@echo 'make soak    the tests that run for minutes under load'
	@echo 'make bench   what is measured, as ratios in one run'
	@echo 'make mutants which changed decisions the tests notice; half an hour'
	@echo 'make docs    the documentation, into docs/_build/html/'
	@echo 'make dist    wheel, source archive and bill of materials, in dist/'
	@echo 'make test-wheel    the tests on the built wheel, without src/'
	@echo 'make test-lowest   the tests on the lowest versions of all dependencies'
	@echo 'make audit   known vulnerabilities of the dependencies; asks an index of them'
	@echo 'make clean   remove the environment, the caches and demo-output/'

demo: $(DEMO_READY)
	@$(BIN)/eprescription demo --output demo-output

test: $(TEST_READY)
	@echo '[1/5] lint: ruff check'
	@$(BIN)/ruff check .
	@echo '[2/5] format: ruff format --check'
	@$(BIN)/ruff format --check .
	@echo '[3/5] types: mypy --strict; pyright on the public face'
	@$(BIN)/mypy
	@$(BIN)/basedpyright --pythonpath $(BIN)/python
	@echo '[4/5] layers: lint-imports'
	@$(BIN)/lint-imports --no-logo
	@echo '[5/5] tests: pytest with coverage'
	@$(BIN)/pytest --cov -n $(WORKERS) --dist worksteal

# A soak test may rightly be silent for longer than the tests' hang guard allows.
soak: $(TEST_READY)
	@$(BIN)/pytest -m soak -o faulthandler_timeout=0

bench: $(TEST_READY)
	@$(BIN)/python -m benchmarks

mutants: $(MUTANTS_READY)
	@$(BIN)/python -m benchmarks.mutants $(MUTANTS_AT_ONCE)

# Every page is read afresh, so that a warning is not lost in a cache; warnings are errors.
docs: $(DOCS_READY)
	@$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet -b html \
	  docs docs/_build/html
	@echo 'docs/_build/html/index.html'

# --- A release ---

WHEEL = $$(ls -t dist/*.whl | head -n 1)
# What is committed, without src/: only the installed wheel can be found.
BARE := build/bare

dist: $(RELEASE_READY)
	@rm -rf dist
	@$(BIN)/hatchling build -t sdist -t wheel
	@$(BIN)/python -m venv --clear --without-pip build/shipped
	@$(BIN)/uv pip install --quiet --python build/shipped "$(WHEEL)[all]"
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library \
	  --output-reproducible --output-file dist/bill-of-materials.cdx.json build/shipped
	@ls -l dist

test-wheel: dist
	@$(call bare,--resolution highest)

test-lowest: dist
	@$(call bare,--resolution lowest-direct)

# The tests, in a folder that holds all but src/, in an environment that holds the wheel.
define bare
rm -rf $(BARE) build/environment && mkdir -p $(BARE) && \
git archive HEAD | tar -x -C $(BARE) && rm -r $(BARE)/src && \
$(BIN)/python -m venv build/environment && \
$(BIN)/uv pip install --quiet --python build/environment $(1) "$(WHEEL)[all]" \
  --group pyproject.toml:test --group pyproject.toml:bench --group pyproject.toml:examples && \
cd $(BARE) && ../environment/bin/python -m pytest -n $(WORKERS) --dist worksteal
endef

audit: $(RELEASE_READY)
	@$(BIN)/pip-audit --strict --skip-editable

clean:
	rm -rf $(VENV) demo-output docs/_build dist build mutants htmlcov coverage.xml .coverage .coverage.*
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(CREATED):
	@echo '[setup] virtual environment in $(VENV)'
	@for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3); do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      2>/dev/null; then \
	    $$python -m venv $(VENV) && touch $@; exit; \
	  fi; \
	done; \
	echo 'No Python 3.11 or later with the modules venv and ensurepip was found (on Debian:'; \
	echo 'apt install python3-venv). Or name one: make PYTHON=/path/to/python ...'; \
	exit 1

$(DEMO_READY): pyproject.toml | $(CREATED)
	@echo '[setup 1/1] the library, its command, sandbox and report'
	@$(PIP) install --quiet --editable '.[cli,code2d,report,sandbox]'
	@touch $@

# Only a recent pip knows dependency groups.
$(DOCS_READY): pyproject.toml | $(CREATED)
	@echo '[setup 1/2] pip, the library and what its pages are made from'
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@$(PIP) install --quiet --editable '.[all]'
	@echo '[setup 2/2] Sphinx'
	@$(PIP) install --quiet --group docs
	@touch $@

$(TEST_READY): pyproject.toml | $(CREATED)
	@echo '[setup 1/4] pip'
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@echo '[setup 2/4] the library with all its extras'
	@$(PIP) install --quiet --editable '.[all]'
	@echo '[setup 3/4] what the tests, lint, benchmarks and examples need'
	@$(PIP) install --quiet --group test --group lint --group bench --group examples
	@echo '[setup 4/4] do the versions agree?'
	@$(PIP) check
	@touch $(DEMO_READY) $(DOCS_READY) $@

$(RELEASE_READY): $(TEST_READY)
	@echo '[setup] what a release needs'
	@$(PIP) install --quiet --group release
	@touch $@

$(MUTANTS_READY): $(TEST_READY)
	@echo '[setup] mutmut'
	@$(PIP) install --quiet --group mutants
	@touch $@
