# build_env.sh - read by tools/demo and tools/check: what both need to configure and build, and how tests are counted.
# shellcheck shell=bash

cores() { nproc 2> /dev/null || getconf _NPROCESSORS_ONLN 2> /dev/null || echo 2; }

# Ninja where it is there; a folder that was configured before keeps the generator that it has.
if [ -z "${CMAKE_GENERATOR:-}" ] && command -v ninja > /dev/null 2>&1; then
    export CMAKE_GENERATOR=Ninja
fi

# Runs tools/setup. Without root and without sudo it cannot install; what is there may still be enough to build.
prepare() { # name of the script that asks
    tools/setup && return
    local tool
    for tool in cc c++ cmake; do
        command -v "$tool" > /dev/null 2>&1 || { printf '%s: %s is needed\n' "$1" "$tool" >&2 && exit 1; }
    done
    printf '%s: going on without what is missing\n' "$1"
}

# Runs a command with its output in a file: silent when all is well; when not, what went wrong is shown.
quietly() { # log command...
    local log=$1
    shift
    if ! "$@" > "$log" 2>&1 < /dev/null; then
        grep -v -E '^\[[0-9]+/[0-9]+\] (Building|Linking|Creating|Generating|Writing) |^\[ *[0-9]+%\]' "$log" | tail -n 60 >&2 || true
        printf '%s: failed: %s (all of its output is in %s)\n' "$(basename "$0")" "$*" "$log" >&2
        return 1
    fi
}

# Prints how many tests of ctest's output (a file) passed, failed and were skipped. A test that is disabled, or finds that
# this machine lacks what it needs, is skipped: it has shown nothing.
count_tests() { # log
    local passed failed skipped line='^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*'
    passed=$(grep -c -E "$line   Passed " "$1" || true)
    skipped=$(grep -c -E "$line\*\*\*(Skipped|Not Run \(Disabled\)) " "$1" || true)
    failed=$(grep -c -E "$line\*\*\*" "$1" || true)
    printf '%d %d %d\n' "$passed" "$((failed - skipped))" "$skipped"
}
