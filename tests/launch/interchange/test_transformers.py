"""Imported and exported models against transformers, on random tiny ones.

They run where torch and transformers are: `make test-interop`.
"""

import warnings

import jax
import numpy as np
import pytest

from sightline.diagnosis.probes.asking.subject import subject
from sightline.diagnosis.probes.published.likelihoods import (
    log_likelihoods,
    tokenised,
)
from sightline.launch.inference.open import load_trained
from sightline.launch.interchange.export_model import export_model
from sightline.launch.interchange.import_model import import_model
from sightline.models.decoding.generate import make_generate
from sightline.models.decoding.prompts import prompts
from sightline.models.decoding.samplers import greedy
from sightline.models.rows import Batch, Memory, Stream
from sightline.models.vocabulary_loss import logits
from sightline.objectives.example import sequential
from sightline.tasks import corpora
from sightline.tasks.tokens.vocabulary import vocabulary

from .conftest import LLAMA, T5, own_run

torch = pytest.importorskip("torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    transformers = pytest.importorskip("transformers")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.optimised,
]

SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
LLAMAS = {
    "llama 2": {"num_key_value_heads": 4},
    "gqa": {},
    "mqa, tied": {"num_key_value_heads": 1, "tie_word_embeddings": True},
    "head_dim": {"head_dim": 16},
    "llama 3": {"rope_theta": 500000.0, "rope_scaling": SCALING},
    "mistral": {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "sliding_window": None,
    },
}
T5S = {
    "t5 v1.1": {},
    "t5": {"feed_forward_proj": "relu", "tie_word_embeddings": True},
    "ul2": {"feed_forward_proj": "gated-silu"},
    "mt5": {"architectures": ["MT5ForConditionalGeneration"], "model_type": "mt5"},
    "umt5": {"architectures": ["UMT5ForConditionalGeneration"], "model_type": "umt5"},
}
TOLERANCE = dict(rtol=1e-5, atol=2e-5)


def theirs_of(config: dict, seed: int = 0):
    """A random model of transformers; scales are random too, and larger than usual."""
    torch.manual_seed(seed)
    kind = getattr(transformers, config["architectures"][0])
    model = kind(kind.config_class.from_dict(dict(config))).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3)
    if "t5" in config["model_type"] and not config["tie_word_embeddings"]:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
        torch.nn.init.normal_(model.lm_head.weight, 0.0, 0.3)
    return model


def imported(folders, config: dict, **options):
    """A model of theirs, and ours of the run that it was imported into."""
    theirs = theirs_of(config)
    folder = folders.empty(config)
    theirs.save_pretrained(folder)
    run = folders.root / "run"
    import_model(folder, run, **options)
    return theirs, load_trained(run, compute_dtype="float32"), run


def decoder_batch(tokens: np.ndarray, *, both_ways: bool = False) -> Batch:
    """Rows of one text each."""
    rows, slots = tokens.shape
    place = np.broadcast_to(np.arange(slots, dtype=np.int32), tokens.shape)
    nothing = np.zeros((rows, 1), np.int32)
    return Batch(
        Stream(
            tokens=tokens,
            positions=place,
            query_positions=place,
            segment_ids=np.ones_like(tokens),
            visible_from=np.zeros_like(tokens),
            visible_to=np.full_like(tokens, slots) if both_ways else place + 1,
            prediction_slots=nothing,
            targets=nothing,
            loss_weights=np.zeros((rows, 1), np.float32),
            objective_ids=nothing,
        )
    )


def our_logits(model, batch: Batch) -> np.ndarray:
    return np.asarray(logits(model(batch).decoder, model.projection()))


def their_logits(model, **inputs) -> np.ndarray:
    with torch.no_grad():
        return model(**inputs).logits.numpy()


def random_tokens(config: dict, rows: int = 3, slots: int = 24, seed: int = 1):
    rng = np.random.default_rng(seed)
    return rng.integers(3, config["vocab_size"], (rows, slots), dtype=np.int32)


@pytest.mark.parametrize("name", LLAMAS)
def test_a_llama_has_their_logits(folders, name):
    config = {**LLAMA, **LLAMAS[name]}
    theirs, run, _ = imported(folders, config)
    tokens = random_tokens(config)
    ids = torch.tensor(tokens, dtype=torch.long)
    causal = their_logits(theirs, input_ids=ids)
    np.testing.assert_allclose(
        our_logits(run.model, decoder_batch(tokens)), causal, **TOLERANCE
    )
    mask = torch.zeros(len(tokens), 1, 24, 24)
    both = their_logits(theirs, input_ids=ids, attention_mask=mask)
    found = our_logits(run.model, decoder_batch(tokens, both_ways=True))
    np.testing.assert_allclose(found, both, **TOLERANCE)
    assert np.abs(both - causal).max() > 0.1


@pytest.mark.parametrize("name", T5S)
def test_a_t5_has_their_logits(folders, name):
    config = {**T5, **T5S[name]}
    theirs, run, _ = imported(folders, config)
    inputs, targets = random_tokens(config), random_tokens(config, slots=12, seed=2)
    encoder = decoder_batch(inputs, both_ways=True).decoder
    decoder = decoder_batch(targets).decoder
    zeros = np.zeros_like(targets)
    batch = Batch(decoder, encoder, Memory(zeros, np.full_like(targets, 24)))
    wanted = their_logits(
        theirs,
        input_ids=torch.tensor(inputs, dtype=torch.long),
        decoder_input_ids=torch.tensor(targets, dtype=torch.long),
    )
    np.testing.assert_allclose(our_logits(run.model, batch), wanted, **TOLERANCE)


@pytest.mark.parametrize("name", ["gqa", "llama 3", "t5 v1.1", "t5", "umt5"])
def test_greedy_generation_is_theirs(folders, name):
    config = {**LLAMA, **LLAMAS[name]} if name in LLAMAS else {**T5, **T5S[name]}
    theirs, run, _ = imported(folders, config)
    tokens = random_tokens(config, rows=1, slots=10)[0]
    if name in LLAMAS:
        given, inputs, prompt = 10, (), np.append([1], tokens)
        example = sequential(
            0, (), tokens, inputs_positions=(), targets_positions=np.arange(1, 11)
        )
    else:
        given, inputs, prompt = 0, tokens, tokens
        example = sequential(
            0,
            inputs,
            tokens[:1],
            inputs_positions=np.arange(1, 11),
            targets_positions=np.arange(12, 13),
        )
    lengths = given + 20
    asked = prompts(
        [example], given=[given], inputs=len(inputs), targets=lengths, lengths=[lengths]
    )
    bos, eos = (1, 2) if name in LLAMAS else (0, 1)
    generate = make_generate(run.model, sampler=greedy, bos=bos, eos=eos)
    found = generate(asked, jax.random.split(jax.random.key(0), 1))
    theirs.generation_config.update(bos_token_id=bos, eos_token_id=eos, pad_token_id=0)
    with torch.no_grad():
        wanted = theirs.generate(
            torch.tensor(prompt[None], dtype=torch.long),
            do_sample=False,
            max_new_tokens=20,
        )[0].numpy()
    ours = found.targets[0, : found.lengths[0]]
    np.testing.assert_array_equal(ours, wanted[1:])
    assert len(set(ours.tolist())) > 1


def packed(texts: list[np.ndarray]) -> Batch:
    """One row of several texts, and a free slot behind them."""
    tokens = np.concatenate([*texts, [0]]).astype(np.int32)[None]
    place = np.concatenate([*(np.arange(len(t)) for t in texts), [0]])
    first = np.concatenate(
        [np.full(len(t), sum(map(len, texts[:n]))) for n, t in enumerate(texts)] + [[0]]
    )
    batch = decoder_batch(tokens)
    return Batch(
        batch.decoder._replace(
            positions=place[None].astype(np.int32),
            query_positions=place[None].astype(np.int32),
            visible_from=first[None].astype(np.int32),
        )
    )


def test_packed_rows_are_texts_by_themselves(folders):
    config = {**LLAMA, **LLAMAS["llama 3"]}
    theirs, run, _ = imported(folders, config)
    texts = [random_tokens(config, 1, n, seed=n)[0] for n in (7, 12, 4)]
    found = our_logits(run.model, packed(texts))[0]
    start = 0
    for text in texts:
        ids = torch.tensor(text[None], dtype=torch.long)
        wanted = their_logits(theirs, input_ids=ids)[0]
        np.testing.assert_allclose(
            found[start : start + len(text)], wanted, **TOLERANCE
        )
        start += len(text)


def log_p(scores: np.ndarray) -> np.ndarray:
    return np.asarray(jax.nn.log_softmax(scores, axis=-1))


def exported(tmp_path, rates: dict, **changes):
    """A run of our own, and the folder and model of transformers that it became."""
    run = own_run(tmp_path / "run", rates, **changes)
    export_model(run, tmp_path / "hf", shard_bytes=60_000)
    auto = (
        transformers.AutoModelForSeq2SeqLM
        if changes.get("architecture") == "encoder_decoder"
        else transformers.AutoModelForCausalLM
    )
    theirs = auto.from_pretrained(tmp_path / "hf", dtype=torch.float32).eval()
    return load_trained(run, compute_dtype="float32"), theirs, tmp_path / "hf"


def their_text(folder: str, text: str, **options):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return np.array(tokenizer(text, **options)["input_ids"], np.int32)


def probed(run, mode: str, text: str) -> float:
    """The log-likelihood of a text by which published tests compare it with others."""
    words = vocabulary(run.mixture.vocabulary)
    model = subject(run.model, run.rows, words, trained={})
    whole = tokenised(model, ("", text), whole=True)
    return float(log_likelihoods(model, mode, [whole], masks="token")[0])


