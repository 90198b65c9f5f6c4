"""A worker of a Dask cluster that dies, or stops getting on, at a place: loaded by `dask worker --preload`, told by BREAKS.

BREAKS is `module:function N before|after|stall FILE`; who stalls writes the file first. The variable is not ours to keep: what is left
of it would be refused.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.recovery.killed_night import deadly

FOREVER = 600


def stalling(function: Callable[..., Any], sign: Path) -> Callable[..., Any]:
    """The function, which first gives a sign and then waits for ever."""

    def run(*arguments: Any, **named: Any) -> Any:
        sign.touch()
        time.sleep(FOREVER)
        return function(*arguments, **named)

    return run


place, call, way, sign = os.environ["BREAKS"].split(" ", 3)
module_name, name = place.split(":")
module = importlib.import_module(module_name)
own = getattr(module, name)
setattr(module, name, stalling(own, Path(sign)) if way == "stall" else deadly(own, int(call), way))
