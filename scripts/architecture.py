"""Draws docs/images/architecture.svg, the map of targets, from Package.swift.

    python3 scripts/architecture.py            writes the figure
    python3 scripts/architecture.py --check    fails if the figure is not what Package.swift says

A line leads from a target down to one that it depends on, a dashed one to a library that it loads at run time. Lines that follow from others are left out, and so are tests, lines to
MienCore, and the targets that only carry the flags of a system library.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIGURE = ROOT / "docs/images/architecture.svg"
KINDS = {"executableTarget": "program", "target": "library"}
# Every Swift target depends on it: drawn as the ground that they stand on.
BASE = "MienCore"
# What a target loads at run time, which the manifest does not say.
LOADED = {("MienVision", "COpenCVVideo")}
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 148, 34, 14, 42, 16


def calls(text):
    """The arguments of each `.target(…)`, `.executableTarget(…)` in the manifest, with the name of the function."""
    for match in re.finditer(r"\.(executableTarget|target)\(\s*\n?\s*name: ", text):
        depth, end = 1, text.index("(", match.start()) + 1
        start = end
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield match.group(1), text[start : end - 1]


def targets(text):
    """Targets by name: their kind and the targets that they depend on."""
    found = {}
    for function, arguments in calls(re.sub(r"//.*", "", text)):
        if 'path: "' in arguments:  # tests' support and the example
            continue
        name = re.search(r'name: "([^"]+)"', arguments).group(1)
        listed = re.search(r"dependencies: \[(.*?)\](?=\s*(?:,|$))", arguments, re.DOTALL)
        own = re.sub(r"\.product\([^()]*(?:\([^()]*\)[^()]*)*\)", "", listed.group(1)) if listed else ""
        found[name] = (KINDS[function], re.findall(r'"([^"]+)"', own))
    for name, library in LOADED:
        found[name][1].append(library)
    return {name: (kind, [d for d in needs if d in found]) for name, (kind, needs) in found.items()}


def reduced(graph):
    """The graph without the lines that follow from others."""

    def below(name):
        return set().union(*({need} | below(need) for need in graph[name][1]))

    return {
        name: [need for need in needs if not any(need in below(other) for other in needs)]
        for name, (_, needs) in graph.items()
    }


def layers(lines):
    """Rows of targets from the bottom up, each as high as its users allow, and the way of each line through the rows.

    A line that passes a row has a place of its own in it, an empty name after a number.
    """
    users = {name: [user for user in lines if name in lines[user]] for name in lines}
    below = {}

    def down(name):
        if name not in below:
            below[name] = 1 + max((down(user) for user in users[name]), default=-1)
        return below[name]

    lowest = max(down(name) for name in lines)
    row_of = {name: lowest - below[name] for name in lines}
    row_of[BASE] = -1
    rows = [[] for _ in range(lowest + 1)]
    neighbours, ways = {}, []
    for name in sorted(lines):
        if name != BASE:
            rows[row_of[name]].append(name)
            neighbours.setdefault(name, [])
    for name in sorted(lines):
        for need in sorted(lines[name]):
            way = [name]
            for row in range(row_of[name] - 1, row_of[need], -1):
                way.append(f"{len(ways)}-{row}")
                rows[row].append(way[-1])
            way.append(need)
            ways.append(way)
            for upper, lower in zip(way, way[1:]):
                neighbours.setdefault(upper, []).append(lower)
                neighbours.setdefault(lower, []).append(upper)
    # Each row in the order of its neighbours, up and down in turn, until lines cross little.
    for _ in range(24):
        for row in rows + rows[::-1]:
            place = {name: (index + 0.5) / len(row) for row in rows for index, name in enumerate(row)}
            row.sort(key=lambda name: (sum(place[n] for n in neighbours[name]) / max(1, len(neighbours[name])), name))
    return [row for row in rows if row], ways


def figure(text):
    graph = targets(text)
    lines = {name: [need for need in needs if need != BASE] for name, needs in reduced(graph).items()}
    rows, ways = layers(lines)

    def breadth(name):
        return WIDTH if name in graph else 10

    def used(row):
        return sum(map(breadth, row)) + (len(row) - 1) * GAP_X

    width = 2 * MARGIN + max(map(used, rows))
    height = 2 * MARGIN + (len(rows) + 1) * HEIGHT + len(rows) * GAP_Y
    spot = {BASE: (width / 2, height - MARGIN - HEIGHT / 2)}
    for depth, row in enumerate(rows):
        x = (width - used(row)) / 2
        for name in row:
            spot[name] = (x + breadth(name) / 2, height - MARGIN - HEIGHT / 2 - (depth + 1) * (HEIGHT + GAP_Y))
            x += breadth(name) + GAP_X
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" '
        'aria-label="The targets of Mien and what each depends on">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for way in ways:
        points = []
        for name in way:
            x, y = spot[name]
            points += [(x, y)] if name in graph else [(x, y - HEIGHT / 2), (x, y + HEIGHT / 2)]
        points[0] = (points[0][0], points[0][1] + HEIGHT / 2)
        points[-1] = (points[-1][0], points[-1][1] - HEIGHT / 2)
        path = f"M{points[0][0]:g} {points[0][1]:g}"
        for (x1, y1), (x2, y2) in zip(points, points[1:]):
            bend = (y1 + y2) / 2
            path += f"L{x2:g} {y2:g}" if x1 == x2 else f"C{x1:g} {bend:g} {x2:g} {bend:g} {x2:g} {y2:g}"
        dashes = ' stroke-dasharray="5 4"' if (way[0], way[-1]) in LOADED else ""
        out.append(f'<path d="{path}" fill="none" stroke="#8a94a3"{dashes}/>')
    for name in sorted(graph):
        x, y = spot[name]
        wide = width - 2 * MARGIN if name == BASE else WIDTH
        kind = graph[name][0]
        fill = "#1f4e79" if kind == "program" else "#eef3f8" if name.startswith("Mien") else "#f6f1e7"
        ink = "#ffffff" if kind == "program" else "#1b2430"
        out.append(
            f'<rect x="{x - wide / 2:g}" y="{y - HEIGHT / 2:g}" width="{wide:g}" height="{HEIGHT}" rx="6" fill="{fill}" '
            'stroke="#5b6675"/>'
        )
        out.append(f'<text x="{x:g}" y="{y + 4.5:g}" text-anchor="middle" fill="{ink}">{name}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    drawn = figure((ROOT / "Package.swift").read_text())
    if sys.argv[1:] == ["--check"]:
        if not FIGURE.exists() or FIGURE.read_text() != drawn:
            sys.exit("docs/images/architecture.svg is not what Package.swift says; run python3 scripts/architecture.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        FIGURE.write_text(drawn)


main()
