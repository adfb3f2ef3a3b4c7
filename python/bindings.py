"""python/bindings.py NAME HEADER... OUTPUT - writes the C source of fitrelu.NAME, which cffi makes of the headers as they stand.

There is no second list of declarations: what fitrelu.h declares is what Python can call, and the compiler holds the one
against the other (cffi's API mode). The module keeps to CPython's limited API: one file serves every version from 3.9 on.
"""
import os
import re
import sys

import cffi

CALLBACKS = """
extern "Python" int fitrelu_report(const fr_report *, void *);
extern "Python" int fitrelu_progress(const fr_report *, void *);
"""


def declarations(path):
    """A header without comments, directives and what is for C++ alone, as cffi's parser reads it."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^#ifdef __cplusplus$.*?^#endif$", "", text, flags=re.S | re.M)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    return re.sub(r"\bFR_API\b", "", text)


def main(name, headers, output):
    builder = cffi.FFI()
    for header in headers:
        builder.cdef(declarations(header))
    builder.cdef(CALLBACKS)
    builder.set_source(f"fitrelu.{name}", "".join(f'#include "{os.path.basename(header)}"\n' for header in headers))
    builder.emit_c_code(output)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:-1], sys.argv[-1])
