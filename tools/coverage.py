#!/usr/bin/env python3
"""tools/coverage.py - how much of host/ the tests of a build with --coverage have run; tools/check --coverage calls it.

    tools/coverage.py BUILD [--lines PERCENT] [--branches PERCENT] [--all]

Asks gcov for every object of the library in BUILD, also where it is built twice (instruction sets, the stand-in for
CUDA), and adds up. A line is covered when one of its copies ran, a branch when one of its copies was taken. A line with

    out of reach: REASON

in a comment is left out, with what its brackets hold where it opens a block; more than 1 % of such lines is a failure, and so
is one without a reason. Prints a line for each file below the marks, or with --all for every file, the lines of it that never
ran, and the totals. Exit code: 0, or 1 below a mark.
"""
import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MARK = re.compile(r"out of reach:\s*(.*?)\s*(?:\*/|$)")
MOST_MARKED = 0.01


def objects(build):
    for folder, _, names in os.walk(build):
        for name in names:
            # The tests' own objects tell nothing of host/, and take long.
            if name.endswith(".gcno") and (name.endswith(".c.gcno") or name == "parse_number.cpp.gcno"):
                yield os.path.join(folder, name)


def report_of(note):
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", note], capture_output=True,
                          cwd=os.path.dirname(note))
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


def gather(build):
    """{file: {line: (count, [branch counts])}} of host/."""
    found = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for reports in pool.map(report_of, list(objects(build))):
            for report in reports:
                for file in report["files"]:
                    add(found, report, file)
    return found


def add(found, report, file):
    path = os.path.realpath(os.path.join(report["current_working_directory"], file["file"]))
    path = os.path.relpath(path, ROOT)
    if not path.startswith("host" + os.sep):
        return
    lines = found.setdefault(path, {})
    for line in file["lines"]:
        taken = [b["count"] for b in line["branches"] if not b["throw"]]
        before, known = lines.get(line["line_number"], (0, []))
        if len(known) == len(taken):
            taken = [a + b for a, b in zip(known, taken)]
        elif len(known) > len(taken):
            taken = known
        lines[line["line_number"]] = (before + line["count"], taken)


def left_out(path):
    """Numbers of the lines that are marked, and what is wrong with the marks."""
    marked, faults = set(), []
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read().splitlines()
    for number, line in enumerate(text, 1):
        mark = MARK.search(line)
        if not mark:
            continue
        if len(mark.group(1)) < 10:
            faults.append("%s:%d: out of reach without a reason" % (path, number))
        depth = 0
        for at in range(number, len(text) + 1):
            marked.add(at)
            depth += text[at - 1].count("{") - text[at - 1].count("}")
            if depth <= 0:
                break
    return marked, faults


def ranges(numbers):
    """[3, 4, 5, 9] as "3-5, 9"."""
    out = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ", ".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in out)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--lines", type=float, default=98)
    parser.add_argument("--branches", type=float, default=90)
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    found = gather(os.path.abspath(args.build))
    if not found:
        sys.exit("coverage: %s holds no counters of host/" % args.build)
    total = dict.fromkeys(("lines", "ran", "branches", "taken", "marked"), 0)
    faults = []
    for path in sorted(found):
        marked, wrong = left_out(path)
        faults += wrong
        lines = {n: v for n, v in found[path].items() if n not in marked}
        ran = sum(1 for count, _ in lines.values() if count)
        branches = sum(len(b) for _, b in lines.values())
        taken = sum(1 for _, b in lines.values() for count in b if count)
        for key, value in (("lines", len(lines)), ("ran", ran), ("branches", branches), ("taken", taken),
                           ("marked", len(found[path]) - len(lines))):
            total[key] += value
        low = percent(ran, len(lines)) < args.lines or percent(taken, branches) < args.branches
        if low or args.all:
            never = ranges(sorted(n for n, (count, _) in lines.items() if not count))
            print("%-32s lines %5.1f %% of %4d, branches %5.1f %% of %4d%s" % (
                path, percent(ran, len(lines)), len(lines), percent(taken, branches), branches, never and "; never: " + never))
    print("host/: lines %.1f %% of %d (mark %g), branches %.1f %% of %d (mark %g), out of reach %.2f %%" % (
        percent(total["ran"], total["lines"]), total["lines"], args.lines, percent(total["taken"], total["branches"]),
        total["branches"], args.branches, percent(total["marked"], total["lines"] + total["marked"])))
    for fault in faults:
        print(fault)
    good = (percent(total["ran"], total["lines"]) >= args.lines and percent(total["taken"], total["branches"]) >= args.branches
            and total["marked"] <= MOST_MARKED * (total["lines"] + total["marked"]) and not faults)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
