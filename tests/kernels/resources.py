#!/usr/bin/env python3
"""tests/kernels/resources.py - what every kernel takes of a GPU, held against the table beside this file.

    tests/kernels/resources.py [--update] [--root DIR] [--table FILE] [--nvcc NVCC] [--cuobjdump CUOBJDUMP]

Compiles each kernels/*.cu for one architecture, that of the table, as a release is compiled, and reads of every instance
of every kernel

    registers   of a thread, by ptxas
    stack       bytes of local memory a thread, spills among them
    spilled     bytes stored and loaded for want of registers
    shared      bytes of shared memory a block
    loads       the widest load from global memory, in bytes, and how many instructions load so much (by cuobjdump)

No GPU is needed: these figures are nvcc's. One that differs from the table is a failure, whether it became worse or
better: a change of a kernel and of its line go together, so that nobody spills or narrows a load unseen. --update
writes the table.

Figures belong to one version of nvcc, which the table names; any other is no reason to fail. cuobjdump is looked for
beside nvcc, in PATH, and where "pip install nvidia-cuda-cuobjdump" puts it for this Python; without it loads are not
compared.

Exit code: 0 all is as in the table, 1 something differs, 77 there is nothing to compare with (skipped, with a reason).
"""
import argparse
import concurrent.futures
import ctypes
import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHITECTURE = "sm_90"
FLAGS = ["-std=c++17", "-O3", "-DNDEBUG", "-lineinfo", "-arch=" + ARCHITECTURE, "-cubin", "-Xptxas", "-v"]
COLUMNS = ("registers", "stack", "spilled", "shared", "loads")
UNKNOWN = "?"
HEAD = """\
# What every kernel takes of a GPU: written by tests/kernels/resources.py --update, compared by test kernels.resources.
# registers a thread | bytes a thread: stack, spilled | bytes a block: shared | loads: widest in bytes x how many
"""


class Failure(Exception):
    """A line for people."""


class Skipped(Exception):
    """Nothing to compare with, and why."""


# --------------------------------------------------------------------------------------------------------- the tools

def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode != 0:
        raise Failure("%s ended with %d:\n%s" % (" ".join(command), done.returncode, done.stdout[-4000:]))
    return done.stdout


def version_of(nvcc):
    found = re.search(r"release \S+, V(\S+)", output_of([nvcc, "--version"]))
    if not found:
        raise Failure("%s --version does not say which" % nvcc)
    return found.group(1)


def find_nvcc(asked):
    nvcc = asked or shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if not nvcc or not shutil.which(nvcc):
        raise Skipped("nvcc is not here")
    return nvcc


def find_cuobjdump(asked, nvcc):
    packages = glob.glob(os.path.join(sysconfig.get_path("purelib"), "nvidia", "*", "bin"))
    folders = [os.path.dirname(os.path.realpath(shutil.which(nvcc))), os.environ.get("PATH", "")] + packages
    return asked or shutil.which("cuobjdump", path=os.pathsep.join(folders))


def readable(name):
    """relu_gradient_kernel<float, float, 256, 8>, of a mangled name."""
    demangle = ctypes.CDLL("libstdc++.so.6").__cxa_demangle
    demangle.restype = ctypes.c_char_p # a few bytes a name are never freed
    status = ctypes.c_int()
    long = demangle(name.encode(), None, None, ctypes.byref(status))
    if status.value != 0:
        return name
    text = re.sub(r"\(anonymous namespace\)::|fitrelu::|^void ", "", long.decode())
    return re.sub(r"\([^()]*\)$", "", text)


# ------------------------------------------------------------------------------------------------------- the figures

ENTRY = re.compile(r"Compiling entry function '(\w+)' for '%s'" % ARCHITECTURE)
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")
FUNCTION = re.compile(r"^\s*Function : (\w+)", re.M)
LOAD = re.compile(r"\bLDG(?:STS)?\.E((?:\.\w+)*)")


def figures_of(printed):
    """What ptxas said, by mangled name."""
    figures = {}
    parts = ENTRY.split(printed)
    for name, said in zip(parts[1::2], parts[2::2]):
        frame, used = FRAME.search(said), USED.search(said)
        if not frame or not used:
            raise Failure("ptxas says nothing of %s" % readable(name))
        figures[name] = {"registers": used.group(1), "stack": frame.group(1), "shared": used.group(2) or "0",
                         "spilled": "%s+%s" % (frame.group(2), frame.group(3)), "loads": UNKNOWN}
    return figures


def width_of(suffixes):
    """Bytes that an LDG with these suffixes loads."""
    parts = suffixes.split(".")
    for part, width in (("128", 16), ("64", 8), ("U16", 2), ("S16", 2), ("U8", 1), ("S8", 1)):
        if part in parts:
            return width
    return 4


def loads_of(listing):
    """The widest loads of each function of a disassembly, by mangled name."""
    loads = {}
    parts = FUNCTION.split(listing)
    for name, code in zip(parts[1::2], parts[2::2]):
        widths = [width_of(suffixes) for suffixes in LOAD.findall(code)]
        loads[name] = "%dx%d" % (max(widths), widths.count(max(widths))) if widths else "none"
    return loads


