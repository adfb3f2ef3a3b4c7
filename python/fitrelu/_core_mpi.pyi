"""Made by cffi of fitrelu.h, fit_call.h and arrow_rows.h (python/bindings.py): lib has their functions and constants."""
from typing import Any

ffi: Any
lib: Any
