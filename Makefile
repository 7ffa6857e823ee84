# lxc-doctor: the verbs that also install system libraries. Everything else is plain `swift`.
#
#   make demo     sets up a fresh Debian machine, builds, and shows the main job on a practice host
#   make test     sets up and runs every test
#   make oracle   N=10000 SEED=1  random rulesets and packets: the ruleset model held against the kernel
#   make fuzz     TIME=60         feeds the decoders with what libFuzzer thinks of, seconds for each
#   make bench    measures against peers, in one run
#   make install  PREFIX=/usr/local [DESTDIR=]
#   make causes   writes the table of causes into README.md and reports/, from the results of the last make test
#   make clean

PREFIX ?= /usr/local
DESTDIR ?=
SWIFT ?= swift
# Optimised, for the tests run the program thousands of times: that saves more than twice what the compiler takes longer.
TEST_FLAGS = -Xswiftc -O
# Libraries to build with, and plain programs that the practice host is made with. None has a service or a firewall:
# those go into layers that only a practice host mounts.
BUILD_PACKAGES = libpcap-dev libyaml-dev iproute2 squashfs-tools
TEST_PACKAGES = python3-jsonschema python3-yaml libxml2-utils perl tidy tcpdump tshark procps ipset strace chromium
BENCH_PACKAGES = hyperfine jq python3-venv gcc libc6-dev tcpdump time

N ?= 10000
SEED ?= 1
TIME ?= 60

# Nothing is loaded from beside the program: it runs as root.
RELEASE_FLAGS = -c release --static-swift-stdlib --disable-local-rpath
RELEASE = .build/release/lxc-doctor

.PHONY: all demo test causes oracle fuzz bench build setup setup-test setup-bench layers lint install clean

all: build

# Installs what is missing, and nothing else: packages that are there stay as they are.
define install_packages
	@missing=''; for package in $(1); do \
	  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" != 0 ]; then echo "make: as root, install:$$missing" >&2; exit 77; fi; \
	  echo "installing:$$missing"; \
	  apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing >/dev/null; \
	fi
endef

setup:
	$(call install_packages,$(BUILD_PACKAGES))

setup-test: setup
	$(call install_packages,$(TEST_PACKAGES))

setup-bench: setup
	$(call install_packages,$(BENCH_PACKAGES))

build: setup
	$(SWIFT) build $(RELEASE_FLAGS) --product lxc-doctor

layers: build
	$(RELEASE) lab layers lxc

demo: build layers
	@Tests/Demo/demo $(RELEASE)

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

test: setup-test lint
	$(SWIFT) build $(TEST_FLAGS) --build-tests --explicit-target-dependency-import-check error
	.build/debug/lxc-doctor lab layers lxc ufw firewalld shorewall iptables-persistent docker netplan ifupdown \
	  network-manager dnf ansible prometheus node-exporter icinga2
	@Tests/Tools/run-tests

causes:
	Tests/Tools/cause-table .build/cause-results .build/debug/lxc-doctor --write

oracle: setup-test
	$(SWIFT) build $(TEST_FLAGS) --product lxc-doctor
	$(SWIFT) build $(TEST_FLAGS) --product ruleset-oracle
	.build/debug/lxc-doctor lab layers lxc
	@Tests/RulesetOracle/oracle .build/debug/lxc-doctor .build/debug/ruleset-oracle Tests/PacketFilterTests/OracleCases \
	  --pairs $(N) --seed $(SEED)

fuzz: setup
	@Tests/Fuzz/fuzz $(SWIFT) $(TIME)

bench: build layers setup-bench
	$(SWIFT) build $(RELEASE_FLAGS) --product ruleset-oracle
	@Tests/Bench/bench $(RELEASE)
	@Tests/Bench/bench-prove $(RELEASE)
	@Tests/Bench/bench-ruleset $(RELEASE) .build/release/ruleset-oracle
	@Tests/Bench/bench-watch $(RELEASE)

install: build
	install -D -m 0755 $(RELEASE) '$(DESTDIR)$(PREFIX)/bin/lxc-doctor'
	mkdir -p '$(DESTDIR)$(PREFIX)/lib/systemd/system'
	sed 's|/usr/local/bin/|$(PREFIX)/bin/|' packaging/lxc-doctor.service \
	  >'$(DESTDIR)$(PREFIX)/lib/systemd/system/lxc-doctor.service'

clean:
	rm -rf .build .build-* .cache
