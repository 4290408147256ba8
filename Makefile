# Needs Go and make, nothing else. "make" alone lists the targets.

GO     ?= go
BIN    ?= bin
TOOL    = $(GO) tool -modfile=.ci/tools/go.mod
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# The plugins that come with Sluice: folders with a main.go of their own.
PLUGINS = $(filter-out sdk check examples,$(patsubst plugins/%/main.go,%,$(wildcard plugins/*/main.go)))

# git may be missing, so the commit comes from above and not from go build.
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false

.DEFAULT_GOAL := help
.PHONY: help run build test lint fmt generate bench check elasticsearch elasticsearch-stop clean go

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "  %-25s %s\n", $$1, $$2 }'

run: build ## build, then serve on 127.0.0.1:7512 with the bundled plugins and demonstration data
	@echo "One call of each token service, once the node listens:" && sed -n "s/:7512/:$${SLUICE_SERVER_PORT:-7512}/; s/^#   /  /p" $(BIN)/demo.yaml
	$(BIN)/sluice serve --dev --data ./data --plugins $(BIN)/plugins --config $(BIN)/demo.yaml

build: go ## build bin/sluice and bin/plugins, and pin the plugins
	@mkdir -p $(BIN)/plugins
	$(BUILD) -ldflags '$(LDFLAGS)' -o $(BIN)/sluice ./cmd/sluice
	@cp plugins/demo.yaml $(BIN)/demo.yaml
	@rm -f $(BIN)/plugins/sluice.lock
	@set -e; for id in $(PLUGINS); do \
	  echo "$(BUILD) -o $(BIN)/plugins/$$id/$$id ./plugins/$$id"; \
	  $(BUILD) -ldflags '$(LDFLAGS)' -o $(BIN)/plugins/$$id/$$id ./plugins/$$id; \
	  $(BIN)/sluice plugin pin $(BIN)/plugins/$$id/$$id; \
	done

# Packages without tests are compiled by go vet.
test: go ## go vet and all tests, under the race detector where there is a C compiler
	CGO_ENABLED=0 $(GO) vet ./...
	@set -e; cc="$$($(GO) env CC)"; race=; \
	if printf '#include <stdlib.h>\nint main(void){return 0;}' | $$cc -x c -o /dev/null - 2>/dev/null; then \
	  race=-race; echo "tests with the race detector (C compiler: $$cc)"; \
	elif [ "$${CI:-}" = true ] || [ "$${SLUICE_TEST_ALL:-}" = 1 ]; then \
	  echo "No C compiler ($$cc), which the race detector needs. Install one, such as gcc." >&2; exit 1; \
	else \
	  echo "tests without the race detector: no C compiler ($$cc) here"; \
	fi; \
	if [ -n "$$race" ]; then CGO_ENABLED=1; else CGO_ENABLED=0; fi; export CGO_ENABLED; \
	$(GO) test $$race -timeout 20m $$($(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...)

lint: go ## run the linters and check the format
	$(TOOL) golangci-lint run ./...
	@unformatted="$$($(TOOL) gofumpt -l .)"; if [ -n "$$unformatted" ]; then \
	  echo "not formatted; run make fmt:" >&2; echo "$$unformatted" >&2; exit 1; fi

fmt: go ## format the code
	$(TOOL) gofumpt -w .

generate: go ## write the generated code and documents again
	$(GO) generate ./...

bench: go ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem $$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)

check: generate lint test ## what must pass before a commit

elasticsearch: ## start an Elasticsearch 8 for tests at 127.0.0.1:9200 (needs mvn and Java 17)
	.ci/elasticsearch/start

elasticsearch-stop: ## stop it, and remove its data
	.ci/elasticsearch/stop

clean: ## remove what was built (not ./data)
	rm -rf bin coverage.out

go:
	@command -v $(GO) >/dev/null || { echo "Go is missing. Install Go $$(sed -n 's/^go //p' go.mod) or newer." >&2; exit 1; }
	@need=$$(sed -n 's/^go //p' go.mod); have=$$($(GO) env GOVERSION) && have=$${have#go} && have=$${have%% *} && \
	[ "$$(printf '%s\n' "$$need" "$$have" | sort -V | head -n 1)" = "$$need" ] || { \
	  echo "This is Go $${have:-(unknown)}, Sluice needs $$need or newer. Install it, or let Go fetch it with GOTOOLCHAIN=auto." >&2; exit 1; }
