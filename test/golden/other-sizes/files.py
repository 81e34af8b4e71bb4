"""Golden cases on disk, as ../*.json and ../*.safetensors are: a case is a function of weights and
inputs, computed in float64 and again in float32 to see how far that is off."""

import json
import struct
import torch

torch.set_num_threads(1)


class Draws:
    """Random tensors that float32 holds exactly."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, *shape, scale=1.0):
        drawn = torch.randn(*shape, generator=self.generator, dtype=torch.float64)
        return rounded(drawn * scale)

    def uniform(self, *shape):
        return rounded(torch.rand(*shape, generator=self.generator, dtype=torch.float64))

    def below(self, bound, *shape):
        return torch.randint(bound, shape, generator=self.generator)


def rounded(t):
    return t.to(torch.float32).to(torch.float64)


def cast(tensors, dtype):
    return {n: t.to(dtype) if t.is_floating_point() else t for n, t in tensors.items()}


def write_case(
    folder, name, config, compute, weights, inputs, scalars=None, exact=(), description=""
):
    """`compute(weights, inputs)` gives the expected tensors; those in `exact` get no float32 error."""
    wide = compute(
        {f: cast(w, torch.float64) for f, w in weights.items()}, cast(inputs, torch.float64)
    )
    narrow = compute(
        {f: cast(w, torch.float32) for f, w in weights.items()}, cast(inputs, torch.float32)
    )
    errors = {}
    for n, want in wide.items():
        if n in exact:
            continue
        off = (want.detach().double() - narrow[n].detach().double()).abs().max()
        errors[n] = [float(off), float(want.abs().max())]
    for f, w in weights.items():
        write_tensors(f"{folder}/{f}.safetensors", w)
    tensors = {**inputs, **wide}
    write_tensors(f"{folder}/{name}.safetensors", tensors)
    sidecar = {
        "case": name,
        "source": "own reference of other sizes, float64",
        "config": config,
        "description": description,
        "weights_file": " + ".join(f"{f}.safetensors" for f in weights) or None,
        "scalars": scalars or {},
        "f32_max_abs_err": errors,
        "tensors": {n: list(t.shape) for n, t in tensors.items()},
    }
    with open(f"{folder}/{name}.json", "w") as f:
        json.dump(sidecar, f, indent=1)
        f.write("\n")


def write_tensors(path, tensors):
    header, data, at = {}, [], 0
    for name, t in tensors.items():
        real = t.is_floating_point()
        array = t.detach().contiguous().to(torch.float32 if real else torch.int64).numpy()
        bytes_ = array.tobytes()
        header[name] = {
            "dtype": "F32" if real else "I64",
            "shape": list(t.shape),
            "data_offsets": [at, at + len(bytes_)],
        }
        at += len(bytes_)
        data.append(bytes_)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))
