"""The options of a fit: the program's own table, and how values of Python are written for it."""
import os
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from ._core import ffi, lib
from ._errors import in_python


class Option(NamedTuple):
    name: str  # "step-size"; the parameter is step_size
    group: str  # "Data", "Method", "Place", "Results"
    words: Tuple[str, ...]
    help: str
    flag: bool


def _read_table() -> Dict[str, Option]:
    table, at, entry = {}, ffi.new("int *"), ffi.new("fit_option *")
    while lib.fit_option_next(at, entry):
        name, group, words, text = (ffi.string(field).decode() for field in (entry.name, entry.group, entry.words, entry.help))
        option = Option(name, group, tuple(words.split("|")) if words else (), in_python(text), entry.flag)
        table[name.replace("-", "_")] = option
    return table


#: By parameter. Those that speak of the program's streams are not here.
OPTIONS = {name: option for name, option in _read_table().items() if name not in ("json", "quiet", "help", "version")}


def text_of(option: Option, value: Any) -> str:
    """As it would be written on a command line."""
    if isinstance(value, (bool, np.bool_)):
        return ("yes" if value else "no") if "yes" in option.words else str(value)
    if isinstance(value, (float, np.floating)):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return ",".join(str(part) for part in value)
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


def written(options: Dict[str, Any]) -> List[Tuple[str, str]]:
    """Names and texts of the options that are given: not None, and of flags those that are true."""
    pairs = []
    for name, value in options.items():
        if name not in OPTIONS:
            raise TypeError(f"fitrelu has no option {name!r}; it has: {', '.join(sorted(OPTIONS))}")
        option = OPTIONS[name]
        if value is None or (option.flag and not value):
            continue
        if option.flag and value is not True and not isinstance(value, np.bool_):
            raise TypeError(f"{name} is {value!r}, expected True or False")
        pairs.append((option.name, "" if option.flag else text_of(option, value)))
    return pairs


def described(names, indent: str) -> str:
    """The section "Parameters" of a docstring, from the program's own help."""
    import textwrap

    lines = []
    for name in names:
        lines.append(f"{indent}{name}")
        lines += textwrap.wrap(OPTIONS[name].help, 100, initial_indent=indent + "    ", subsequent_indent=indent + "    ")
    return "\n".join(lines)
