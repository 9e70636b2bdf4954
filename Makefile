# Everything here runs in .venv, which makes itself: see tools/setup_venv.sh.
#
#   make PYTHON=python3.13 test            another interpreter
#   make PYTEST_ARGS="-k ping -x" pytest   a part of the tests
#   make WORKERS=0 pytest                  in one process, not four, as a debugger wants it
#   make FROM=DIR specs-check              compare with published documents that are in DIR
#   make SECONDS=60 SEED=7 soak            a short soak that draws what an earlier one drew

PYTEST_ARGS ?=
WORKERS ?= 4
FROM ?=
SECONDS ?= 600
SEED ?=
VERSIONS ?=
SEQUENCES ?= 200

BIN := .venv/bin

# Two targets must not set up .venv at the same time.
.NOTPARALLEL:

.PHONY: help venv demo test lint pytest lowest format docs bench soak fuzz compare compat specs-check clean \
	venv-test venv-docs venv-bench

help: ## Show this list (default)
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1@\2/p' Makefile | awk -F@ '{ printf "  make %-12s %s\n", $$1, $$2 }'

venv: ## Make or update .venv with what the package itself needs
	@tools/setup_venv.sh

venv-test:
	@tools/setup_venv.sh test

venv-docs:
	@tools/setup_venv.sh docs

venv-bench:
	@tools/setup_venv.sh bench

demo: venv ## Talk to the engine at DOCKER_HOST or the default socket, else to the embedded one
	@$(BIN)/python examples/demo.py

test: lint pytest ## Check style and types, then run the tests

lint: venv-test ## Check style and types
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy

pytest: venv-test ## Run the tests alone
	$(BIN)/python -m pytest --numprocesses $(WORKERS) $(PYTEST_ARGS)

lowest: ## Run the tests without engines on the oldest dependencies that pyproject.toml allows
	@tools/run_lowest.sh --numprocesses $(WORKERS) $(or $(PYTEST_ARGS),tests/unit tests/wire tests/test_cases.py -q)

format: venv-test ## Put the code into ruff's format
	$(BIN)/python -m ruff format

docs: venv-docs ## Build the guide into build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "To read it: $(BIN)/python -m http.server --directory build/site"

bench: venv-bench ## Measure beside docker-py and http.client, on a real engine
	$(BIN)/python bench/run.py

soak: venv ## Have one client under threads for SECONDS, on an engine that does everything wrong
	$(BIN)/python bench/soak.py --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

fuzz: venv ## Send whatever schemathesis makes of VERSIONS (all) to the embedded engine
	@bench/fuzz.sh $(VERSIONS)

compare: venv-test ## Make random calls at the engine at DOCKER_HOST and at the embedded one
	$(BIN)/python bench/compare_engines.py --sequences $(SEQUENCES) $(if $(SEED),--seed $(SEED))

compat: venv-test ## Run the tests on engines at every version, and write docs/compatibility.md
	$(BIN)/python tools/compat.py

specs-check: venv ## Compare the bundled documents with the published ones
	$(BIN)/python tools/fetch_spec.py --check --all $(if $(FROM),--from "$(FROM)")

clean: ## Remove .venv and all else that make has made
	rm -rf .venv .venv-lowest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
