"""Text that changes while a run, or a recording, is at work."""

from collections.abc import Mapping

from ...objectives.errors import UsageError
from .mixture import Mixture


def require_unchanged(mixture: Mixture, identities: Mapping[str, str]) -> None:
    """Refuses text that changed after it was identified; call once it is open.

    Args:
      mixture: of the corpora and the vocabulary.
      identities: as `Mixture.identities` gave them; what is not among them is not
        compared.

    Raises:
      UsageError: naming the corpus or the vocabulary.
    """
    for name, found in mixture.identities().items():
        if identities.get(name, found) != found:
            raise UsageError(
                f"{name} changed since the run began: it was {identities[name]}, and "
                f"is {found}. Let nothing write there while it is read, and run this "
                "again."
            )
