# `make` alone lists the targets. Everything runs in .venv, which is made on first use.
# On systems without make, README.md has the plain commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SCALE := $(VENV)/.installed-scale
BOOK := _build/html/index.html
PORT ?= 8000
# One notebook: make notebooks NOTEBOOK=book/elbo.ipynb
NOTEBOOK ?= $(wildcard book/*.ipynb)

# Kernels come from .venv, not from the user's own list, and run without the user's start-up files.
export JUPYTER_PREFER_ENV_PATH := 1
export IPYTHONDIR := $(CURDIR)/$(VENV)/ipython

.DEFAULT_GOAL := help
.PHONY: help install book serve test lint test-library test-notebooks test-classroom notebooks bench study study-quick classroom clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This book needs Python 3.11 or newer, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
	  echo "Name another one, for example: make book PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Installs again only when a file that lists requirements has changed. Matplotlib looks for fonts the
# first time it is imported; doing that here keeps its message out of the notebooks.
$(STAMP): requirements.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt -e . || { \
	  echo "The installation failed. It needs a network, and a Python that TensorFlow supports" >&2; \
	  echo "(3.11 to 3.13); this one is $$($(BIN)/python --version). To try another Python:" >&2; \
	  echo "rm -r $(VENV); make book PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@touch $@

install: $(STAMP) ## make .venv and install everything into it

# The tests run every page, also the one that needs FAISS, a vector database and an engine.
$(SCALE): $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check -e ".[scale]"
	@touch $@

# A second Sphinx run repeats no warning of an unchanged page, so a failed build starts afresh.
book: $(STAMP) ## build the book as HTML and print the address of its first page
	@$(BIN)/jupyter-book build . -W -n --keep-going || { rm -rf _build/.doctrees; exit 1; }
	@echo "Open $$($(BIN)/python -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' $(BOOK))"

serve: book ## serve the built book at http://localhost:8000 (PORT=... for another port)
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

test: lint test-library test-notebooks test-classroom ## lint, test the library, the pages, every notebook's outputs and the copies

lint: $(STAMP) ## check the style of code and notebooks
	$(BIN)/python -m ruff check .

test-library: $(SCALE) ## unit, property, structure and site tests, with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing

# Two notebooks at a time, each from top to bottom in one process and on one thread: as fast on two
# cores as two notebooks that share every core, and less at the mercy of what else runs.
test-notebooks: $(SCALE) ## run every notebook and compare its outputs with the stored ones
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	$(BIN)/python -m pytest --nbval --nbval-cell-timeout=120 -n 2 --dist loadfile book

test-classroom: $(SCALE) ## run every student copy untouched and every instructor copy
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	$(BIN)/python -m pytest -n 2 tests/classroom_runs.py

notebooks: $(SCALE) ## run notebooks from a clean kernel and store outputs (NOTEBOOK=book/x.ipynb for one)
	$(BIN)/python tools/run_notebooks.py $(NOTEBOOK)

bench: $(SCALE) ## time search and training (minutes; PyTorch must be installed)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/training_speed.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/scale.py

study: $(SCALE) ## train and measure everything again (hours; needs the full data sets)
	$(BIN)/python benchmarks/study.py --part tuning
	$(BIN)/python benchmarks/study.py --part full
	$(BIN)/python benchmarks/emoji.py
	$(BIN)/python benchmarks/names.py

study-quick: $(SCALE) ## the study at a twentieth of its size, on the bundled images (minutes)
	$(BIN)/python benchmarks/study.py --part quick --output _build/study

classroom: $(STAMP) ## make student and instructor copies, and a zip of each for a room without a network
	$(BIN)/python tools/make_classroom.py _build/classroom

clean: ## delete what was built, except .venv
	rm -rf _build build *.egg-info .coverage .coverage.* .hypothesis .pytest_cache
	find . \( -name __pycache__ -o -name .ruff_cache \) -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +
