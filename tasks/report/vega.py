"""Vega-Lite, which measures texts with the font that it brings along and looks for no other.

So a chart comes out the same whatever fonts a machine has. And a font of the machine would be opened again for every letter, which
takes seven times as long as all the rest.
"""

from __future__ import annotations

import os
from pathlib import Path

import vl_convert

__all__ = ["vl_convert"]

_FONTS = "FONTCONFIG_FILE"
_TEXT = {"marks": [{"type": "text", "encode": {"enter": {"text": {"value": "a"}}}}]}

_of_machine = os.environ.get(_FONTS)
os.environ[_FONTS] = str(Path(__file__).with_name("fonts.conf"))
vl_convert.vega_to_svg(_TEXT)  # it looks for fonts at its first text and never again; what else this process starts finds the machine's
if _of_machine is None:
    del os.environ[_FONTS]
else:
    os.environ[_FONTS] = _of_machine
