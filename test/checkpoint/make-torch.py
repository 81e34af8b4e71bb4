"""Writes torch.pt with PyTorch itself: python3 make-torch.py torch.pt

What a training script saves: the model as data-parallel training names it, its average, an optimizer,
the arguments, and things beside that are no tensors. Written by PyTorch 1.13.
"""
import argparse, collections, pathlib, sys
import numpy, torch

grid = torch.arange(24, dtype=torch.float32).reshape(6, 4) / 8 - 1
model = collections.OrderedDict(
    weight=grid,
    transposed=grid.t(),
    row=grid[2],
    column=grid[:, 1],
    window=grid[1::2, 1:3],
    repeated=grid[:1].expand(3, 4),
    parameter=torch.nn.Parameter(grid[0].clone()),
    half=grid[0].half(),
    brain=grid[0].bfloat16(),
    double=grid[0].double(),
    long=torch.arange(3) - 1,
    byte=torch.tensor([0, 255], dtype=torch.uint8),
    mask=torch.tensor([True, False]),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
)
model['blocks.0.w'], model['blocks.1.w'] = grid[0], grid[1]

layer = torch.nn.Linear(2, 2)
torch.nn.init.ones_(layer.weight)
torch.nn.init.zeros_(layer.bias)
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.ones(1, 2)).sum().backward()
optimizer.step()

torch.save({
    'model': collections.OrderedDict(('module.' + k, v) for k, v in model.items()),
    'ema': model,
    'opt': optimizer.state_dict(),
    'args': argparse.Namespace(lr=1e-4, seed=2**64 - 1, tags={'a', 'b'}, size=torch.Size([2, 3]),
                               device=torch.device('cpu'), dtype=torch.float16,
                               folder=pathlib.PurePosixPath('runs/1')),
    'counts': collections.Counter(a=2),
    'best': numpy.float64(3.25),
    'steps': 12345678901,
}, sys.argv[1])
