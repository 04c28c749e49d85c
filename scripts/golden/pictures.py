#!/usr/bin/env python3
"""Writes the picture files that MienVisionTests decodes, and what Pillow reads from them.

    pip install pillow==13.0.0
    scripts/golden/pictures.py Tests/MienVisionTests/Fixtures

Each picture is 24 x 16: four flat quarters (top left red, top right green, bottom left blue, bottom right grey), so
that lossy codecs agree within a few levels at the quarters' centres.
"""
import json
import pathlib
import sys

from PIL import Image

QUARTERS = [(200, 30, 40), (30, 180, 60), (40, 50, 190), (128, 128, 128)]
CENTRES = [(6, 4), (18, 4), (6, 12), (18, 12)]


def picture():
    image = Image.new("RGB", (24, 16))
    for index, color in enumerate(QUARTERS):
        image.paste(color, (index % 2 * 12, index // 2 * 8, index % 2 * 12 + 12, index // 2 * 8 + 8))
    return image


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
    expected = {}
    for path in sorted(folder.glob("*")):
        if path.suffix not in (".jpg", ".webp", ".png", ".tif"):
            continue
        read = Image.open(path)
        if path.name == "alpha.webp":
            white = Image.new("RGBA", read.size, "white")
            read = Image.alpha_composite(white, read.convert("RGBA"))
        read = read.convert("RGB")
        expected[path.name] = [list(read.getpixel(centre)) for centre in CENTRES]
    (folder / "pictures.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
