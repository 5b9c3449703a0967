# apisim. `make demo` builds and replays the recorded sessions; `make test` runs every suite.
# Both install what they need first (ci/install.sh). Variants: make MODE=asan|clang|cover|fuzz <target>.
MODE ?= release
BUILD ?= build
OBJ := $(BUILD)/obj/$(MODE)

CC_clang := clang
CC_fuzz := clang
CC_clang-asan := clang
CC_afl := afl-clang-fast
ifeq ($(origin CC),default)
CC := $(or $(CC_$(MODE)),gcc)
endif

WARN := -Wall -Wextra -Wconversion -Wshadow -Werror
CFLAGS_release := -O2 -g
CFLAGS_clang := -O1 -g
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_cover := -O0 -g --coverage
CFLAGS_O0 := -O0 -g
CFLAGS_mutants := -O2 -g -DAPISIM_MUTANTS
CFLAGS_clang-asan := -O2 -g -fsanitize=address -fno-omit-frame-pointer
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
CFLAGS_afl := -O1 -g
CPPFLAGS += -D_GNU_SOURCE -Iapiserver -I. -I$(BUILD)/gen
CFLAGS += -std=gnu11 -ffunction-sections -fdata-sections $(WARN) $(CFLAGS_$(MODE)) -MMD -MP
LDFLAGS += $(CFLAGS_$(MODE)) -Wl,--gc-sections
LIBS := -levent_core -levent_extra -levent_openssl -lnghttp2 -ljansson -lyaml -lssl -lcrypto -lsodium -lz -lm
BIN := $(BUILD)/$(if $(filter release,$(MODE)),,$(MODE)/)apisim

SRC := $(filter-out %_test.c %/plan_main.c,$(sort $(shell find apiserver sim -name '*.c')))
TESTS := $(sort $(shell find apiserver sim fuzz -name '*_test.c'))
GEN := $(BUILD)/gen/schema_tables.c $(BUILD)/gen/defaults_plan.c $(BUILD)/gen/openapi_data.c \
	$(BUILD)/gen/bootstrap_objects.c $(BUILD)/gen/commit.c $(BUILD)/gen/sim_page.c \
	$(BUILD)/gen/unicode_classes.c $(BUILD)/gen/crd_openapi_text.c
LIB := $(OBJ)/libapisim.a
LIB_SRC := $(filter-out sim/main.c,$(SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(OBJ)/%.o) $(patsubst $(BUILD)/gen/%.c,$(OBJ)/gen/%.o,$(GEN))
TEST_BIN := $(TESTS:%.c=$(OBJ)/%)

.PHONY: all demo test unit external live tidy coverage bench fuzz-smoke valgrind reports clean deps
all: $(BIN)

# The machine's packages and the Python environment, once.
DEPS := $(BUILD)/.deps
deps: $(DEPS)
$(DEPS): ci/install.sh ci/requirements.txt
	@mkdir -p $(BUILD)
	sh ci/install.sh $(BUILD)
	@touch $@

# Fuzz targets, one file each (fuzz/fuzz.h). Outside of MODE=fuzz their entry points get names of
# their own, so that one cmocka program runs all of them on what was found before.
FUZZ_TARGETS := json yaml proto cbor quantity label_selector field_selector time continue_token json_patch \
	merge_patch strategic_patch apply http1 http2 etcd_face crd_schema api_scenario canary
FUZZ_OBJ := $(FUZZ_TARGETS:%=$(OBJ)/fuzz/%.o)
FUZZ_SHARED := $(addprefix $(OBJ)/fuzz/,fuzz.o generate.o patch_case.o)
FUZZ_BIN := $(FUZZ_TARGETS:%=$(OBJ)/fuzz/%_fuzzer)

$(BIN): $(OBJ)/sim/main.o $(FUZZ_OBJ) $(FUZZ_SHARED) $(LIB)
	@mkdir -p $(@D)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(OBJ)/%.o: %.c | $(GEN) $(DEPS)
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

SCHEMA_FACTS := $(addprefix apiserver/schema/facts/,types.txt kinds.txt resources.jsonl)
$(BUILD)/gen/schema_tables.c: apiserver/schema/gen/tables.py $(SCHEMA_FACTS)
	@mkdir -p $(@D)
	python3 $< apiserver/schema/facts $@

OPENAPI_FACTS := apiserver/schema/facts/openapi.jsonl
$(BUILD)/gen/openapi_data.c: apiserver/schema/gen/openapi.py apiserver/schema/gen/openapi_proto.py $(OPENAPI_FACTS)
	@mkdir -p $(@D)
	python3 -B $< $(OPENAPI_FACTS) $@

UNICODE_FACTS := apiserver/crd/facts/unicode.txt
$(BUILD)/gen/unicode_classes.c: apiserver/crd/gen/unicode.py $(UNICODE_FACTS)
	@mkdir -p $(@D)
	python3 $< $(UNICODE_FACTS) $@

CRD_OPENAPI_FACTS := apiserver/crd/facts/openapi.json
$(BUILD)/gen/crd_openapi_text.c: apiserver/crd/gen/openapi.py $(CRD_OPENAPI_FACTS)
	@mkdir -p $(@D)
	python3 $< $(CRD_OPENAPI_FACTS) $@

BOOTSTRAP_FACTS := apiserver/bootstrap/facts/objects.jsonl
$(BUILD)/gen/bootstrap_objects.c: apiserver/bootstrap/gen/objects.py $(BOOTSTRAP_FACTS)
	@mkdir -p $(@D)
	python3 -B $< $(BOOTSTRAP_FACTS) $@

# The page that `apisim sim --html` writes.
$(BUILD)/gen/sim_page.c: sim/world/page/gen.py sim/world/page/run.html
	@mkdir -p $(@D)
	python3 -B $^ $@

# What `apisim sim` prints with a failure.
.PHONY: FORCE
$(BUILD)/gen/commit.c: FORCE
	@mkdir -p $(@D)
	@commit=$$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown); \
	echo "const char sim_commit[] = \"$$commit\";" > $@.new; \
	if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

