# Every target is one call of a script that also runs without make: python tools/setup.py train
PYTHON ?= $(shell command -v python3 || command -v python || echo python3)

.PHONY: help train test lint coverage remove

help:
	@echo "make train   set up in .venv, then train on a table that ships with Retrograd"
	@echo "make test    set up in .venv, then run the tests (no PyTorch needed)"
	@echo "make lint    ruff and pyright"
	@echo "make coverage  docs/coverage.md anew, from a run of all tests with the peers installed"
	@echo "make remove  delete .venv and the caches; runs/ stays"

train:
	@"$(PYTHON)" tools/setup.py train

test:
	@"$(PYTHON)" tools/setup.py test

lint:
	@"$(PYTHON)" tools/setup.py install test dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright

coverage:
	@"$(PYTHON)" tools/setup.py test --slow --row-report=build/rows.json
	.venv/bin/python tools/coverage_rows.py build/rows.json

remove:
	@"$(PYTHON)" tools/setup.py remove
