"""The train step of a configuration beside Hugging Face's on the same shapes."""

import importlib
import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.progress import track

from ...models.config import ModelConfig
from ...models.rows import Batch, RowShape
from ...objectives.errors import UsageError
from ...tasks.tokens.vocabulary import vocabulary
from ..training.program import Program, program_of
from ._batches import BATCHES, Steps, some_batches
from ._step_speed import StepSpeed, mean_filled, shortest_seconds

OURS, THEIRS = "sightline", "Hugging Face"


def huggingface_speeds(
    settings: Mapping[str, Any], *, rounds: int
) -> dict[str, StepSpeed]:
    """The train step here and of the same dimensions in Hugging Face, in turns.

    There: Llama for a decoder's rows and T5 v1.1 for an encoder–decoder's, through
    `torch.compile`, with scaled dot product attention, AdamW, the same clipping, and
    autocast to the same dtype; every slot holds a token of one text and is predicted.

    Args:
      settings: arguments of `train`.
      rounds: steps of each.

    Raises:
      UsageError: torch or transformers is not installed.
    """
    missing = [n for n in ("torch", "transformers") if not importlib.util.find_spec(n)]
    if missing:
        raise UsageError(
            f"--huggingface needs {' and '.join(missing)}; install torch and "
            "transformers beside Sightline, both for the same device."
        )
    program = program_of(settings)
    batches = some_batches(settings["mixture"], settings)
    ours = _our_step(settings, program, batches)
    steps = {OURS: ours, THEIRS: _their_step(settings)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in track(range(-2, rounds), "Timing steps", transient=True):
        for each, step in steps.items():
            begun = time.perf_counter()
            step(round_ % BATCHES)
            if round_ >= 0:  # the first rounds compile and warm up
                seconds[each].append(time.perf_counter() - begun)
    shortest = shortest_seconds(program)
    slots = settings["batch_rows"] * sum(_widths(settings["rows"]))
    return {
        OURS: StepSpeed(np.array(seconds[OURS]), mean_filled(batches), shortest),
        THEIRS: StepSpeed(np.array(seconds[THEIRS]), float(slots), shortest),
    }


def _our_step(
    settings: Mapping[str, Any], program: Program, batches: Sequence[Batch]
) -> Callable[[int], None]:
    """Our step on a batch by number."""
    placed = list(map(program.place, batches))
    shares = settings["mixture"].loss_share_array()
    steps = Steps(program)

    def run(number: int) -> None:
        steps.seconds(placed[number], shares)

    return run


def _their_step(settings: Mapping[str, Any]) -> Callable[[int], None]:
    """Their step on a batch by number."""
    torch = importlib.import_module("torch")
    config, shape = settings["model"], settings["rows"]
    size = vocabulary(settings["mixture"].vocabulary).size
    device = "cuda" if torch.cuda.is_available() else "cpu"
    widths = _widths(shape)
    plain = _their_model(config, size, slots=max(widths), decoder_only=len(widths) == 1)
    model = torch.compile(plain.to(device))
    optimizer = torch.optim.AdamW(plain.parameters(), lr=1e-4, fused=device == "cuda")
    generator = torch.Generator().manual_seed(settings["seed"])
    rows, clip_norm = settings["batch_rows"], settings.get("clip_norm", 1.0)
    batches = [
        [
            torch.randint(size, (rows, width), generator=generator).to(device)
            for width in widths
        ]
        for _ in range(BATCHES)
    ]

    def run(number: int) -> None:
        *memory, target = batches[number]
        source = memory[0] if memory else target
        with torch.autocast(
            device, torch.bfloat16, enabled=config.compute_dtype == "bfloat16"
        ):
            loss = model(input_ids=source, labels=target).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device == "cuda":
            torch.cuda.synchronize()

    return run


def _their_model(
    config: ModelConfig, size: int, *, slots: int, decoder_only: bool
) -> Any:
    """A model of the same dimensions, its parameters in float32."""
    transformers = importlib.import_module("transformers")
    if decoder_only:
        return transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                vocab_size=size,
                hidden_size=config.d_model,
                intermediate_size=config.d_hidden,
                num_hidden_layers=config.layers,
                num_attention_heads=config.heads,
                num_key_value_heads=config.kv_heads,
                head_dim=config.head_dim,
                hidden_act=config.activation,
                max_position_embeddings=slots,
                rope_theta=config.rope_theta,
                rms_norm_eps=config.norm_epsilon,
                tie_word_embeddings=config.tie_embeddings,
                use_cache=False,
            )
        )
    return transformers.T5ForConditionalGeneration(
        transformers.T5Config(
            vocab_size=size,
            d_model=config.d_model,
            d_kv=config.head_dim,
            d_ff=config.d_hidden,
            num_layers=config.layers,
            num_decoder_layers=config.layers,
            num_heads=config.heads,
            feed_forward_proj=f"gated-{config.activation}",
            dropout_rate=0.0,
            layer_norm_epsilon=config.norm_epsilon,
            tie_word_embeddings=config.tie_embeddings,
            decoder_start_token_id=0,
            use_cache=False,
        )
    )


def _widths(shape: RowShape) -> tuple[int, ...]:
    """Slots of a row: of the encoder, if there is one, then of the decoder."""
    streams = [s for s in (shape.encoder, shape.decoder) if s is not None]
    return tuple(stream.slots for stream in streams)
