"""Every way of asking, by name."""

from . import blanks, continuing, likelihood, masks, pairs, restoring
from .mode import Mode

MODES: dict[str, Mode] = {
    module.MODE.name: module.MODE
    for module in (continuing, blanks, masks, restoring, pairs, likelihood)
}
