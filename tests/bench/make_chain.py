#!/usr/bin/python3
"""Writes a TorchScript model of about as many tensor operators as asked for; see measure_cut.py.

  make_chain.py OPERATORS MODEL.pt    takes float32[1,16,8,8]
"""

import sys

import torch
from torch import nn


class Block(nn.Module):
    """Ten operators: branches, a concatenation, views, an in-place operator."""

    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(16, 8, 1)
        self.right = nn.Conv2d(16, 8, 3, padding=1)
        self.scale = nn.Parameter(torch.full((16, 1, 1), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.cat([torch.relu(self.left(x)), torch.sigmoid(self.right(x))], 1)
        y = y.permute(0, 1, 3, 2) * self.scale
        y.add_(x)
        return torch.tanh(y) + x


def main() -> None:
    operators, path = int(sys.argv[1]), sys.argv[2]
    torch.manual_seed(0)
    model = nn.Sequential(*(Block() for _ in range(operators // 10))).eval()
    with torch.no_grad():
        torch.jit.trace(model, torch.zeros(1, 16, 8, 8), check_trace=False).save(path)


if __name__ == "__main__":
    main()