PLAN_SRC := apiserver/version/gen/plan_main.c apiserver/version/defaults_rows.c \
	apiserver/schema/schema.c apiserver/base/slice.c
$(BUILD)/gen/defaults_plan.c: $(BUILD)/gen/schema_tables.c $(PLAN_SRC) apiserver/version/defaults_plan.h
	$(CC) $(CPPFLAGS) -std=gnu11 -o $(BUILD)/gen/plan_tool $(PLAN_SRC) $(BUILD)/gen/schema_tables.c
	$(BUILD)/gen/plan_tool > $@.new && mv $@.new $@

$(OBJ)/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	@echo "CC $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

$(OBJ)/%_test: $(OBJ)/%_test.o $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lcbor $(LIBS)

TARGET ?= json
TIME ?= 60
ifeq ($(filter fuzz afl,$(MODE)),)
$(FUZZ_OBJ): CPPFLAGS += -DLLVMFuzzerTestOneInput=fuzz_target_$(notdir $*)
endif

$(OBJ)/fuzz/regression_test: $(OBJ)/fuzz/regression_test.o $(FUZZ_OBJ) $(FUZZ_SHARED) $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lcbor $(LIBS)

$(OBJ)/fuzz/%_fuzzer: $(OBJ)/fuzz/%.o $(OBJ)/fuzz/mutator.o $(FUZZ_SHARED) $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# The same entry points under AFL++, which is installed when it is missing.
$(OBJ)/fuzz/%_afl: $(OBJ)/fuzz/%.o $(FUZZ_SHARED) $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: fuzz fuzzers fuzz-afl fuzz-report
fuzz-report:
	python3 fuzz/report.py
.SECONDARY: $(FUZZ_OBJ) $(OBJ)/fuzz/mutator.o
ifeq ($(MODE),afl)
fuzz-afl: $(OBJ)/fuzz/$(TARGET)_afl
	sh fuzz/afl.sh $(OBJ)/fuzz $(TARGET) $(TIME)
else
fuzz-afl:
	sh ci/install_afl.sh
	$(MAKE) --no-print-directory MODE=afl $@
endif
ifeq ($(MODE),fuzz)
fuzz: $(OBJ)/fuzz/$(TARGET)_fuzzer
	python3 fuzz/run.py $(OBJ)/fuzz $(TARGET) $(TIME); code=$$?; python3 fuzz/report.py; exit $$code
fuzzers: $(FUZZ_BIN)
fuzz-smoke: fuzzers
	sh fuzz/smoke.sh $(OBJ)/fuzz $(FUZZ_TARGETS)
else
fuzz fuzzers fuzz-smoke:
	$(MAKE) --no-print-directory MODE=fuzz $@
endif

unit: $(TEST_BIN)
	@sh ci/unit.sh $(TEST_BIN)

PY := $(BUILD)/venv/bin/python
# Real clients against the binary of this MODE.
external: $(BIN)
	APISIM=$(BIN) $(PY) -m pytest -q -n 2 --dist loadfile conformance/external
live: $(BIN)
	sh conformance/live/get_kubectl.sh $(BUILD)
	APISIM=$(BIN) $(PY) -m pytest -q -n 2 conformance/live
# Controllers of others under fault plans; KCM=path adds kube-controller-manager.
.PHONY: live-plans
live-plans: $(BIN)
	$(PY) conformance/live_plans/run.py $(BIN) $(BUILD)
