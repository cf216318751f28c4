# How libcredit is built, tested and installed. GNU make; no configure needed.
#
#   make            the libraries, under build/
#   make help       every target and the variables worth setting
#
# ./configure, if you like one, only writes config.mak, which is read below; plain make and make after
# ./configure run the same rules and give the same objects. New source files, tests and examples are found by
# wildcard: adding one needs no edit here.

-include config.mak

# ---- What may be set, on the command line or in config.mak

CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
INSTALL ?= install

prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
includedir ?= $(prefix)/include
datarootdir ?= $(prefix)/share
mandir ?= $(datarootdir)/man
pkgconfigdir ?= $(libdir)/pkgconfig
cmakedir ?= $(libdir)/cmake/credit

ENABLE_SHARED ?= yes
ENABLE_STATIC ?= yes
WITH_SQLITE ?= auto
WITH_POSTGRES ?= auto
DATA ?= examples/data/open-items.csv
STORE ?=
SANITIZE ?=
DEV ?=
WERROR ?= $(DEV)

# All output goes below BUILD. A sanitized build has a directory of its own, so that neither spoils the other.
BUILD ?= $(if $(SANITIZE),build-asan,build)

# ---- Version: said by include/credit/version.h and nowhere else

VERSION := $(shell awk '/^.define CRD_VERSION_(MAJOR|MINOR|PATCH) /{v = v s $$3; s = "."} END{print v}' \
    include/credit/version.h)
MAJOR := $(firstword $(subst ., ,$(VERSION)))

# ---- What CC compiles for. A cross compiler brings its own ar; Windows has DLLs in place of shared objects.

TARGET := $(shell $(CC) -dumpmachine 2>/dev/null)
WINDOWS := $(if $(findstring mingw,$(TARGET))$(findstring windows-gnu,$(TARGET)),yes)
ifeq ($(origin AR),default)
AR := $(or $(shell $(CC) -print-prog-name=ar 2>/dev/null),ar)
endif

# yes, when a program with #include HEADER can be made with FLAGS and LIBS; said to be there, the header is enough.
# A cross compiler may find a header that belongs to this machine, but not a library for the other.
#   $(call usable,WITH,FLAGS,HEADER,LIBS)
usable = $(shell t=$$(mktemp) && echo 'int main(void) { return 0; }' \
    | $(CC) $(CPPFLAGS) $(2) $(if $(filter yes,$(1)),-c) -o "$$t" -include $(3) -x c - -x none $(LDFLAGS) $(4) 2>/dev/null \
    && echo yes; rm -f "$$t" "$$t.exe")

# ---- SQLite: used when a program can be made with it, unless told otherwise

HAVE_SQLITE :=
ifneq ($(WITH_SQLITE),no)
SQLITE_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags sqlite3 2>/dev/null)
SQLITE_LIBS ?= $(or $(shell $(PKG_CONFIG) --libs sqlite3 2>/dev/null),-lsqlite3)
HAVE_SQLITE := $(call usable,$(WITH_SQLITE),$(SQLITE_CFLAGS),sqlite3.h,$(SQLITE_LIBS))
ifeq ($(WITH_SQLITE)$(HAVE_SQLITE),yes)
$(error WITH_SQLITE=yes, but $(CC) finds no sqlite3.h (Debian: libsqlite3-dev))
endif
endif

# ---- PostgreSQL: the same, with libpq

HAVE_POSTGRES :=
ifneq ($(WITH_POSTGRES),no)
POSTGRES_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags libpq 2>/dev/null)
POSTGRES_LIBS ?= $(or $(shell $(PKG_CONFIG) --libs libpq 2>/dev/null),-lpq)
HAVE_POSTGRES := $(call usable,$(WITH_POSTGRES),$(POSTGRES_CFLAGS),libpq-fe.h,$(POSTGRES_LIBS))
ifeq ($(WITH_POSTGRES)$(HAVE_POSTGRES),yes)
$(error WITH_POSTGRES=yes, but $(CC) finds no libpq-fe.h (Debian: libpq-dev))
endif
endif

