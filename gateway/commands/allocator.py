"""The C library's allocator, told once to keep at hand what files and answers need again with every piece of them.

Left alone, glibc gives the top of the heap back as soon as a few hundred KiB of it are free, and has it mapped and cleared again
for the next piece: when a large file is passed on, that is two fifths of all the processor time it takes.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping

# mallopt(3). Without a word from us these two grow as blocks are freed, up to 64 and 32 MiB; fixed, they are bounds as well.
_M_TRIM_THRESHOLD, _KEPT = -1, 8 * 1024 * 1024  # bytes free at the top of the heap before they are given back
_M_MMAP_THRESHOLD, _APART = (
    -3,
    4 * 1024 * 1024,
)  # bytes from which a block is mapped for itself, and given back when it is freed
_OPERATORS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def tune(environ: Mapping[str, str]) -> bool:
    """Say so to the allocator; False where it is another one, or where the operator has told it something."""
    if sys.platform != "linux" or any(name in environ for name in _OPERATORS):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False  # musl's has no such words
    return bool(mallopt(_M_TRIM_THRESHOLD, _KEPT) and mallopt(_M_MMAP_THRESHOLD, _APART))
