"""All cases: importing a module of cases registers what it holds."""

import importlib

from cases import CASES

for _module in ("healthy", "layer2", "layer3", "layer4", "layer5", "layer6"):
    importlib.import_module(_module)

__all__ = ["CASES"]