# ---- Flags

WARNINGS = -Wall -Wextra -pedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wvla -Wcast-qual \
    -Wswitch-enum $(if $(filter 1 yes,$(WERROR)),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
COMPILE = $(CC) -std=c99 $(WARNINGS) -fno-common $(SANITIZERS) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK = $(CC) $(SANITIZERS) $(CFLAGS) $(LDFLAGS)

# Library code is compiled once, as position-independent code, for the static and the shared library alike. Nothing is
# thrown through it, so it carries no unwind tables. On Windows all code is position-independent, and what a DLL
# exports is said by its .def file alone: an archive whose objects said it would make every program export it too.
COMPILE_LIB = $(COMPILE) $(if $(WINDOWS),-DCRD_STATIC,-fPIC -fvisibility=hidden) -fno-asynchronous-unwind-tables \
    -DCRD_BUILD -Iinclude

# Most of the library waits for the storage, not for arithmetic: an optimised build optimises it for size, but for the
# files that every document or journal entry passes through.
HOT = lib/core/allocate.c lib/core/blake2b.c lib/core/entry.c lib/core/fold.c lib/core/query.c \
    lib/core/record.c lib/ledger/arena.c lib/ledger/command.c lib/ledger/read.c lib/ledger/reconcile.c \
    lib/ledger/unit.c lib/storage/sqlite% lib/storage/postgres%
SMALL = $(if $(filter -O2,$(CFLAGS)),$(if $(filter $(HOT),$<),,-Os))

# A sanitizer's runtime is linked into the program, not into the library, so the library has loose ends then.
# Code and constants share a segment: separate ones would round the file up by two pages.
LINK_SHARED = $(LINK) -shared -Wl,-Bsymbolic-functions -Wl,-z,noseparate-code \
    $(if $(SANITIZE),,-Wl,--no-undefined)

# Programs below examples/ and tests/ that can do without SQLite look at CREDIT_NO_SQLITE, those that can do without
# PostgreSQL at CREDIT_NO_POSTGRES.
COMPILE_PROGRAM = $(COMPILE) -Iinclude $(SQLITE_CFLAGS) $(if $(HAVE_SQLITE),,-DCREDIT_NO_SQLITE) \
    $(POSTGRES_CFLAGS) $(if $(HAVE_POSTGRES),,-DCREDIT_NO_POSTGRES)
CHECK_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags check 2>/dev/null)
CHECK_LIBS ?= $(or $(shell $(PKG_CONFIG) --libs check 2>/dev/null),-lcheck)

# ---- Files

OBJ = $(BUILD)/obj
CORE_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard lib/core/*.c lib/ledger/*.c lib/storage/memory*.c))
TESTKIT_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard lib/storage/testkit*.c))
SQLITE_OBJ := $(if $(HAVE_SQLITE),$(patsubst %.c,$(OBJ)/%.o,$(wildcard lib/storage/sqlite*.c)))
POSTGRES_OBJ := $(if $(HAVE_POSTGRES),$(patsubst %.c,$(OBJ)/%.o,$(wildcard lib/storage/postgres*.c)))

# Each library: its archive, and its shared object or DLL.
PARTS := credit credit-testkit $(if $(HAVE_SQLITE),credit-sqlite) $(if $(HAVE_POSTGRES),credit-postgres)
STATIC := $(PARTS:%=$(BUILD)/lib%.a)
SHARED := $(if $(WINDOWS),$(PARTS:%=$(BUILD)/%.dll),$(PARTS:%=$(BUILD)/lib%.so))
LIBRARIES := $(if $(filter yes,$(ENABLE_STATIC)),$(STATIC)) $(if $(filter yes,$(ENABLE_SHARED)),$(SHARED))
PC_IN := credits.pc.in lib/storage/credits-testkit.pc.in $(if $(HAVE_SQLITE),lib/storage/credits-sqlite.pc.in) \
    $(if $(HAVE_POSTGRES),lib/storage/credits-postgres.pc.in)

HEADERS := $(filter-out $(if $(HAVE_SQLITE),,%/sqlite.h) $(if $(HAVE_POSTGRES),,%/postgres.h),$(wildcard include/credit.h include/credit/*.h))
MAN := $(filter-out $(if $(HAVE_SQLITE),,man/credit_sqlite.3) $(if $(HAVE_POSTGRES),,man/credit_postgres.3),$(wildcard man/*.1 man/*.3))

# Without SQLite, a program that includes one of its headers and does not look at CREDIT_NO_SQLITE is left out.
PROGRAM_SRC := $(wildcard examples/*.c tests/*/test_*.c tests/bench/bench_*.c)
ifndef HAVE_SQLITE
PROGRAM_SRC := $(filter-out $(shell grep -lE 'include.*(credit/sqlite|sqlite3)\.h' $(PROGRAM_SRC) /dev/null \
    | xargs grep -L CREDIT_NO_SQLITE /dev/null),$(PROGRAM_SRC))
