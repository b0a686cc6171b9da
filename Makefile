# Everything that is done with this repository has a target here; plain `make` lists them.

# The linter that the configuration in .golangci.yml was written for.
GOLANGCI_VERSION := v2.15.0

GO       ?= go
BIN      := bin/b2bua
GOBIN    := $(shell $(GO) env GOPATH)/bin
LINTER   := $(GOBIN)/golangci-lint
VERSION  := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
SHELLS   := scripts/*.sh .ci/run
FUZZTIME ?= 10s
BENCH    ?= .
CALLS    ?= 120000
RATE     ?= 400
ARGS     ?=

# The version is stamped by hand: a checkout owned by somebody else must still build.
GOBUILD := CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-X main.version=$(VERSION)'
section  = @printf '\n\033[1m== %s\033[0m\n' '$(1)'

.DEFAULT_GOAL := help
.PHONY: help run build test unit ladders e2e race lint vet linter fuzz bench load load-media setup setup-test fmt clean

help: ## this menu
	@printf 'b2bua: a SIP switch that runs call flows\n\n'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup build ## install what the switch needs, build it, start it (ARGS="--config FILE")
	$(BIN) serve $(ARGS)

build: ## build bin/b2bua
	$(GOBUILD) -o $(BIN) ./cmd/b2bua

test: setup-test ## everything: vet, lint, unit tests, ladders, real phones
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory ladders
	@$(MAKE) --no-print-directory e2e

unit: ## unit tests of every room, with the race detector
	$(call section,unit tests)
	$(GO) test -race -timeout 10m $$($(GO) list ./... | grep -v '/testbench')
	$(GO) test -run Clicks ./recorder

ladders: ## scenarios with phones in memory, drawings compared with the golden files
	$(call section,ladders and the bench itself)
	$(GO) test -race -timeout 15m $$($(GO) list ./testbench/... | grep -vE '/(e2e|peers)$$')

race: unit ladders ## all tests that need no other program, with the race detector

e2e: setup-test ## the built switch against SIPp, Linphone and baresip
	$(call section,real peers)
	$(GO) vet -tags e2e ./testbench/...
	$(GO) test -tags e2e -count 1 -timeout 20m ./testbench/e2e/... ./testbench/peers/...

lint: vet linter ## gofmt, go vet, golangci-lint, shellcheck
	$(call section,lint)
	@unformatted=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go' 2>/dev/null || find . -name '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not gofmt'd (make fmt):"; echo "$$unformatted"; exit 1; fi
	$(LINTER) run --build-tags e2e ./...
	shellcheck $(SHELLS)

vet:
	$(call section,vet)
	$(GO) vet ./...

linter: # the pinned golangci-lint, whatever else is installed
	@$(LINTER) version 2>/dev/null | grep -qF '$(GOLANGCI_VERSION:v%=%) ' || { \
	  printf '\n== golangci-lint %s\n' '$(GOLANGCI_VERSION)'; \
	  $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION); }

fuzz: ## every fuzz target for FUZZTIME (10s)
	@GO='$(GO)' FUZZTIME='$(FUZZTIME)' scripts/fuzz.sh

bench: ## benchmarks, as a table (BENCH=pattern)
	@GO='$(GO)' BENCH='$(BENCH)' scripts/bench.sh

load-media: build ## how many calls with sound fit: CALLS bridged (600), others in proportion; ARGS="-duration 60s"
	@mkdir -p bin
	$(GO) build -buildvcs=false -o bin/load ./testbench/load
	bin/load -switch $(BIN) -suite -search -calls $(if $(filter file,$(origin CALLS)),600,$(CALLS)) -rate $(if $(filter file,$(origin RATE)),100,$(RATE)) $(ARGS)

load: setup-test ## CALLS bridged calls without sound, RATE a second (120000, 400)
	$(GO) test -tags e2e -run BridgedCalls -v -count 1 -timeout 20m ./testbench/e2e -args -calls $(CALLS) -rate $(RATE)

setup: ## install what the running switch uses (speech, MP3)
	@scripts/setup.sh runtime

setup-test: ## install what the tests use as well (SIPp, Linphone, baresip, Kamailio, ffmpeg, sox)
	@scripts/setup.sh test

fmt: ## gofmt -w
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

clean: ## remove what was built (never the data directory)
	rm -rf bin