@pytest.mark.parametrize("mode", ["causal", "masked", "shifted"])
@pytest.mark.parametrize("vocab", ["python_docs", "bytes"])
def test_an_exported_decoder_gives_the_same_likelihoods(tmp_path, vocab, mode):
    """From the text on, through their tokeniser: each token, and what probes add up."""
    rates = {"python_docs.causal": 1.0, "python_docs.masked": 1.0}
    run, theirs, folder = exported(tmp_path, rates, vocab=vocab, tie_embeddings=False)
    words = vocabulary(vocab)
    text = "Return the number of items."
    tokens = words.encode(text)
    ids = their_text(folder, text)
    np.testing.assert_array_equal(ids, [words.special_ids.bos, *tokens])
    if mode == "causal":
        wanted = their_logits(theirs, input_ids=torch.tensor(ids[None]).long())
        found = our_logits(run.model, decoder_batch(ids[None]))
        pairs = [(log_p(x)[0, range(len(tokens)), tokens]) for x in (found, wanted)]
        np.testing.assert_allclose(*pairs, rtol=1e-5, atol=2e-5)
        assert probed(run, mode, text) == pytest.approx(pairs[1].sum(), abs=1e-3)
        return
    shift = int(mode == "shifted")
    base = ids if shift else ids[1:]
    lines = np.repeat(base[None], len(tokens), axis=0)
    lines[range(len(tokens)), shift + np.arange(len(tokens))] = words.special_ids.mask
    mask = torch.zeros(len(lines), 1, len(base), len(base))
    wanted = their_logits(
        theirs, input_ids=torch.tensor(lines).long(), attention_mask=mask
    )
    found = our_logits(run.model, decoder_batch(lines, both_ways=True))
    slots = np.arange(len(tokens))  # shifted: slot i predicts the token at i + 1
    pairs = [log_p(x)[slots, slots, tokens] for x in (found, wanted)]
    np.testing.assert_allclose(*pairs, rtol=1e-5, atol=2e-5)
    assert probed(run, mode, text) == pytest.approx(pairs[1].sum(), abs=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"tie_embeddings": False},
        {"tie_embeddings": True},
        {"tie_embeddings": True, "scale_logits": True, "activation": "gelu"},
        {"tie_embeddings": False, "relative_per_layer": True},
        {"tie_embeddings": False, "gated": False, "activation": "relu"},
    ],
    ids=str,
)
def test_an_exported_encoder_decoder_has_our_logits(tmp_path, changes):
    run, theirs, folder = exported(
        tmp_path,
        {"python_docs.span_corruption": 1.0},
        architecture="encoder_decoder",
        position="relative_bias",
        kv_heads=4,
        **changes,
    )
    special = vocabulary("python_docs").special_ids
    inputs = their_text(folder, "Return the number of items.")
    assert inputs[-1] == special.eos
    targets = np.array([special.bos, special.sentinels[0], 40, 41], np.int32)
    batch = Batch(
        decoder_batch(targets[None]).decoder,
        decoder_batch(inputs[None], both_ways=True).decoder,
        Memory(np.zeros((1, 4), np.int32), np.full((1, 4), len(inputs), np.int32)),
    )
    wanted = their_logits(
        theirs,
        input_ids=torch.tensor(inputs[None]).long(),
        decoder_input_ids=torch.tensor(targets[None]).long(),
    )
    np.testing.assert_allclose(our_logits(run.model, batch), wanted, **TOLERANCE)
    assert theirs.config.decoder_start_token_id == special.bos


@pytest.mark.parametrize("vocab", ["python_docs", "policies", "bytes"])
def test_their_tokeniser_gives_our_ids(tmp_path, vocab):
    """On the shipped corpus, on rare characters, and on every space."""
    run = own_run(tmp_path / "run", {"python_docs.causal": 1.0}, vocab=vocab)
    export_model(run, tmp_path / "hf")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    words = vocabulary(vocab)
    documents = corpora.get("python_docs").documents("train")
    texts = [documents[index][:3000] for index in range(40)]
    rng = np.random.default_rng(0)
    letters = " \n\tabcde fortytwo.,'\"éß東京🙂\u00a0"
    texts += ["".join(rng.choice(list(letters), 60)) for _ in range(200)]
    texts += ["", " ", "  two", "\n\nthree ", "The  policy forty\n\n forty"]
    for text in texts:
        ours = words.encode(text).tolist()
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == ours, text
        assert tokenizer.decode(ours) == words.decode(ours) == text
    special = words.special_ids
    assert tokenizer.mask_token_id == special.mask
    assert tokenizer.convert_tokens_to_ids("<sentinel_3>") == special.sentinels[3]
    assert len(tokenizer) == words.size
