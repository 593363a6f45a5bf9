"""In, out and in again: the same bits, without transformers."""

import json

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.diagnosis.audit.audit import audit
from sightline.launch import cli
from sightline.launch.inference.open import load_trained
from sightline.launch.interchange.card import card
from sightline.launch.interchange.import_model import import_model
from sightline.launch.interchange.safetensors import open_folder, read
from sightline.launch.interchange.tokeniser_out import tokeniser_files
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import get
from sightline.objectives.special_ids import MissingIdError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.preflight import check_ids
from sightline.tasks.tokens.vocabulary import vocabulary

from .conftest import LLAMA, T5, own_run, sentencepiece_model

SCALING = {
    "type": "llama3",
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
FORMS = {
    "llama": LLAMA,
    "llama 3, tied": {**LLAMA, "rope_scaling": SCALING, "tie_word_embeddings": True},
    "t5 v1.1": T5,
    "t5": {**T5, "feed_forward_proj": "relu", "tie_word_embeddings": True},
    "umt5": {
        **T5,
        "architectures": ["UMT5ForConditionalGeneration"],
        "model_type": "umt5",
    },
}


def main(*words) -> None:
    assert cli.main([str(word) for word in words]) == 0


def contents(run) -> tuple:
    """Dimensions and parameters of a run; its vocabulary's digest."""
    opened = load_trained(run)
    leaves = jax.tree_util.tree_leaves_with_path(nnx.state(opened.model))
    arrays = {
        jax.tree_util.keystr(path, simple=True, separator=".").removesuffix(".value"):
        np.asarray(leaf)
        for path, leaf in leaves
    }  # fmt: skip
    return opened, arrays, vocabulary(opened.mixture.vocabulary)


@pytest.mark.parametrize("dtype", ["F32", "BF16"])
@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_lost(folders, form, dtype):
    source = folders.write(FORMS[form], dtype=dtype, shard_bytes=40_000)
    first, back, second = (folders.root / name for name in ("first", "back", "second"))
    main("import", f"hf:{source}", f"--out={first}")
    main("export", first, "--format=hf", f"--out={back}", "--shard_size=1MB")
    main("import", f"hf:{back}", f"--out={second}")
    before, after = open_folder(source), open_folder(back)
    assert before.keys() == after.keys()
    for name in before:
        assert before[name].dtype == after[name].dtype == dtype
        np.testing.assert_array_equal(
            np.asarray(read(before[name])).view(np.uint8),
            np.asarray(read(after[name])).view(np.uint8),
        )
    (one, arrays, vocab), (other, again, same_vocab) = map(contents, (first, second))
    assert one.config == other.config
    assert vocab.digest == same_vocab.digest
    assert arrays.keys() == again.keys()
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], again[name])
    assert len(list(source.glob("*.safetensors"))) > 1
    assert one.config.compute_dtype == {"F32": "float32", "BF16": "bfloat16"}[dtype]


@pytest.mark.parametrize("vocab", ["python_docs", "bytes"])
def test_a_run_of_our_own_comes_back(tmp_path, vocab):
    run = own_run(tmp_path / "run", {"python_docs.causal": 1.0}, vocab=vocab)
    main("export", run, "--format=hf", f"--out={tmp_path / 'hf'}")
    main("import", f"hf:{tmp_path / 'hf'}", f"--out={tmp_path / 'back'}")
    (one, arrays, first), (other, again, second) = map(
        contents, (run, tmp_path / "back")
    )
    assert first.digest == second.digest
    assert one.config == other.config
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], again[name])


@pytest.mark.parametrize("tied", [True, False])
def test_a_run_of_t5s_shape_comes_back(tmp_path, tied):
    """A tied table without T5's scale is written twice, and is one again."""
    run = own_run(
        tmp_path / "run",
        {"python_docs.span_corruption": 1.0},
        architecture="encoder_decoder",
        position="relative_bias",
        kv_heads=4,
        tie_embeddings=tied,
    )
    main("export", run, "--format=hf", f"--out={tmp_path / 'hf'}")
    main("import", f"hf:{tmp_path / 'hf'}", f"--out={tmp_path / 'back'}")
    assert load_trained(run).config == load_trained(tmp_path / "back").config


def test_two_tables_stay_two_as_transformers_5_writes_them(folders):
    """It says of every T5 that its tables are tied, whatever is in the file."""
    source = folders.write(T5)
    runs = [folders.root / "before", folders.root / "after"]
    import_model(source, runs[0])
    config = json.loads((source / "config.json").read_text())
    assert not config["tie_word_embeddings"]
    config |= {"tie_word_embeddings": True, "scale_decoder_outputs": False}
    (source / "config.json").write_text(json.dumps(config))
    import_model(source, runs[1])
    (one, arrays, _), (other, again, _) = map(contents, runs)
    assert one.config == other.config and not other.config.tie_embeddings
    jax.tree.map(np.testing.assert_array_equal, arrays, again)


