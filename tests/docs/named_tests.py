#!/usr/bin/env python3
"""tests/docs/named_tests.py - every test that docs/reliability.md names is there: `Suite.Name`, or `fuzz.wire` of CTest."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join("docs", "reliability.md")


def there():
    """The tests of the sources and, of those that CMake names, the ones written out."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "tests")):
        for name in names:
            if not name.endswith((".cpp", ".h", "CMakeLists.txt")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            found.update(".".join(t) for t in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", text))
            found.update(re.findall(r"add_test\(NAME ([\w.]+)", text))
            for targets in re.findall(r"^set\(targets ([^)]*)\)", text, re.M):
                found.update("fuzz." + target for target in targets.split())
    return found


def main():
    with open(os.path.join(ROOT, PAGE), encoding="utf-8") as file:
        rows = [line for line in file if re.match(r"\| .* \| .* \| .*\|$", line.rstrip())]
    faults = 0
    cases = 0
    known = there()
    for row in rows:
        cell = row.rstrip().rstrip("|").rpartition("|")[2]
        if cell.strip() in ("test", "how long, on two processors") or "---" in cell:
            continue
        names = re.findall(r"`([A-Za-z]\w*\.\w+)`", cell)
        cases += bool(names)
        missing = [name for name in names if name not in known]
        if missing:
            faults += 1
            print("%s: no such test: %s" % (PAGE, ", ".join(missing)))
    if cases < 45:
        faults += 1
        print("%s: %d faults have a test, at least 45 must" % (PAGE, cases))
    print("%d faults, each with its test" % cases if not faults else "%d wrong" % faults)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
