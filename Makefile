# Two commands on a fresh machine with Python 3.11 or later and make: `make demo` and `make test`.
# No root, no key, no GPU, no model download. What is installed already is left alone (stamp files in .venv).

SHELL := /bin/bash
VENV ?= .venv
# The first Python on the PATH that is new enough; `make demo PYTHON=/path/to/python` overrules it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# One thread a process: the runtime counts a worker per core, and libraries that start more only get in their way.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test bench system clean help

help:
	@echo "make demo    install the base into $(VENV) and play the front-desk call"
	@echo "make test    install what the tests need, then ruff, mypy --strict and pytest"
	@echo "make bench   the long measurements behind BENCHMARKS.md"
	@echo "make system  system packages that some tests use (root; without them those tests skip)"
	@echo "make clean   remove $(VENV), caches and builds"

demo: $(VENV)/.base
	$(BIN)/duologue demo

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PYTEST)

bench: $(VENV)/.base
	$(BIN)/duologue bench core --json

system:
	bash .ci/system

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "duologue needs Python 3.11 or later and found none on the PATH; install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@touch $@

# Editable, so that a changed source file needs no new install; only a changed pyproject.toml does.
$(VENV)/.base: $(VENV)/.made pyproject.toml
	$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.base pyproject.toml
	$(PIP) install --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
