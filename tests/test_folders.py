"""Folders of every kind of image file, good, odd and broken."""

import os
import struct
import tempfile
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from vae_tutorial import _pictures, datasets, folders


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
    save(tmp_path / "eel" / "drawing.png", format="PPM")
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
    "cat/notes.txt": "not an image of a known format",
    "eel/drawing.png": "not an image of a known format",
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


@pytest.mark.parametrize(
    ("fraction", "n_queries"), [(0, 0), (0.5, 20), (0.4, 20), (0.3, 13), (1 / 7, 5), (0.025, 1)]
)
def test_query_fraction_is_rounded_to_one_in_a_whole_number(fraction, n_queries, tmp_path):
    for number in range(40):
        save(tmp_path / f"{number:02}.png")
    folder = datasets.load_folder(tmp_path, query_fraction=fraction, progress=False)
    assert len(folder.query_indices) == n_queries
    assert len(folder.gallery_indices) == 40 - n_queries


# Other formats than JPEG and PNG


Image.init()  # so that all formats are in its tables
needs_avif = pytest.mark.skipif("AVIF" not in Image.SAVE, reason="this Pillow knows no AVIF")
FORMATS = ["WEBP", "GIF", "TIFF", "BMP", "JPEG2000", pytest.param("AVIF", marks=needs_avif)]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("colour", [False, True])
def test_every_format_that_pillow_decodes_by_itself_is_read(kind, colour, tmp_path):
    picture = Image.new("RGB", (40, 40), (200, 40, 40))
    picture.save(tmp_path / "a", kind)
    shown = load_one(tmp_path, colour=colour) * 255
    wanted = np.array([200, 40, 40])
    expected = wanted if colour else [wanted @ [0.299, 0.587, 0.114]]
    np.testing.assert_allclose(shown, np.tile(expected, (28, 28, 1)), atol=6)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "TIFF", "PNG"])
def test_of_several_frames_or_pages_the_first_is_read(kind, tmp_path):
    first, second = Image.new("L", (28, 28), 200), Image.new("L", (28, 28), 20)
    first.save(tmp_path / "a", kind, save_all=True, append_images=[second])
    assert load_one(tmp_path) * 255 == pytest.approx(np.full((28, 28, 1), 200), abs=2)


def test_the_thumbnail_at_the_start_of_a_camera_file_is_passed_over(tmp_path):
    thumbnail, picture = (Image.new("L", (28, 28), level) for level in (20, 200))
    thumbnail.save(tmp_path / "a", "TIFF", tiffinfo={254: 1})
    with pytest.raises(ValueError, match="a TIFF that holds nothing but thumbnails"):
        load_one(tmp_path)
    picture.save(tmp_path / "b", "TIFF")
    join_tiffs(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b").unlink()
    assert load_one(tmp_path) * 255 == pytest.approx(np.full((28, 28, 1), 200), abs=1)


def join_tiffs(first, second):
    """Append the page of ``second`` to that of ``first``: Pillow would mark both as thumbnails."""
    content, page = bytearray(first.read_bytes()), bytearray(second.read_bytes())
    start = len(content)
    (directory,) = struct.unpack_from("<I", page, 4)
    for number in range(page[directory]):
        place = directory + 2 + 12 * number
        tag, kind, count, value = struct.unpack_from("<HHII", page, place)
        if tag == 273 or count > 2:  # where the pixels are, and values too long for their place
            struct.pack_into("<HHII", page, place, tag, kind, count, value + start)
    (directory_of_first,) = struct.unpack_from("<I", content, 4)
    end = directory_of_first + 2 + 12 * content[directory_of_first]
    struct.pack_into("<I", content, end, start + directory)
    first.write_bytes(content + page)


def test_a_heic_image_without_the_plug_in_is_named_with_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ValueError, match=r"'a.heic': a HEIC .* pillow_heif.register_heif_opener"):
        load_one(tmp_path)


def test_an_avif_image_is_named_with_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(100))
    with pytest.raises(ValueError, match=r"'a.avif': an AVIF image, .* Pillow 11.3 or newer"):
        load_one(tmp_path)


class StandIn(PngImagePlugin.PngImageFile):
    """Opens a PNG that follows the first bytes of a HEIC, as a plug-in opens the real thing."""

    format = "HEIF"

    def _open(self):
        self.fp.seek(16)
        super()._open()


