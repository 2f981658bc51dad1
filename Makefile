# Every target sets up what it needs on its first run; a second run starts at once.
# ARGS="…" goes to the command behind a target: make test ARGS="-k lstm"

.DEFAULT_GOAL := help
.PHONY: help lab demo test lint build lectures bench torch clean uninstall ready ready-dev
# One after the other, whatever -j says: they share .venv and build/.
.NOTPARALLEL:

BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" sh scripts/setup.sh

# What people set for other programs would reach into these.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PYTHONINSPECT PYTHONSTARTUP MATPLOTLIBRC MPLBACKEND
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_NO_BINARY PIP_ONLY_BINARY PIP_CONSTRAINT PIP_NO_DEPS

# Where there is no home that can be written (a container without an account), Jupyter gets one of ours.
HOME := $(shell [ -w "$${HOME:-/none}" ] && echo "$$HOME" || echo "$(CURDIR)/build/home")
export HOME

# Two processes on two cores: more threads in each would only stand in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

ready:
	@$(SETUP)

ready-dev:
	@$(SETUP) --dev

lab: ready  ## JupyterLab on work/, your copy of notebooks/
	@$(BIN)/python scripts/lab.py $(ARGS)

demo: ready  ## build, grade the sample class, gradebook, feedback, class report
	$(BIN)/python scripts/demo.py $(ARGS)

test: lint  ## what CI runs: lint, releases up to date, the whole test suite
	$(BIN)/autograder build --check
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

lint: ready-dev  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

build: ready  ## masters -> releases, public cases, solved pages
	$(BIN)/autograder build $(ARGS)

lectures: ready  ## slide decks that need no network, in build/slides/
	$(BIN)/autograder slides $(ARGS)

bench: ready-dev  ## speed ratios, side by side with nbgrader
	$(BIN)/python scripts/bench.py $(ARGS)

torch:  ## PyTorch's CPU build, for notebooks 07 to 11
	@$(SETUP) --torch

clean:  ## remove build/ and caches (.venv and work/ stay)
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

uninstall: clean  ## remove .venv and the course's own cache too; what people wrote stays
	rm -rf .venv .setup.lock *.egg-info "$${XDG_CACHE_HOME:-$${HOME:-}/.cache}/rnncourse"
	@echo "work/, submitted/, gradebook.db and course.key are yours and stay, wherever they are."
