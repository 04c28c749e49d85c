#!/usr/bin/env python3
"""Writes the picture files that MienVisionTests decodes, and what Pillow reads from them.

    pip install pillow==13.0.0 pillow-heif==1.8.1
    scripts/golden/pictures.py Tests/MienVisionTests/Fixtures

Each picture is 24 x 16, or a multiple: four flat quarters (top left red, top right green, bottom left blue, bottom right grey), so
that lossy codecs agree within a few levels at the quarters' centres.
"""
import json
import pathlib
import struct
import sys
import zlib

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

QUARTERS = [(200, 30, 40), (30, 180, 60), (40, 50, 190), (128, 128, 128)]
CENTRES = [(6, 4), (18, 4), (6, 12), (18, 12)]


def picture():
    image = Image.new("RGB", (24, 16))
    for index, color in enumerate(QUARTERS):
        image.paste(color, (index % 2 * 12, index // 2 * 8, index % 2 * 12 + 12, index // 2 * 8 + 8))
    return image


def with_turn(heic):
    """The file with an item property that turns its first item by 3 x 90 degrees counter-clockwise (irot)."""
    data = bytearray(heic)

    def number(place, count):
        return int.from_bytes(data[place:place + count], "big")

    def add(place, count, value):
        data[place:place + count] = (number(place, count) + value).to_bytes(count, "big")

    ipco, ipma, iloc = (data.index(name) - 4 for name in (b"ipco", b"ipma", b"iloc"))
    # Boxes in ipco count from 1. ipma of version 0 and flags 0: entries of an item, a count and one byte per property.
    place, properties = ipco + 8, 0
    while place < ipco + number(ipco, 4):
        place, properties = place + number(place, 4), properties + 1
    assert number(ipma + 8, 4) == 0 and number(ipma + 16, 2) == 1
    # iloc: offsets of four bytes, in entries with one extent each.
    assert data[iloc + 8] <= 1 and data[iloc + 12] == 0x44
    entry = iloc + 16
    for _ in range(number(iloc + 14, 2)):
        base = data[iloc + 13] >> 4
        add(entry + 2 + 2 * data[iloc + 8] + 2 + base + 2, 4, 10)
        entry += 2 + 2 * data[iloc + 8] + 2 + base + 2 + 8
    for name in (b"meta", b"iprp", b"ipco", b"ipma"):
        add(data.index(name) - 4, 4, {b"ipco": 9, b"ipma": 1}.get(name, 10))
    count = ipma + 18
    end = count + 1 + data[count]
    data[count] += 1
    data[end:end] = bytes([0x80 | properties + 1])
    data[place:place] = (9).to_bytes(4, "big") + b"irot\x03"
    return bytes(data)


def write_interlaced_png(image, path):
    """Adam7, which Pillow reads and does not write."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b""
    for left, top, across, down in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        for y in range(top, image.height, down):
            rows += b"\0" + bytes(v for x in range(left, image.width, across) for v in image.getpixel((x, y)))
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 1)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_other_formats(folder, rgb, translucent):
    """HEIC, AVIF, GIF, JPEG 2000, TGA, icons, stereo JPEG, BigTIFF; of animations and pages, the first is the picture."""
    mirrored = rgb.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    rgb.save(folder / "photo.heic", quality=95, chroma=444)
    translucent.save(folder / "alpha.heic", quality=95, chroma=444)
    # Larger, as the codec's blocks have 64 pixels. EXIF says what the turn in the file says; it must not turn it once more.
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = folder / "turned.heic"
    rgb.resize((192, 128)).rotate(90, expand=True).save(turned, quality=95, chroma=444, exif=exif)
    turned.write_bytes(with_turn(turned.read_bytes()))
    rgb.save(folder / "photo.avif", quality=95, subsampling="4:4:4")
    rgb.quantize(4).save(folder / "still.gif", interlace=1)
    rgb.quantize(4).save(folder / "animated.gif", save_all=True, append_images=[mirrored.quantize(4)], duration=100)
    rgb.save(folder / "animated.png", save_all=True, append_images=[mirrored], duration=100)
    rgb.save(folder / "animated.webp", save_all=True, append_images=[mirrored], duration=100, quality=95, minimize_size=False)
    rgb.save(folder / "photo.jp2")
    rgb.save(folder / "code.j2k", no_jp2=True)
    rgb.save(folder / "plain.tga")
    rgb.save(folder / "coded.tga", rle=True)
    rgb.quantize(4).save(folder / "palette.tga")
    translucent.save(folder / "alpha.tga", rle=True)
    rgb.save(folder / "png.ico", sizes=[(12, 8), (24, 16)])
    rgb.save(folder / "bitmap.ico", sizes=[(24, 16)], bitmap_format="bmp")
    rgb.save(folder / "two-shots.mpo", save_all=True, append_images=[mirrored], quality=95, subsampling=0)
    # Copies, as JPEG 2000 leaves its settings behind in the picture.
    rgb.copy().save(folder / "big.tif", big_tiff=True)
    rgb.copy().save(folder / "pages.tif", save_all=True, append_images=[mirrored.copy()])
    rgb.convert("CMYK").save(folder / "cmyk.tif")
    # Large enough to be cut in one of the last passes; with shades, so that the data do not shrink to nothing.
    shades = Image.new("RGB", (96, 64))
    shades.putdata([(x * 2 + y % 7 * 3, y * 3 + x % 5 * 3, (x + y) + x % 3 * 9) for y in range(64) for x in range(96)])
    shades.quantize(128).save(folder / "interlaced.gif", interlace=1)
    write_interlaced_png(shades, folder / "interlaced.png")


def main():
    folder = pathlib.Path(sys.argv[1])
    rgb = picture()
    rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=95, subsampling=0)
    rgb.save(folder / "progressive.jpg", quality=95, subsampling=0, progressive=True)
    rgb.save(folder / "lossy.webp", quality=95)
    translucent = rgb.convert("RGBA")
    translucent.putalpha(128)
    translucent.save(folder / "alpha.webp", lossless=True, exact=True)
    rgb.quantize(4).save(folder / "palette.png")
    rgb.save(folder / "lzw.tif", compression="tiff_lzw")
    write_other_formats(folder, rgb, translucent)
    expected = {}
    for path in sorted(folder.glob("*")):
        if path.suffix == ".json" or path.stem == "interlaced":
            continue
        read = Image.open(path)
        if path.name.startswith("alpha."):
            white = Image.new("RGBA", read.size, "white")
            read = Image.alpha_composite(white, read.convert("RGBA"))
        read = read.convert("RGB")
        scale = read.width // rgb.width
        assert read.size == (scale * rgb.width, scale * rgb.height), (path, read.size)
        expected[path.name] = [list(read.getpixel((scale * x, scale * y))) for x, y in CENTRES]
    (folder / "pictures.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
