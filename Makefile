# make run           build lorgnette and start the simulator, or something else (ARGS="inspect model.gguf")
# make test          the tests, quick
# make check         what CI runs: format, lints, tests, docs
# make arm           the kernels' tests on emulated AArch64; fetches a compiler and QEMU (minutes, two gigabytes)
# make parity        against llama.cpp and Hugging Face transformers; fetches and builds them (minutes, gigabytes)
# make bench         writes docs/benchmarks.md, measured on this machine beside llama.cpp, which is to be left alone
# make gpu-bench     its part about the GPU, beside llama.cpp's Vulkan backend, whose shaders take long to build
# make live-bench    how soon the live loop answers, beside llama.cpp, what it takes when idle, and its memory (minutes)
# make listening-bench  where turns begin and end in mixed recordings; writes its part of docs/benchmarks.md
# make soak          an hour of talk in simulated time, with faults that SEED draws (minutes)
# make silero        the tests of Silero's voice detector; fetches it and ONNX Runtime from PyPI
# make device-bench  what capture costs, with the fake camera of the tests; writes its part of docs/benchmarks.md
# make cloud-bench   what contemplating costs beside the network; writes its part of docs/benchmarks.md
# make cloud         contemplating at llama.cpp's server; fetches and builds it (minutes, gigabytes)
# make device-vm     cameras and a sound card of the real kernel, in an emulator; fetches a kernel (minutes; on Debian)
# make screenshot    the picture in the README, of the simulator's page (docs/simulator.png)
# make mcp           calls a server of tools that somebody else wrote, from PyPI
# make pico          trains the bundled model in PICO, on a GPU or the processor (hours); fetches JAX
# make router        fits the rules of --mode auto to the bundled model, and says how good they are (minutes)
# make eval          how often the model in PICO is right about what it never saw, through the runtime (minutes)
# make fuzz          hostile files for SECONDS seconds (cargo install cargo-fuzz)

CARGO   ?= cargo
ARGS    ?= sim
SECONDS ?= 60
SEED    ?= 2
# Where pico is trained, and more for its recipe (PICO_ARGS="--minutes 600") or its evaluation (PICO_ARGS="--levels 1 2").
PICO      ?= target/pico
PICO_ARGS ?=
# Pictures and questions that it is not trained on; drawn where they are not there yet.
HELD_OUT  ?= $(PICO)/held-out
# The program that fits its rules; another one than this is not built.
LORGNETTE ?= target/release/lorgnette
# Where the reference implementations are fetched and built.
REFERENCE ?= target/reference
# Where the compiler for AArch64 and QEMU are unpacked.
ARM       ?= target/arm
# Where the kernel of the emulated machine is fetched.
VM ?= target/vm
# Where a server of tools is installed.
MCP ?= target/mcp
# Where ONNX Runtime and Silero's voice detector are installed.
SILERO ?= target/silero

# Debian and Ubuntu packages that building needs; tests against a real sound server, parity and device-vm need the
# other lists too.
PACKAGES           = gcc libc6-dev libasound2-dev libclang1 pkg-config
TEST_PACKAGES      = libasound2-plugins pulseaudio pulseaudio-utils
# Vulkan on the processor.
VULKAN_PACKAGES    = libvulkan1 mesa-vulkan-drivers
# The simulator's page is tested in it.
BROWSER_PACKAGES   = chromium
# What the peer's shaders are compiled with.
GPU_REFERENCE_PACKAGES = $(VULKAN_PACKAGES) glslc libvulkan-dev spirv-headers
REFERENCE_PACKAGES = g++ cmake ninja-build python3 python3-venv
VM_PACKAGES        = qemu-system-x86
# What speaks the questions of benchmarks.
VOICE_PACKAGES     = espeak-ng
PICO_PACKAGES      = python3 python3-venv $(shell cat models/pico/train/packages.txt)

.PHONY: run test check arm packages test-packages reference parity bench gpu-bench device-bench cloud cloud-bench device-vm mcp screenshot fuzz
.PHONY: live-bench listening-bench soak silero
.PHONY: pico-packages pico eval router target/release/lorgnette

run: packages
	$(CARGO) run --release --quiet -- $(ARGS)

test: packages test-packages
	$(CARGO) test --workspace

check: packages
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- --deny warnings
	$(CARGO) clippy --package lorgnette-device --no-default-features --all-targets -- --deny warnings
	$(CARGO) clippy --package lorgnette-runtime --no-default-features --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps
	$(MAKE) test

arm: packages
	tests/arm/set-up $(ARM)
	CARGO=$(CARGO) tests/arm/run $(ARM)

packages:
	@tests/install-packages $(PACKAGES)

# PulseAudio does not go together with every desktop. Where it does not, the tests that need it say that they are left
# out, as do those that need Vulkan or a browser.
test-packages:
	@tests/install-packages $(TEST_PACKAGES) || echo "Going on without them" >&2
	@tests/install-packages $(VULKAN_PACKAGES) || echo "Going on without them" >&2
	@tests/install-packages $(BROWSER_PACKAGES) || echo "Going on without them" >&2

reference: packages
	@tests/install-packages $(REFERENCE_PACKAGES)
	tests/parity/set-up $(REFERENCE)

parity: reference
	$(CARGO) build --release
	tests/parity/run $(REFERENCE) target/release/lorgnette

bench: reference
	$(CARGO) build --release
	for part in quantize runtime towers; do \
		$(REFERENCE)/venv/bin/python tests/bench/$$part.py --reference $(REFERENCE) \
			--lorgnette target/release/lorgnette --output docs/benchmarks.md || exit; \
	done

gpu-bench: reference
	@tests/install-packages $(GPU_REFERENCE_PACKAGES)
	tests/bench/set-up-vulkan $(REFERENCE)
	$(CARGO) build --release
	$(REFERENCE)/venv/bin/python tests/bench/gpu.py --reference $(REFERENCE) --lorgnette target/release/lorgnette \
		--output docs/benchmarks.md

live-bench: reference
	@tests/install-packages $(VOICE_PACKAGES)
	$(CARGO) build --release
	$(CARGO) build --release --package lorgnette-runtime --example live
	$(REFERENCE)/venv/bin/python tests/bench/live.py --reference $(REFERENCE) --lorgnette target/release/lorgnette \
		--live target/release/examples/live --output docs/benchmarks.md

listening-bench: packages $(SILERO)
	@tests/install-packages $(VOICE_PACKAGES) python3-numpy
	$(CARGO) build --release --package lorgnette-runtime --features npu --example turns
	ORT_DYLIB_PATH=$$(ls $(abspath $(SILERO))/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.so.*) \
		python3 tests/bench/listening.py --turns target/release/examples/turns --output docs/benchmarks.md \
		--silero $$(ls $(SILERO)/lib/python*/site-packages/silero_vad/data/silero_vad.onnx)

soak: packages
	SEED=$(SEED) $(CARGO) test --workspace --test soak -- --ignored --nocapture --test-threads 1

silero: packages $(SILERO)
	ORT_DYLIB_PATH=$$(ls $(abspath $(SILERO))/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.so.*) \
		SILERO_VAD=$$(ls $(abspath $(SILERO))/lib/python*/site-packages/silero_vad/data/silero_vad.onnx) \
		$(CARGO) test --workspace --test voice

$(SILERO):
	@tests/install-packages python3 python3-venv
	python3 -m venv $(SILERO)
	$(SILERO)/bin/pip install --quiet --no-deps onnxruntime==1.31.1 silero-vad==6.2.3

device-bench: packages
	@tests/install-packages python3
	python3 tests/bench/capture.py --output docs/benchmarks.md -- \
		$(CARGO) bench --package lorgnette-device --bench capture

cloud: reference
	$(CARGO) build --release
	$(REFERENCE)/venv/bin/python tests/parity/contemplating.py --lorgnette target/release/lorgnette \
		--llama-server $(REFERENCE)/llama.cpp/build/bin/llama-server

cloud-bench: packages
	@tests/install-packages python3
	python3 tests/bench/contemplating.py --output docs/benchmarks.md -- \
		$(CARGO) bench --workspace --bench contemplating

device-vm: packages
	@tests/install-packages $(VM_PACKAGES)
	tests/vm/set-up $(VM)
	tests/vm/run $(VM) $$($(CARGO) test --package lorgnette-device --test 'kernel*' --no-run --message-format=json \
		| sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')

screenshot: packages
	@tests/install-packages $(BROWSER_PACKAGES) pngquant
	$(CARGO) test --workspace --test page -- --ignored the_picture_in_the_readme
	pngquant --force --ext .png docs/simulator.png

mcp: packages
	@tests/install-packages python3 python3-venv
	python3 -m venv $(MCP)
	$(MCP)/bin/pip install --quiet mcp-server-time==2026.10.19
	LORGNETTE_MCP_TIME=$(abspath $(MCP))/bin/mcp-server-time $(CARGO) test --workspace --test mcp \
		-- --ignored the_time_server

pico-packages: packages
	@tests/install-packages $(PICO_PACKAGES)

pico: pico-packages
	$(CARGO) build --release
	models/pico/train/run $(PICO) pico.recipe $(PICO) --lorgnette target/release/lorgnette $(PICO_ARGS)

# The rules of --mode auto for the bundled model, and how good they are on what it never saw.
router: $(LORGNETTE) $(PICO)/router.jsonl
	$(LORGNETTE) router --backend cpu --questions $(PICO)/router.jsonl --budget 128 \
		--model models/pico/pico.gguf --mmproj models/pico/pico-mmproj.gguf --output models/pico/router.json

$(PICO)/router.jsonl: | pico-packages
	models/pico/train/run $(PICO) pico.route --levels 1 2 --set $(HELD_OUT) --output $@ $(PICO_ARGS)

target/release/lorgnette:
	$(CARGO) build --release

eval: pico-packages
	$(CARGO) build --release --package lorgnette-runtime --example answers
	models/pico/train/run $(PICO) pico.evaluate --answers target/release/examples/answers --models $(PICO)/models \
		--set $(HELD_OUT) $(PICO_ARGS)

fuzz:
	cd quant/fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir . gguf -- -max_total_time=$(SECONDS) -max_len=4096