def test_a_moved_run_finds_its_vocabulary(folders, monkeypatch):
    run = folders.root / "run"
    import_model(folders.write(LLAMA), run)
    moved = run.rename(folders.root / "moved")
    monkeypatch.chdir(folders.root)
    opened = load_trained(moved.relative_to(folders.root))
    vocab = vocabulary(opened.mixture.vocabulary)
    assert vocab.size == LLAMA["vocab_size"]
    assert vocab.decode(vocab.encode("some other words")) == "some other words"


def test_sentinels_are_t5s(folders):
    run = folders.root / "run"
    import_model(folders.write(T5), run)
    vocab = vocabulary(str(run / "vocabulary.json"))
    assert vocab.size == 416
    # 300 pieces, then 100 ids, and 16 rows that nothing uses.
    assert vocab.special_ids.sentinels == tuple(range(399, 299, -1))
    assert (vocab.special_ids.bos, vocab.special_ids.pad) == (0, 0)
    assert vocab.decode([399, 415, 1]) == "<sentinel_0><unused_415><eos>"


def test_a_t5_starts_with_its_pad_though_its_config_does_not_say_what_it_is(folders):
    silent = ("is_encoder_decoder", "decoder_start_token_id")
    config = {key: value for key, value in T5.items() if key not in silent}
    run = folders.root / "run"
    import_model(folders.write(config), run)
    assert vocabulary(str(run / "vocabulary.json")).special_ids.bos == 0


def test_an_objective_without_its_ids_is_refused_by_name(folders):
    run = folders.root / "run"
    import_model(folders.write(LLAMA), run)
    path = str(run / "vocabulary.json")
    ids = vocabulary(path).special_ids
    for name in ("masked", "fill_in_middle", "sentence_pair", "span_corruption"):
        mixture = Mixture("m", {f"python_docs.{name}": 1.0}, vocabulary=path)
        with pytest.raises(UsageError, match=rf"'{name}'.*--add_reserved_ids"):
            check_ids(mixture.objective(name), ids)
    for name in ("causal", "prefix", "permuted"):
        check_ids(Mixture("m", {f"python_docs.{name}": 1.0}).objective(name), ids)
    seldom = Mixture(
        "m",
        {"python_docs.prefix": 1.0},
        settings={"prefix": {"mode": "S", "mode_rate": 1e-6}},
    )
    with pytest.raises(UsageError, match="denoising mode"):
        check_ids(seldom.objective("prefix"), ids)
    with pytest.raises(MissingIdError, match="masked token"):
        _ = ids.mask


def test_added_rows_are_the_mean(folders):
    source = folders.write(LLAMA)
    plain, more = folders.root / "plain", folders.root / "more"
    import_model(source, plain)
    added = import_model(source, more, add_reserved_ids=True)
    _, before, _ = contents(plain)
    opened, after, vocab = contents(more)
    assert vocab.size == opened.model.projection().shape[0] == 320 + added.added == 512
    assert not vocab.reserved.lacking
    for table in ("embedding.table", "embedding.output"):
        np.testing.assert_array_equal(after[table][:320], before[table])
        mean = before[table].mean(axis=0)
        assert np.abs(after[table][320:] - mean).max() < 1e-6
    record = json.loads((more / "imported.json").read_text())
    assert record["added_rows"] == added.added
    check_ids(opened.mixture.objective("masked"), vocab.special_ids)


