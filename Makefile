# Few targets. `make run` and `make test` work from a fresh clone with Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV ?= uv
SECONDS ?= 60

.DELETE_ON_ERROR:
.PHONY: run test check fmt bench fuzz lock clean

run: $(VENV)/run.stamp
	@$(BIN)/mailalert serve --sandbox

test: check
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp
	$(BIN)/python -m tests.bench

# Coverage-guided, on what any SMTP server may say and what any mail may be, SECONDS for each; the targets in
# tests/fuzz/ tell how to run one input again.
fuzz: $(VENV)/fuzz.stamp
	$(BIN)/python -m tests.fuzz.smtp_client -max_total_time=$(SECONDS)
	$(BIN)/python -m tests.fuzz.mime_reader -max_total_time=$(SECONDS)

# Needs uv; everything else needs only the lock files that it writes.
lock:
	$(UV) pip compile --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra build -o requirements.lock
	$(UV) pip compile --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock
	$(UV) pip compile --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --extra fuzz -c requirements.lock -o requirements-fuzz.lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .fuzz

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
SELF := $(PIP) install --no-deps --no-build-isolation --editable .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(SELF)
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(SELF)
	@touch $@ $(VENV)/run.stamp

$(VENV)/fuzz.stamp: requirements-fuzz.lock $(VENV)/dev.stamp
	$(PIP) install --require-hashes --requirement requirements-fuzz.lock
	@touch $@