def test_a_heic_image_is_read_once_a_plug_in_is_registered(tmp_path, monkeypatch):
    monkeypatch.setitem(
        Image.OPEN, "HEIF", (StandIn, lambda start: start.startswith(b"\0\0\0\x10ftypheic"))
    )
    save(tmp_path / "a", 100, format="PNG")
    png = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(b"\0\0\0\x10ftypheic\0\0\0\0" + png)
    assert load_one(tmp_path) * 255 == pytest.approx(np.full((28, 28, 1), 100))


# Bit depths and transparency


def png(file, bits, kind, rows, extra=()):
    """Write a PNG by hand: Pillow's own writer has no 2-bit grey, 16-bit colour and so on."""
    depth_of_row = [value for row in rows for value in row]
    height, width = len(rows), len(rows[0])
    lines = b""
    for row in rows:
        digits = "".join(f"{value:0{bits}b}" for value in row)
        digits += "0" * (-len(digits) % 8)
        lines += b"\0" + int(digits, 2).to_bytes(len(digits) // 8, "big")
    assert max(depth_of_row) < 2**bits
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    header = struct.pack(">IIBBBBB", width // channels, height, bits, kind, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for name, data in (
        (b"IHDR", header), *extra, (b"IDAT", zlib.compress(lines)), (b"IEND", b"")
    ):  # fmt: skip
        content += struct.pack(">I", len(data)) + name + data
        content += struct.pack(">I", zlib.crc32(name + data))
    file.write_bytes(content)


# What lies in a row of two pixels, and what it must become in grey levels: bits, colour type,
# values, further chunks, levels. The first pixel is transparent where there is transparency.
ROWS = {
    "1-bit grey": (1, 0, [0, 1], [], [0, 255]),
    "1-bit grey, black transparent": (1, 0, [0, 1], [(b"tRNS", b"\0\0")], [255, 255]),
    "1-bit grey, white transparent": (1, 0, [1, 0], [(b"tRNS", b"\0\1")], [255, 0]),
    "2-bit grey": (2, 0, [1, 2], [], [85, 170]),
    "2-bit grey, one level transparent": (2, 0, [1, 2], [(b"tRNS", b"\0\1")], [255, 170]),
    "4-bit grey, one level transparent": (4, 0, [5, 4], [(b"tRNS", b"\0\5")], [255, 68]),
    "8-bit grey, one level transparent": (8, 0, [1, 85], [(b"tRNS", b"\0\1")], [255, 85]),
    "16-bit grey": (16, 0, [257, 25700], [], [1, 100]),
    "16-bit grey, one level transparent": (16, 0, [257, 258], [(b"tRNS", b"\1\1")], [255, 1]),
    "2-bit palette, part transparent": (
        *(2, 3, [1, 2]),
        [(b"PLTE", bytes([0, 0, 0, 9, 9, 9, 60, 60, 60])), (b"tRNS", b"\xff\0")],
        [255, 60],
    ),
    "palette, half transparent": (
        *(8, 3, [0, 1]),
        [(b"PLTE", bytes([0, 0, 0, 60, 60, 60])), (b"tRNS", b"\x80\xff")],
        [127, 60],
    ),
    "colour, one transparent": (
        *(8, 2, [9, 9, 9, 60, 60, 60], [(b"tRNS", b"\0\x09\0\x09\0\x09")], [255, 60]),
    ),
    "16-bit colour": (16, 2, [25700] * 3 + [51400] * 3, [], [100, 200]),
    "16-bit colour, one transparent": (
        *(16, 2, [0x1234] * 3 + [0x3412] * 3, [(b"tRNS", b"\x12\x34" * 3)], [255, 0x34]),
    ),
    "grey with transparency": (8, 4, [9, 0, 60, 255], [], [255, 60]),
    "16-bit grey with transparency": (16, 4, [257, 0, 25700, 65535], [], [255, 100]),
    "colour with transparency": (8, 6, [9, 9, 9, 0, 60, 60, 60, 255], [], [255, 60]),
    "16-bit colour with transparency": (
        *(16, 6, [257] * 3 + [0] + [25700] * 3 + [65535], [], [255, 100]),
    ),
}


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("colour", [False, True])
def test_every_png_is_laid_on_white(kind, colour, tmp_path):
    bits, colour_type, values, extra, levels = ROWS[kind]
    png(tmp_path / "a.png", bits, colour_type, [values], extra)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = load_one(tmp_path, size=(1, 2), colour=colour) * 255
    for channel in range(shown.shape[-1]):
        assert shown[0, :, channel] == pytest.approx(levels, abs=1.01)


def tiff(file, bits, values, photometric=1, order="<", sample_format=1):
    """Write a grey TIFF of one row by hand, with any number of bits."""
    digits = "".join(f"{value:0{bits}b}" for value in values)
    data = int(digits, 2).to_bytes(len(digits) // 8, "big")
    if order == "<" and bits in (16, 32):
        data = np.frombuffer(data, f">u{bits // 8}").astype(f"<u{bits // 8}").tobytes()
    tags = {256: len(values), 257: 1, 258: bits, 259: 1, 262: photometric, 273: 8}
    tags |= {277: 1, 278: 1, 279: len(data), 339: sample_format}
    directory = struct.pack(order + "H", len(tags))
    for tag, value in tags.items():
        directory += struct.pack(order + "HHII", tag, 4, 1, value)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    file.write_bytes(start + data + directory + bytes(4))


@pytest.mark.parametrize(
    ("bits", "values", "options", "levels"),
    [
        (8, [100, 200], {}, [100, 200]),
        (8, [100, 200], {"photometric": 0}, [155, 55]),
        (16, [25700, 65535], {}, [100, 255]),
        (16, [25700, 65535], {"order": ">"}, [100, 255]),
        (16, [25700, 65535], {"photometric": 0}, [155, 0]),
        (12, [4095, 2048], {}, [255, 128]),
    ],
)
def test_every_grey_tiff_has_its_white_at_one(bits, values, options, levels, tmp_path):
    tiff(tmp_path / "a.tif", bits, values, **options)
    assert load_one(tmp_path, size=(1, 2))[0, :, 0] * 255 == pytest.approx(levels)


@pytest.mark.parametrize("sample_format", [1, 2, 3])
def test_a_tiff_without_a_fixed_white_is_refused_in_words(sample_format, tmp_path):
    tiff(tmp_path / "a.tif", 32, [1, 2], sample_format=sample_format)
    with pytest.raises(ValueError, match="no fixed white; save it with 8 or 16 bits"):
        load_one(tmp_path, size=(1, 2))


# Large images


@pytest.fixture
def photo():
    """A picture of 1.28 million pixels."""
    y, x = np.mgrid[0:1000, 0:1280]
    return Image.fromarray((127 + 60 * np.sin(x / 60) + 60 * np.cos(y / 50)).astype(np.uint8))


def test_a_large_jpeg_is_decoded_at_reduced_size_and_looks_the_same(photo, tmp_path, monkeypatch):
    photo.save(tmp_path / "a.jpg", quality=95)
    monkeypatch.setattr(_pictures, "_LARGE", 10**9)
    whole = load_one(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(_pictures, "MAX_PIXELS", 100_000)  # only the reduced one can be used
    reduced = load_one(tmp_path)
    assert 0 < np.abs(whole - reduced).max() < 0.01


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16"])
def test_a_large_image_of_another_format_looks_the_same_when_reduced(
    mode, photo, tmp_path, monkeypatch
):
    if mode == "I;16":
        Image.fromarray(np.asarray(photo).astype(np.uint16) * 257).save(tmp_path / "a.png")
    else:
        if "A" in mode:
            photo.putalpha(Image.fromarray(255 - np.asarray(photo)))
        photo.convert(mode).save(tmp_path / "a.png")
    reduced = load_one(tmp_path)
    monkeypatch.setattr(_pictures, "_LARGE", 10**9)
    assert 0 < np.abs(load_one(tmp_path) - reduced).max() < 0.01


@pytest.mark.parametrize(
    ("size", "side", "reduced"),
    [
        ((2000, 1000), 112, (250, 125)),
        ((2000, 1000), 250, (500, 250)),
        ((2000, 1000), 500, (1000, 500)),
        ((2000, 1000), 501, (2000, 1000)),
        ((1000, 1000), 112, (1000, 1000)),  # not large
    ],
)
def test_only_large_images_are_reduced_and_no_further_than_is_of_use(size, side, reduced):
    assert _pictures._shrunk(Image.new("L", size), side).size == reduced


def test_an_image_beyond_the_limit_is_refused_by_its_size(photo, tmp_path, monkeypatch):
    assert folders.MAX_PIXELS == _pictures.MAX_PIXELS == 100_000_000
    monkeypatch.setattr(_pictures, "MAX_PIXELS", 1_279_999)
    photo.save(tmp_path / "a.png")
    with pytest.raises(
        ValueError, match=r"'a.png': 1,280 x 1,000 pixels, more than 1,279,999; make"
    ):
        load_one(tmp_path)
    monkeypatch.setattr(_pictures, "MAX_PIXELS", 1_280_000)
    assert load_one(tmp_path).shape == (28, 28, 1)


def test_pillows_guard_against_decompression_bombs_warns_of_nothing(photo, tmp_path, monkeypatch):
    photo.save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_one(tmp_path)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500_000)
        with pytest.raises(
            ValueError, match=r"'a\.png': more pixels than PIL\.Image.MAX_IMAGE_PIXELS"
        ):
            load_one(tmp_path)


# Damaged tags, and what Pillow says of a file


# An EXIF block whose orientation is no number, one that is no TIFF, one that ends at once.
TAGS = {
    "orientation in words": b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0six\0\0\0\0\0",
    "no header": b"Exif\0\0XXXXXXXX",
    "cut": b"Exif\0\0II*\0\x08\0\0\0\5\0",
    "offset beyond the end": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    "a resolution of text": b"Exif\0\0II*\0\x08\0\0\0\2\0\x1a\1\2\0\4\0\0\0six\0"
    b"\x28\1\2\0\4\0\0\0six\0\0\0\0\0",
}


@pytest.mark.parametrize("damage", TAGS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_damaged_exif_tag_never_costs_the_picture(kind, damage, tmp_path):
    Image.new("RGB", (28, 28), (100, 100, 100)).save(tmp_path / "a", kind, exif=TAGS[damage])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = load_one(tmp_path)
    assert image * 255 == pytest.approx(np.full((28, 28, 1), 100), abs=2)
    assert all("'a': " in str(warning.message) for warning in caught)


def test_what_pillow_says_of_a_readable_file_comes_as_one_warning_that_names_it(tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name, 100, exif=TAGS["no header"])
    save(tmp_path / "c.png")
    with pytest.warns(UserWarning, match="to be looked at") as caught:
        folder = datasets.load_folder(tmp_path, query_fraction=0, progress=False)
    (warning,) = caught
    assert warning.filename == __file__
    lines = str(warning.message).splitlines()[1:]
    assert [line.split(":")[0] for line in lines] == ["  'a.png'", "  'b.png'"]
    assert "its EXIF cannot be read, so it may lie on its side" in lines[0]
    assert len(folder) == 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_undone_once(kind, orientation, tmp_path):
    corner = Image.new("L", (32, 32))
    corner.paste(255, (0, 0, 16, 16))  # of the upright picture
    corner.paste(128, (16, 0, 32, 16))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's numbers of the inverse turns
    stored = corner.transpose(turns[orientation]) if orientation > 1 else corner
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a", kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    image = load_one(tmp_path, size=(32, 32))[..., 0] * 255
    np.testing.assert_allclose(image[4:12, 4:12], 255, atol=6)
    np.testing.assert_allclose(image[4:12, 20:28], 128, atol=6)
    np.testing.assert_allclose(image[20:28], 0, atol=6)


def test_what_pillow_logs_of_a_refused_file_is_its_reason(tmp_path):
    Image.new("L", (64, 64)).save(tmp_path / "a.tif")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    place = content.index(struct.pack("<HHI", 258, 3, 1))  # bits per sample become samples, many
    struct.pack_into("<HHII", content, place, 277, 4, 1, 99_999)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ValueError, match=r"'a\.tif': More samples per pixel than can be decoded"):
        load_one(tmp_path)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_was_cut_off_is_refused_without_a_word_elsewhere(kind, tmp_path, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a", kind)
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="'a': "):
        load_one(tmp_path)
    assert capfd.readouterr() == ("", "")


# Layout and rights


def test_what_systems_leave_in_folders_is_ignored(tmp_path):
    for number in range(3):
        save(tmp_path / "cat" / f"{number}.png")
    for place in (tmp_path, tmp_path / "cat"):
        for name in ("Thumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store", "._0.png"):
            (place / name).write_bytes(b"left by a system")
        (place / "__MACOSX" / "cat").mkdir(parents=True)
        (place / "@eaDir").mkdir()
    folder = datasets.load_folder(tmp_path, query_fraction=0, progress=False)
    assert folder.label_names == ("cat",)
    assert len(folder) == 3


@pytest.mark.parametrize("skip_broken", [False, True])
def test_a_folder_that_is_split_into_train_and_test_is_explained(skip_broken, tmp_path):
    for name in ("test/cat/1.png", "train/cat/2.png", "train/dog/3.png"):
        save(tmp_path / name)
    (tmp_path / "labels.csv").write_text("cat,dog")
    with pytest.raises(ValueError, match="path/label/image") as caught:
        datasets.load_folder(tmp_path, skip_broken=skip_broken, progress=False)
    message = str(caught.value)
    assert "folders 'test', 'train', for example 'test/cat'" in message
    advice = message[message.rindex("load_folder(") :]
    followed = eval(advice, {"load_folder": load_one})
    assert followed.shape == (28, 28, 1)


def test_a_folder_of_which_only_a_part_is_split_names_that_part(tmp_path):
    for name in ("test/1.png", "train/cat/2.png", "train/dog/3.png"):
        save(tmp_path / name)
    with pytest.raises(
        ValueError, match="'train': holds no image, only folders; pass it by itself"
    ):
        datasets.load_folder(tmp_path, progress=False)


@contextmanager
def forbidden(*paths, rights=0):
    """Take rights on ``paths`` away, from root too, whom that would not stop."""
    as_root = os.geteuid() == 0
    for path in paths:
        path.chmod(rights)
    try:
        if as_root:
            os.seteuid(65_534)
        yield
    finally:
        if as_root:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o755)


@pytest.fixture
def open_folder():
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


needs_rights = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights than these")


@needs_rights
def test_a_folder_or_file_that_may_not_be_opened_is_named_and_skipped(open_folder):
    for name in ("cat/1.png", "cat/2.png", "dog/3.png", "cat/shut.png"):
        save(open_folder / name)
    closed = open_folder / "dog", open_folder / "cat" / "shut.png"
    lines = [
        "  'dog': a folder that cannot be opened: Permission denied",
        "  'cat/shut.png': Permission denied",
    ]
    with forbidden(*closed), pytest.raises(ValueError, match="skip_broken=True") as caught:
        datasets.load_folder(open_folder, query_fraction=0, progress=False)
    assert str(caught.value).splitlines()[1:-1] == lines
    with forbidden(*closed), pytest.warns(UserWarning, match="left out") as warned:
        folder = datasets.load_folder(
            open_folder, query_fraction=0, skip_broken=True, progress=False
        )
    assert str(warned[0].message).splitlines()[1:] == lines
    assert folder.label_names == ("cat",)
    assert len(folder) == 2


@needs_rights
def test_a_folder_that_may_not_be_opened_at_all_is_refused_in_words(open_folder):
    save(open_folder / "all" / "cat" / "1.png")
    with (
        forbidden(open_folder / "all"),
        pytest.raises(PermissionError, match="cannot be opened: P"),
    ):
        datasets.load_folder(open_folder / "all", progress=False)
    with (
        forbidden(open_folder / "all" / "cat"),
        pytest.raises(ValueError, match="'cat': a folder t"),
    ):
        datasets.load_folder(open_folder / "all", progress=False)


@needs_rights
def test_a_folder_that_may_be_listed_but_not_entered_names_its_files(open_folder):
    save(open_folder / "all" / "1.png")
    with (
        forbidden(open_folder / "all", rights=0o744),
        pytest.raises(ValueError, match=r"'1\.png': Permission denied"),
    ):
        datasets.load_folder(open_folder / "all", progress=False)


# Bad input


def folder_of(tmp_path, n=3):
    for number in range(n):
        save(tmp_path / f"{number}.png")
    return tmp_path


# Each entry: a call that is given an empty folder, the exception, and part of its message.
BAD_INPUTS = [
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
]


@pytest.mark.parametrize(("call", "exception", "fragment"), BAD_INPUTS)
def test_bad_input_is_refused_with_a_message_that_helps(call, exception, fragment, tmp_path):
    with pytest.raises(exception, match=fragment):
        call(tmp_path)
