# Each target does all of its own set-up in a virtual environment inside the checkout.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(wildcard startup/*)

.PHONY: demo stories comparison test test-slow check man completions runbook bench bench-recovery clean

demo: .venv/installed
	$(BIN)/python -m tools.demo

stories: .venv/installed
	$(BIN)/python -m tools.stories

comparison: .venv/installed
	$(BIN)/python -m tools.comparison

story-%: .venv/installed
	$(BIN)/python -m tools.stories $*

# More workers than cores: many tests wait for a node.
test: .venv/installed
	$(BIN)/pytest -n 4 --maxschedchunk=2 -m "not slow"

test-slow: .venv/installed
	$(BIN)/pytest -n 2 -m slow

runbook: .venv/installed
	$(BIN)/python -m tools.runbook

check: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.drift

man: .venv/installed
	$(BIN)/python -m tools.man_pages

completions: .venv/installed
	$(BIN)/python -m tools.completions

bench: .venv/installed
	$(BIN)/python -m benchmarks.commands

bench-recovery: .venv/installed
	$(BIN)/python -m benchmarks.recovery

.venv/installed: pyproject.toml $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[dev]'
	$(BIN)/python -m tools.hosts
	touch $@

clean:
	rm -rf .venv .cache dist
