"""Lossless compression of a FaceSet (.safetensors of grey faces) for the trip to a GPU host.

    faceset_codec.py pack FACES.safetensors FACES.packed
    faceset_codec.py unpack FACES.packed FACES.safetensors

Needs Python 3.9 and NumPy on both sides. Copies of a face are stored once. A pixel is predicted from its neighbours
by integer least-squares weights, and the residual is coded by rANS (Duda 2013) with one static frequency table per
level of local activity. All faces are coded at the same time, one pixel position after another, so NumPy does the
work. What is not pixels is compressed by LZMA. The unpacked file is compared with the packed one by its SHA-256.
"""

import hashlib
import json
import lzma
import struct
import sys

import numpy as np

MAGIC = b"MIENFACE1"
# Neighbours (rows up, columns left) of a pixel, all of them decoded before it.
NEIGHBOURS = [(0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (2, 1), (2, -1), (1, 2), (1, -2), (0, 3), (3, 0)]
# Neighbours whose first prediction errors correct the second prediction, and those that measure activity.
CORRECTIONS = [(0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0)]
ACTIVITY = CORRECTIONS + [(1, 2), (1, -2), (2, 1), (2, -1)]
# Pairs of neighbours whose difference measures activity.
GRADIENTS = [(0, 2), (1, 2), (1, 3), (0, 4), (1, 5)]
MARGIN = 3
LEVELS = 48  # of activity, a frequency table each
CLASSES = 16  # of activity, second predictors each
BITS = 12  # after the point of a weight
PRECISION = 14  # bits of a frequency
FITTED_FACES = 1500


class Predictor:
    """Predicts faces [rows, columns, N] pixel by pixel from integer weights."""

    def __init__(self, parameters):
        self.first = np.array(parameters["first"], np.int32)  # [3, neighbours]
        self.activity = np.array(parameters["activity"], np.int32)  # [features]
        self.thresholds = np.array(parameters["thresholds"], np.int32)  # [LEVELS - 1]
        self.second = np.array(parameters["second"], np.int32)  # [CLASSES + 2, neighbours + corrections]

    def start(self, height, width, count):
        self.width = width
        # Above the faces is middle grey; the margins beside a row are filled as it is reached.
        self.pixels = np.full((height + MARGIN, width + 2 * MARGIN, count), 128, np.int32)
        self.errors = np.zeros((height + MARGIN, width + 2 * MARGIN, count), np.int32)
        self.total = np.zeros(count, np.int32)
        self.seen = 0

    def features(self, y, x):
        if x == 0 and y > 0:
            self.pixels[y + MARGIN, :MARGIN] = self.pixels[y + MARGIN - 1, MARGIN]
        row, column = y + MARGIN, x + MARGIN
        near = [self.pixels[row - up, column - left] for up, left in NEIGHBOURS]
        wrong = [self.errors[row - up, column - left] for up, left in ACTIVITY]
        return near, wrong

    def activity_features(self, near, wrong):
        mean = (self.total * 16) // max(1, self.seen)
        return (
            [np.abs(error) * 16 for error in wrong]
            + [np.abs(near[a] - near[b]) * 16 for a, b in GRADIENTS]
            + [np.full_like(mean, 16), mean]
        )

    @staticmethod
    def edge(y, x):
        """0 in the first row, 1 in the first column, 2 elsewhere."""
        return 0 if y == 0 else 1 if x == 0 else 2

    def first_guess(self, edge, near):
        total = weighted(near, self.first[edge])
        return np.clip((total + (1 << (BITS - 1))) >> BITS, 0, 255)

    def level(self, edge, near, wrong):
        if edge < 2:
            return np.full(self.total.shape, LEVELS + edge, np.int64)
        scale = weighted(self.activity_features(near, wrong), self.activity) >> BITS
        return np.searchsorted(self.thresholds, scale)

    def guess(self, y, x):
        """The second prediction and the level of activity, for all faces."""
        near, wrong = self.features(y, x)
        edge = self.edge(y, x)
        self.guessed = self.first_guess(edge, near)
        level = self.level(edge, near, wrong)
        group = class_of(level)
        total = 0
        for feature, weights in zip(near + wrong[: len(CORRECTIONS)], self.second.T):
            total = total + feature * weights[group]
        return np.clip((total + (1 << (BITS - 1))) >> BITS, 0, 255), level

    def learn(self, y, x, values):
        """Tells the pixels at (y, x)."""
        row, column = y + MARGIN, x + MARGIN
        self.pixels[row, column] = values
        if x == self.width - 1:
            self.pixels[row, column + 1 :] = values
        error = values - self.guessed
        self.errors[row, column] = error
        self.total += np.abs(error)
        self.seen += 1


def class_of(level):
    """The second predictor of a level of activity; the first row and column have their own."""
    return np.where(level < LEVELS, level * CLASSES // LEVELS, level - LEVELS + CLASSES)


def weighted(features, weights):
    total = 0
    for feature, weight in zip(features, weights):
        total = total + feature * weight
    return total


def least_squares(features, target):
    design = np.stack(features, 1).astype(np.float64)
    gram = design.T @ design + 1e-3 * np.eye(design.shape[1])
    return np.linalg.solve(gram, design.T @ target)


def integers(weights):
    return np.rint(np.asarray(weights) * (1 << BITS)).astype(int).tolist()


def fitted(faces):
    """Parameters of a predictor for faces [height, width, N]."""
    height, width, count = faces.shape
    places = [(y, x) for y in range(height) for x in range(width)]
    parameters = {
        "first": np.zeros((3, len(NEIGHBOURS)), int).tolist(),
        "activity": [0] * (len(ACTIVITY) + len(GRADIENTS) + 2),
        "thresholds": list(range(LEVELS - 1)),
        "second": np.zeros((CLASSES + 2, len(NEIGHBOURS) + len(CORRECTIONS)), int).tolist(),
    }

    def walk(visit):
        predictor = Predictor(parameters)
        predictor.start(height, width, count)
        for y, x in places:
            visit(predictor, y, x, faces[y, x])
            near, _ = predictor.features(y, x)
            predictor.guessed = predictor.first_guess(predictor.edge(y, x), near)
            predictor.learn(y, x, faces[y, x])

    def collect(size):
        return [[[] for _ in range(size)], []]

    # The first predictor: in the first row, in the first column, elsewhere.
    samples = [collect(len(NEIGHBOURS)) for _ in range(3)]

    def first(predictor, y, x, values):
        edge = predictor.edge(y, x)
        if edge == 2 and (x * 7 + y * 13) % 5:
            return
        near, _ = predictor.features(y, x)
        for stored, feature in zip(samples[edge][0], near):
            stored.append(feature.copy())
        samples[edge][1].append(values)

    walk(first)
    parameters["first"] = [
        integers(least_squares([np.concatenate(f) for f in features], np.concatenate(target)))
        for features, target in samples
    ]

    # The scale of its errors, in 16ths.
    scales = collect(len(parameters["activity"]))

    def activity(predictor, y, x, values):
        if predictor.edge(y, x) < 2 or (x * 7 + y * 13) % 5:
            return
        near, wrong = predictor.features(y, x)
        for stored, feature in zip(scales[0], predictor.activity_features(near, wrong)):
            stored.append(feature.copy())
        scales[1].append(np.abs(values - predictor.first_guess(2, near)) * 16)

    walk(activity)
    features, target = [np.concatenate(f) for f in scales[0]], np.concatenate(scales[1])
    parameters["activity"] = integers(least_squares(features, target))
    scale = weighted(features, np.array(parameters["activity"])) >> BITS
    parameters["thresholds"] = np.quantile(scale, np.arange(1, LEVELS) / LEVELS).astype(int).tolist()

    # The second predictors.
    samples = [collect(len(NEIGHBOURS) + len(CORRECTIONS)) for _ in range(CLASSES + 2)]

    def second(predictor, y, x, values):
        edge = predictor.edge(y, x)
        if edge == 2 and (x * 7 + y * 13) % 5:
            return
        near, wrong = predictor.features(y, x)
        group = class_of(predictor.level(edge, near, wrong))
        for number in np.unique(group):
            chosen = group == number
            for stored, feature in zip(samples[number][0], near + wrong[: len(CORRECTIONS)]):
                stored.append(feature[chosen])
            samples[number][1].append(values[chosen])

    walk(second)
    parameters["second"] = [
        integers(least_squares([np.concatenate(f) for f in features], np.concatenate(target)))
        for features, target in samples
    ]
    return parameters


def frequencies(counts):
    """Counts of 256 symbols as frequencies that sum to 2^PRECISION, none of them 0."""
    total = 1 << PRECISION
    scaled = np.maximum(1, counts * (total - 256) // max(1, counts.sum()) + 1)
    scaled[np.argmax(scaled)] += total - scaled.sum()
    return scaled.astype(np.uint16)


def encode(faces):
    """Faces [N, height, width] of bytes as (parameters, bytes)."""
    faces = np.ascontiguousarray(faces.transpose(1, 2, 0)).astype(np.int32)
    height, width, count = faces.shape
    step = max(1, count // FITTED_FACES)
    parameters = fitted(faces[:, :, ::step])
    predictor = Predictor(parameters)
    predictor.start(height, width, count)
    residuals = np.empty((height * width, count), np.uint8)
    levels = np.empty((height * width, count), np.uint8)
    counts = np.zeros((LEVELS + 2, 256), np.int64)
    for place in range(height * width):
        y, x = divmod(place, width)
        guess, level = predictor.guess(y, x)
        residual = (faces[y, x] - guess) & 255
        predictor.learn(y, x, faces[y, x])
        residuals[place], levels[place] = residual, level
        counts += np.bincount(level * 256 + residual, minlength=counts.size).reshape(counts.shape)
    tables = np.stack([frequencies(row) for row in counts])
    starts = (np.cumsum(tables, 1) - tables).astype(np.int64)
    state = np.full(count, 1 << 16, np.int64)
    chunks = []
    for place in range(height * width - 1, -1, -1):
        level, residual = levels[place].astype(np.int64), residuals[place]
        frequency = tables[level, residual].astype(np.int64)
        full = state >= frequency << (32 - PRECISION)
        chunks.append((state[full] & 0xFFFF).astype("<u2").tobytes())
        state[full] >>= 16
        state = (state // frequency << PRECISION) + state % frequency + starts[level, residual]
    data = tables.astype("<u2").tobytes() + state.astype("<u4").tobytes() + b"".join(reversed(chunks))
    return parameters, data


def decode(parameters, data, shape):
    """The faces [N, height, width] that were encoded."""
    count, height, width = shape
    size = (LEVELS + 2) * 256 * 2
    tables = np.frombuffer(data, "<u2", (LEVELS + 2) * 256).reshape(LEVELS + 2, 256).astype(np.int64)
    starts = np.cumsum(tables, 1) - tables
    symbols = np.stack([np.repeat(np.arange(256, dtype=np.uint8), row) for row in tables]).reshape(-1)
    state = np.frombuffer(data, "<u4", count, size).astype(np.int64)
    words = np.frombuffer(data, "<u2", -1, size + 4 * count)
    flat_tables, flat_starts = tables.reshape(-1), starts.reshape(-1)
    predictor = Predictor(parameters)
    predictor.start(height, width, count)
    faces = np.empty((height, width, count), np.uint8)
    used = 0
    for place in range(height * width):
        y, x = divmod(place, width)
        guess, level = predictor.guess(y, x)
        slot = state & ((1 << PRECISION) - 1)
        residual = symbols[(level << PRECISION) + slot].astype(np.int64)
        index = level * 256 + residual
        state = flat_tables[index] * (state >> PRECISION) + slot - flat_starts[index]
        low = np.flatnonzero(state < 1 << 16)
        state[low] = (state[low] << 16) | words[used : used + len(low)]
        used += len(low)
        values = ((guess + residual) & 255).astype(np.int32)
        predictor.learn(y, x, values)
        faces[y, x] = values
    return np.ascontiguousarray(faces.transpose(2, 0, 1))


def place_of_pixels(file):
    """Where the pixels of a FaceSet lie in its bytes, and their shape [N, height, width]."""
    length = struct.unpack("<Q", file[:8])[0]
    header = json.loads(file[8 : 8 + length])
    pixels = header["pixels"]
    if pixels["dtype"] != "U8" or len(pixels["shape"]) != 4 or pixels["shape"][3] != 1:
        raise ValueError(f"expected grey faces, found pixels {pixels['dtype']} {pixels['shape']}")
    begin, end = (8 + length + offset for offset in pixels["data_offsets"])
    return begin, end, pixels["shape"][:3]


def pack(file):
    begin, end, shape = place_of_pixels(file)
    faces = np.frombuffer(file, np.uint8, end - begin, begin).reshape(shape)
    _, first, inverse = np.unique(faces.reshape(shape[0], -1), axis=0, return_index=True, return_inverse=True)
    # Unique faces in the order in which they come.
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    inverse = rank[inverse.reshape(-1)]
    parameters, data = encode(faces[first[order]])
    # 0 for a face that is new, else how many new faces back the one lies that it copies, from 1.
    newest = np.maximum.accumulate(inverse)
    isnew = newest > np.concatenate([[-1], newest[:-1]])
    copies = np.where(isnew, 0, newest - inverse + 1).astype("<i4").tobytes()
    rest = lzma.compress(copies + file[:begin] + file[end:], preset=9)
    head = {"sha256": hashlib.sha256(file).hexdigest(), "faces": shape, "unique": len(order), "begin": begin,
            "rest": len(rest), **parameters}
    text = lzma.compress(json.dumps(head).encode())
    return MAGIC + struct.pack("<I", len(text)) + text + rest + data


def unpack(packed):
    if packed[: len(MAGIC)] != MAGIC:
        raise ValueError("it is not a packed FaceSet")
    at = len(MAGIC) + 4
    length = struct.unpack("<I", packed[at - 4 : at])[0]
    head = json.loads(lzma.decompress(packed[at : at + length]))
    at += length
    rest = lzma.decompress(packed[at : at + head["rest"]])
    count, height, width = head["faces"]
    copies = np.frombuffer(rest, "<i4", count)
    newest = np.cumsum(copies == 0) - 1
    inverse = np.where(copies == 0, newest, newest - copies + 1)
    faces = decode(head, packed[at + head["rest"] :], (head["unique"], height, width))
    others = rest[4 * count :]
    file = others[: head["begin"]] + faces[inverse].tobytes() + others[head["begin"] :]
    if hashlib.sha256(file).hexdigest() != head["sha256"]:
        raise ValueError("another SHA-256")
    return file


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        raise SystemExit(__doc__)
    with open(sys.argv[2], "rb") as source:
        data = source.read()
    try:
        data = pack(data) if sys.argv[1] == "pack" else unpack(data)
    except (ValueError, IndexError, KeyError, struct.error, lzma.LZMAError) as error:
        raise SystemExit(f"{sys.argv[2]} is damaged: {error}")
    with open(sys.argv[3], "wb") as target:
        target.write(data)


if __name__ == "__main__":
    main()
