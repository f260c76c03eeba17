# Each target does all of its own set-up in a virtual environment inside the checkout.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(wildcard startup/*)
# Versions that the tests passed with. CONSTRAINTS= installs the newest instead.
CONSTRAINTS ?= constraints.txt
# What to test: make test T=tests/core
T ?= tests

.PHONY: demo stories comparison mutants test test-slow test-exhaustive differential check check-github man completions schemas \
	architecture constraints runbook bench bench-catchup bench-recovery soak dist clean

demo: .venv/installed-for-demo
	$(BIN)/python -m tools.demo

stories: .venv/installed
	$(BIN)/python -m tools.stories

comparison: .venv/installed
	$(BIN)/python -m tools.comparison

story-%: .venv/installed
	$(BIN)/python -m tools.stories $*

# More workers than cores: many tests wait for a node.
test: .venv/installed
	$(BIN)/pytest -n 5 --dist loadscope --no-loadscope-reorder -m "not slow and not exhaustive" $(T)

# Pytest's exit status 5: a part of the tests may have none of the kind.
test-slow: .venv/installed
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m slow $(T) $(if $(T),|| [ $$? = 5 ])
	$(BIN)/pytest -n 2 -m "hypothesis and not slow" --hypothesis-profile=thorough $(T) $(if $(T),|| [ $$? = 5 ])

# Ten minutes and more: some 1,100 changes to the decisions. It works on a copy, and fails unless those that the
# tests of the core do not notice are the ones that mutants.toml lists.
mutants: .venv/installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet cosmic-ray==8.7.0
	rm -rf .cache/mutants
	mkdir -p .cache/mutants
	cp -R stigmem_cursor_plugin tests tools pyproject.toml cosmic-ray.toml mutants.toml .cache/mutants
	cd .cache/mutants && export PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH="$(CURDIR)/.cache/mutants" && \
		cosmic-ray init cosmic-ray.toml session.sqlite && \
		cr-filter-operators session.sqlite cosmic-ray.toml && \
		python -m tools.mutants_run session.sqlite && \
		cosmic-ray dump session.sqlite > dump && \
		python -m tools.mutants mutants.toml < dump

# Every command in every hostile environment.
test-exhaustive: .venv/installed
	$(BIN)/pytest -n 2 -m exhaustive $(T)

# The host's own pull loop against cursor-catchup, on every release of the host.
differential: .venv/installed
	$(BIN)/pytest -n 2 -rP tests/host/test_same_as_the_host.py

runbook: .venv/installed
	$(BIN)/python -m tools.runbook

check: .venv/installed check-github
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m tools.drift

# The schemas come with check-jsonschema.
check-github: .venv/installed
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(BIN)/zizmor --quiet --offline .github
	$(BIN)/pre-commit validate-config .pre-commit-config.yaml
	$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml

man: .venv/installed
	$(BIN)/python -m tools.man_pages

completions: .venv/installed
	$(BIN)/python -m tools.completions

architecture: .venv/installed
	$(BIN)/python -m tools.architecture

schemas: .venv/installed
	$(BIN)/python -m tools.schemas

# The versions of a new environment with the newest of everything. Run the tests, then commit.
constraints:
	$(PYTHON) -m venv --clear .cache/constraints
	.cache/constraints/bin/python -m pip install --disable-pip-version-check --quiet '.[dev,charts]'
	echo '# Versions that the tests passed with. To renew them: make constraints test test-slow' > constraints.txt
	.cache/constraints/bin/python -m pip freeze --exclude stigmem-cursor-plugin >> constraints.txt

# What a release publishes, in dist/.
dist: .venv/installed
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*

bench: .venv/installed
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.summary

# How quickly cursor-catchup is; FACTS=500000 is the runbook's example, about 25 minutes.
bench-catchup: .venv/installed
	$(BIN)/python -m benchmarks.catchup $(FACTS)

bench-recovery: .venv/charts
	$(BIN)/python -m benchmarks.recovery

# Four nodes under fire, ten minutes. SEED= decides the faults; RELAYS=1 has all nodes relay; HOST=1 plays it with the
# host's own commands; RECORD=1 writes docs/soak.md.
SECONDS ?= 600
SEED ?= 1
soak: $(if $(RECORD),.venv/charts,.venv/installed)
	$(BIN)/python -m soak --seconds $(SECONDS) --seed $(SEED) $(if $(RELAYS),--relays) $(if $(HOST),--host) \
		$(if $(RECORD),--record)

# The demo needs no more than the host.
.venv/installed-for-demo: EXTRA := host
.venv/installed: EXTRA := dev
.venv/installed .venv/installed-for-demo: pyproject.toml constraints.txt $(SOURCES)
	@echo "installing stigmem-cursor-plugin[$(EXTRA)] into .venv, which takes a while the first time"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		$(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[$(EXTRA)]'
	@echo "fetching the migrations of stigmem-node, which its wheel leaves out"
	@$(BIN)/python -m tools.hosts
	@touch $@

# What draws the pictures of measurements.
.venv/charts: .venv/installed
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		$(if $(CONSTRAINTS),--constraint $(CONSTRAINTS)) --editable '.[charts]'
	@touch $@

clean:
	rm -rf .venv .cache dist
