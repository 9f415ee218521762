# Two commands: `make demo` and `make test`. Needs python3 (3.11 to 3.13) and a network for the first run.
PYTHON ?= python3
WEB_PORT ?= 8000
STRIPE_PORT ?= 12111
BIN := .venv/bin

.PHONY: demo test test-slow test-postgres soak smoke bench lint lock clean

demo: .venv/ready
	@$(BIN)/python -m demo --web-port $(WEB_PORT) --stripe-port $(STRIPE_PORT)

test: .venv/ready
	$(BIN)/pytest -n 2 -m "not slow"

# What takes a minute by itself and only a new migration or version can break; CI runs it too.
test-slow: .venv/ready
	$(BIN)/pytest -n 2 -m slow

# Against a server: make test-postgres TEST_DATABASE_URL=postgres://user:password@127.0.0.1/postgres
test-postgres: .venv/ready
	DATABASE_URL=$(TEST_DATABASE_URL) $(BIN)/pytest -n 2

# The state machine, and 1,000 histories in 10 orders each, with a new seed; docs/soak.md keeps what came of it.
# The same again: make soak SEED=7
SEED ?=
soak: .venv/ready
	SEED=$(SEED) STATE_MACHINE_RUNS=10 STATE_MACHINE_EXAMPLES=50 STATE_MACHINE_STEPS=30 \
		HISTORIES=1000 HISTORIES_ORDERS=10 HISTORIES_TOGETHER=5 $(BIN)/python -m tests.soak

smoke: .venv/ready
	@$(BIN)/python -m demo.smoke

# Each script in tests/benchmarks that has a main() prints what it measured, and on what.
bench: .venv/ready
	@for script in $$(grep -l '^def main' tests/benchmarks/*.py); do \
		echo "== $$(basename $$script .py)"; $(BIN)/python -m tests.benchmarks.$$(basename $$script .py) || exit 1; done

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings
	ENV_FILE=tests/production.env $(BIN)/python manage.py check --deploy --fail-level WARNING

lock: .venv/ready
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

.venv/ready: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 …")'
	@echo "Installing the locked requirements into .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv var staticfiles
