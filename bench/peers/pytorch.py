"""PyTorch: reads one request a line from stdin, answers with one line of JSON each.

The workloads are those of ../workloads.ts; parameters have the same names, which are PyTorch's own.
Results go to files, raw float32, because a pipe of JSON would be slow.
"""

import json
import math
import sys
import time


def status(field):
    with open("/proc/self/status") as lines:
        return next((int(l.split()[1]) * 1024 for l in lines if l.startswith(field)), 0)


import numpy as np
import torch
import torch.nn.functional as F


def fill(spec):
    """The same bits as ../fill.ts."""
    n = math.prod(spec["shape"])
    start = (spec["seed"] * 0x9E3779B9) & 0xFFFFFFFF
    out = np.empty(n, np.float32)
    for lo in range(0, n, 1 << 20):  # in pieces, so that the temporaries do not count as peak memory
        hi = min(n, lo + (1 << 20))
        h = (np.arange(lo, hi, dtype=np.uint32) + np.uint32(start)).astype(np.uint32)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        h = h ^ (h >> np.uint32(16))
        unit = (h >> np.uint32(8)).astype(np.float64) / 2.0**24
        below = spec.get("below")
        out[lo:hi] = spec["mid"] + spec["spread"] * (unit - 0.5) if below is None else np.floor(unit * below)
    t = torch.from_numpy(out.reshape(spec["shape"]))
    return t.long() if spec.get("below") is not None else t


def modulate(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


def block(p, at, x, c, heads):
    B, T, D = x.shape
    lin = lambda name, v: F.linear(v, p[at + name + ".weight"], p[at + name + ".bias"])
    m = lin("adaLN_modulation.1", F.silu(c)).chunk(6, dim=1)
    q, k, v = lin("attn.qkv", modulate(x, m[0], m[1])).reshape(B, T, 3, heads, D // heads).permute(2, 0, 3, 1, 4)
    a = ((q * (D // heads) ** -0.5) @ k.transpose(-2, -1)).softmax(-1)
    x = x + m[2][:, None] * lin("attn.proj", (a @ v).transpose(1, 2).reshape(B, T, D))
    h = F.gelu(lin("mlp.fc1", modulate(x, m[3], m[4])), approximate="tanh")
    return x + m[5][:, None] * lin("mlp.fc2", h)


def timestep(t):
    rate = torch.exp(-math.log(10000) * torch.arange(128, dtype=torch.float32) / 128)
    angle = t[:, None] * rate[None]
    return torch.cat([angle.cos(), angle.sin()], dim=-1)


def sit(p, x, t, y, s):
    lin = lambda name, v: F.linear(v, p[name + ".weight"], p[name + ".bias"])
    B = x.shape[0]
    h = F.conv2d(x, p["x_embedder.proj.weight"], p["x_embedder.proj.bias"], stride=s["P"])
    h = h.flatten(2).transpose(1, 2) + p["pos_embed"]
    c = lin("t_embedder.mlp.2", F.silu(lin("t_embedder.mlp.0", timestep(t))))
    c = c + F.embedding(y, p["y_embedder.embedding_table.weight"])
    for l in range(s["L"]):
        h = block(p, f"blocks.{l}.", h, c, s["A"])
    shift, scale = lin("final_layer.adaLN_modulation.1", F.silu(c)).chunk(2, dim=1)
    h = lin("final_layer.linear", modulate(h, shift, scale))
    h = h.reshape(B, s["H"], s["W"], s["P"], s["P"], s["C"] + s["R"])
    return torch.einsum("nhwpqc->nchpwq", h).reshape(x.shape)


def open_matmul(w, i):
    return lambda: {"out": i["a"] @ i["b"]}


def open_gelu(w, i):
    # The scalars as numbers: no tensor of one element is read.
    a, b = float(i["a"]), float(i["b"])
    return lambda: {"out": F.gelu(i["x"] * a + b, approximate="tanh")}


def open_softmax(w, i):
    return lambda: {"out": F.softmax(i["x"], -1)}


def open_layer_norm(w, i):
    return lambda: {"out": F.layer_norm(i["x"], i["x"].shape[-1:], i["weight"], i["bias"], 1e-5)}


def open_block(w, i):
    return lambda: {"out": block(i, "p.", i["x"], i["c"], w["sizes"]["A"])}


def open_block_grad(w, i):
    for v in i.values():
        v.requires_grad_(True)

    def run():
        for v in i.values():
            v.grad = None
        with torch.enable_grad():
            energy = block(i, "p.", i["x"], i["c"], w["sizes"]["A"]).square().sum()
            energy.backward()
        return {"out": energy.detach(), **{"grad." + n: v.grad for n, v in i.items()}}

    return run


def open_step(w, i):
    s = w["sizes"]
    at = "state.params."
    p = {n[len(at) :]: v for n, v in i.items() if n.startswith(at)}
    trained = {n: v.requires_grad_(True) for n, v in p.items() if n != "pos_embed"}
    optimiser = torch.optim.AdamW(
        trained.values(), lr=float(i["lr"]), weight_decay=float(i["decay"]), foreach=w["foreach"]
    )
    x1, x0, t, y = i["x1"], i["x0"], i["t"], i["y"]
    first = {}

    def run():
        with torch.enable_grad():
            at_t = t[:, None, None, None]
            v = sit(p, at_t * x1 + (1 - at_t) * x0, t, y, s)
            e = (v - (x1 - x0)).square()
            loss = e[:, : s["C"]].mean() + e[:, s["C"] :].mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
        optimiser.step()
        if not first:  # moments change in place: keep what is compared of the first step
            first["out.loss"] = loss.detach().clone()
            for name in w["compared"]:
                if ".m." in name:
                    first[name] = optimiser.state[trained[name.split(".m.", 1)[1]]]["exp_avg"].clone()
        return first

    return run


OPEN = {
    "matmul": open_matmul,
    "gelu": open_gelu,
    "softmax": open_softmax,
    "layerNorm": open_layer_norm,
    "block": open_block,
    "blockGrad": open_block_grad,
    "step": open_step,
}


def main():
    run = result = None
    for line in sys.stdin:
        m = json.loads(line)
        if m["k"] == "open":
            w = m["workload"]
            torch.set_num_threads(m["threads"])
            torch.set_grad_enabled(False)
            # Moments belong to the optimiser here, which starts them at zero as the program does.
            inputs = {s["name"]: fill(s) for s in w["inputs"] if not s["name"].startswith("state.moments")}
            w["foreach"] = m.get("foreach", False)
            run = OPEN[w["kind"]](w, inputs)
            answer = {}
        elif m["k"] == "time":
            times = []
            start = time.perf_counter()
            while len(times) < m["least"] or (time.perf_counter() - start) * 1000 < m["budget"]:
                t = time.perf_counter()
                result = run()
                times.append((time.perf_counter() - t) * 1000)
            answer = {"times": times}
        elif m["k"] == "read":
            sizes = []
            with open(m["file"], "wb") as f:
                for name in m["names"]:
                    a = result[name].detach().contiguous().numpy().astype(np.float32).reshape(-1)
                    f.write(a.tobytes())
                    sizes.append(a.size)
            answer = {"sizes": sizes}
        answer["memory"] = status("VmHWM")
        print(json.dumps(answer), flush=True)


main()