# A short fleet of simulated runs, and one whose network lies, which must be caught.
.PHONY: sim-smoke mutants
sim-smoke: $(BIN)
	@mkdir -p reports
	$(BIN) sim fleet --seeds 1..500 -o reports
	! $(BIN) sim fleet --seeds 1..50 --canary --stop -o $(BUILD) > /dev/null
# The hashes of seeds from gcc -O0, gcc -O2 and clang -O2 with the address sanitizer: one list, whatever compiled it.
.PHONY: sim-hashes
SEEDS ?= 1..100
JOBS ?= 2
sim-hashes: $(BIN)
	$(MAKE) --no-print-directory MODE=O0 all
	$(MAKE) --no-print-directory MODE=clang-asan all
	sh ci/sim_hashes.sh $(BUILD) $(SEEDS) $(JOBS)
# Every known bug, one after the other, in a build that has them.
mutants:
	$(MAKE) --no-print-directory MODE=mutants all
	sh sim/mutants.sh $(BUILD)/mutants/apisim 5 2000
tidy: $(DEPS)
	$(PY) -m pytest -q ci/tidy_test.py

SESSIONS := $(sort $(wildcard fixtures/sessions/*/*.tape.jsonl))
demo: $(BIN)
	@mkdir -p reports
	$(BIN) replay --html reports/replay.html --known conformance/known_differences.txt $(SESSIONS)
	@echo "report: reports/replay.html"

test: $(DEPS)
	sh ci/test.sh

coverage:
	$(MAKE) MODE=cover all
	sh ci/coverage.sh $(BUILD)

$(BUILD)/watchload: ci/load/watchload.c | $(DEPS)
	$(CC) -O2 -D_GNU_SOURCE -std=gnu11 -Wall -Wextra -o $@ $< -lssl -lcrypto

bench: $(BIN) $(BUILD)/watchload
	$(PY) ci/bench.py $(BIN)
	$(PY) ci/bench_etcd.py $(BIN)
	$(PY) ci/bench_sim.py $(BIN)
	@if command -v go >/dev/null && [ -n "$(CORPUS)" ]; then $(MAKE) --no-print-directory bench-codec; fi

# The codecs beside apimachinery's own, on generated objects (conformance/oracle). Needs Go and, the
# first time, its module proxy.
ORACLE := $(BUILD)/oracle
ORACLE_OBJ := $(addprefix $(OBJ)/conformance/codec/,differential.o oracle.o ours.o cases.o hostile.o \
	listed.o minimise.o report.o)
COUNT ?= 1000000
SEED ?= 1
JOBS ?= $(shell nproc)
.PHONY: differential
$(ORACLE): $(wildcard conformance/oracle/*.go conformance/oracle/go.*)
	cd conformance/oracle && go build -buildvcs=false -o $(abspath $@) .
$(BUILD)/differential: $(ORACLE_OBJ) $(OBJ)/fuzz/generate.o $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
differential: $(BUILD)/differential $(ORACLE)
	@mkdir -p reports
	$< --oracle $(ORACLE) --count $(COUNT) --seed $(SEED) --jobs $(JOBS) --explained conformance/codec/explained.txt

# A client-go client that speaks protobuf alone: lists, watches and writes every kind.
.PHONY: clients
clients: $(BIN) $(ORACLE)
	$(BIN) exec -- $(ORACLE) clients apiserver/version/testdata/defaults

# Rates of the codecs on the official corpus (k8s.io/api/testdata), beside apimachinery's.
CORPUS ?= $(wildcard ../shared/testdata/v1.36.0)
.PHONY: bench-codec
$(BUILD)/codec_bench: $(addprefix $(OBJ)/conformance/codec/,bench.o oracle.o) $(LIB)
	@echo "LD $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
bench-codec: $(BUILD)/codec_bench $(ORACLE)
	$< --corpus $(CORPUS) --oracle $(ORACLE)

# For a new Kubernetes version: `make facts TYPES=types.json ORACLE=dir ALL=dir` reads the recordings
# of a real server, and of one with every version on, and rewrites the committed facts; see the
# generators' heads.
.PHONY: facts
facts:
	python3 -B apiserver/schema/gen/facts.py $(TYPES) $(ORACLE) $(ALL) apiserver/schema/facts
	python3 -B apiserver/schema/gen/openapi_facts.py $(ORACLE) $(ALL) $(OPENAPI_FACTS)
	python3 -B apiserver/bootstrap/gen/facts.py $(ORACLE) $(ALL) $(BOOTSTRAP_FACTS)

clean:
	rm -rf $(BUILD) reports/*.html reports/*.xml reports/coverage

.SECONDARY:
-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
