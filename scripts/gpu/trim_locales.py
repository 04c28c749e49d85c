"""Blanks the locale data of other languages than English in a program that has ICU's data linked in.

    trim_locales.py PROGRAM STRIPPED

PROGRAM has symbols, STRIPPED is the same one without, and is changed. Swift's Foundation brings 34 MB of these tables, which
a program that trains does not need, and which would be half of what travels to a GPU host. Zeros compress to nothing.
"""

import re
import struct
import subprocess
import sys

# What stays beside tables that belong to no language: English, the root that all locales inherit from, and indices.
LANGUAGE = re.compile(r"(?:[a-z]+/)?[a-z]{2,3}(?:_\w+)?\.res")
KEPT = re.compile(r"(?:[a-z]+/)?en(?:_US(?:_POSIX)?)?\.res")
# Break and transliteration rules and collation are for text that people read.
UNUSED = ("brkitr/", "coll/", "translit/", "rbnf/")


def place_of_data(program):
    """Where the symbol icudtNN_dat lies in the file, and its size."""
    symbols = subprocess.run(["nm", "-S", program], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^(\w+) (\w+) \w icudt\d+_dat$", symbols, re.M)
    if not found:
        return None
    address, size = int(found[1], 16), int(found[2], 16)
    sections = subprocess.run(["readelf", "-SW", program], capture_output=True, text=True, check=True).stdout
    for line in re.findall(r"\]\s+\S+\s+PROGBITS\s+(\w+) (\w+) (\w+)", sections):
        start, offset, length = (int(field, 16) for field in line)
        if start <= address < start + length:
            return offset + address - start, size
    raise SystemExit(f"{program}: the section with ICU's data was not found")


def main():
    program, stripped = sys.argv[1:]
    place = place_of_data(program)
    if place is None:
        print("no ICU data in it")
        return
    with open(stripped, "rb") as file:
        data = bytearray(file.read())
    begin, size = place
    header = struct.unpack_from("<H", data, begin)[0]
    if data[begin + 12 : begin + 16] != b"CmnD":
        raise SystemExit(f"{stripped}: ICU's data are not where {program} has them")
    table = begin + header
    count = struct.unpack_from("<I", data, table)[0]
    entries = [struct.unpack_from("<II", data, table + 4 + 8 * index) for index in range(count)]
    ends = [entry[1] for entry in entries[1:]] + [size - header]
    blanked = 0
    for (name_at, data_at), end in zip(entries, ends):
        name = data[table + name_at : data.index(0, table + name_at)].decode().split("/", 1)[1]
        if LANGUAGE.fullmatch(name) and not KEPT.fullmatch(name) or name.startswith(UNUSED):
            data[table + data_at : table + end] = bytes(end - data_at)
            blanked += end - data_at
    with open(stripped, "wb") as file:
        file.write(data)
    print(f"{blanked} of {size} bytes of ICU's tables blanked")


if __name__ == "__main__":
    main()
