# make demo: segment the bundled clip and look at it.   make test: run the tests.   make lint: check style and types.
# make studio: draw, track and correct in the browser.   make docs: build the documentation as a site.
# make demo TORCH_INDEX=URL takes PyTorch from another index, as https://pytorch.org/get-started says: without CUDA, say.
# make fuzz N=20000: damage so many inputs of each kind and see that each is refused in a sentence.
PYTHON ?= python3
TORCH_INDEX ?=
BIN := .venv/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --disable-pip-version-check
N ?= 2000
SEED ?= 0

.PHONY: demo studio test lint docs fuzz clean

demo: .venv/installed
	$(BIN)/livos demo

studio: .venv/installed-studio
	$(BIN)/livos studio

test: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks
	cd vos-benchmark && ../$(BIN)/mypy --ignore-missing-imports vos_benchmark
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --no-package-lock && npm run --silent lint; \
	else echo "Node is not installed: the types of the pages are not checked."; fi

fuzz: .venv/installed-dev  # N inputs of each kind, damaged at random with SEED
	$(BIN)/python tests/fuzz $(N) --seed $(SEED)

docs: .venv/installed-dev
	$(BIN)/python scripts/make_reference.py
	$(BIN)/python scripts/make_site_source.py
	$(BIN)/zensical build
	@echo "The documentation is in site/index.html."

.venv/installed: requirements.txt pyproject.toml setup.py vos-benchmark/pyproject.toml
	@$(PYTHON) -c 'import sys; assert (3, 10) <= sys.version_info, f"Python 3.10 or newer is needed, this is {sys.version}"'
	$(PYTHON) -m venv .venv
	@echo "Installing into .venv, which takes about 7 GB on Linux: PyTorch brings CUDA's libraries along, several GB to"
	@echo "download (less than 1 GB on macOS). Without a GPU, make demo TORCH_INDEX=URL takes the smaller one: see Makefile."
	$(PIP) --quiet --upgrade pip
	if [ -n "$(TORCH_INDEX)" ]; then $(PIP) --index-url "$(TORCH_INDEX)" torch torchvision; fi
	$(PIP) -e . -e ./vos-benchmark
	touch $@

.venv/installed-studio: .venv/installed
	$(PIP) --quiet -e '.[studio]'
	touch $@

.venv/installed-dev: .venv/installed
	$(PIP) --quiet -e '.[dev,docs,studio,onnx]'
	touch $@

clean:
	rm -rf .venv results build site *.egg-info
