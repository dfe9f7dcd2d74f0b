# `make` alone lists the targets. Everything runs in .venv, which is made on first use.
# On systems without make, README.md has the plain commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The versions that produced the stored outputs; UNLOCKED=1 takes the newest instead.
CHOICE := $(if $(UNLOCKED),--upgrade --upgrade-strategy eager,-c constraints.txt)
STAMP := $(VENV)/.installed$(if $(UNLOCKED),-unlocked)
SCALE := $(STAMP)-scale
SITE := $(STAMP)-site
# LANGUAGE=zh_CN builds the Chinese edition. It counts only where it is given to make, because
# systems have a variable of that name for other ends.
EDITION := $(if $(filter command,$(origin LANGUAGE)),$(filter-out en,$(LANGUAGE)))
TREE := $(if $(EDITION),_build/$(EDITION),.)
BOOK := $(TREE:.=)$(if $(EDITION),/)_build/html/index.html
PORT ?= 8000
LIVE_PARTS := _build/live-parts
# What is served and tested in a browser: LIVE=1 for the book with Python in its pages, EDITIONS=1
# for both editions.
ONE_BOOK = $(if $(LIVE),live,book)
BUILT = $(if $(EDITIONS),editions,$(ONE_BOOK))
PDF := $(TREE:.=)$(if $(EDITION),/)_build/latex/vae-tutorial$(EDITION:%=-%).pdf
TEX := latexmk texlive-xetex texlive-latex-extra texlive-fonts-recommended fonts-texgyre fonts-dejavu poppler-utils
TEX_CHINESE := texlive-lang-chinese fonts-noto-cjk fonts-lxgw-wenkai
# A font of which printing this edition cannot do without.
FONT := $(if $(EDITION),LXGW WenKai,TeX Gyre Pagella)
# What pip installs is compiled when it is first imported, and that must be kept: TensorFlow would be
# compiled anew in each of some hundred processes.
unexport PYTHONDONTWRITEBYTECODE
# Each process of a test keeps to one thread, because two run at a time.
ONE_THREAD := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
# A cell may take long: only one that hangs should meet the limit (tests/test_steady.py).
NBVAL := --nbval --nbval-cell-timeout=900 -n 3 --no-loadscope-reorder
# With files that a plain run of pytest leaves out; named beside their folder they would be dropped.
ALSO = -o "python_files=test_*.py $(1)"
TEST_LIBRARY = BOOK_SITE=_build/html $(ONE_THREAD) $(BIN)/python -m pytest -n 2 -m "not aside" \
  --cov --cov-report=term-missing $(1) tests vae_tutorial
