# make run · make test · make test-fast · make lint · make bench · make bench-barge-in · make soak ·
# make contract · make bench-usefulness
VENV := .venv
BIN  := $(VENV)/bin

.PHONY: run test test-fast lint bench bench-barge-in bench-sight bench-usefulness soak contract setup setup-dev clean

run: setup
	@$(BIN)/vision-agent serve $(ARGS)

test: setup-dev
	@VENV=$(VENV) sh scripts/test.sh $(ARGS)

# All tests but the kinds of tests/support/kinds.py. They wait more than they work, hence twenty workers.
test-fast: setup-dev
	@VENV=$(VENV) sh scripts/test.sh -n 20 -m "not (browser or clients or networks or programs or soak or wheel or engine or cluster)" $(ARGS)

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	tests/javascript/node_modules/.bin/tsc -p tests/javascript
	tests/javascript/node_modules/.bin/biome check --error-on-warnings
	node --test $$(find tests/web -name "*.test.mjs")

bench: setup-dev
	$(BIN)/python benchmarks/call.py $(ARGS)
	$(BIN)/python benchmarks/engine.py $(ENGINE_ARGS)

bench-sight: setup-dev
	$(BIN)/python benchmarks/sight.py $(ARGS)

bench-barge-in: setup-dev
	$(BIN)/python benchmarks/barge_in.py $(ARGS)

bench-usefulness: setup-dev
	$(BIN)/python -m benchmarks.usefulness $(ARGS)

soak: setup-dev
	$(BIN)/python -m tests.soak.run $(ARGS)

# The local Live API against the public one; needs a key.
contract: setup-dev
	@$(BIN)/python -m tests.contract

setup:
	@VENV=$(VENV) sh scripts/setup.sh run

setup-dev:
	@VENV=$(VENV) sh scripts/setup.sh dev

clean:
	rm -rf $(VENV) dist build
