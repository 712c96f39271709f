# SPDX-License-Identifier: Apache-2.0
# Thin: every target is one or two commands that also work by hand.
NODE := node_modules/.bin/node
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help run check nightly conformance test build rpm bench lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run: ## build it and try it: daemon, sample programs, Cockpit; Ctrl-C ends and cleans up
	@packaging/install-deps.sh run
	@$(NODE) build.ts all
	@$(NODE) demo/run.ts

check: ## everything that must pass: install what is missing, build, lint, all tests
	@packaging/install-deps.sh check
	@$(NODE) build.ts all
	@$(MAKE) --no-print-directory lint
	@BPFMAN_TEST_BUNDLE=1 $(NODE) test/run.ts

nightly: ## what takes hours: a million inputs to every reader, long random runs, test/**/*.nightly.ts
	@packaging/install-deps.sh check
	@$(NODE) build.ts all
	@BPFMAN_TEST_BUNDLE=1 $(NODE) test/run.ts nightly

conformance: ## docs/conformance.md from the latest results of the tests
	@$(NODE) test/conformance/table.ts

test: ## the tests alone; STAGES="unit fuzz kernel vm cockpit image demo rpm" picks
	@$(NODE) build.ts all
	@BPFMAN_TEST_BUNDLE=1 $(NODE) test/run.ts $(STAGES)

build: ## dist/: the command, the daemon, BPF objects, the page
	@packaging/install-deps.sh build
	@$(NODE) build.ts all

rpm: ## rpm-build/*.rpm from bpfman.spec
	@packaging/install-deps.sh rpm
	@packaging/rpm.sh

bench: ## figures beside those of what users would pick instead
	@packaging/install-deps.sh check
	@$(NODE) build.ts all --production
	@npm run --silent bench

lint: ## format, lint, types, wire contract
	biome check --error-on-warnings .
	tsc -p .
	buf lint

clean: ## what builds made; caches (.cache) and node_modules stay
	rm -rf dist rpm-build test-results
