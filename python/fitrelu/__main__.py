"""python -m fitrelu: the program, as it was built with this package."""
import os
import sys

from ._program import PROGRAM


def main() -> None:
    sys.stdout.flush()
    os.execv(PROGRAM, [PROGRAM, *sys.argv[1:]])


if __name__ == "__main__":
    main()
