# Tehai's verbs; `make help` lists them. Needs Python 3.11 or later, cargo, make and a C compiler, nothing else.
# Paths are relative and quoted, so the folder may have any name.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test test-slow test-services test-faults bench check gen serve clean

VENV_PYTHON := .venv/bin/python
# Everything that the compiled module is built from.
NATIVE_SOURCES := $(wildcard Cargo.toml Cargo.lock core_rs/*/Cargo.toml core_rs/*/src/*.rs core_rs/*/src/*/*.rs)
CARGO_LOCKED := $(if $(wildcard Cargo.lock),--locked)
ARGS ?=

help: ## Lists the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

setup: .stamps/python .stamps/native ## Creates .venv, installs the pinned packages, builds the engine
	@"$(VENV_PYTHON)" -m compileall -q service/tehai

demo: setup ## Solves the example and prints the plan (ARGS="small --work-limit 50" for other settings)
	@"$(VENV_PYTHON)" -m tehai.cli.main demo $(ARGS)

test: setup ## Runs the default tests, two files at a time
	@"$(VENV_PYTHON)" -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: setup ## Runs the tests that take minutes, on new examples each time
	@"$(VENV_PYTHON)" -m pytest -m slow --hypothesis-profile=explore $(ARGS)

test-services: setup ## Installs by script what further tests need, then runs them
	@tools/install_services.sh
	@"$(VENV_PYTHON)" -m pytest -m "services and not faults" $(ARGS)

test-faults: setup ## Kills and starves the service for an hour, on both databases
	@tools/install_services.sh
	@"$(VENV_PYTHON)" -m pytest -n 0 -m faults $(ARGS)

bench: setup ## Runs the benches, one after the other
	@"$(VENV_PYTHON)" -m pytest benches/bench_*.py -p no:xdist --benchmark-enable -m "" $(ARGS)

check: setup ## Formatting, lint, types, contracts, stubs, Rust, documents; .ci/run adds demo and test
	@.ci/run checks

gen: .stamps/python ## Generates service/tehai/v1 from proto/
	@"$(VENV_PYTHON)" tools/generate_stubs.py

serve: setup ## Starts the server on 127.0.0.1:50051
	@exec "$(VENV_PYTHON)" -m tehai.cli.main serve $(ARGS)

clean: ## Removes what the other verbs made
	@rm -rf .venv .stamps target dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache
	@find service tests tools benches -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	@rm -f service/tehai/engine/_native*.so

# The first Python that is new enough; PYTHON=... names another one.
.stamps/python: requirements/lock.txt tools/create_venv.sh
	@mkdir -p .stamps
	@tools/create_venv.sh
	@touch .stamps/python

.stamps/native: .stamps/python pyproject.toml $(NATIVE_SOURCES)
	@VIRTUAL_ENV="$$PWD/.venv" "$(VENV_PYTHON)" -m maturin develop --release $(CARGO_LOCKED)
	@touch .stamps/native
