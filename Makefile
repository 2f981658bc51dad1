# Every target sets up what it needs on its first run; a second run starts at once.
# ARGS="…" goes to the command behind a target: make test ARGS="-k lstm"

.DEFAULT_GOAL := help
.PHONY: help lab demo test coverage processors keys lint build lectures site lite pictures twins bench aarch64 torch lock clean uninstall ready ready-dev
# One after the other, whatever -j says: they share .venv and build/.
.NOTPARALLEL:

# Programs are started as modules: pip's scripts break where the path holds both a blank and a `$`.
BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" sh scripts/setup.sh

# What people set for other programs would reach into these.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PYTHONINSPECT PYTHONSTARTUP MATPLOTLIBRC MPLBACKEND
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_NO_BINARY PIP_ONLY_BINARY PIP_CONSTRAINT PIP_NO_DEPS

# Where there is no home that can be written (a container without an account), Jupyter gets one of ours.
HOME := $(shell [ -w "$${HOME:-/none}" ] && echo "$$HOME" || echo "$$(pwd)/build/home")
export HOME

# Two processes on two cores: more threads in each would only stand in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
SUITE := $(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadgroup

help:  ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

ready:
	@$(SETUP)

ready-dev:
	@$(SETUP) --dev

lab: ready  ## JupyterLab on work/, your copy of notebooks/
	@$(BIN)/python scripts/lab.py $(ARGS)

demo: ready  ## a sample class: collected, graded, marked by hand, returned, reported
	$(BIN)/python scripts/demo.py $(ARGS)

test: ready-dev  ## tests, lint among them, under eight minutes on two cores; CI=true all (fifteen), LONG=1 also what seldom breaks
	$(SUITE) $(ARGS)

coverage: ready-dev  ## make test, and how much of autograder/ that runs (90 % at least)
	$(SUITE) --cov --cov-report=term $(if $(ARGS),,--cov-fail-under=90) $(ARGS)

processors: ready-dev  ## solved notebooks and marks under the settings of other processors
	LONG=1 $(BIN)/python -m pytest -n 2 -m "processors or not processors" tests/test_processors.py $(ARGS)

keys: ready-dev  ## what each case tells, under 300 keys of courses: ten minutes
	CI=true KEYS=300 $(ONE_THREAD) $(BIN)/python -m pytest -n 2 tests/test_keys.py $(ARGS)

lint: ready-dev  ## ruff, pyright, and which room may import which
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m pyright
	$(BIN)/lint-imports

build: ready  ## masters -> releases, public cases, solved pages
	$(BIN)/python -m autograder build $(ARGS)

lectures: ready  ## slide decks that need no network, in build/slides/
	$(BIN)/python -m autograder slides $(if $(THEME),--theme $(THEME)) $(ARGS)

site: ready-dev  ## lessons, explorers, decks and documentation as pages, in build/site/
	$(BIN)/python scripts/make_site.py $(ARGS)

lite: ready  ## the notebooks in a browser, with nothing to install, in build/lite/site/
	$(BIN)/python scripts/lite.py $(ARGS)

pictures: ready-dev  ## the README's pictures, each of the real thing, in docs/images/
	$(BIN)/python scripts/make_pictures.py $(ARGS)

twins: ready-dev  ## pictures of explorers, for where no script may run, in rnncourse/explorers/
	$(BIN)/python scripts/make_twins.py $(ARGS)

bench: ready-dev  ## speed ratios, side by side with nbgrader
	$(BIN)/python scripts/bench.py $(ARGS)

aarch64: ready  ## the student's check on an emulated ARM processor, beside this one
	$(BIN)/python scripts/aarch64.py $(ARGS)

torch:  ## PyTorch's CPU build, for notebooks 07 to 11
	@$(SETUP) --torch

lock: ready-dev  ## newer packages: requirements/*.txt, with the hashes of their files
	$(BIN)/python scripts/lock.py

clean:  ## remove build/ and caches (.venv and work/ stay)
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

uninstall: clean  ## remove .venv and the course's own cache too; what people wrote stays
	rm -rf .venv .setup.lock *.egg-info "$${XDG_CACHE_HOME:-$${HOME:-}/.cache}/rnncourse"
	@echo "work/, submitted/, collected/, autograded/, feedback/, roster.csv, gradebook.db and course.key are yours and stay, wherever they are."
