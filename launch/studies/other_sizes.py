"""Effects of a study at other sizes, for the picture of scores over size."""

from pathlib import Path

from ...diagnosis.results import effects_file
from ...diagnosis.results.effects import Effects
from ...objectives.errors import UsageError
from .study import Study


def other_sizes(study: Study) -> list[Effects]:
    """The effects in the folders of `study.beside`.

    Raises:
      UsageError: a folder has none of an adaptation, or they are of another text, whose
        scores do not compare with the study's; or the study is no adaptation itself.
    """
    found: list[Effects] = []
    for folder in study.beside:
        if study.adaptation is None:
            raise UsageError(
                f"study.beside has {folder!r}, and scores over size are drawn of "
                "adaptations: leave it out, or bind study.adaptation = @Adaptation()."
            )
        there = effects_file.read_folder(Path(folder) / "effects")
        if not any(effects.setup.original_tokens for effects in there):
            raise UsageError(
                f"study.beside has {folder!r}, which has no effects/*.json of an "
                "adaptation; name folders that `sightline study` has written of some."
            )
        for effects in there:
            if set(effects.corpus.split(", ")) != set(study.trained_on):
                raise UsageError(
                    f"study.beside has {folder!r}, a study of {effects.corpus!r}; this "
                    f"one is of {study.text_name!r}, so scores do not compare: leave "
                    "it out."
                )
        found += there
    return found
