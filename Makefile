# Every target sets up what it needs: Python 3.11+ and make are all that has to be there.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_BENCH := $(VENV)/.installed-bench
INSTALLED_TRUTH := $(VENV)/.installed-truth
SERVERS := .servers
INSTALLED_SERVERS := $(SERVERS)/.installed

# Thread pools that spin while idle slow each other 3 to 30 times; winnow itself says this too.
export OMP_WAIT_POLICY ?= PASSIVE
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench truth real simulate chaos mutants badinputs load soak servers format clean

help:  ## Say what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
	  || sed -nE 's/^([a-z]+):.*## (.*)/  make \1  \2/p' Makefile

demo: $(INSTALLED)  ## Make a drop with planted truth and watch it become a table
	$(BIN)/winnow demo

test: $(INSTALLED_DEV) $(INSTALLED_SERVERS)  ## Run all tests, two files at a time (a quarter of an hour)
	$(BIN)/pytest --numprocesses 2 --dist loadfile

check: $(INSTALLED_DEV)  ## Run the linters, the type checker and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/deptry .

bench: $(INSTALLED_BENCH)  ## Measure Winnow, its peers and the limits of the machine (an hour; writes benchmarks/RESULTS.md)
	$(BIN)/python -m benchmarks

truth: $(INSTALLED_TRUTH)  ## Measure the selection and its peers where the truth is known (hours; writes benchmarks/TRUTH.md)
	$(BIN)/python -m benchmarks.truth

real: $(INSTALLED_DEV)  ## Measure the nets and the order of columns on real tables (half an hour; writes benchmarks/REAL.md)
	$(BIN)/python -m benchmarks.real

simulate: $(INSTALLED_DEV)  ## Play 10,000 schedules of faults, deaths and overwrites on the real storage code (ten minutes)
	$(BIN)/python -m tests.reliability.simulation

chaos: $(INSTALLED_DEV) $(INSTALLED_SERVERS)  ## Kill the service at every change it makes, on four stores (half an hour; needs Ceph)
	$(BIN)/python -m tests.reliability.chaos

mutants: $(INSTALLED_DEV) $(INSTALLED_SERVERS)  ## Remove every guard of the protocol in turn and see that a test fails (a quarter of an hour)
	$(BIN)/python -m tests.reliability.mutants

badinputs: $(INSTALLED_DEV)  ## Give the service some hundred bad inputs and see what becomes of each (five minutes)
	$(BIN)/python -m tests.reliability.bad_inputs

load: $(INSTALLED_DEV)  ## Let three replicas work on 500 drops, poison among them (some minutes)
	$(BIN)/python -m tests.reliability.load

soak: $(INSTALLED_DEV)  ## Let the service live a day in some minutes, its store gone for ten of them (half an hour)
	$(BIN)/python -m tests.reliability.soak

servers: $(INSTALLED_SERVERS)  ## Fetch the S3 servers of the tests that pip and npm have (Ceph comes with Debian)

format: $(INSTALLED_DEV)  ## Format the code
	$(BIN)/ruff format .

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) $(SERVERS) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Winnow needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(INSTALLED_DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(INSTALLED) $@

$(INSTALLED_BENCH): $(INSTALLED_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

$(INSTALLED_TRUTH): $(INSTALLED_DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[truth]'
	@touch $@

$(INSTALLED_SERVERS): constraints-servers.txt | $(BIN)/python
	$(PYTHON) -m venv $(SERVERS)/venv
	$(SERVERS)/venv/bin/python -m pip install --quiet --disable-pip-version-check -r constraints-servers.txt
	@if command -v npm >/dev/null; then npm install --silent --no-fund --no-audit --prefix $(SERVERS) s3rver@3.7.1 >/dev/null; \
	  else echo "No npm here: the tests that need s3rver are skipped"; fi
	@touch $@
