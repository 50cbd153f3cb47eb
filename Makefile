.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
INSTALL := $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

.PHONY: help demo test proof proof-full check bench ui wheel clean

help:  ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(if $(UV),uv venv --quiet $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(INSTALL) --constraint constraints.txt --editable ".[serve,report,ui]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(INSTALL) --constraint constraints.txt --editable ".[serve,report,ui,dev]"
	@touch $@

demo: $(VENV)/.installed  ## Write demo leads, train, track, promote, judge, score; then say where everything lies
	@$(BIN)/leadscore demo --tour

test: $(VENV)/.installed-dev check  ## Run the checks and the test suite
	$(BIN)/python -m pytest -m "not proof and not bench" --numprocesses 2 --dist loadfile

proof: $(VENV)/.installed-dev  ## Run the long proofs on the seeds of the day: real data, kills, load, a fresh wheel
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -m "proof and not alone" --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 25
	$(BIN)/python -m pytest tests -m "proof and alone" --durations 10

proof-full: export LEADSCORE_FULL := 1
proof-full: proof  ## Run the long proofs on every seed: the counts that the docs quote

check: $(VENV)/.installed-dev  ## Check format, style, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed-dev  ## Measure speed, as ratios to a floor in the same run
	$(BIN)/python -m pytest tests/benchmarks -m bench -s

.PHONY: docs-picture
docs-picture: $(VENV)/.installed-dev  ## Draw docs/rooms.svg from the imports of the code
	$(BIN)/python docs/pictures/rooms.py

ui: $(VENV)/.installed  ## Open the MLflow UI on the store, at http://127.0.0.1:5000
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false \
	$(BIN)/mlflow server --host 127.0.0.1 --port 5000 --workers 1 \
	--backend-store-uri sqlite:///$(CURDIR)/var/mlflow.db --default-artifact-root file://$(CURDIR)/var/artifacts

wheel: $(VENV)/.installed-dev  ## Build the wheel into dist/
	$(BIN)/python -m build --wheel --outdir dist

clean:  ## Remove caches and builds; never var/
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find models pipeline serve tests leadscore -name __pycache__ -type d -prune -exec rm -rf {} +
