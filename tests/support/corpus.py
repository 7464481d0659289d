"""Hundreds of damaged, hostile and unusual image files, made from fixed seeds."""

import io
import itertools
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F")
CUT_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")


def build_corpus() -> dict[str, bytes]:
    """Make all files: name -> content."""
    corpus: dict[str, bytes] = {}
    for name, content in itertools.chain(
        _every_mode_and_format(), _cut(), _corrupted(), _bombs(), _metadata(), _foreign(), _sizes()
    ):
        corpus[name] = content
    return corpus


def photograph(mode: str = "RGB", size_wh: tuple[int, int] = (24, 16)) -> PIL.Image.Image:
    pixels = np.random.default_rng(4).integers(0, 256, (*size_wh[::-1], 3), np.uint8)
    image = PIL.Image.fromarray(pixels)
    if mode == "PA":
        return image.convert("P").convert("PA")
    return image.convert("L").convert(mode) if mode in ("I", "F") else _convert(image, mode)


def _convert(image: PIL.Image.Image, mode: str) -> PIL.Image.Image:
    if mode == "LAB":
        return PIL.Image.merge("LAB", image.split())
    return image.convert(mode)


def encode(image: PIL.Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def _every_mode_and_format() -> Iterator[tuple[str, bytes]]:
    PIL.Image.init()
    for format, mode in itertools.product(sorted(PIL.Image.SAVE), MODES):
        try:
            yield f"{mode} as {format}", encode(photograph(mode), format)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, Warning):
            continue  # this format cannot hold the mode, or needs another program
    deep = PIL.Image.fromarray(np.full((4, 5), 40_000, np.uint16))
    for format in ("PNG", "TIFF", "PPM"):
        yield f"16 bits as {format}", encode(deep, format)
    nan = np.full((4, 4), np.nan, np.float32)
    yield "NaN as TIFF", encode(PIL.Image.fromarray(nan), "TIFF")


def _cut() -> Iterator[tuple[str, bytes]]:
    for format in CUT_FORMATS:
        whole = encode(photograph(size_wh=(64, 48)), format)
        for at in sorted({*_seams(whole, format), *range(0, len(whole), len(whole) // 16)}):
            yield f"{format} cut at {at}", whole[:at]


def _seams(whole: bytes, format: str) -> list[int]:
    """List the offsets at which chunks of a PNG or segments of a JPEG begin and end."""
    if format == "PNG":
        seams, at = [8], 8
        while at < len(whole):
            at += 12 + int.from_bytes(whole[at : at + 4])
            seams += [at - 4, at]
        return seams
    if format == "JPEG":
        return [at + by for at in range(len(whole)) if whole[at] == 0xFF for by in (0, 1, 3)][:60]
    return []


def _corrupted() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(11)
    for format, number in itertools.product(CUT_FORMATS, range(12)):
        content = bytearray(encode(photograph(size_wh=(64, 48)), format))
        for at in rng.integers(0, min(len(content), 400), 1 + number):
            content[at] = rng.integers(256)
        yield f"{format} corrupted {number}", bytes(content)


def png(width: int, height: int, *chunks: bytes, data: bytes = b"", kind: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def chunk(name: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def with_scans(count: int) -> bytes:
    """Make a progressive JPEG whose last scan, a pass over all pixels, is repeated."""
    whole = encode(PIL.Image.new("L", (2_000, 2_000)), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def _bombs() -> Iterator[tuple[str, bytes]]:
    for side in (0, 8_000, 20_000, 65_535, 2**31 - 1):
        yield f"PNG of {side}²", png(side, side)
    jpeg = bytearray(encode(photograph(), "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    yield "JPEG of 65500²", bytes(jpeg)
    gif = bytearray(encode(photograph("P"), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_535, 65_535)
    yield "GIF of 65535²", bytes(gif)
    bmp = bytearray(encode(photograph(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 2**31 - 1, 2**31 - 1)
    yield "BMP of 2147483647²", bytes(bmp)
    webp = b"VP8X" + struct.pack("<IB", 10, 0) + bytes(3) + b"\xfe\x3f\x00" * 2
    yield "WebP of 16383²", b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp
    yield "JPEG of 5000 scans", with_scans(5_000)
    zeros = zlib.compress(bytes(60_000_000))
    pixel = bytes([0, 9, 9, 9])
    yield "PNG with a text of 60 MB", png(1, 1, chunk(b"zTXt", b"a\0\0" + zeros), data=pixel)
    yield "PNG with a profile of 60 MB", png(1, 1, chunk(b"iCCP", b"a\0\0" + zeros), data=pixel)
    yield "PNG with 60 MB too much", png(1, 1, data=bytes(60_000_000))
    animation = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield "PNG of 2147483647 frames", png(1, 1, animation, data=pixel)
    frames = [PIL.Image.new("P", (2, 2), i % 2) for i in range(3_000)]
    yield (
        "GIF of 3000 frames",
        encode(frames[0], "GIF", save_all=True, append_images=frames[1:], optimize=False),
    )


def _metadata() -> Iterator[tuple[str, bytes]]:
    for orientation in (0, 9, 255, 65_535):
        exif = PIL.Image.Exif()
        exif[274] = orientation
        yield f"orientation {orientation}", encode(photograph(), "JPEG", exif=exif)
    for name, block in {
        "empty": b"",
        "noise": b"Exif\0\0" + bytes(range(256)),
        "a loop": b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "far away": b"Exif\0\0II*\0\xff\xff\xff\x7f",
    }.items():
        yield f"EXIF: {name}", encode(photograph(), "JPEG", exif=block)
    for name, profile in {"noise": bytes(200), "long": b"\xff" * 60_000}.items():
        for format in ("JPEG", "PNG", "WEBP", "TIFF"):
            yield f"profile: {name}, {format}", encode(photograph(), format, icc_profile=profile)
    tags = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = "x" * 100_000
    yield "TIFF with a long description", encode(photograph(), "TIFF", tiffinfo=tags)


def _foreign() -> Iterator[tuple[str, bytes]]:
    script = b"<script>alert(1)</script>"
    yield "nothing", b""
    yield "one byte", b"\xff"
    yield "zeros", bytes(10_000)
    yield "text", b"This is no image.\n" * 20
    yield "SVG", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><rect/></svg>'
    yield "SVG bomb", b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'
    yield "HTML", b"<!doctype html>" + script
    yield "PDF", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n"
    yield "ZIP", b"PK\x03\x04" + bytes(60)
    yield "ELF", b"\x7fELF" + bytes(60)
    yield "pickle", b"\x80\x04cposix\nsystem\n(S'false'\ntR."
    yield "GIF and JavaScript", b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)"
    yield "JPEG and ZIP", encode(photograph(), "JPEG") + b"PK\x03\x04" + bytes(60)
    yield "PNG and HTML", encode(photograph(), "PNG") + script
    yield "PDF around a JPEG", b"%PDF-1.7\n" + encode(photograph(), "JPEG")


def _sizes() -> Iterator[tuple[str, bytes]]:
    for size_wh in ((1, 1), (1, 20_000), (20_000, 1), (2, 3)):
        yield f"{size_wh[0]}×{size_wh[1]}", encode(photograph(size_wh=size_wh), "PNG")
