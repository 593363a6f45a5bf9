"""Small prepared builds of data sets of TFDS, by its real builders and its writer.

The builder gives the features, configuration, version and folder; its own generation
reads the network through Apache Beam, so the documents are ours.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sightline.tasks import host_tensorflow


def prepare(root: Path, name: str, splits: Mapping[str, Sequence[str]], feature="text"):
    """Prepares a data set with these texts in `feature`, as array_record."""
    host_tensorflow.load()
    import tensorflow_datasets as tfds

    builder: Any = tfds.builder(name, data_dir=root, file_format="array_record")
    Path(builder.data_dir).mkdir(parents=True)
    writer = tfds.core.SequentialWriter(
        builder.info, max_examples_per_shard=16, file_format="array_record"
    )
    writer.initialize_splits(list(splits))
    other = {key: 0 if key == "label" else key for key in builder.info.features}
    for split, texts in splits.items():
        examples = [{**other, feature: text} for text in texts]
        writer.add_examples({split: examples})
    writer.close_all()
    return builder
