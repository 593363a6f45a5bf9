"""A run on c4, wikipedia, TFDS by name, Hugging Face files and a user's Task."""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from real_tfds import prepare

from sightline.launch.cli import main
from sightline.launch.runs import metrics
from sightline.tasks import user_modules

pytestmark = [pytest.mark.unchecked, pytest.mark.usefixtures("compiled_once")]

TEXTS = [f"Text {n} is about things of the kind {n}. " * 8 for n in range(30)]
RATES = {
    "c4.causal": 1,
    "wikipedia.masked": 1,
    "news/tfds.causal": 1,
    "hf_dataset.causal": 1,
    "laws/seqio.masked": 1,
}
BINDINGS = {
    "Mixture.corpora": {},
    "Mixture.loss_shares": None,
    "Mixture.vocabulary": "bytes",
    "Mixture.rates": RATES,
    "laws/seqio.task": "outside_laws",
    "laws/seqio.validation": "train[90%:]",
    "laws/seqio.train": "train[:90%]",
    "news/tfds.name": "ag_news_subset",
    "news/tfds.feature": "description",
    "news/tfds.validation": "test",
    "train.log_every": 2,
    "train.eval_every": 2,
    "train.eval_batches": 1,
    "train.checkpoint_every": 2,
    "ModelConfig.layers": 1,
    "ModelConfig.d_model": 32,
    "ModelConfig.d_hidden": 64,
    "ModelConfig.head_dim": 16,
}
MODULE = """
import seqio
import tensorflow as tf

TEXTS = [f"Article {n} of the law, {'and so on ' * 9}" for n in range(30)]


def dataset(split, shuffle_files=False, seed=None):
    return tf.data.Dataset.from_tensor_slices({"targets": TEXTS})


seqio.TaskRegistry.add(
    "outside_laws",
    source=seqio.FunctionDataSource(dataset, splits=["train"]),
    preprocessors=[seqio.preprocessors.tokenize, seqio.preprocessors.append_eos],
    output_features={"targets": seqio.Feature(seqio.ByteVocabulary())},
)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(user_modules, "_expected", [])
    monkeypatch.setattr(user_modules, "_loaded", {})
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    (tmp_path / "outside_tasks.py").write_text(MODULE)
    both = {"train": TEXTS, "validation": TEXTS[:4]}
    prepare(tmp_path / "tfds", "c4/en:3.1.0", both)
    prepare(tmp_path / "tfds", "wikipedia/20230601.en:1.0.0", {"train": TEXTS * 4})
    news = {"train": TEXTS, "test": TEXTS[:4]}
    prepare(tmp_path / "tfds", "ag_news_subset:1.0.0", news, feature="description")
    (tmp_path / "hf").mkdir()
    for name, texts in (("train", TEXTS), ("validation", TEXTS[:4])):
        pq.write_table(pa.table({"text": texts}), tmp_path / "hf" / f"{name}.parquet")
    return tmp_path


def train(folder, hf, steps, *extra):
    bindings = {**BINDINGS, "hf_dataset.folder": str(hf), "train.steps": steps}
    return main(
        [
            "train",
            "--gin_file=quickstart.gin",
            f"--import={folder / 'outside_tasks.py'}",
            f"--run_dir={folder / 'run'}",
            *(f"--gin.{name}={value!r}" for name, value in bindings.items()),
            *extra,
        ]
    )


def test_a_run_on_all_of_them_resumes_and_knows_their_content(folder, capfd):
    here = "--gin.train.data_workers=0"  # and in another process once it is resumed
    assert train(folder, folder / "hf", 2, here) == 0
    last = {}
    for record in metrics.read(folder / "run" / "metrics.jsonl"):
        last |= record
    assert all(last[f"eval/{task}/loss"] > 0 for task in RATES)
    config = (folder / "run" / "config.gin").read_text()
    assert "laws/seqio.task = 'outside_laws'" in config
    for name in ("laws/seqio", "news/tfds", "hf_dataset", "c4", "wikipedia"):
        assert f"# corpus {name} " in config

    # The files may move; their content may not change.
    shutil.move(folder / "hf", folder / "moved")
    assert train(folder, folder / "moved", 4) == 0
    changed = pa.table({"text": [*TEXTS[:-1], "changed"]})
    pq.write_table(changed, folder / "moved" / "train.parquet")
    capfd.readouterr()
    assert train(folder, folder / "moved", 6) == 2
    assert "corpus hf_dataset" in capfd.readouterr().err
