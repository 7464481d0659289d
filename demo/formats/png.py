"""PNG: drops text and profiles that are larger than Pillow takes, so that the image is read."""

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_MAX_CHUNK_BYTES = 1_000_000
"""Largest text or profile that stays, decompressed; Pillow refuses more than 1 MiB."""

_MAX_TOTAL_BYTES = 8_000_000
"""Most that all texts and profiles together may take, decompressed."""


def drop_large_texts(png: bytes) -> tuple[bytes, bool]:
    """Remove the texts and profiles that are too large.

    Returns:
        The file without them, and whether a colour profile was among them.
    """
    kept: list[bytes] = []
    at, start, total, lost_profile = len(SIGNATURE), 0, 0, False
    while at + 12 <= len(png):
        kind = png[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(png[at : at + 4])
        if kind in _TEXT:
            size = _text_size(kind, png[at + 8 : end - 4])
            total += size
            if size > _MAX_CHUNK_BYTES or total > _MAX_TOTAL_BYTES:
                kept.append(png[start:at])
                start = end
                total -= size
                lost_profile |= kind == b"iCCP"
        if kind == b"IEND":
            break
        at = end
    return (b"".join([*kept, png[start:]]) if kept else png), lost_profile


def _text_size(kind: bytes, chunk: bytes) -> int:
    """Number of bytes after decompression, or one more than the limit if there are more."""
    if kind == b"tEXt" or len(chunk) > _MAX_CHUNK_BYTES:
        return len(chunk)
    _, _, rest = chunk.partition(b"\0")
    if kind == b"iTXt":
        if rest[:1] != b"\1":
            return len(chunk)
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        rest = rest[1:]
    try:
        return len(zlib.decompressobj().decompress(rest, _MAX_CHUNK_BYTES + 1))
    except zlib.error:
        return len(chunk)
