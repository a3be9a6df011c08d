# What one can do here. Every command sets the machine up first; a second run is quick.
.DEFAULT_GOAL := help
.PHONY: smoke-hosts run help setup check test demo bench console shots seeds

help: ## shows this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## installs what building and testing need (Debian, Ubuntu), or says what is missing
	@scripts/setup

run: setup ## opens the window on the bundled sample and waits for its first build (ONCE=1: closes it again)
	@scripts/run

check: setup ## format, lints, types, bindings, crate directions, texts, licences
	@scripts/check

test: setup ## all tests against this machine's Docker engine, or one started for them (TEST=name: only those)
	@scripts/test $(TEST)

demo: setup ## the walk-through without a window: push code, see the new page
	@scripts/demo

bench: setup ## the performance table, against the Docker CLI on the same engine
	@scripts/bench

console: setup ## builds the console into ui/dist
	@cd ui && ../scripts/with-node npm run build

shots: setup ## pictures of every page and dialog of the console into target/shots (ONLY=name: only those)
	@scripts/shots $(ONLY)

seeds: setup ## what the seeds ask for: id, test, result
	@scripts/seeds

smoke-hosts: setup ## the read-only contract against real code hosts, for tokens in the environment; says what it skips
	@scripts/smoke-hosts