def test_rows_keep_within_the_window(folders):
    mistral = {
        **LLAMA,
        "architectures": ["MistralForCausalLM"],
        "sliding_window": 16,
    }
    source = folders.write(mistral)
    with pytest.raises(UsageError, match=r"window is 16.*--slots=16"):
        import_model(source, folders.root / "run")
    imported = import_model(source, folders.root / "run", slots=16)
    assert imported.rows.decoder.slots == 16
    main("export", folders.root / "run", "--format=hf", f"--out={folders.root / 'hf'}")
    config = json.loads((folders.root / "hf" / "config.json").read_text())
    assert config["max_position_embeddings"] == 16  # as it has no window there


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"position": "relative_bias"}, "a Llama has RoPE"),
        ({"gated": False}, "a Llama's MLP has a gate"),
        ({"scale_logits": True}, "does not scale its logits"),
        ({"heads": 5, "kv_heads": 5}, "no multiple of heads=5"),
        ({"architecture": "encoder_decoder"}, "its cross-attention rotates"),
        (
            {"architecture": "encoder_decoder", "position": "relative_bias"},
            "kv_heads=2 of heads=4",
        ),
    ],
    ids=str,
)
def test_what_they_lack_is_refused(tmp_path, changes, reason):
    run = own_run(tmp_path / "run", {"python_docs.causal": 1.0}, **changes)
    out = tmp_path / "hf"
    with pytest.raises(UsageError, match=reason):
        from sightline.launch.interchange.export_model import export_model

        export_model(run, out)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_card_says_how_to_ask(tmp_path):
    rates = {"python_docs.causal": 1.0, "python_docs.masked": 3.0}
    run = own_run(tmp_path / "run", rates, bindings=("masked.rate=0.3",))
    main("export", run, "--format=hf", f"--out={tmp_path / 'hf'}")
    card = (tmp_path / "hf" / "README.md").read_text()
    assert "| python_docs" not in card
    assert "| causal | 25.0% |" in card
    assert "| masked (rate=0.3" in card and "| 75.0% |" in card
    assert "torch.zeros(1, 1, N, N)" in card
    ids = vocabulary("python_docs").special_ids
    assert f"MASK is {ids.mask}" in card


def written_card(rates, rows, **changes):
    mixture = Mixture("m", rates, vocabulary="bytes", **changes)
    reserved = vocabulary("bytes").reserved
    return card(mixture, rows, reserved, family="Llama", run="mine", step=9,
                origin="trained here", remarks=())  # fmt: skip


@pytest.mark.parametrize(
    "objective", ["prefix", "span_corruption", "reconstruction", "sentence_pair"]
)
def test_the_card_says_where_bos_stands(objective, make_text, ids):
    """In front of the first target, whose positions go on from the inputs' or not."""
    make = get(objective)
    example = make(make_text(40), np.random.default_rng(0), ids)
    bos = example.targets_positions[0] - 1 - len(example.inputs)
    text = written_card(
        {f"python_docs.{objective}": 1.0}, decoder_rows(slots=64, predictions=64)
    )
    assert (bos == 1) == ("# BOS stands after the last input" in text)
    assert (bos == 0) == ("# BOS stands where the last input does" in text)


@pytest.mark.parametrize("rule, differs", [("identity", False), ("nmt_nfkc", True)])
def test_texts_that_a_made_tokeniser_normalises_otherwise_are_told(
    tmp_path, rule, differs
):
    path = tmp_path / "own.model"
    path.write_bytes(
        sentencepiece_model(
            normalization_rule_name=rule, remove_extra_whitespaces=False
        )
    )
    made = tokeniser_files(vocabulary(str(path)), slots=8, starts=True, ends=False)
    assert any("a grapheme at a time" in remark for remark in made.remarks) is differs


def test_the_card_has_each_phase_of_a_schedule():
    changed = {5: {"settings": {"masked": {"rate": 0.3}}}}
    rates = {"python_docs.causal": 1.0, "python_docs.masked": 1.0}
    rows = decoder_rows(slots=64, predictions=64)
    text = written_card(rates, rows, schedule=changed)
    before, after = text.split("| *from step 5 on* |")
    assert "from step 0 on" in before and "| masked | 50.0% |" in before
    assert "| from_5/masked (" in after and "rate=0.3" in after


@pytest.mark.parametrize(
    ("form", "said"), [("canvas", "predicts in place"), ("exact", "cannot ask")]
)
def test_the_card_tells_block_diffusions_apart(form, said):
    rows = encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=64, memory_predictions=64
    )
    settings = {"block_diffusion": {"form": form}}
    text = written_card({"python_docs.block_diffusion": 1}, rows, settings=settings)
    assert said in text.partition("### block_diffusion")[2]


@pytest.mark.optimised
@pytest.mark.parametrize("form", ["llama", "t5"])
def test_an_imported_model_is_audited(folders, form):
    """Its objective's Examples are made of the ids that it has."""
    run = folders.root / "run"
    import_model(folders.write(FORMS[form]), run)
    opened = load_trained(run, compute_dtype="float32")
    ids = vocabulary(opened.mixture.vocabulary).special_ids
    verdicts = audit(
        opened.model,
        opened.mixture.objectives(),
        ids,
        architecture=opened.rows.architecture,
        seed=0,
    )
    for verdict in verdicts:
        assert verdict.pairs_checked > 100
        assert (verdict.leaks, verdict.blind) == (0, 0)
