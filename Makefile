# Mien: everything that a developer runs. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The picture that `make run` reads, and the folder for its annotated copy.
PHOTO ?= .native/samples/astronaut.png
OUT ?= mien-output
# With `make test FILTER=Preprocessing`, only the tests whose names match run.
FILTER ?=
JOBS ?= 2
# Where `make install` puts Mien.
PREFIX ?= /usr/local

# One configuration for everything, so that each dependency compiles once. Tests use `package` access, which a release
# build allows, rather than `@testable`, which it does not.
# The trait Server lets SwiftPM fetch what mien-server is made of; to turn it on or off compiles Mien anew.
SWIFT_FLAGS := -c release --jobs $(JOBS) --traits Server
# What is built and what the tests run. All of it by product: `--build-tests` would also compile every program of every
# dependency, protoc among them, which doubles the time.
PROGRAMS := mien MienVideoShim mien-server mien-train
SWIFT_FILES := $(wildcard Sources Tests Benchmarks Package.swift)
export PKG_CONFIG_PATH := $(CURDIR)/.native/pkgconfig$(if $(PKG_CONFIG_PATH),:$(PKG_CONFIG_PATH))

.PHONY: help setup run build test test-operations client lint format bench docs install dist clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 23
	@echo
	@echo '  make run PHOTO=me.jpg OUT=folder      make test FILTER=name      make build JOBS=8'

setup: ## Fetch the native libraries and what the tests need
	@scripts/setup.sh test

run: ## Find the emotions in PHOTO (or a sample photo) and draw them into a copy in OUT
	@[ '$(origin PHOTO)' = file ] || [ -e '$(PHOTO)' ] || { echo 'make run: $(PHOTO): no such file' >&2; exit 1; }
	@scripts/setup.sh runtime
	@swift build $(SWIFT_FLAGS) --product mien
	@.build/release/mien detect '$(PHOTO)' --annotate '$(OUT)'
	@echo 'The annotated picture is in $(abspath $(OUT))/'

build: ## Build mien, mien-server and mien-train
	@scripts/setup.sh training
	@for product in $(PROGRAMS); do swift build $(SWIFT_FLAGS) --product $$product; done

test: ## Set up, build everything, lint, run every test, build the reference
	@scripts/setup.sh test
	@for product in $(PROGRAMS) FaceTimeline mienPackageTests; do swift build $(SWIFT_FLAGS) --product $$product; done
	@$(MAKE) --no-print-directory lint
	@scripts/test.sh '$(FILTER)' $(SWIFT_FLAGS)
	@[ -n '$(FILTER)' ] || $(MAKE) --no-print-directory docs

client: ## Build and run Tests/Client, a package that depends on Mien by version
	@JOBS=$(JOBS) scripts/test-client.sh

test-operations: ## Try Slurm, nginx, Kubernetes' schemas, DuckDB and the image, as far as they are installed
	@scripts/test-operations.sh

lint: ## Check the style of the Swift code
	@swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	@echo 'lint: no findings'

format: ## Put the Swift code into the project's style
	@swift format format --in-place --parallel --recursive $(SWIFT_FILES)

bench: ## Measure speed (see Benchmarks/)
	@scripts/setup.sh test
	@Benchmarks/run.sh

docs: ## Build the reference of the library products into .build/docs
	@scripts/setup.sh training
	@scripts/docs.sh $(SWIFT_FLAGS)

install: ## Install the programs under PREFIX, with Swift's libraries inside
	@JOBS=$(JOBS) scripts/install.sh '$(PREFIX)'

dist: ## Pack tarballs and a Debian package into .build/dist, and try them where there is no Swift
	@JOBS=$(JOBS) scripts/dist.sh

clean: ## Remove what was built here (downloads and unpacked libraries in the cache stay)
	@rm -rf .build .native
