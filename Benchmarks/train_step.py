"""The training step of a recipe in PyTorch eager: the same network, loss and optimiser, and moving average where it has.

Prints images a second, a line a round. Benchmarks/train-step.sh runs it in turn with `mien-train benchmark`.
"""

import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=8):
        super().__init__()
        self.reduce = nn.Linear(channels, max(4, channels // reduction))
        self.expand = nn.Linear(max(4, channels // reduction), channels)

    def forward(self, x):
        gate = self.expand(F.relu(self.reduce(x.mean((2, 3))))).sigmoid()
        return x * gate[:, :, None, None]


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x), inplace=True)


class Network(nn.Module):
    def __init__(self, stem, widths, blocks, dropout, heads=(8, 7)):
        super().__init__()
        layers = [nn.Conv2d(1, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)]
        width = stem
        for outputs, count in zip(widths, blocks):
            for index in range(count):
                layers.append(Residual(width, outputs, 2 if index == 0 else 1))
                width = outputs
        self.trunk = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(width, count) for count in heads)

    def forward(self, x):
        x = self.dropout(self.trunk(x * 4 - 2).mean((2, 3)))
        return [head(x) for head in self.heads]


def chen():
    """recipes/chen.yaml."""
    layers, width = [], 3
    for filters, kernel in ((6, 5), (16, 5), (64, 3)):
        layers += [nn.Conv2d(width, filters, kernel), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
        width = filters
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(64 * 9, 128), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(128, 7)
    )


def le_deep():
    """recipes/le-deep.yaml."""
    layers, width = [], 1
    for filters, kernel in ((64, 3), (128, 5), (512, 3), (512, 3)):
        layers += [
            nn.Conv2d(width, filters, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.25),
        ]
        width = filters
    layers.append(nn.Flatten())
    width = 512 * 9
    for size in (256, 512):
        layers += [nn.Linear(width, size, bias=False), nn.BatchNorm1d(size), nn.ReLU(inplace=True), nn.Dropout(0.25)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 7))


class MienS:
    """recipes/mien-s.yaml."""

    channels, classes, clip, decay = 1, (8, 7), 5, 0.001

    def __init__(self):
        self.network = Network(32, [48, 96, 192], [1, 1, 2], 0.2)
        decayed = [p for p in self.network.parameters() if p.dim() > 1]
        plain = [p for p in self.network.parameters() if p.dim() <= 1]
        self.optimizer = torch.optim.SGD(
            [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0}],
            lr=0.01, momentum=0.9, nesterov=True,
        )


class Chen:
    channels, classes, clip, decay = 3, (7,), 0, 0

    def __init__(self):
        self.network = chen()
        self.optimizer = torch.optim.RMSprop(self.network.parameters(), lr=0.001, alpha=0.9, eps=1e-7)


class LeDeep:
    channels, classes, clip, decay = 1, (7,), 0, 0

    def __init__(self):
        self.network = le_deep()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.0005, fused=True)


def main():
    recipes = {"mien-s": MienS, "chen": Chen, "le-deep": LeDeep}
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", choices=recipes)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)

    recipe = recipes[arguments.recipe]()
    network, optimizer = recipe.network.train(), recipe.optimizer
    faces = torch.rand(arguments.batch, recipe.channels, 48, 48)
    if arguments.channels_last:
        network = network.to(memory_format=torch.channels_last)
        faces = faces.to(memory_format=torch.channels_last)
    average = [tensor.detach().clone() for tensor in network.state_dict().values() if tensor.is_floating_point()]
    targets = [F.one_hot(torch.arange(arguments.batch) % count, count).float() for count in recipe.classes]

    def step():
        outputs = network(faces)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        loss = sum(F.cross_entropy(logits, target) for logits, target in zip(outputs, targets))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if recipe.clip:
            torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
        optimizer.step()
        if recipe.decay:
            current = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
            torch._foreach_lerp_(average, current, recipe.decay)
        return loss.item()

    for _ in range(3):
        step()
    for _ in range(arguments.rounds):
        begin = time.perf_counter()
        for _ in range(arguments.steps):
            step()
        print(f"{arguments.steps * arguments.batch / (time.perf_counter() - begin):.1f}", flush=True)


main()
