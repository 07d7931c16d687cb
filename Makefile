# Vigía's commands. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export VIGIA_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vigia
UV = $(shell command -v uv || echo .uv/bin/uv)
BIN := .venv/bin
STORE ?= embedded
PYTEST ?= $(BIN)/pytest
# as many processes as cores; what a file of tests shares is started once, so each file stays in one process
TEST_JOBS ?= $(shell nproc)

.PHONY: help setup setup-dev demo agent-bytecode packages test test-long test-mips test-quick bench-ingest bench-storm bench-agent bench-ob bench-rules bench-world chaos chaos-test figures-verdicts fuzz lint types fix servers influxd micropython wheel tables lock clean

help: ## list the commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## the locked environment for the demonstration, with the web's libraries
	@tools/get-uv.sh
	@$(UV) sync --frozen --inexact --quiet --extra sim

setup-dev: ## the locked environment with everything that checks and tests need
	@tools/get-uv.sh
	@$(UV) sync --frozen --quiet --all-extras

demo: setup ## the main job with simulated facilities (STORE=influx: on a real InfluxDB; CHECK=1: verify and exit)
ifeq ($(STORE),influx)
	@tools/build-influxd.sh
endif
	@$(BIN)/vigia-demo --store $(STORE) $(if $(CHECK),--check) $(if $(PORT),--port $(PORT))

servers: ## what the tests need beside Python: Mosquitto, NUT, apcupsd, Chromium, InfluxDB, MicroPython (also for MIPS), nfpm
	@tools/install-servers.sh
	@tools/unpack-servers.sh
	@tools/build-influxd.sh
	@tools/build-micropython.sh mips
	@tools/build-nfpm.sh

influxd: ## build InfluxDB 2.7 into VIGIA_CACHE (Go, Rust and a C compiler needed)
	@tools/build-influxd.sh

micropython: ## build MicroPython 1.25 into VIGIA_CACHE
	@tools/build-micropython.sh

agent-bytecode: setup-dev ## the agent for MicroPython in build/micropython, ready to run; prints its size
	@$(BIN)/python -m tools.agent_bytecode build/micropython

packages: setup-dev ## .ipk, feed folder and .deb of the agent in build/packages, the same bytes each time
	@tools/build-nfpm.sh
	@$(BIN)/python -m tools.packages build/packages

test: setup-dev servers ## all tests, with real servers, shared among the cores (TEST_JOBS=1: one by one)
	@$(PYTEST) -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder -m "not mips and not long"

test-long: setup-dev servers ## what `make test` leaves out for its length
	@$(PYTEST) -m long

test-mips: setup-dev servers ## wire, spool, readers, transport on big-endian MIPS under qemu-user, in full
	@$(PYTEST) -k mips tests/test_portable.py tests/transport tests/micropython

chaos-test: setup-dev servers ## the ten chaos runs of `make test` alone
	@$(PYTEST) tests/chaos/test_chaos.py

test-quick: setup-dev ## the tests that need no server
	@$(PYTEST) -m "not server and not mips and not long"

bench-ingest: setup-dev servers ## frames/s and CPU of the ingest (FRAMES=n TELEGRAF=path)
	@$(BIN)/python -m tests.bench.ingest $(if $(FRAMES),--frames $(FRAMES)) $(if $(TELEGRAF),--telegraf $(TELEGRAF))

bench-storm: setup-dev servers ## a backlog of 40,000 frames returns while live frames keep flowing
	@$(BIN)/python -m tests.bench.storm $(if $(FRAMES),--frames $(FRAMES))

bench-agent: setup-dev servers ## memory, CPU, wakeups, bytes of the agent on both interpreters (MINUTES=n HEAP=256k)
	@$(BIN)/python -m tests.bench.agent $(if $(MINUTES),--minutes $(MINUTES)) $(if $(HEAP),--heap $(HEAP))

chaos: setup-dev servers ## kills, cuts, full disks, wrong clocks: nothing lost, nothing doubled (RUNS=n SEED=s JOBS=n)
	@$(BIN)/python -m simulators.chaos --runs $(or $(RUNS),10) $(if $(JOBS),--jobs $(JOBS)) $(if $(SEED),--seed $(SEED)) $(if $(OUT),--out $(OUT))

bench-ob: setup-dev servers ## from OB in upsd to an incident on the dashboard, the whole chain (TURNS=n)
	@$(BIN)/python -m tests.bench.ob $(if $(TURNS),--turns $(TURNS))

bench-rules: setup-dev ## what the rules cost for 33,000 devices at default rates (SITES=n MINUTES=n)
	@$(BIN)/python -m tests.bench.rules $(if $(SITES),--sites $(SITES)) $(if $(MINUTES),--minutes $(MINUTES))

bench-world: setup-dev ## a simulated day of 90 facilities through agent, reception and rules (SITES=n SEED=s)
	@$(BIN)/python -m simulators.virtual.day $(if $(SITES),--sites $(SITES)) $(if $(SEED),--seed $(SEED))

figures-verdicts: setup-dev ## every figure of docs/verdicts.md from one seed (SEED=s JOBS=n PARTS="causes quiet" DAYS=3000 EACH=30)
	@$(BIN)/python -m simulators.evaluate.campaign build/figures-$(or $(SEED),1) --seed $(or $(SEED),1) --jobs $(or $(JOBS),2) $(if $(DAYS),--quiet-days $(DAYS)) $(if $(EACH),--each-cause $(EACH)) $(if $(PARTS),--parts $(PARTS))

fuzz: setup-dev ## decode, verify and admit under hostile input (RUNS=n WORKERS=n)
	@$(BIN)/python -m tests.fuzz --runs $(or $(RUNS),20000) --workers $(or $(WORKERS),1)

lint: setup-dev ## style, imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: setup-dev ## mypy --strict
	@$(BIN)/mypy

fix: setup-dev ## repair what the linter can repair
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

wheel: setup ## a wheel in dist/, with the web's libraries and translations
	@$(UV) build --quiet --wheel

tables: setup-dev ## generated pages: the tables of fields and of conditions
	@$(BIN)/python tools/fields_table.py
	@$(BIN)/python tools/conditions_table.py

lock: ## write uv.lock anew from pyproject.toml
	@tools/get-uv.sh
	@$(UV) lock

clean: ## remove what was made here; VIGIA_CACHE stays
	rm -rf .venv .uv .demo build dist collector/web/static/vendor node_modules
