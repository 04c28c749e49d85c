"""Makes the links of doc comments work across modules: ``MienError`` in a comment of MienVision names a symbol of MienCore,
which DocC only finds by its module.

    python3 scripts/link-symbols.py FOLDER    rewrites the symbol graphs FOLDER/*.symbols.json in place

A link to a symbol of the comment's own module, or to none, stays as it is.
"""

import json
import pathlib
import re
import sys

LINK = re.compile(r"``([^`\n]+)``")


def main(folder):
    graphs = {path: json.loads(path.read_text()) for path in sorted(folder.glob("*.symbols.json"))}
    # The first component of a symbol's path, and the module that declares it.
    module_of = {}
    for path, graph in graphs.items():
        if "@" in path.name:
            continue
        for symbol in graph["symbols"]:
            module_of.setdefault(symbol["pathComponents"][0], graph["module"]["name"])
    for path, graph in graphs.items():
        own = graph["module"]["name"]
        names = {symbol["pathComponents"][0] for symbol in graph["symbols"]} | {
            name for symbol in graph["symbols"] for name in symbol["pathComponents"]
        }

        def absolute(match):
            first = re.split(r"[/(]", match.group(1).lstrip("/"), maxsplit=1)[0]
            module = module_of.get(first)
            if module is None or module == own or first in names:
                return match.group(0)
            return f"``/{module}/{match.group(1)}``"

        for symbol in graph["symbols"]:
            for line in symbol.get("docComment", {}).get("lines", []):
                line["text"] = LINK.sub(absolute, line["text"])
        path.write_text(json.dumps(graph))


main(pathlib.Path(sys.argv[1]))
