# make run     build and run lorgnette (ARGS="inspect model.gguf")
# make test    the tests, quick
# make check   what CI runs: format, lints, tests, docs
# make parity  against llama.cpp and Hugging Face transformers; fetches and builds them (minutes, gigabytes)
# make bench   writes docs/benchmarks.md, measured on this machine beside llama.cpp
# make fuzz    hostile files for SECONDS seconds (cargo install cargo-fuzz)

CARGO   ?= cargo
ARGS    ?= --help
SECONDS ?= 60
# Where the reference implementations are fetched and built.
REFERENCE ?= target/reference

# Debian and Ubuntu packages that building and testing needs; parity needs the second list too.
PACKAGES           = gcc libc6-dev libclang1
REFERENCE_PACKAGES = g++ cmake ninja-build python3 python3-venv

.PHONY: run test check packages reference parity bench fuzz

run: packages
	$(CARGO) run --release --quiet -- $(ARGS)

test: packages
	$(CARGO) test --workspace

check: packages
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps
	$(MAKE) test

packages:
	@tests/install-packages $(PACKAGES)

reference: packages
	@tests/install-packages $(REFERENCE_PACKAGES)
	tests/parity/set-up $(REFERENCE)

parity: reference
	$(CARGO) build --release
	tests/parity/run $(REFERENCE) target/release/lorgnette

bench: reference
	$(CARGO) build --release
	$(REFERENCE)/venv/bin/python tests/bench/quantize.py --reference $(REFERENCE) --lorgnette target/release/lorgnette \
		--output docs/benchmarks.md

fuzz:
	cd quant/fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . gguf -- -max_total_time=$(SECONDS) -max_len=4096
