# What a newcomer needs. Every target can be repeated, and says what failed and what to do.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

toolchain: ## install Node, Pulumi and its plugins where they are missing
	@toolchain/install.sh

node_modules: package-lock.json | toolchain
	@source toolchain/env.sh && npm ci --no-audit --no-fund --loglevel=error && touch node_modules

lab: ## start three Docker hosts in containers, a Swarm and a registry
	@lab/up.sh

images: lab ## build the images and push them to the lab's registry
	@source lab/lab.env.sh && images/build.sh --push "$$LAB_REGISTRY_PUSH" --name "$$LAB_REGISTRY" --json "$$LAB_IMAGES"

up: ## bring up the whole cluster in the lab with `pulumi up`
	@lab/cluster-up.sh

down: ## remove the cluster and the lab; the data stays
	@lab/cluster-down.sh

test: ## run all tests
	@test/run.sh

test-examples: toolchain node_modules ## bring each example up in the lab, break it, and take it down
	@source toolchain/env.sh && npm run --silent test:examples

drill: ## break and change the cluster under load; ARGS="--planned --rounds 3 --record docs/benchmarks.md"
	@source lab/env.sh && npx tsx lab/drill/main.ts $(ARGS)

.PHONY: help toolchain lab images up down test test-examples drill
