# Everything here sets itself up: a plain Python 3.11 or newer is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
PYTEST := -m pytest -q -n 2 -m "not slow"
PIP := -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-newest test-newest-3.12 test-newest-3.13 test-lowest lint types doctest slow bench clean
.NOTPARALLEL:

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "gridcal needs Python 3.11 or newer; set PYTHON=" && false)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) --upgrade pip
	$(BIN)/python $(PIP) -e '.[test]'
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/gridcal demo --fresh

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

test: lint types
	$(THREADS) $(BIN)/python $(PYTEST)

# The same suite with the newest versions of everything, on Python 3.12 and then on 3.13.
test-newest:
	@lacking=; for version in 3.12 3.13; do \
	  python$$version -c "" 2>/dev/null || lacking="$$lacking python$$version"; \
	done; test -z "$$lacking" || (echo "make $@ lacks$$lacking: put it on the PATH" && false)
	$(MAKE) test-newest-3.12
	$(MAKE) test-newest-3.13

test-newest-3.12 test-newest-3.13: test-newest-%:
	@python$* -c "" 2>/dev/null || (echo "make $@ lacks python$*: put it on the PATH" && false)
	test -x .venv-newest-$*/bin/python || python$* -m venv .venv-newest-$*
	.venv-newest-$*/bin/python $(PIP) --upgrade pip
	.venv-newest-$*/bin/python $(PIP) --upgrade --upgrade-strategy eager -e '.[test]'
	$(THREADS) .venv-newest-$*/bin/python $(PYTEST)

# The same suite on Python 3.11 with every direct dependency at its lower bound in pyproject.toml.
test-lowest:
	@python3.11 -c "" 2>/dev/null || (echo "make $@ lacks python3.11: put it on the PATH" && false)
	test -x .venv-lowest/bin/python || python3.11 -m venv .venv-lowest
	python3.11 tests/lowest_versions.py > .venv-lowest/constraints.txt
	.venv-lowest/bin/python $(PIP) --upgrade pip
	.venv-lowest/bin/python $(PIP) --constraint .venv-lowest/constraints.txt -e '.[test]'
	$(THREADS) .venv-lowest/bin/python $(PYTEST)

slow: $(STAMP)
	$(THREADS) $(BIN)/python -m pytest -q -m slow

bench: $(STAMP)
	$(BIN)/python benchmarks/bench_lue.py
	$(BIN)/python benchmarks/bench_ibis.py

clean:
	rm -rf $(VENV) .venv-newest-3.12 .venv-newest-3.13 .venv-lowest .pytest_cache .mypy_cache .ruff_cache gridcal-demo.study
