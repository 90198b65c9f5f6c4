# Everything a newcomer types. `make` alone lists it.
VENV  := .venv
PY    := $(VENV)/bin/python
DBT   := .bakhong/dbt
SUPERSET := .bakhong/superset

.DEFAULT_GOAL := help
.PHONY: help setup run test test-superset lint types bench docs wheel lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

# Debian's python3 has no ensurepip: an environment without pip, filled by the system's pip, needs nothing more.
# The lock is complete: --no-deps spares the old pip of Debian a search that ends at versions the lock does not hold.
$(VENV)/.ready: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (once, a minute or two) …"
	@python3 -m venv --without-pip $(VENV)
	@python3 -m pip --python $(PY) install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@python3 -m pip --python $(PY) install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

setup: $(VENV)/.ready  ## own virtual environment with the locked dependencies

run: setup  ## the nightly flow on samples/, and what it published
	@$(VENV)/bin/bakhong demo

# A part of it, one after the other: .venv/bin/python -m pytest tests/unit. More of it, now and then: tests/unit/test_fuzz.py
# --fuzz-seconds 600, and tests/golden/test_hostile.py --large (files of hundreds of MB). A file stays on one worker, for what its
# tests share; the order is that of tests/conftest.py. Three workers on two cores, since nights wait for Prefect and PostgreSQL.
test: setup  ## the whole test suite, side by side
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Superset asks for other versions than ours: an environment of its own, a few hundred MB.
$(SUPERSET)/.ready: tests/superset/requirements.lock
	@echo "Setting up $(SUPERSET) (once, several minutes) …"
	@python3 -m venv --without-pip $(SUPERSET)
	@python3 -m pip --python $(SUPERSET)/bin/python install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

test-superset: setup $(SUPERSET)/.ready  ## the dashboards in a real Superset (slow, not part of test)
	@$(PY) -m pytest --superset tests/superset

lint: setup  ## ruff
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

types: setup  ## mypy
	@$(PY) -m mypy

# What the night is measured against, in an environment of its own.
$(DBT)/.ready: tests/bench/dbt/requirements.lock
	@echo "Setting up $(DBT) (once) …"
	@python3 -m venv --without-pip $(DBT)
	@python3 -m pip --python $(DBT)/bin/python install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

# A part of it: .venv/bin/python -m tests.bench --only compare --scale 0.2
bench: setup $(DBT)/.ready  ## speed and memory, as ratios measured in one run
	@$(PY) -m tests.bench

docs: setup  ## regenerate docs/ from the code's own metadata
	@$(PY) -m docs.generate

# What was built before is not looked at: what is gone from the project would come along.
wheel: setup  ## what is installed elsewhere: dist/bakhong-*.whl and its constraints.txt
	@rm -rf build dist
	@python3 -m pip --python $(PY) wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --wheel-dir dist .
	@$(PY) .ci/constraints.py > dist/constraints.txt
	@rm -rf build
	@ls dist

lock:  ## resolve the dependencies again into the lock files (needs uv)
	uv pip compile pyproject.toml --extra dev --generate-hashes --python-version 3.11 --no-header --quiet --output-file requirements.lock
	uv pip compile tests/bench/dbt/requirements.in --generate-hashes --python-version 3.11 --no-header --quiet --output-file tests/bench/dbt/requirements.lock
	uv pip compile tests/superset/requirements.in --generate-hashes --python-version 3.11 --no-header --quiet --output-file tests/superset/requirements.lock

clean:  ## forget the environment and the sample warehouse
	@rm -rf $(VENV) .bakhong build dist *.egg-info
