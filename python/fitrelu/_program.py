"""The program that lies in the package, and what it answers."""
import json
import os
import subprocess
from typing import Any, Dict, List

from ._errors import KINDS, FitreluError, Interrupted, in_python

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "fitrelu")

#: By these the program would take itself for a rank of the run that Python is in.
LAUNCHERS = ("OMPI_", "PMI_", "PMIX_", "MV2_", "SLURM_")


def _words(options: Dict[str, Any]) -> List[str]:
    words = []
    for name, value in options.items():
        if value is None or value is False:
            continue
        text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else os.fspath(value) if isinstance(
            value, os.PathLike) else repr(value) if isinstance(value, float) else str(value)
        words.append("--" + name.replace("_", "-") + ("" if value is True else "=" + text))
    return words


def ask(command: str, operands: List[str], options: Dict[str, Any], quiet: bool = True) -> Dict[str, Any]:
    """The object that a command prints with --json; what it says on stderr is shown unless quiet."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHERS)}
    line = [PROGRAM, command, "--json", *_words(options), "--", *operands]
    with subprocess.Popen(line, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL if quiet else None) as running:
        interrupted = False
        while True:  # Ctrl-C is for the program too, which keeps what it has
            try:
                out = running.communicate()[0]
                break
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise Interrupted(f"fitrelu {command} was interrupted")
    try:
        result = json.loads(out)
    except ValueError:
        raise FitreluError(f"fitrelu {command} ended with code {running.returncode} and without a result") from None
    if result.get("status") == "error":
        error = result["error"]
        raise KINDS.get(error["code"], FitreluError)(in_python(error["message"] or ""))
    return result
