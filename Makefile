.DEFAULT_GOAL := help
.PHONY: help setup demo test check check-helm unit test-console verify test-helm-install bench-streaming bench-forecasting bench-inventory bench-serving down lock clean
bin := .venv/bin

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup: ## Check prerequisites, install what is missing into .venv and .run
	@infra/local/setup.sh

demo: setup ## Run everything, from history to decisions; KEEP=1 leaves the stack running, DAYS=n shortens
	@$(bin)/stockstream demo $(if $(KEEP),--keep) $(if $(DAYS),--days $(DAYS))

test: check check-helm ## What CI runs: check, the chart, then unit, integration, parity and end-to-end tests
	@$(bin)/pytest tests/unit tests/integration tests/parity tests/e2e tests/console --durations=15

check: setup ## Format, lint, types, import rules, structure
	@$(bin)/ruff format --check .
	@$(bin)/ruff check .
	@$(bin)/mypy
	@$(bin)/lint-imports
	@$(bin)/pytest -q tests/architecture

check-helm: setup ## The chart: lint, values schema, the operators' definitions, values that must be refused
	@tests/helm/tools/install.sh
	@$(bin)/pytest -q tests/helm

test-console: setup ## The console in a real Chromium; pictures of every page in .run/screenshots
	@$(bin)/pytest -q tests/console

unit: setup ## The fast tests alone
	@$(bin)/pytest -q tests/unit

verify: setup ## The long checks; what has passed for this commit is not run again
	@tests/helm/tools/install.sh
	@$(bin)/python -m infra.local.verify

test-helm-install: setup ## The chart on a real API server: installed, upgraded, rolled back, removed, broken
	@$(bin)/python -m infra.local.verify helm_install

bench-streaming: setup ## Figures of the features: speed, parity, recovery; STOCKSTREAM_DATA names the folder of other data
	@$(bin)/python -m tests.benchmarks.run streaming

bench-forecasting: setup ## Figures of the forecasts against every peer: hours; a run that was interrupted goes on
	@$(bin)/python -m tests.benchmarks.run forecasting

bench-inventory: setup ## Figures of the policies: against the exact optimum, and the service they realise
	@$(bin)/python -m tests.benchmarks.run inventory

bench-serving: setup ## Figures of the HTTP API: its reads with 100,000 SKUs loaded, and what Ray Serve costs
	@$(bin)/python -m tests.benchmarks.run serving

down: ## Stop the local stack and a kept demo
	@if [ -x $(bin)/stockstream ]; then $(bin)/stockstream down --all; fi

compile := $(bin)/uv pip compile pyproject.toml --generate-hashes --override requirements/overrides.txt \
  --no-emit-index-url --no-annotate --no-header --quiet
lock: setup ## Resolve requirements/*.txt again from pyproject.toml: all, and the part of each image
	@$(compile) --all-extras --output-file requirements/all.txt
	@for pair in features:streaming serving:serving batch:batch; do \
	  $(compile) --extra $${pair#*:} --constraint requirements/all.txt --output-file requirements/$${pair%:*}.txt || exit; \
	done

clean: down ## Remove everything that set-up and runs have made
	@rm -rf .venv .run .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build *.egg-info
