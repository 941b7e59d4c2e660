"""All cases: importing a module of cases registers what it holds."""

import importlib

from cases import CASES

for _module in ("healthy", "layer1", "layer2", "layer3", "layer4", "layer5", "layer6",
                "layer7", "layer8", "layer9", "claims", "unseen"):
    importlib.import_module(_module)

__all__ = ["CASES"]
