#!/usr/bin/env python3
"""tests/house/house.py - holds the tree against the floors of docs/design.md.

    tests/house/house.py [ROOT]

Reads every include of include/, tools/, host/ and kernels/ and finds

    upward       an include of a floor above. The floors of tools/ and host/ are the table in docs/design.md, top first;
                 kernels/ stands below them, kernels/rules/ lowest. include/fitrelu.h may be included by all
    kernels      an include of host/ by a file of kernels/, whatever the table says
    circle       files that include each other, or folders that do. A file is its pair: encode.cu with encode.cuh
    no folder    an include within host/ that does not carry its folder, as "status.h" for "base/status.h"
    table        a folder of tools/ or host/ that the table lacks, or a row of it without a folder
    crowded      a folder of more than 30 files
    long         a file of more than 500 lines

One line a fault: where it is, what it is, and what would mend it. Exit code: 0 the house stands, 1 it does not.
"""
import os
import re
import sys

TOP = ("include", "tools", "host", "kernels")
SOURCE = re.compile(r"\.(?:c|h|cc|cpp|hpp|cu|cuh|inc)$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>|(\w+))', re.M)
ROW = re.compile(r"^\| `((?:tools|host)/[\w/]+)` \|", re.M)
# What an include is looked up from, beside the file's own folder: as the compiler is told in the CMakeLists.txt files.
SEARCH = ("include", "host", "tools", "")
WITHOUT_FOLDER = ("fitrelu.h", "fitrelu_version.h")  # the public header, and what CMake writes
MOST_FILES = 30
MOST_LINES = 500


# --------------------------------------------------------------------------------------------------------- the tree

def files_of(root):
    """The files of the house, from the root, in order; what a build or an editor left is not of it."""
    for top in TOP:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
            for name in sorted(names):
                if not name.startswith(".") and not name.endswith((".pyc", "~")):
                    yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def text_of(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(text):
    """The text with comments blanked and the lines kept; a string is kept, since an include may hold two slashes."""
    def blank(match):
        return match.group() if match.group().startswith('"') else "\n" * match.group().count("\n")
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', blank, text, flags=re.S)


def floors_of(root):
    """Prefix of a path to the height of its floor, from the table of docs/design.md; 0 is the lowest."""
    rows = ROW.findall(text_of(root, "docs/design.md"))
    order = rows + ["kernels", "kernels/rules", "include"]
    return {prefix: height for height, prefix in enumerate(reversed(order))}, rows


def floor_of(path, floors):
    """The longest prefix of the path that is a floor, or None."""
    folder = os.path.dirname(path)
    while folder and folder not in floors:
        folder = os.path.dirname(folder)
    return folder or None


class Include:
    def __init__(self, file, line, words, target):
        self.file, self.line, self.words, self.target = file, line, words, target
        self.where = f"{file}:{line}"


def includes_of(root, path, tree):
    """The includes of a file; the target is None for what is not in the tree, as a header of the system."""
    text = without_comments(text_of(root, path))
    for found in INCLUDE.finditer(text):
        words = found.group(1) or found.group(2) or found.group(3)
        near = [os.path.dirname(path)] if found.group(1) else []
        places = [os.path.normpath(os.path.join(folder, words)) for folder in near + list(SEARCH)]
        target = next((place for place in places if place in tree), None)
        quoted = found.group(1) is not None
        yield Include(path, text.count("\n", 0, found.start()) + 1, words if quoted else f"<{words}>", target)


# ----------------------------------------------------------------------------------------------------------- faults

def is_upward(one, floors):
    below, above = floor_of(one.file, floors), floor_of(one.target, floors)
    return below is not None and above is not None and floors[above] > floors[below]


def upward_fault(one, floors):
    below, above = floor_of(one.file, floors), floor_of(one.target, floors)
    rule = "kernels" if below.startswith("kernels") and above.startswith("host") else "upward"
    return f"{one.where}: {rule}: {below} includes \"{one.words}\" of {above}, which stands above it"


def folderless(every):
    for one in every:
        if not one.file.startswith("host/") or one.words.startswith("<") or one.words in WITHOUT_FOLDER:
            continue
        here = one.target is None or not one.target.startswith("host/") or one.target == "host/" + one.words
        if "/" not in one.words or one.words.startswith(".") or not here:
            name = one.target[len("host/"):] if one.target and one.target.startswith("host/") else "its/folder.h"
            yield f"{one.where}: no folder: \"{one.words}\" should read \"{name}\""


def circles(edges):
    """Groups of two and more that reach each other (Tarjan's strongly connected components), each in order."""
    number, lowest, stack, groups = {}, {}, [], []

    def visit(node):
        number[node] = lowest[node] = len(number)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in number:
                visit(other)
            if other in stack:
                lowest[node] = min(lowest[node], lowest[other])
        if lowest[node] == number[node]:
            group = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(group) > 1:
                groups.append(sorted(group))
    for node in sorted(edges):
        if node not in number:
            visit(node)
    return groups


def circle_faults(includes, name_of, kind):
    edges, witness = {}, {}
    for one in includes:
        here, there = name_of(one.file), name_of(one.target)
        if here != there:
            edges.setdefault(here, set()).add(there)
            witness.setdefault((here, there), one.where)
    for group in circles(edges):
        lines = [witness[pair] for pair in sorted(witness) if pair[0] in group and pair[1] in group]
        yield f"{lines[0]}: circle: the {kind} {', '.join(group)} include each other ({', '.join(lines)})"


def table_faults(root, files, rows):
    folders = sorted({"/".join(path.split("/")[:2]) for path in files
                      if path.startswith(("tools/", "host/")) and path.count("/") > 1 and SOURCE.search(path)})
    if not rows:
        yield "docs/design.md: table: no row like | `host/base` | under The floors"
    for folder in sorted(set(folders) - set(rows)):
        yield f"{folder}: table: docs/design.md gives it no floor"
    for row in rows:
        if not os.path.isdir(os.path.join(root, row)):
            yield f"docs/design.md: table: there is no {row}"


def sizes(root, files):
    count = {}
    for path in files:
        count[os.path.dirname(path)] = count.get(os.path.dirname(path), 0) + 1
        lines = text_of(root, path).count("\n")
        if lines > MOST_LINES:
            yield f"{path}: long: {lines} lines, at most {MOST_LINES}"
    for folder in sorted(count):
        if count[folder] > MOST_FILES:
            yield f"{folder}: crowded: {count[folder]} files, at most {MOST_FILES}"


def check(root):
    """The faults of the tree, a line each, and how many files and includes were read."""
    files = list(files_of(root))
    tree = set(files)
    floors, rows = floors_of(root)
    every = [one for path in files if SOURCE.search(path) for one in includes_of(root, path, tree)]
    inside = [one for one in every if one.target is not None]
    faults = list(table_faults(root, files, rows))
    faults += [upward_fault(one, floors) for one in inside if is_upward(one, floors)]
    faults += folderless(every)
    rest = [one for one in inside if not is_upward(one, floors)]  # an arrow upwards is told once, not as a circle too
    faults += circle_faults(rest, lambda path: os.path.splitext(path)[0], "files")
    faults += circle_faults(rest, os.path.dirname, "folders")
    faults += sizes(root, files)
    return faults, len(files), len(inside)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    faults, files, includes = check(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(here)))
    print("\n".join(faults + [f"{files} files, {includes} includes, {len(faults)} faults"]))
    return 1 if faults or not includes else 0


if __name__ == "__main__":
    sys.exit(main())
