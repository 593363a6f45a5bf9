"""Files of a folder that are found by themselves."""

import importlib
import pkgutil
from types import ModuleType


def modules_of(package: str) -> list[ModuleType]:
    """Imports every module of a package, in the order of their names.

    What a module registers is registered by that.
    """
    folder = importlib.import_module(package).__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder))
    return [importlib.import_module(f"{package}.{name}") for name in names]
