# Footnote. `make help` lists the targets. Needs python3 (3.11.5 or newer), make and pip.

PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8000
HOST   ?= 127.0.0.1
INDEX  ?= var/index
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

export HF_HUB_OFFLINE := 1

.DEFAULT_GOAL := help
.PHONY: help install serve ingest test check fmt leaks browser pages faults faults-short fuzz fuzz-short soak quality train bench growth clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## create the virtual environment and install everything, locked

serve: $(STAMP) $(INDEX)/CURRENT ## install, ingest the bundled knowledge base once, serve on http://127.0.0.1:8000
	FOOTNOTE_INDEX=$(INDEX) exec $(BIN)/footnote serve --host $(HOST) --port $(PORT)

ingest: $(STAMP) ## bring the index in line with kb/ (SOURCE=folder for another)
	$(BIN)/footnote ingest $(or $(SOURCE),kb) --index $(INDEX)

test: $(STAMP) ## run the test suite
	$(BIN)/python -m pytest

check: $(STAMP) ## format, lint, types and tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

fmt: $(STAMP) ## format, and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

leaks: $(STAMP) ## compare 2,000 requests to knowledge bases with and without articles hidden from the reader
	FOOTNOTE_REQUESTS=2000 $(BIN)/python -m pytest tests/web/test_leaks.py

browser: $(STAMP) $(INDEX)/CURRENT ## test the pages in Chromium (CHROMIUM=/path if it is not Debian's)
	FOOTNOTE_INDEX=$(INDEX) $(BIN)/python -m pytest tests/browser

faults: $(STAMP) ## crash, power cut, rot, full disk, several writers, at full figures (about 10 min on idle cores; needs strace)
	$(BIN)/python -m pytest tests/faults

faults-short: $(STAMP) ## the same at a tenth of the figures (about 4 min)
	FOOTNOTE_FAULTS=short $(BIN)/python -m pytest tests/faults

fuzz: $(STAMP) ## 20,000 requests made from the OpenAPI document, and hostile text for every regular expression (22 min)
	$(BIN)/python -m pytest tests/fuzz

fuzz-short: $(STAMP) ## the same with some 1,500 requests (a minute)
	FOOTNOTE_FUZZ=short $(BIN)/python -m pytest tests/fuzz

soak: $(STAMP) $(INDEX)/CURRENT ## does the server's memory grow? (MINUTES=30)
	$(BIN)/python -m benchmarks.soak --index $(INDEX) --minutes $(or $(MINUTES),30)

pages: $(STAMP) $(INDEX)/CURRENT ## figures of the pages in Chromium: first event, largest paint, sizes (serve first; URL=… for another)
	$(BIN)/python -m benchmarks.pages --url $(or $(URL),http://127.0.0.1:$(PORT))

KB_INDEX := var/quality/kb
quality: $(STAMP) ## every table of docs/decisions on retrieval and answers (SETS="DIR…": judged sets too; MODEL=folder)
	$(BIN)/footnote ingest kb --index $(KB_INDEX)
	$(BIN)/python -m benchmarks.retrieval --questions benchmarks/data/development.jsonl --index $(KB_INDEX)
	$(BIN)/python -m benchmarks.retrieval --questions benchmarks/data/conversations.jsonl --index $(KB_INDEX)
	$(BIN)/python -m benchmarks.cutting --out var/quality/cutting/kb $(if $(MODEL),--model $(MODEL))
	$(BIN)/python -m benchmarks.quotations --index $(KB_INDEX)
	$(BIN)/footnote evaluate benchmarks/data/from_titles --corpus kb --index $(KB_INDEX)
	@for set in $(SETS); do name=$$(basename $$set); echo "== $$name" && \
		$(BIN)/footnote evaluate $$set --index var/quality/$$name --run var/quality/$$name.run && \
		$(BIN)/footnote evaluate $$set --index var/quality/$$name --rewrites --compare var/quality/$$name.run && \
		$(BIN)/python -m benchmarks.retrieval $$set --index var/quality/$$name && \
		$(BIN)/python -m benchmarks.cutting $$set --out var/quality/cutting/$$name || exit 1; done

TRAINING := var/training
train: $(STAMP) ## make the adapter and the reader's weights anew, resuming (an afternoon; CLONES=folder of repositories)
	$(BIN)/python -m training.passages $(or $(CLONES),$(TRAINING)/clones) $(TRAINING)/data
	$(BIN)/python -m training.fitting $(TRAINING)/data $(TRAINING)/run
	$(BIN)/python -m training.packing $(TRAINING)/run/encoder.pt $(TRAINING)/adapter.npz
	PATH=$(CURDIR)/$(BIN):$$PATH FOOTNOTE_ADAPTER=$(TRAINING)/adapter.npz $(BIN)/python -m training.knowledge_bases \
		$(or $(CLONES),$(TRAINING)/clones) $(TRAINING)/data $(TRAINING)/indexes
	FOOTNOTE_ADAPTER=$(TRAINING)/adapter.npz $(BIN)/python -m training.reader \
		$(TRAINING)/data $(TRAINING)/indexes $(TRAINING)

bench: $(STAMP) $(INDEX)/CURRENT ## figures of embedding and serving; ARTICLES=folder adds other tools side by side (long)
	$(BIN)/python -m benchmarks.embedding kb
	$(BIN)/python -m benchmarks.serving --index $(INDEX)
	$(BIN)/python -m benchmarks.growth 1000 10000 100000
	@if [ -n "$(ARTICLES)" ]; then $(BIN)/python -m benchmarks.peers $(ARTICLES); fi

growth: $(STAMP) ## how latency, memory, disk and updates grow up to a million chunks (an hour, 10 GB of disk)
	$(BIN)/python -m benchmarks.growth

clean: ## delete the index, the exported model and the virtual environment
	rm -rf var $(VENV)

$(INDEX)/CURRENT: | $(STAMP)
	$(BIN)/footnote ingest kb --index $(INDEX)

# Locked packages first, with their hashes; torch after them, so that a CPU build already there is left alone.
$(STAMP): requirements.lock constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 5))' || \
		{ echo "Footnote needs Python 3.11.5 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