# Some pages only: make test-notebooks PAGES="elbo faq"
PAGES_BY_NAME = $(if $(PAGES),$(PAGES:%=book/%.ipynb),book)
# One notebook: make notebooks NOTEBOOK=book/elbo.ipynb
NOTEBOOK ?= $(wildcard book/*.ipynb)

# Kernels come from .venv, not from the user's own list, and run without the user's start-up files.
export JUPYTER_PREFER_ENV_PATH := 1
export IPYTHONDIR := $(CURDIR)/$(VENV)/ipython

.DEFAULT_GOAL := help
.PHONY: tex-packages test-pdf-chinese help install book live editions edition-en edition-zh environments serve check test test-everything test-under-load lint types audit audit-zizmor audit-actionlint test-library test-notebooks test-gpu test-site test-chinese test-chinese-whole test-lighthouse test-playground test-classroom test-chinese-copies test-class test-nbgrader notebooks mutants bench bench-classroom study study-smoke study-quick classroom package colab test-colab test-colab-whole test-matrix pdf test-pdf clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null || { \
	  echo "This book needs Python 3.11, 3.12 or 3.13, but '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
	  echo "Name another one, for example: make book PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv $(VENV)

# Installs again only when a file that lists requirements has changed, or UNLOCKED has: an environment
# is either locked or not, so the stamps of the other kind go. Matplotlib looks for fonts the first time
# it is imported; doing that here keeps its message out of the notebooks. Python compiles what is
# imported; most of what is installed never is.
$(STAMP): requirements.txt pyproject.toml constraints.txt | $(BIN)/python
	@rm -f $(VENV)/.installed*
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(CHOICE) -r requirements.txt -e . || { \
	  echo "The installation failed. It needs a network, and a Python that TensorFlow supports" >&2; \
	  echo "(3.11 to 3.13); this one is $$($(BIN)/python --version). To try another Python:" >&2; \
	  echo "rm -r $(VENV); make book PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@touch $@

install: $(STAMP) ## make .venv and install everything into it (UNLOCKED=1 for the newest versions)

# The tests run every page, also the one that needs FAISS, a vector database and an engine. TensorFlow
# is compiled here, or else each of the first processes, which start together, would do it.
$(SCALE): $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(CHOICE) -e ".[scale]"
	@$(BIN)/python -c 'import vae_tutorial._tensorflow'
	@touch $@

# What drives a browser; the browser itself, Chromium, comes from the system.
$(SITE): $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(CHOICE) -e ".[site]"
	@touch $@

# A second Sphinx run repeats no warning of an unchanged page, so a failed build starts afresh.
book: $(STAMP) ## build the book as HTML and print the address of its first page (LANGUAGE=zh_CN for the Chinese edition)
	$(if $(EDITION),@$(BIN)/python tools/translate.py --build $(TREE))
	@$(BIN)/jupyter-book build $(TREE) -W -n --keep-going || { rm -rf $(TREE)/_build/.doctrees; exit 1; }
	@echo "Open $$($(BIN)/python -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' $(BOOK))"

# Python for the pages is fetched once and kept; OPTIONAL=1 does without it where it is out of reach.
live: $(STAMP) ## build the book with Python in its pages
	@$(BIN)/python tools/fetch_live.py $(LIVE_PARTS); case "$$?-$(OPTIONAL)" in \
	  0-*) BOOK_LIVE=$(CURDIR)/$(LIVE_PARTS) $(MAKE) --no-print-directory book;; \
	  75-1) echo "The book is built without Python in its pages." >&2; $(MAKE) --no-print-directory book;; \
	  *) exit 1;; esac

# Beside each other in a folder of their own: what is tested in _build/html is one edition.
# Both are written at the same time; what both need of Python is fetched before.
editions: $(STAMP) ## build both editions for publishing, into _build/site, the Chinese one in zh/ (LIVE=1 with Python)
	$(if $(LIVE),@$(BIN)/python tools/fetch_live.py $(LIVE_PARTS) || [ "$$?-$(OPTIONAL)" = 75-1 ])
	@BOOK_EDITIONS=1 $(MAKE) --no-print-directory -j2 edition-en edition-zh
	@rm -rf _build/site && cp -R _build/html _build/site && cp -R _build/zh_CN/_build/html _build/site/zh
	@echo "Both editions are in $(CURDIR)/_build/site"

edition-en:
	@$(MAKE) --no-print-directory $(ONE_BOOK) LANGUAGE=en

edition-zh:
	@$(MAKE) --no-print-directory $(ONE_BOOK) LANGUAGE=zh_CN

serve: $(BUILT) ## serve the built book at http://localhost:8000 (PORT=... for another port, LIVE=1 with Python in the pages)
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

# What to run before each commit.
check: $(SCALE) ## lint, types, fast tests, and the notebooks and pages that your change touches (ALL=1 for all)
	$(ONE_THREAD) $(BIN)/python tools/check.py $(if $(ALL),--all) $(if $(SINCE),--since $(SINCE))

# Style, types and book keep one core busy each. Then one run for all that is no notebook, so that
# neither core waits at the end of each part.
test: $(SCALE) .venv-nbgrader/.installed ## lint, types, all tests, the copies and nbgrader, every notebook's outputs
	@$(MAKE) --no-print-directory -j2 lint types book
	@$(call TEST_LIBRARY,$(call ALSO,classroom_runs.py nbgrader_runs.py))
	@$(MAKE) --no-print-directory test-notebooks

test-everything: test test-class test-chinese-copies test-site test-chinese-whole test-colab test-colab-whole test-matrix study-smoke study-quick test-pdf test-pdf-chinese mutants ## all there is to run, for hours

# Two busy processes a core beside it, three times in a row; TIMES and LOAD change that.
test-under-load: $(SCALE) .venv-nbgrader/.installed ## run `make test` while other processes keep the machine busy
	$(BIN)/python tools/under_load.py --times $(or $(TIMES),3) --load $(or $(LOAD),2) -- $(MAKE) --no-print-directory test

lint: $(STAMP) ## check the style of code and notebooks
	$(BIN)/python -m ruff check .

types: $(STAMP) ## check the library's type hints
	$(BIN)/python -m mypy

# actionlint's package fetches its program when it is installed, from where not everybody gets to;
# hence two stamps.
$(STAMP)-audit: $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(CHOICE) -e ".[audit]"
	@touch $@

$(STAMP)-actionlint: $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-compile $(CHOICE) -e ".[actionlint]"
	@touch $@

audit: audit-zizmor audit-actionlint ## check the workflows with zizmor and actionlint

audit-zizmor: $(STAMP)-audit
	$(BIN)/zizmor --offline --pedantic --strict-collection --no-progress .github

audit-actionlint: $(STAMP)-actionlint
	$(BIN)/actionlint

test-library: $(SCALE) book ## unit, property, structure and site tests, with branch coverage
	$(TEST_LIBRARY)

# Each notebook from top to bottom in one process and on one thread: as fast as two that share every
# core, and less at the mercy of what else runs. A third has the core while a kernel starts or ends.
test-notebooks: $(SCALE) ## run every notebook and compare its outputs with the stored ones
	$(ONE_THREAD) $(BIN)/python -m pytest $(NBVAL) $(PAGES_BY_NAME)

# Not part of `make test`, because it needs a GPU, and TensorFlow with what drives it:
# .venv/bin/pip install "tensorflow[and-cuda]"
test-gpu: $(SCALE) ## run every notebook and train every model on a GPU
	@$(BIN)/python -c 'import sys, tensorflow as tf; sys.exit(not tf.config.list_physical_devices("GPU"))' 2>/dev/null || { \
	  echo "TensorFlow sees no GPU here; install tensorflow[and-cuda] into $(VENV), on a machine that has one." >&2; exit 1; }
	$(BIN)/python -m pytest tests/test_settings.py tests/test_models.py tests/test_training.py tests/test_multimodal.py
	$(BIN)/python -m pytest --nbval-lax --nbval-cell-timeout=900 book

# Not part of `make test`, because it needs Chromium. On Debian: apt-get install chromium-headless-shell
# LIVE=1 tests Python in the pages as well, EDITIONS=1 does test-chinese as well, in the same run;
# SHORT=1 leaves out what is marked aside.
test-site: $(SITE) $(BUILT) ## open every page of the built book in Chromium and check it
	BOOK_SITE=_build/html $(if $(EDITIONS),BOOK_SITE_ZH=_build/site/zh) $(BIN)/python -m pytest -n 2 $(if $(SHORT),-m "not aside") tests/browser

test-chinese: $(SITE) editions ## test the search, the figures and the way to English in the Chinese edition
	BOOK_SITE_ZH=_build/site/zh $(BIN)/python -m pytest -n 2 tests/browser/test_chinese.py

# What stands beside this folder lets a second build be short; _build/site holds a copy of it.
test-chinese-whole: $(SITE) editions ## do all that test-site does with the Chinese edition (LIVE=1 with Python in the pages)
	BOOK_SITE=_build/zh_CN/_build/html BOOK_SITE_ZH=_build/site/zh $(BIN)/python -m pytest -n 2 tests/browser

# Twenty seeds take twenty minutes or more, so this is no part of `make test`; the stored result is.
test-playground: $(SITE) ## run the playground's experiments for twenty seeds, and store what they gave
	$(BIN)/python benchmarks/playground.py

# Its program comes from npm, in a folder of its own; tools/lighthouse.py --help says more.
LIGHTHOUSE ?= lighthouse
test-lighthouse: book ## ask Lighthouse about five pages of the built book, on a phone
	$(BIN)/python tools/lighthouse.py --program "$(LIGHTHOUSE)"

test-classroom: $(SCALE) ## mark every student and instructor copy, and run one to its end
	$(ONE_THREAD) $(BIN)/python -m pytest tests/classroom_runs.py

# A copy has its page's code, which test-notebooks runs, and in Chinese one cell more.
test-chinese-copies: $(SCALE) ## run every Chinese student copy to its end (minutes)
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 tests/chinese_copy_runs.py

test-class: $(SCALE) ## mark 200 hand-ins with every trouble there is (HAND_INS=40 for fewer)
	HAND_INS=$(or $(HAND_INS),200) $(ONE_THREAD) $(BIN)/python -m pytest -rP tests/class_runs.py

# nbgrader brings its own versions of much; it gets an environment of its own.
.venv-nbgrader/.installed: tests/nbgrader-requirements.txt
	$(PYTHON) -m venv .venv-nbgrader
	@.venv-nbgrader/bin/python -m pip install --disable-pip-version-check --no-compile -r $<
	@touch $@

test-nbgrader: $(SCALE) .venv-nbgrader/.installed ## let nbgrader release, mark and give feedback on a chapter
	$(BIN)/python -m pytest tests/nbgrader_runs.py

# When all of them ran, the versions that are installed become the lock.
notebooks: $(SCALE) $(SITE) ## run notebooks from a clean kernel and store outputs (NOTEBOOK=book/x.ipynb for one)
	$(BIN)/python tools/run_notebooks.py $(NOTEBOOK)
	$(if $(filter-out $(NOTEBOOK),$(wildcard book/*.ipynb)),,$(BIN)/python tools/write_lock.py)

mutants: $(SCALE) ## make small faults in the library and count those that no test notices (MODULE=metrics for one)
	nice $(BIN)/python tools/mutants.py $(MODULE)

bench: $(SCALE) ## time search and training (minutes; PyTorch must be installed)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/training_speed.py
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/scale.py

bench-classroom: $(STAMP) ## time the copies and the marking, and weigh what a room without a network needs
	$(BIN)/python benchmarks/classroom.py --packages

study: $(SCALE) ## train and measure everything again (hours; needs the full data sets)
	$(BIN)/python benchmarks/study.py --part tuning
	$(BIN)/python benchmarks/study.py --part full
	$(BIN)/python benchmarks/fair.py --part tuning
	$(BIN)/python benchmarks/fair.py --part full
	$(BIN)/python benchmarks/leads.py
	$(BIN)/python benchmarks/abilities.py
	$(BIN)/python benchmarks/emoji.py
	$(BIN)/python benchmarks/names.py
	$(BIN)/python benchmarks/drawn.py

study-smoke: $(SCALE) ## what `make test` leaves aside, every benchmark in short, one epoch of each method of the study, on the bundled images (SHORT=1: the epoch alone, on MNIST)
	$(if $(SHORT),,$(ONE_THREAD) $(BIN)/python -m pytest -n 2 -m aside $(call ALSO,benchmark_runs.py) tests)
	$(BIN)/python benchmarks/study.py --part smoke $(if $(SHORT),--data mnist)
	$(BIN)/python benchmarks/fair.py --part smoke $(if $(SHORT),--data mnist)

study-quick: $(SCALE) ## the study at a twentieth of its size, compared with its stored results (minutes)
	$(BIN)/python benchmarks/study.py --part quick --compare --output _build/study

classroom: $(STAMP) ## make student and instructor copies, and a zip of each for a room without a network (LANGUAGE=zh_CN)
	rm -rf _build/classroom$(EDITION:%=-%)
	$(BIN)/python tools/make_classroom.py $(EDITION:%=--language %) _build/classroom$(EDITION:%=-%)

package: $(STAMP) ## build the library's wheel, with the addresses of its repository
	rm -rf _build/package
	$(BIN)/python tools/make_package.py _build/package

colab: $(STAMP) ## write the notebooks that are published for Colab (LANGUAGE=zh_CN)
	rm -rf _build/colab$(EDITION:%=-%)
	$(BIN)/python tools/make_colab.py $(EDITION:%=--language %) _build/colab$(EDITION:%=-%)

# An environment with the versions of a runtime of Colab; made again only when its file changes.
_build/colab-env-%/.installed: tests/colab/%.txt | $(BIN)/python
	rm -rf $(@D)
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --disable-pip-version-check --no-compile --quiet -r $<
	@touch $@

# A kernel with those versions, in which nbval runs the notebooks.
_build/colab-kernel-%/.installed: _build/colab-env-%/.installed tests/colab/make_kernel.py pyproject.toml
	rm -rf $(@D)
	$(BIN)/python tests/colab/make_kernel.py $* $(@D)
	@touch $@

COLAB := _build/colab-kernel-current/.installed _build/colab-env-older/.installed
# Beside what is made in .venv: none of them needs another, so make -j2 makes two at a time.
environments: .venv-nbgrader/.installed $(COLAB) ## make the environments of nbgrader and of Colab

# In short, a chapter that trains, and one that trains and searches.
test-colab: PAGES = $(if $(SHORT),training many-modalities)
.PRECIOUS: _build/colab-env-%/.installed _build/colab-kernel-%/.installed
test-colab: $(SCALE) $(COLAB) ## compare outputs on Colab's versions, and run two notebooks through their setup (SHORT=1: of two chapters)
	$(ONE_THREAD) JUPYTER_PATH=$(CURDIR)/_build/colab-kernel-current/share/jupyter \
	$(BIN)/python -m pytest $(NBVAL) --nbval-kernel-name=colab $(PAGES_BY_NAME)
	$(BIN)/python -m pytest -n 2 -rP tests/colab_runs.py

test-colab-whole: $(SCALE) _build/colab-env-current/.installed _build/colab-env-older/.installed ## run every notebook through its setup on both of Colab's runtimes
	COLAB_WHOLE=1 $(BIN)/python -m pytest -n 2 -rP tests/colab_runs.py $(if $(PAGES),-k "$(PAGES)")

# The library's own tests, with the floors of pyproject.toml and with the newest releases. The floors
# are older than Python 3.13; there only the newest can be tried.
MATRIX ?= $(shell $(BIN)/python -c 'import sys; print("newest" if sys.version_info >= (3, 13) else "oldest newest")')
MATRIX_TESTS := $(addprefix tests/test_, article_faults.py baselines.py checks.py comparison.py data_of_models.py \
  datasets.py distribution.py exercises.py features.py first_edition.py folders.py metrics.py models.py multimodal.py neighbours.py \
  notebook_helpers.py objectives.py package.py plotting.py pretrained.py progress.py retrieval.py settings.py \
  startup.py targets.py training.py views.py) vae_tutorial
_build/matrix-env-%/.installed: pyproject.toml tools/floors.py | $(STAMP)
	rm -rf $(@D)
	$(BIN)/python -m venv $(@D)
	$(BIN)/python tools/floors.py test > $(@D)/oldest.txt
	sed 's/==/>=/' $(@D)/oldest.txt > $(@D)/newest.txt
	$(@D)/bin/python -m pip install --disable-pip-version-check --quiet -r $(@D)/$*.txt nbclient pyyaml
	@touch $@

.PRECIOUS: _build/matrix-env-%/.installed
test-matrix: $(STAMP) ## test the library with the oldest and the newest versions allowed (MATRIX=oldest for one)
	@$(MAKE) --no-print-directory $(MATRIX:%=test-matrix-%)

test-matrix-%: _build/matrix-env-%/.installed
	@$(dir $<)bin/python -m pip list --disable-pip-version-check | grep -iE '^(tensorflow|keras|numpy|matplotlib|pillow) '
	$(dir $<)bin/python -m pytest -n 2 $(MATRIX_TESTS)

# Not part of `make book` and `make test`: TeX is a large installation that reading and running do not need.
pdf: $(STAMP) ## print the whole book through LaTeX and say where the PDF is (LANGUAGE=zh_CN for the Chinese edition)
	@command -v latexmk xelatex >/dev/null && fc-list "$(FONT)" | grep -q . || { \
	  echo "Printing needs TeX and its fonts. On Debian or Ubuntu:" >&2; \
	  echo "sudo apt-get install --no-install-recommends $(TEX)$(if $(EDITION), $(TEX_CHINESE))" >&2; exit 1; }
	$(if $(EDITION),@$(BIN)/python tools/translate.py --build $(TREE))
	@$(BIN)/jupyter-book build $(TREE) --builder latex -W -n --keep-going || { rm -rf $(TREE)/_build/.doctrees; exit 1; }
	@cd $(dir $(PDF)) && latexmk -xelatex -silent -interaction=nonstopmode -halt-on-error $(notdir $(PDF:.pdf=.tex)) || { \
	  cd $(CURDIR); \
	  grep -A 6 '^!' $(PDF:.pdf=.log) >&2; echo "LaTeX stopped; the whole story is in $(PDF:.pdf=.log)" >&2; exit 1; }
	@echo "Printed: $(CURDIR)/$(PDF)"

# For workflows, so that the list stands in one place: what both editions need.
tex-packages:
	@echo $(TEX) $(TEX_CHINESE)

test-pdf: pdf ## print the book and check the PDF: numbers, references, figures, glyphs (LANGUAGE=zh_CN)
	BOOK_LANGUAGE=$(or $(EDITION),en) $(BIN)/python -m pytest tests/pdf_checks.py

# For test-everything.
test-pdf-chinese:
	@$(MAKE) --no-print-directory test-pdf LANGUAGE=zh_CN

clean: ## delete what was built, except .venv
	rm -rf _build build *.egg-info .coverage .coverage.* .hypothesis .pytest_cache
	find . \( -name __pycache__ -o -name .ruff_cache -o -name .mypy_cache \) -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +
