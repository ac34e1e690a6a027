# A thin front: CMake presets do the work (CMakePresets.json), ctest runs the tests.
#
#     make demo                  installs what is missing, builds, shows events becoming scores
#     make check                 installs what is missing, builds, passes every test
#     make check DATA=DIRECTORY  the same, and the tests on real data; fails where a file is missing
#     make bench [DATA=...]      prints throughput and cost by stage
#     make bench-kafka DATA=...  the same through a real Kafka broker, which it starts
#     make bench-endpoint        requests a second to the scoring endpoint, and what one costs
#     make fuzz SECONDS=60       gives each reader of bytes inputs that nobody thought of; or EXECUTIONS=...
#     make soak [SOAK=...]       half an hour of traffic on a real broker, with kills: does anything grow?
#     make format                formats all C sources
#     make clean                 removes build/

JOBS ?= $(shell nproc)
DATA ?=
SECONDS ?= 60
EXECUTIONS ?=

.PHONY: demo check bench bench-memory fuzz format clean bench-kafka bench-endpoint soak

demo:
	scripts/setup build
	cmake --preset release -DBUILD_TESTING=OFF
	cmake --build --preset release --parallel $(JOBS)
	build/release/freshet demo

# Every build directory names its tests after itself, so that one run of ctest takes them all.
check:
	scripts/setup check
	cmake --preset release -DBUILD_TESTING=ON -DDATA=$(abspath $(DATA))
	cmake --preset asan
	cmake --preset tsan
	cmake --build --preset release --parallel $(JOBS)
	cmake --build --preset asan --parallel $(JOBS)
	cmake --build --preset tsan --parallel $(JOBS)
	echo 'subdirs(release asan tsan)' >build/CTestTestfile.cmake
	ctest --test-dir build --parallel $(JOBS) --output-on-failure --no-tests=error

bench:
	scripts/setup build
	cmake --preset release -DBENCHES=ON
	cmake --build --preset release --parallel $(JOBS)
	scripts/bench build/release/freshet $(if $(DATA),--data $(abspath $(DATA)))

# A state larger than its memory; MEMORY: options of scripts/bench-memory.
bench-memory:
	scripts/setup build
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	scripts/bench-memory build/release/freshet $(MEMORY)

# What was found before is replayed by `make check`; this looks for more (CONTRIBUTING.md).
fuzz:
	scripts/setup fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --parallel $(JOBS)
	scripts/fuzz $(if $(EXECUTIONS),--executions $(EXECUTIONS),--seconds $(SECONDS))

bench-kafka:
	scripts/setup check
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build --preset release --parallel $(JOBS) --target freshet topic kafka_load
	scripts/bench-kafka build/release/freshet build/release/tests --data $(abspath $(DATA))

# ENDPOINT: options of scripts/bench-endpoint.
bench-endpoint:
	scripts/setup check
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build --preset release --parallel $(JOBS)
	scripts/bench-endpoint $(ENDPOINT) build/release/freshet build/release/tests

soak:
	scripts/setup check
	cmake --preset release -DBUILD_TESTING=ON
	cmake --build --preset release --parallel $(JOBS) --target freshet topic tally
	tests/system/soak.py build/release/freshet build/release/tests $(SOAK)

format:
	scripts/format

clean:
	rm -rf build
