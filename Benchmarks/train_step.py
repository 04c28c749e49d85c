"""The training step of mien-s in PyTorch eager: the same network, loss, optimiser and moving average.

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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--channels-last", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)

    network = Network(24, [40, 80, 160], [1, 1, 2], 0.2).train()
    faces = torch.rand(arguments.batch, 1, 48, 48)
    if arguments.channels_last:
        network = network.to(memory_format=torch.channels_last)
        faces = faces.to(memory_format=torch.channels_last)
    average = [tensor.detach().clone() for tensor in network.state_dict().values() if tensor.is_floating_point()]
    decayed = [p for p in network.parameters() if p.dim() > 1]
    plain = [p for p in network.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0}],
        lr=0.01, momentum=0.9, nesterov=True,
    )
    targets = [F.one_hot(torch.arange(arguments.batch) % classes, classes).float() for classes in (8, 7)]

    def step():
        loss = sum(F.cross_entropy(logits, target) for logits, target in zip(network(faces), targets))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
        optimizer.step()
        current = [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
        torch._foreach_lerp_(average, current, 0.001)
        return loss.item()

    for _ in range(3):
        step()
    for _ in range(arguments.rounds):
        begin = time.perf_counter()
        for _ in range(arguments.steps):
            step()
        print(f"{arguments.steps * arguments.batch / (time.perf_counter() - begin):.1f}", flush=True)


main()
