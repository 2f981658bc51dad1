# Every target sets up what it needs on its first run; a second run starts at once.
# ARGS="…" goes to the command behind a target: make test ARGS="-k lstm"

.DEFAULT_GOAL := help
.PHONY: help lab demo test coverage lint build lectures bench aarch64 clean

BIN := .venv/bin
READY := .venv/.ready
READY_DEV := .venv/.ready-dev
SETUP := pyproject.toml scripts/setup.sh scripts/setup.py

# Two processes on two cores: more threads in each would only stand in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
SUITE := $(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup

help:  ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

$(READY): $(SETUP)
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

$(READY_DEV): $(SETUP)
	@PYTHON="$(PYTHON)" sh scripts/setup.sh --dev

lab: $(READY)  ## JupyterLab on work/, your copy of notebooks/
	@$(BIN)/python scripts/lab.py $(ARGS)

demo: $(READY)  ## build, grade the sample class, gradebook, feedback, class report
	$(BIN)/python scripts/demo.py $(ARGS)

test: lint  ## lint, releases up to date, the whole test suite
	$(BIN)/autograder build --check
	$(SUITE) $(ARGS)

coverage: lint  ## what CI runs: make test, and how much of autograder/ that runs (90 % at least)
	$(BIN)/autograder build --check
	$(SUITE) --cov --cov-report=term $(if $(ARGS),,--cov-fail-under=90) $(ARGS)

lint: $(READY_DEV)  ## ruff, pyright, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

build: $(READY)  ## masters -> releases, public cases, solved pages
	$(BIN)/autograder build $(ARGS)

lectures: $(READY)  ## slide decks that need no network, in build/slides/
	$(BIN)/autograder slides $(ARGS)

bench: $(READY_DEV)  ## speed ratios, side by side with nbgrader
	$(BIN)/python scripts/bench.py $(ARGS)

aarch64: $(READY)  ## the student's check on an emulated ARM processor, beside this one
	$(BIN)/python scripts/aarch64.py $(ARGS)

clean:  ## remove build/ and caches (.venv stays)
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
