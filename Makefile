# What can be done here, each by one word: `make help`.
#
# A fresh Debian or Ubuntu with a Rust toolchain is enough: what else is needed is installed on the first use.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := run

TOOLS := $(CURDIR)/.tools
# The tests find the second ffmpeg and the strict playlist reader by these.
export NIGHTCAST_TEST_FFMPEG9 ?= $(TOOLS)/ffmpeg9/ffmpeg
export NIGHTCAST_TEST_PYTHON ?= $(TOOLS)/python/bin/python
# Most tests watch a station for a while and leave the processor idle: more of them than there are cores go at once.
export RUST_TEST_THREADS ?= $(shell cores=$$(nproc); echo $$((cores > 4 ? cores : 4)))

BROWSER := tests/browser

.PHONY: run build demo deb test test-rust test-browser faults hostile image-test check advisories fuzz bench dashboards soak week tools help clean

run: build channels.toml ## Run the station on http://127.0.0.1:8080 (the same as `make` alone)
	@scripts/run.sh

build: ## Build the program, after installing what it needs
	@scripts/machine.sh run
	@cargo build --release --locked

channels.toml:
	@cp channels.example.toml $@
	@echo "channels.toml is new: a copy of channels.example.toml, yours to change"

demo: build ## Make the demo films that are missing
	@target/release/nightcast demo

deb: build ## Make the Debian package, in target/debian
	@scripts/cargo-tool.sh deb --no-build --locked

test: test-rust test-browser ## Run all tests, after installing what they need

test-rust: tools
	@scripts/rust-tests.sh

test-browser: tools
	@scripts/browser-tests.sh $(BROWSER)

faults: tools ## Make every fault happen with viewers watching; prints the tables of docs/faults.md
	@scripts/faults.sh

hostile: tools ## Send hostile files through library and workshop: FILES=1000 SEED=1
	NIGHTCAST_HOSTILE_FILES=$(or $(FILES),1000) NIGHTCAST_HOSTILE_SEED=$(or $(SEED),1) \
		cargo test --locked --test hostile_media -- --nocapture

# Takes some minutes and a gigabyte or four of disk, so it is not part of `make test`.
image-test: ## Build the container image without an engine, start it and watch it (minutes; as root)
	@scripts/machine.sh run image
	@scripts/image-test.sh

tools: ## Install what the tests need, without running them
	@scripts/machine.sh run test players
	@scripts/tools.sh

check: ## Check format, lints, licences and sources of the dependencies, and the container files
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	@scripts/cargo-tool.sh deny --locked check --hide-inclusion-graph licenses bans sources
	@scripts/machine.sh lint
	@scripts/lint/run.sh

advisories: ## Check the dependencies for known faults; fetches their list
	@scripts/cargo-tool.sh deny --locked check advisories
	@scripts/cargo-tool.sh deny --locked --manifest-path fuzz/Cargo.toml check advisories

# Seconds for each target, and the target where it is not all of them: `make fuzz SECONDS=600 TARGET=config`.
# (SECONDS is the shell's own clock, too: as a variable of make it is only ever what was asked for.)
fuzz: ## Look for inputs that break a reader, SECONDS=60 for each TARGET
	@scripts/fuzz.sh "$(or $(SECONDS),60)" $(TARGET)

bench: build ## Measure start-up, CPU and memory
	@scripts/bench.sh

dashboards: build tools ## Draw the dashboards as a station with faults fills them, into target/dashboards (MINUTES=6)
	@MINUTES="$(or $(MINUTES),6)" node scripts/dashboards/main.mjs target/release/nightcast target/dashboards

soak: build ## Live through 30 days of channel in minutes (DAYS=, SPEED=)
	@DAYS="$(DAYS)" SPEED="$(SPEED)" scripts/soak.sh

# At 150 times the world's speed a week takes 68 minutes, and a tenth of a second for other work is fifteen of channel: who
# may (root) goes first. It prints how far from its time each programme was at most.
week: tools ## Live a week by a timetable, what was told against what aired (HOURS=168)
	NIGHTCAST_TIMETABLE_HOURS=$(or $(HOURS),168) nice -n -15 cargo test --locked --test timetable -- --nocapture

clean: ## Remove what was built and fetched; films, settings and data stay
	@cargo clean
	@rm -rf .tools $(BROWSER)/node_modules tests/store/node_modules scripts/lint/node_modules

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
