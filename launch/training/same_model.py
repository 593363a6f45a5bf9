"""Whether another run's vocabulary and dimensions are those of this one."""

import ast
import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...models.config import ModelConfig
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.vocabulary import vocabulary
from ..runs.run_identity import bindings_of

MAY_DIFFER = ("compute_dtype", "remat", "unroll", "loss_chunk", "z_loss")
"""Fields of `ModelConfig` that say how parameters are computed with or trained, and not
what they mean."""

_VOCABULARY = re.compile(r"^# vocabulary sha256 (\w+)$", re.MULTILINE)
_REFERENCE = re.compile(r"@(.+)\(\)")


def differences(config: str, model: ModelConfig, mixture: Mixture) -> Iterator[str]:
    """What of vocabulary and model differs, one `name: theirs X, ours Y` each.

    Args:
      config: text of the other run's `config.gin`.
      model: of the present run.
      mixture: of the present run.
    """
    bound = bindings_of(config)
    vocab, digest = vocabulary(mixture.vocabulary), _VOCABULARY.search(config)
    if digest is None or digest[1] != vocab.digest:
        theirs = _block(bound, "train.mixture").get("vocabulary", "unknown")
        print_ = f"{digest[1][:12]}…" if digest else "not recorded"
        yield (
            f"vocabulary: theirs {theirs!r} (sha256 {print_}), ours {vocab.name!r} "
            f"(sha256 {vocab.digest[:12]}…)"
        )
    theirs = _block(bound, "train.model")
    ours = dataclasses.asdict(model)
    defaults = {field.name: field.default for field in dataclasses.fields(model)}
    for name in dict.fromkeys((*ours, *theirs)):
        if name in MAY_DIFFER:
            continue
        have = theirs.get(name, defaults.get(name, dataclasses.MISSING))
        want = ours.get(name, dataclasses.MISSING)
        if have != want:
            yield f"ModelConfig.{name}: theirs {_spell(have)}, ours {_spell(want)}"


def _block(bound: Mapping[str, str], user: str) -> dict[str, Any]:
    """The settings of what a binding refers to: of `@ModelConfig()`, by field."""
    reference = _REFERENCE.fullmatch(bound.get(user, ""))
    prefix = f"{reference[1]}." if reference else "\0"
    return {
        name.removeprefix(prefix): _value(text)
        for name, text in bound.items()
        if name.startswith(prefix)
    }


def _value(text: str) -> Any:
    """A bound value; the text of one that is no literal."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _spell(value: Any) -> str:
    return "none" if value is dataclasses.MISSING else repr(value)
