# What a person or CI does with this project. `make help` lists it; CONTRIBUTING.md says more.
PYTHON ?= python3
# Tests run in this many processes.
JOBS ?= 2

ENVIRONMENT = $(PYTHON) tools/environment.py
BIN = .venv/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format types docs unit test-all test-frameworks test-e2e bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# The demo's trace stays here, whatever backends the environment configures; what would switch it off is left out.
SWITCHES = AGENTTRACE_DISABLED OTEL_SDK_DISABLED OTEL_TRACES_SAMPLER OTEL_TRACES_SAMPLER_ARG
HERE = env $(SWITCHES:%=-u %) AGENTTRACE_DESTINATIONS=local

demo: ## run the example agent and show its trace
	@$(ENVIRONMENT) .venv cli
	@$(HERE) $(BIN)/python examples/quickstart.py --project quickstart
	@echo
	@$(BIN)/agenttrace show --project quickstart

test: lint types docs unit ## lint, types, docs, then the tests

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: environment ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: environment
	$(BIN)/mypy
	@# --verifytypes takes its Python from PATH alone. What it prints of each symbol is of use only where one lacks a type.
	PATH="$(CURDIR)/$(BIN):$$PATH" PYRIGHT_PYTHON_IGNORE_WARNINGS=1 pyright --verifytypes agenttrace --ignoreexternal

docs: environment ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

unit: environment ## the tests alone
	$(BIN)/python -m pytest -n $(JOBS)

test-all: ## the tests on every Python from 3.10 on that this machine has, and on the lowest dependencies
	$(PYTHON) tools/test_all.py --jobs $(JOBS)

# The server has an environment of its own, so that its requirements and those of the providers' clients don't meet.
test-e2e: environment ## examples, gallery, outages and credentials against a real Phoenix server
	@$(ENVIRONMENT) .venv-phoenix phoenix
	$(BIN)/python -m pytest tests/e2e

# Each framework's own pins stay in its environment.
test-frameworks: ## examples and adapters in the frameworks themselves, and smolagents in its oldest release
	@$(ENVIRONMENT) .venv-frameworks test-frameworks
	.venv-frameworks/bin/python -m pytest tests/frameworks
	@$(ENVIRONMENT) .venv-smolagents test-smolagents --constraints tests/frameworks/oldest-smolagents.txt
	.venv-smolagents/bin/python -m pytest -c tests/frameworks/pytest.ini tests/integrations/smolagents/test_releases.py
	@$(ENVIRONMENT) .venv-crewai test-crewai
	.venv-crewai/bin/python -m pytest tests/frameworks/crewai

bench: ## what a traced call costs and what arrives, beside other libraries
	@$(ENVIRONMENT) .venv-bench bench
	.venv-bench/bin/python benchmarks/overhead.py
	.venv-bench/bin/python benchmarks/delivery.py

clean: ## remove the environments and what tools left behind
	rm -rf .venv .venv-* build dist site .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: environment
environment:
	@$(ENVIRONMENT) .venv cli docs test