endif
ifndef HAVE_POSTGRES
PROGRAM_SRC := $(filter-out $(shell grep -lE 'include.*(credit/postgres|libpq-fe)\.h' $(PROGRAM_SRC) /dev/null \
    | xargs grep -L CREDIT_NO_POSTGRES /dev/null),$(PROGRAM_SRC))
endif
EXAMPLES := $(patsubst %.c,$(BUILD)/%,$(filter examples/%,$(PROGRAM_SRC)))
BENCHES := $(patsubst tests/%.c,$(BUILD)/%,$(filter tests/bench/%,$(PROGRAM_SRC)))
TESTS := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/bench/%,$(filter tests/%,$(PROGRAM_SRC))))
SUPPORT_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/support/*.c))
BENCH_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(filter-out $(wildcard tests/bench/bench_*.c),$(wildcard tests/bench/*.c)))
# What the scripts in tests/build and tests/docs look at is the same, or not meant to be sanitized.
SCRIPTS = $(filter-out $(if $(SANITIZE),tests/build/% tests/docs/%),$(sort \
    $(shell find tests -mindepth 2 -name '*.sh' -perm -100)))
PROGRAM_OBJ := $(PROGRAM_SRC:%.c=$(OBJ)/%.o)

# The command-line program: an ordinary user of the libraries.
TOOL := $(BUILD)/credits$(if $(WINDOWS),.exe)
TOOL_OBJ := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tools/*.c))

# ---- Building

.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all static shared examples tests check what-check-runs check-long check-valgrind race bench demo docs \
    requirements help FORCE amalgamation dist abicheck abi-baseline portability consumers \
    install install-headers install-static install-shared install-pc install-cmake install-man install-tool \
    uninstall clean distclean

#: all             the libraries and the program credits (the default)
all: $(LIBRARIES) $(TOOL)
	$(if $(HAVE_SQLITE),,@echo "SQLite: not found, or WITH_SQLITE=no; libcredit-sqlite is left out")
	$(if $(HAVE_POSTGRES),,@echo "PostgreSQL: not found, or WITH_POSTGRES=no; libcredit-postgres is left out")

#: static          only the static libraries
static: $(STATIC)

#: shared          only the shared libraries
shared: $(SHARED)

# Changes when the compiler or its flags do, and then everything is compiled anew.
FLAGS = $(filter-out -Werror,$(COMPILE_LIB) $(COMPILE_PROGRAM) $(LDFLAGS)) hot: $(HOT)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(FLAGS))' >$@.now
	@cmp -s $@.now $@ && rm $@.now || mv $@.now $@

$(OBJ)/lib/%.o: lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_LIB) $(SMALL) -Ilib -c -o $@ $<

# A storage sees the public headers only, as one that a host wrote would.
$(OBJ)/lib/storage/%.o: lib/storage/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_LIB) $(SMALL) $(SQLITE_CFLAGS) $(POSTGRES_CFLAGS) -c -o $@ $<

# Made anew and appended to, not updated: an update would keep one member of two rooms' files with the same name.
$(BUILD)/libcredit.a: $(CORE_OBJ)
$(BUILD)/libcredit-sqlite.a: $(SQLITE_OBJ)
$(BUILD)/libcredit-postgres.a: $(POSTGRES_OBJ)
$(BUILD)/libcredit-testkit.a: $(TESTKIT_OBJ)
$(BUILD)/%.a:
	@rm -f $@
	$(AR) qcs $@ $^

# Which symbols a shared library exports, and under which version, is said by lib/credit.sym.
$(BUILD)/%.map: lib/credit.sym tools/gen-version-script.sh
	@mkdir -p $(@D)
	sh tools/gen-version-script.sh $* lib/credit.sym >$@

$(BUILD)/libcredit.so.$(VERSION): $(CORE_OBJ) $(BUILD)/credit.map
	$(LINK_SHARED) -Wl,-soname,libcredit.so.$(MAJOR) -Wl,--version-script=$(BUILD)/credit.map -o $@ $(CORE_OBJ)

$(BUILD)/libcredit-sqlite.so.$(VERSION): $(SQLITE_OBJ) $(BUILD)/credit-sqlite.map $(BUILD)/libcredit.so
	$(LINK_SHARED) -Wl,-soname,libcredit-sqlite.so.$(MAJOR) -Wl,--version-script=$(BUILD)/credit-sqlite.map \
	    -o $@ $(SQLITE_OBJ) -L$(BUILD) -lcredit $(SQLITE_LIBS)

$(BUILD)/libcredit-postgres.so.$(VERSION): $(POSTGRES_OBJ) $(BUILD)/credit-postgres.map $(BUILD)/libcredit.so
	$(LINK_SHARED) -Wl,-soname,libcredit-postgres.so.$(MAJOR) -Wl,--version-script=$(BUILD)/credit-postgres.map \
	    -o $@ $(POSTGRES_OBJ) -L$(BUILD) -lcredit $(POSTGRES_LIBS)

$(BUILD)/libcredit-testkit.so.$(VERSION): $(TESTKIT_OBJ) $(BUILD)/credit-testkit.map $(BUILD)/libcredit.so
	$(LINK_SHARED) -Wl,-soname,libcredit-testkit.so.$(MAJOR) -Wl,--version-script=$(BUILD)/credit-testkit.map \
	    -o $@ $(TESTKIT_OBJ) -L$(BUILD) -lcredit

$(BUILD)/%.so: $(BUILD)/%.so.$(VERSION)
	ln -sf $(<F) $@.$(MAJOR)
	ln -sf $(@F).$(MAJOR) $@

# The same for Windows. Linking a DLL also writes its import library, which is what programs are linked with.
$(BUILD)/%.def: lib/credit.sym tools/gen-def.sh
	@mkdir -p $(@D)
	sh tools/gen-def.sh $* lib/credit.sym >$@

$(BUILD)/credit.dll: $(CORE_OBJ)
$(BUILD)/credit-sqlite.dll: $(SQLITE_OBJ) $(BUILD)/credit.dll
$(BUILD)/credit-sqlite.dll: DLL_LIBS = $(BUILD)/libcredit.dll.a $(SQLITE_LIBS)
$(BUILD)/credit-postgres.dll: $(POSTGRES_OBJ) $(BUILD)/credit.dll
$(BUILD)/credit-postgres.dll: DLL_LIBS = $(BUILD)/libcredit.dll.a $(POSTGRES_LIBS)
$(BUILD)/credit-testkit.dll: $(TESTKIT_OBJ) $(BUILD)/credit.dll
$(BUILD)/credit-testkit.dll: DLL_LIBS = $(BUILD)/libcredit.dll.a
$(BUILD)/%.dll: $(BUILD)/%.def
	$(LINK) -shared -Wl,--out-implib,$(BUILD)/lib$*.dll.a -o $@ $(filter %.o %.def,$^) $(DLL_LIBS)

-include $(patsubst %.o,%.d,$(CORE_OBJ) $(TESTKIT_OBJ) $(SQLITE_OBJ) $(POSTGRES_OBJ) $(SUPPORT_OBJ) $(BENCH_OBJ) \
    $(PROGRAM_OBJ) $(TOOL_OBJ))

# ---- Programs: examples, tests, benchmarks. All use the static libraries, so that they run where they are.

$(OBJ)/examples/%.o: examples/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_PROGRAM) -c -o $@ $<

$(OBJ)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_PROGRAM) -Ilib -Itests $(CHECK_CFLAGS) -c -o $@ $<

# Programs of many processes need more of the system than C99 names.
$(OBJ)/tests/race/%.o: tests/race/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_PROGRAM) -D_XOPEN_SOURCE=700 -Itests -c -o $@ $<

$(OBJ)/tests/bench/%.o: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_PROGRAM) -O2 -Itests -c -o $@ $<

USED_LIBS = $(BUILD)/libcredit-testkit.a $(if $(HAVE_SQLITE),$(BUILD)/libcredit-sqlite.a) \
    $(if $(HAVE_POSTGRES),$(BUILD)/libcredit-postgres.a) $(BUILD)/libcredit.a -Wl,--as-needed \
    $(if $(HAVE_SQLITE),$(SQLITE_LIBS)) $(if $(HAVE_POSTGRES),$(POSTGRES_LIBS))

#: examples        the programs in examples/
examples: $(EXAMPLES)

$(BUILD)/examples/%: $(OBJ)/examples/%.o $(STATIC)
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(USED_LIBS)

$(OBJ)/tools/%.o: tools/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE_PROGRAM) $(if $(WINDOWS),-DCRD_STATIC) -c -o $@ $<

$(TOOL): $(TOOL_OBJ) $(STATIC)
	$(LINK) -o $@ $(TOOL_OBJ) $(USED_LIBS)

#: tests           the test programs, without running them
tests: $(TESTS)

$(BUILD)/tests/%: $(OBJ)/tests/%.o $(SUPPORT_OBJ) $(STATIC)
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(SUPPORT_OBJ) $(USED_LIBS) $(CHECK_LIBS)

$(BUILD)/bench/%: $(OBJ)/tests/bench/%.o $(BENCH_OBJ) $(STATIC)
	@mkdir -p $(@D)
	$(LINK) -o $@ $< $(BENCH_OBJ) $(USED_LIBS)

RACE := $(if $(HAVE_SQLITE)$(HAVE_POSTGRES),$(BUILD)/tests/race/race)
$(BUILD)/tests/race/race: $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/race/*.c)) $(STATIC)
	@mkdir -p $(@D)
	$(LINK) -o $@ $(filter %.o,$^) $(USED_LIBS)

# ---- Testing

# What test programs and scripts may ask of the build, beside OPEN_ITEMS and CREDIT_TEST_LONG of whoever runs them.
TEST_ENV = BUILD='$(BUILD)' CC='$(CC)' CXX='$(CXX)' PKG_CONFIG='$(PKG_CONFIG)' MAKE='$(MAKE)' VERSION='$(VERSION)' \
    CFLAGS='$(CFLAGS)' CPPFLAGS='$(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' HAVE_SQLITE='$(HAVE_SQLITE)' HAVE_POSTGRES='$(HAVE_POSTGRES)'
# One server for all tests of a run, where there is one to start; else CREDIT_TEST_CONNINFO may name any.
WITH_POSTGRES_SERVER = $(if $(HAVE_POSTGRES),sh tests/support/with_postgres.sh)

#: check           build and run all tests, warnings as errors; SANITIZE=address,undefined: below build-asan/
check:
	@$(MAKE) --no-print-directory $(IN_PARALLEL) WERROR=1 what-check-runs
	@$(TEST_ENV) $(WITH_POSTGRES_SERVER) sh tests/run.sh $(TESTS) $(SCRIPTS)
what-check-runs: $(STATIC) $(SHARED) $(TOOL) $(EXAMPLES) $(TESTS) $(RACE)
# Compiled two at a time, unless make was told otherwise.
IN_PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2)

#: check-long      the same with CREDIT_TEST_LONG=1, again under sanitizers and valgrind, and all that follows here; a table
#                  of what ran, how much of it, and what was skipped and why. STAGES='check race…': only those; LONG=: at
#                  the length of make check
STAGES = check sanitizers valgrind portability consumers race
LONG = 1
check-long:
	@$(if $(LONG),CREDIT_TEST_LONG=$(LONG)) MAKE='$(MAKE)' CC='$(CC)' sh tests/long.sh $(STAGES)

#: check-valgrind  the test programs under valgrind, at their usual length: it is slow enough
check-valgrind:
	@$(MAKE) --no-print-directory $(IN_PARALLEL) WERROR=1 $(EXAMPLES) $(TESTS)
	@$(TEST_ENV) CK_TIMEOUT_MULTIPLIER=60 CREDIT_TEST_UNDER='$(VALGRIND)' $(WITH_POSTGRES_SERVER) \
	    sh tests/run.sh $(TESTS)
VALGRIND = valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9

#: race            processes that are killed on one book, then what is kept against what they were told
#                  [STORE=sqlite|postgres] [SECONDS=10] [WORKERS=8]; CREDIT_TEST_CONNINFO: on that server
race: $(RACE)
	@rm -rf $(BUILD)/race && mkdir -p $(BUILD)/race
	$(if $(filter postgres,$(STORE)),$(WITH_POSTGRES_SERVER)) sh -c '$(RACE) \
	    "$(if $(filter postgres,$(STORE)),postgres:$$CREDIT_TEST_CONNINFO,sqlite:$(BUILD)/race/book)" \
	    $(BUILD)/race $(or $(SECONDS),10) $(or $(WORKERS),8)'

#: bench           build and run the benchmarks [STORE=memory|sqlite|postgres]; figures in build/bench.json, one object a line
bench: $(BENCHES)
	@rm -f $(BUILD)/bench.json
	@CREDIT_POSTGRES_DURABLE=1 $(if $(filter postgres,$(STORE)),$(WITH_POSTGRES_SERVER)) sh -ec 'for b in $(BENCHES); do \
	    STORE="$(STORE)" BENCH_JSON=$(BUILD)/bench.json $$b; done'

#: demo            reconcile a book of open items and show it [DATA=FILE]
demo: $(BUILD)/examples/reconcile_csv
	@rm -f $(BUILD)/demo.db $(BUILD)/demo.db-*
	$(if $(HAVE_SQLITE),,@echo "SQLite was left out: the demo keeps its book in memory")
	$< --store $(if $(HAVE_SQLITE),sqlite:$(BUILD)/demo.db,memory) '$(DATA)'

#: docs            the headers as web pages, by doxygen, below build/docs; a warning is an error
docs:
	@mkdir -p $(BUILD)/docs
	(cat tests/docs/Doxyfile; echo 'PROJECT_NUMBER = $(VERSION)'; echo 'OUTPUT_DIRECTORY = $(BUILD)/docs') | doxygen -

#: requirements    which requirement is proved by which test, and which by none
requirements:
	sh tests/requirements.sh

#: abicheck        the binary interface against the committed one in tests/abi; part of check
abicheck: $(BUILD)/libcredit.so
	@$(TEST_ENV) CREDIT_TEST_LONG=1 sh tests/run.sh tests/build/abi.sh

#: abi-baseline    commit to what the interface is now: after something was added, never to hide a break
abi-baseline: $(BUILD)/libcredit.so
	BUILD='$(BUILD)' CC='$(CC)' sh tools/abi_baseline.sh

#: portability     the smoke test on every compiler, machine and data model at hand; a table of what ran
portability:
	@VERSION='$(VERSION)' sh tests/build/portability.matrix

#: consumers       a small host on installed trees, in every way the library can be used; a table of what ran
consumers: $(STATIC) $(SHARED)
	@$(TEST_ENV) sh tests/build/consumers.matrix

# ---- Giving it away

#: amalgamation    the library as two files for a host to compile: dist/credit.c and dist/credit.h
amalgamation:
	sh tools/amalgamate.sh dist '$(VERSION)'

#: dist            the source as dist/libcredit-VERSION.tar.gz, alike to the byte wherever it is packed
dist:
	sh tools/dist.sh dist '$(VERSION)'

# ---- Installing. DESTDIR is put before every path, for packagers.

#: install         everything below; also alone: install-headers -static -shared -pc -cmake -man -tool
install: install-headers install-pc install-cmake install-man install-tool
install: $(if $(filter yes,$(ENABLE_STATIC)),install-static) $(if $(filter yes,$(ENABLE_SHARED)),install-shared)

install-headers:
	$(INSTALL) -d '$(DESTDIR)$(includedir)/credit'
	$(INSTALL) -m 644 include/credit.h '$(DESTDIR)$(includedir)'
	$(INSTALL) -m 644 $(filter include/credit/%,$(HEADERS)) '$(DESTDIR)$(includedir)/credit'

install-static: $(STATIC)
	$(INSTALL) -d '$(DESTDIR)$(libdir)'
	$(INSTALL) -m 644 $(STATIC) '$(DESTDIR)$(libdir)'

ifeq ($(WINDOWS),)
install-shared: $(SHARED)
	$(INSTALL) -d '$(DESTDIR)$(libdir)'
	$(INSTALL) -m 755 $(SHARED:%=%.$(VERSION)) '$(DESTDIR)$(libdir)'
	cd '$(DESTDIR)$(libdir)' && for so in $(notdir $(SHARED)); do \
	    ln -sf $$so.$(VERSION) $$so.$(MAJOR) && ln -sf $$so.$(MAJOR) $$so || exit 1; done
else
install-shared: $(SHARED)
	$(INSTALL) -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(libdir)'
	$(INSTALL) -m 755 $(SHARED) '$(DESTDIR)$(bindir)'
	$(INSTALL) -m 644 $(PARTS:%=$(BUILD)/lib%.dll.a) $(PARTS:%=$(BUILD)/%.def) '$(DESTDIR)$(libdir)'
endif

# Written at install, because only now the paths are certain. Paths below the prefix are said relative to it, so
# that pkg-config --define-prefix and CMake can move the tree. Where there is no shared library, a program must name what
# the static one needs, also without pkg-config --static.
below_prefix = $(patsubst $(prefix)/%,$(2)/%,$(1))
install-pc:
	$(INSTALL) -d '$(DESTDIR)$(pkgconfigdir)'
	for in in $(PC_IN); do \
	    sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(call below_prefix,$(libdir),$${prefix})|' \
	        -e 's|@includedir@|$(call below_prefix,$(includedir),$${prefix})|' -e 's|@version@|$(VERSION)|' \
	        $(if $(filter yes,$(ENABLE_SHARED)),-e 's|^@shared@||' -e '/^@static@/d',-e 's|^@static@||' -e '/^@shared@/d') \
	        $$in >'$(DESTDIR)$(pkgconfigdir)'/$$(basename $$in .in) || exit 1; done

# From the directory of the CMake files up to the prefix: as many times .. as there are directories between.
empty :=
prefix_from_cmakedir = $(if $(filter $(prefix)/%,$(cmakedir)),$${CMAKE_CURRENT_LIST_DIR}/$(subst $(empty) $(empty),/,$(patsubst \
    %,..,$(subst /, ,$(patsubst $(prefix)/%,%,$(cmakedir))))),$(prefix))
install-cmake:
	$(INSTALL) -d '$(DESTDIR)$(cmakedir)'
	for file in credit-config.cmake credit-config-version.cmake; do \
	    sed -e 's|@prefix@|$(prefix_from_cmakedir)|' \
	        $(foreach d,bindir libdir includedir,-e 's|@$d@|$(call below_prefix,$($d),$${_credit_prefix})|') \
	        -e 's|@version@|$(VERSION)|' -e 's|@major@|$(MAJOR)|g' -e 's|@minor@|$(word 2,$(subst ., ,$(VERSION)))|g' \
	        tools/$$file.in >'$(DESTDIR)$(cmakedir)'/$$file || exit 1; done

install-man:
	$(if $(MAN),$(INSTALL) -d $(foreach s,$(sort $(suffix $(MAN))),'$(DESTDIR)$(mandir)/man$(s:.%=%)'))
	$(foreach m,$(MAN),$(INSTALL) -m 644 $(m) '$(DESTDIR)$(mandir)/man$(patsubst .%,%,$(suffix $(m)))' &&) true

install-tool: $(TOOL)
	$(INSTALL) -d '$(DESTDIR)$(bindir)'
	$(INSTALL) -m 755 $(TOOL) '$(DESTDIR)$(bindir)'

# Every file that install may have written is removed, whatever is enabled now; then the directories that are
# libcredit's own or that few others have, if they are empty. When nothing but install's directories is left below the
# prefix, or in a staging tree, those go too.
ALL_PARTS = credit credit-testkit credit-sqlite credit-postgres
INSTALLED = $(bindir)/credits $(bindir)/credits.exe \
    $(foreach p,$(ALL_PARTS),$(bindir)/$p.dll $(addprefix $(libdir)/,lib$p.a lib$p.so lib$p.so.$(MAJOR) \
    lib$p.so.$(VERSION) lib$p.dll.a $p.def)) \
    $(addprefix $(pkgconfigdir)/,$(notdir $(basename $(wildcard credits.pc.in lib/storage/*.pc.in)))) \
    $(cmakedir)/credit-config.cmake $(cmakedir)/credit-config-version.cmake \
    $(patsubst include/%,$(includedir)/%,$(wildcard include/credit.h include/credit/*.h)) \
    $(foreach m,$(wildcard man/*.1 man/*.3),$(mandir)/man$(patsubst .%,%,$(suffix $(m)))/$(notdir $(m)))
OWN_DIRS = $(includedir)/credit $(pkgconfigdir) $(cmakedir) $(libdir)/cmake $(mandir)/man1 $(mandir)/man3
COMMON_DIRS = $(mandir) $(datarootdir) $(includedir) $(libdir) $(bindir)
#: uninstall       remove what install has put there
uninstall:
	rm -f $(INSTALLED:%='$(DESTDIR)%')
	cd '$(DESTDIR)/' && for d in $(OWN_DIRS) $(if $(DESTDIR),$(COMMON_DIRS)); do \
	    rmdir $(if $(DESTDIR),-p) ".$$d" 2>/dev/null; done; true
	if [ -d '$(DESTDIR)$(prefix)' ] && ! find '$(DESTDIR)$(prefix)/.' -mindepth 1 | sed 's|/\./|/|' \
	    | grep -qvxF $(COMMON_DIRS:%=-e '$(DESTDIR)%'); then rmdir $(COMMON_DIRS:%='$(DESTDIR)%') 2>/dev/null; fi; true

# ---- The rest

#: clean           remove what was built
clean:
	rm -rf build build-asan dist

#: distclean       also remove what ./configure wrote
distclean: clean
	rm -rf config.mak config.log config.status configure configure~ autom4te.cache

configure: configure.ac tools/config.mak.in
	autoconf

#: help            this list
help:
	@sed -n 's/^#: /  /p' Makefile
	@echo 'Variables: CC CFLAGS CPPFLAGS LDFLAGS WITH_SQLITE=auto|yes|no WITH_POSTGRES=auto|yes|no'
	@echo '  ENABLE_SHARED=yes|no ENABLE_STATIC=yes|no'
	@echo '  prefix bindir libdir includedir mandir DESTDIR  SANITIZE=address,undefined  DEV=1 (warnings are errors)'
	@echo '  OPEN_ITEMS=DIR (check: also run on the real books there)'