def measure(source, root, nvcc, cuobjdump):
    """[(source, kernel, figures)] of a file."""
    name = os.path.basename(source)
    with tempfile.TemporaryDirectory(prefix="fitrelu-kernels-") as folder:
        cubin = os.path.join(folder, "kernels.cubin")
        includes = ["-I" + root, "-I" + os.path.join(root, "include")]
        figures = figures_of(output_of([nvcc] + FLAGS + includes + ["-o", cubin, source]))
        loads = loads_of(output_of([cuobjdump, "-sass", cubin])) if cuobjdump else {}
    for kernel, found in figures.items():
        found["loads"] = loads.get(kernel, UNKNOWN)
    return [(name, readable(kernel), found) for kernel, found in figures.items()]


def measure_all(root, nvcc, cuobjdump):
    sources = sorted(glob.glob(os.path.join(root, "kernels", "*.cu")), key=os.path.getsize, reverse=True)
    if not sources:
        raise Failure("%s/kernels has no kernels" % root)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as team:
        lines = [line for lines in team.map(lambda s: measure(s, root, nvcc, cuobjdump), sources) for line in lines]
    return {(source, kernel): figures for source, kernel, figures in sorted(lines, key=lambda line: line[:2])}


# --------------------------------------------------------------------------------------------------------- the table

def write_table(path, version, table):
    lines = [("file", "kernel") + COLUMNS]
    lines += [key + tuple(figures[column] for column in COLUMNS) for key, figures in table.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD + "# nvcc %s, %s\n" % (version, ARCHITECTURE))
        for line in lines:
            left = [line[i].ljust(widths[i]) for i in range(2)]
            right = [line[i].rjust(widths[i]) for i in range(2, len(line))]
            file.write("# "[:2 * (line is lines[0])].ljust(2) + " | ".join(left + right) + "\n")


def read_table(path):
    """The version of nvcc and the lines."""
    version, table = None, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("# nvcc "):
                version = line.split()[2].rstrip(",")
            if line.startswith("#") or not line.strip():
                continue
            cells = [cell.strip() for cell in line.split("|")]
            if len(cells) != 2 + len(COLUMNS):
                raise Failure("%s: a line of %d cells: %s" % (path, len(cells), line.strip()))
            table[cells[0], cells[1]] = dict(zip(COLUMNS, cells[2:]))
    return version, table


def differences(before, now):
    """One line for each kernel that came, went or changed."""
    for key in sorted(set(before) | set(now)):
        name = "%s: %s" % key
        if key not in now:
            yield "%s is in the table and not in kernels/" % name
        elif key not in before:
            yield "%s is not in the table: %s" % (name, ", ".join("%s %s" % c for c in now[key].items()))
        else:
            for column in COLUMNS:
                old, new = before[key][column], now[key][column]
                if old != new and UNKNOWN not in (old, new):
                    yield "%s: %s %s, in the table %s" % (name, column, new, old)


# ------------------------------------------------------------------------------------------------------------- whole

def arguments():
    parser = argparse.ArgumentParser(usage="resources.py [--update] [--root DIR] [--table FILE] [--nvcc NVCC] "
                                           "[--cuobjdump CUOBJDUMP]")
    parser.add_argument("--update", action="store_true", help="write the table instead of comparing with it")
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(HERE)), help="the tree")
    parser.add_argument("--table", default=os.path.join(HERE, "resources.txt"))
    parser.add_argument("--nvcc", help="default: that of PATH")
    parser.add_argument("--cuobjdump", help="default: looked for")
    return parser.parse_args()


def compare(asked, nvcc, cuobjdump):
    version, before = read_table(asked.table)
    if version != version_of(nvcc):
        raise Skipped("the table is of nvcc %s, and here is %s" % (version, version_of(nvcc)))
    now = measure_all(asked.root, nvcc, cuobjdump)
    found = list(differences(before, now))
    for line in found:
        print(line)
    if not cuobjdump:
        print("cuobjdump is not here: the width of loads is not compared")
    print("%d kernels, %d differences" % (len(now), len(found)))
    if found:
        print("If that is meant: tests/kernels/resources.py --update, and commit the table with the change.")
    return 1 if found else 0


def run(asked):
    nvcc = find_nvcc(asked.nvcc)
    cuobjdump = find_cuobjdump(asked.cuobjdump, nvcc)
    if not asked.update:
        return compare(asked, nvcc, cuobjdump)
    if not cuobjdump:
        raise Failure("--update needs cuobjdump: pip install nvidia-cuda-cuobjdump, or --cuobjdump CUOBJDUMP")
    table = measure_all(asked.root, nvcc, cuobjdump)
    write_table(asked.table, version_of(nvcc), table)
    print("%d kernels in %s" % (len(table), asked.table))
    return 0


def main():
    try:
        return run(arguments())
    except Skipped as reason:
        print("skipped: %s" % reason)
        return 77
    except Failure as failure:
        print(failure)
        return 1


if __name__ == "__main__":
    sys.exit(main())
