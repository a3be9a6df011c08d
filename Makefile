# What one can do here. Every command sets the machine up first; a second run is quick.
.DEFAULT_GOAL := help
.PHONY: package fuzz soak test-engines test-kill smoke-hosts run help setup check test demo bench console shots seeds faults

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

test-engines: setup ## the tests marked for it once more on Debian's newer engines, both image stores (needs root or sudo; ENGINE=sid/containerd: only that)
	@scripts/test-engines $(ENGINE)

test-kill: setup ## kills the program at every fail point and at 100 seeded moments (SEED=N: only that; SEEDS=N: so many)
	@scripts/test-kill $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),100))

fuzz: setup ## the parsers of foreign bytes, ten minutes each, guided by coverage (TARGET=name: only that; SECONDS_EACH=n)
	@scripts/fuzz $(or $(TARGET),all) $(or $(SECONDS_EACH),600)

soak: setup ## an hour under load with faults: every push accounted for, nothing grows (MINUTES=n; SEED=n)
	@scripts/soak $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

demo: setup ## the walk-through without a window: push code, see the new page
	@scripts/demo

bench: setup ## the performance table, against the Docker CLI on the same engine
	@scripts/bench

package: setup ## the deb and the rpm, and the packed program's first build, into target/release/bundle
	@scripts/package

console: setup ## builds the console into ui/dist
	@cd ui && ../scripts/with-node npm run build

shots: setup ## pictures of every page and dialog of the console into target/shots (ONLY=name: only those)
	@scripts/shots $(ONLY)

seeds: setup ## what the seeds ask for: id, test, result
	@scripts/seeds

faults: setup ## which tests show each fault, promise and threat; fails when one has none
	@scripts/faults

smoke-hosts: setup ## the read-only contract against real code hosts, for tokens in the environment; says what it skips
	@scripts/smoke-hosts
