"""One image file, whoever made it: read safely, turned upright, laid on white, brought to size."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vae_tutorial._words import _

# An image of more pixels to decode is refused. At this limit reading takes .5 to 1.2 GB, for WebP
# and JPEG 2000 up to 2 GB.
MAX_PIXELS = 100_000_000
# Images of more pixels are first reduced by 2, 4 or 8, as JPEG can be while it is decoded.
_LARGE = 1_000_000
# What Pillow decodes by itself. Others, such as EPS, it hands to another program. HEIF is there
# once the plug-in pillow-heif is registered, AVIF from Pillow 11.3.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "JPEG2000", "HEIF")
# Formats that say who they are in bytes 4 to 11, and what they need to be read.
NEEDS = {
    "HEIF": "a HEIC image, for which Pillow needs a plug-in: install pillow-heif and call "
    "pillow_heif.register_heif_opener()",
    "AVIF": "an AVIF image, for which Pillow 11.3 or newer is needed",
}
_BRANDS = dict.fromkeys((b"avif", b"avis"), "AVIF")
_BRANDS |= dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "HEIF")
# How the value of the EXIF tag "orientation" is undone.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SUBFILE = 258, 262, 254  # tags of TIFF


def read_picture(file: Path, size: tuple[int, int], mode: str) -> tuple[np.ndarray, list[str]]:
    """Return an image as uint8, upright, opaque, of ``size`` (width, height) and ``mode``.

    Beside it stands what Pillow had to say of the file. Raises ValueError, with the reason, where
    the file cannot be used.
    """
    notes: list[str] = []
    try:
        with _heard(notes):
            return _read(file, size, mode), notes
    except Exception as error:  # Pillow meets damaged files with many kinds of error
        raise ValueError(_reason(error, file, notes)) from error


@contextmanager
def _heard(notes: list[str]) -> Iterator[None]:
    """Add to ``notes`` what Pillow warns of or logs, neither of which names a file."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("PIL")
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            warnings.simplefilter("always", RuntimeWarning)
            # MAX_PIXELS is lower than the size at which Pillow refuses by itself.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        logger.removeHandler(handler)
        notes += [str(warning.message) for warning in caught]


def _reason(error: Exception, file: Path, notes: list[str]) -> str:
    """Return why a file cannot be used, in a line without its name."""
    if isinstance(error, UnidentifiedImageError):  # its own text says no more than that
        needed = _brand(file)
        if needed in NEEDS and needed not in Image.OPEN:
            return _(NEEDS[needed])
        return "; ".join(notes) or _("not an image of a known format")
    if isinstance(error, Image.DecompressionBombError):
        return _("more pixels than PIL.Image.MAX_IMAGE_PIXELS allows; make it smaller first")
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or repr(error)


def _brand(file: Path) -> str:
    start = _start(file)
    return _BRANDS.get(start[8:12], "") if start[4:8] == b"ftyp" else ""


def _start(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(32)


def _read(file: Path, size: tuple[int, int], mode: str) -> np.ndarray:
    if not file.is_file():
        raise ValueError(_("not a file; images must lie directly in their label's folder"))
    start = _start(file)
    if not start:
        raise ValueError(_("an empty file"))
    Image.init()  # else only the most common formats are known
    formats = [name for name in _FORMATS if name in Image.OPEN]
    with Image.open(file, formats=formats) as image:
        if image.format == "TIFF":
            _choose_page(image)
            with suppress(Exception):  # asked for again while the pixels are read, without harm
                image.getexif()
        side = 4 * max(size)
        if image.width * image.height > _LARGE:
            image.draft(None, (side, side))  # this changes JPEG images only
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(
                _(
                    "{width:,} x {height:,} pixels, more than {most:,}; make it smaller first",
                    width=image.width,
                    height=image.height,
                    most=MAX_PIXELS,
                )
            )
        image.load()
        return np.asarray(ImageOps.fit(_upright(_plain(image, start, side, mode), image), size))


def _choose_page(image) -> None:
    """Go to the first page of a TIFF that is no thumbnail, as those in a camera's raw files are."""
    try:
        while image.tag_v2.get(_SUBFILE, 0) & 1:
            image.seek(image.tell() + 1)
    except EOFError as error:
        raise ValueError(_("a TIFF that holds nothing but thumbnails")) from error


def _plain(image, start: bytes, side: int, mode: str) -> Image.Image:
    """Return a decoded image of 8 bits, opaque, in ``mode``, and no larger than is of use."""
    if image.mode[0] in "IF":
        return _shrunk(_from_16_bits(image), side).convert(mode)
    if image.format == "PNG":
        _mend_transparent_colour(image, bits=start[24])
    palette = image.palette.mode if image.mode == "P" and image.palette else ""
    if "transparency" in image.info or image.mode.endswith(("A", "a")) or palette.endswith("A"):
        image = _shrunk(image if image.mode == "RGBA" else image.convert("RGBA"), side)
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert(mode)
    return _shrunk(image if image.mode == mode else image.convert(mode), side)


def _from_16_bits(image) -> Image.Image:
    """Return 16-bit grey as 8-bit grey, which Pillow's own conversion would clip."""
    top, inverted = 65_535, False
    if image.format == "TIFF":
        top = 2 ** image.tag_v2.get(_BITS_PER_SAMPLE, (16,))[0] - 1
        inverted = image.tag_v2.get(_PHOTOMETRIC) == 0
        if image.mode in ("I", "F") or top > 65_535:
            raise ValueError(
                _(
                    "a TIFF of signed, 32-bit or floating-point numbers, which have no fixed "
                    "white; save it with 8 or 16 bits"
                )
            )
    levels = np.asarray(image)
    table = np.rint(np.arange(top + 1) * (255 / top)).astype(np.uint8)
    grey = (table[::-1] if inverted else table)[levels]
    if "transparency" in image.info:
        grey[levels == image.info["transparency"]] = 255
    return Image.fromarray(grey)


def _mend_transparent_colour(image, bits: int) -> None:
    """Bring a PNG's transparent colour to the 8 bits that Pillow brings the pixels to."""
    colour = image.info.get("transparency")
    if image.mode == "L" and isinstance(colour, int):
        image.info["transparency"] = colour * (255 // (2**bits - 1))
    elif image.mode == "RGB" and isinstance(colour, tuple) and bits == 16:
        image.info["transparency"] = tuple(level >> 8 for level in colour)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """Return a large image at a half, a quarter or an eighth, but of ``side`` pixels at least."""
    if image.width * image.height <= _LARGE:
        return image
    spare = min(image.width, image.height) // side
    return image.reduce(next((factor for factor in (8, 4, 2) if factor <= spare), 1))


def _upright(image: Image.Image, opened) -> Image.Image:
    """Return ``image`` turned as the EXIF tag of the opened file says."""
    if opened.format == "TIFF":  # Pillow turns these as it reads them
        return image
    try:
        turn = _TURNS.get(opened.getexif().get(_ORIENTATION))
    except Exception:  # a damaged tag must not cost the picture, whatever it makes Pillow raise
        warnings.warn("its EXIF cannot be read, so it may lie on its side", stacklevel=2)
        return image
    return image if turn is None else image.transpose(turn)
