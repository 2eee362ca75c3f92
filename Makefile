# make demo: segment the bundled clip and look at it.   make test: run the tests.   make lint: ruff and mypy.
PYTHON ?= python3
BIN := .venv/bin
DEMO := examples/demo
CLIP := launch-pad-cafe

.PHONY: demo test lint clean

demo: .venv/installed
	$(BIN)/python livos/eval.py dataset=demo model=lite
	$(BIN)/python vos-benchmark/benchmark.py -g $(DEMO)/Annotations -m results/demo/Annotations
	$(BIN)/python scripts/make_demo_report.py --images $(DEMO)/JPEGImages/$(CLIP) \
		--masks results/demo/Annotations/$(CLIP) --truth $(DEMO)/Annotations/$(CLIP) --output results/demo

test: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	cd vos-benchmark && ../$(BIN)/mypy --ignore-missing-imports vos_benchmark
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-package-lock && npm run --silent lint; \
	else echo "Node is not installed: the types of Studio's page are not checked."; fi

.venv/installed: requirements.txt setup.py vos-benchmark/pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 10) <= sys.version_info, f"Python 3.10 or newer is needed, this is {sys.version}"'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e . -e ./vos-benchmark
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

clean:
	rm -rf .venv results build *.egg-info
