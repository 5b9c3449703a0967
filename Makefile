# apisim. `make demo` builds and replays the recorded sessions; `make test` runs everything.
CC ?= gcc
MODE ?= release
BUILD ?= build
OBJ := $(BUILD)/obj/$(MODE)

WARN := -Wall -Wextra -Wconversion -Wshadow -Werror
CFLAGS_release := -O2 -g
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_cover := -O0 -g --coverage
CPPFLAGS += -D_GNU_SOURCE -Iapiserver -I. -I$(BUILD)/gen
CFLAGS += -std=gnu11 -ffunction-sections -fdata-sections $(WARN) $(CFLAGS_$(MODE)) -MMD -MP
LDFLAGS += $(CFLAGS_$(MODE)) -Wl,--gc-sections
LIBS := -levent_core -levent_openssl -ljansson -lyaml -lssl -lcrypto -lz -lm

SRC := $(filter-out %_test.c %/plan_main.c,$(sort $(shell find apiserver sim -name '*.c')))
TESTS := $(sort $(shell find apiserver sim -name '*_test.c'))
GEN := $(BUILD)/gen/schema_tables.c $(BUILD)/gen/defaults_plan.c $(BUILD)/gen/openapi_data.c \
	$(BUILD)/gen/bootstrap_objects.c
LIB := $(OBJ)/libapisim.a
LIB_SRC := $(filter-out sim/main.c,$(SRC))
LIB_OBJ := $(LIB_SRC:%.c=$(OBJ)/%.o) $(patsubst $(BUILD)/gen/%.c,$(OBJ)/gen/%.o,$(GEN))
TEST_BIN := $(TESTS:%.c=$(OBJ)/%)

.PHONY: all unit clean
all: $(BUILD)/apisim

$(BUILD)/apisim: $(OBJ)/sim/main.o $(LIB)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(OBJ)/%.o: %.c | $(GEN)
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

BOOTSTRAP_FACTS := apiserver/bootstrap/facts/objects.jsonl
$(BUILD)/gen/bootstrap_objects.c: apiserver/bootstrap/gen/objects.py $(BOOTSTRAP_FACTS)
	@mkdir -p $(@D)
	python3 -B $< $(BOOTSTRAP_FACTS) $@

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
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

unit: $(TEST_BIN)
	@set -e; for t in $(TEST_BIN); do echo "== $$t"; $$t; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
