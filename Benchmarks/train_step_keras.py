"""The training step of chen and le-deep in Keras (TensorFlow), chen's augmentation, and a whole epoch of chen with it.

Prints images a second, a line a round. Benchmarks/train-step.sh runs it in turn with `mien-train benchmark`.
"""

import argparse
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("recipe", choices=["chen", "le-deep"])
parser.add_argument("--what", choices=["step", "augmentation", "epoch"], default="step")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # noqa: E402

tensorflow.config.threading.set_intra_op_parallelism_threads(arguments.threads)
keras.utils.set_random_seed(1)


def chen():
    stack = [keras.Input((48, 48, 3))]
    for filters, kernel in ((6, 5), (16, 5), (64, 3)):
        stack += [layers.Conv2D(filters, kernel, activation="relu"), layers.MaxPooling2D()]
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5), layers.Dense(7, "softmax")]
    return keras.Sequential(stack), keras.optimizers.RMSprop(0.001, rho=0.9)


def le_deep():
    stack = [keras.Input((48, 48, 1))]
    for filters, kernel in ((64, 3), (128, 5), (512, 3), (512, 3)):
        stack += [
            layers.Conv2D(filters, kernel, padding="same", use_bias=False), layers.BatchNormalization(),
            layers.ReLU(), layers.MaxPooling2D(), layers.Dropout(0.25),
        ]
    stack.append(layers.Flatten())
    for size in (256, 512):
        stack += [layers.Dense(size, use_bias=False), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.25)]
    return keras.Sequential(stack + [layers.Dense(7, "softmax")]), keras.optimizers.Adam(0.0005)


def rate(images, body):
    begin = time.perf_counter()
    body()
    print(f"{images / (time.perf_counter() - begin):.1f}", flush=True)


network, optimizer = chen() if arguments.recipe == "chen" else le_deep()
network.compile(optimizer, "categorical_crossentropy")
channels = network.input_shape[-1]
count = arguments.batch if arguments.what == "step" else 981
faces = numpy.random.default_rng(1).random((count, 48, 48, channels), dtype=numpy.float32)
targets = numpy.eye(7, dtype=numpy.float32)[numpy.arange(count) % 7]
augmented = ImageDataGenerator(
    rotation_range=25, horizontal_flip=True, width_shift_range=0.1, height_shift_range=0.1, shear_range=11.3,
    zoom_range=0.2, fill_mode="nearest",
).flow(faces, targets, batch_size=arguments.batch, seed=1)

if arguments.what == "step":
    x, y = tensorflow.constant(faces), tensorflow.constant(targets)
    for _ in range(5):
        network.train_on_batch(x, y)
    for _ in range(arguments.rounds):
        rate(arguments.steps * count, lambda: [network.train_on_batch(x, y) for _ in range(arguments.steps)])
elif arguments.what == "augmentation":
    for _ in range(arguments.rounds):
        rate(count, lambda: [next(augmented) for _ in range(len(augmented))])
else:
    network.fit(augmented, epochs=1, verbose=0)
    for _ in range(arguments.rounds):
        rate(count, lambda: network.fit(augmented, epochs=1, verbose=0))
