"""Writes every golden case at other sizes than the public ones: python3 make.py FOLDER

Plain PyTorch (written with 1.13), independent of the public code and of the programs that it checks;
the conventions are those of the notes in ../*.json. Sizes differ in every way that a sidecar can say:
pictures that are not square, patches of 4, channels, heads, steps, strengths, registers, levels.
"""

import os
import sys
import numpy as np
import torch
import torch.nn.functional as F
from files import Draws, rounded, write_case
from networks import (
    Vae,
    add_conv,
    add_linear,
    dino,
    dino_weights,
    linear,
    separate,
    sit,
    sit_states,
    sit_weights,
    timestep_features,
    vae_weights,
)
from solvers import BETAS, KEPT, diffuse, dopri5, fixed_steps, sde

SIZES = dict(depth=2, hidden=8, heads=2, H=4, W=8, patch=4, classes=3, batch=2, latents=2, rank=3)
B, K, C = SIZES["batch"], SIZES["classes"], SIZES["latents"]
STATE = (B, C + SIZES["rank"], SIZES["H"], SIZES["W"])
CFG, RG = 2.5, 1.3
GUIDANCES = ["plain", "cfg", "cfg_vae", "rg"]
WEIGHTS = "redi-weights"

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
draws = Draws(5)
weights = sit_weights(draws, SIZES, STATE[1], SIZES["depth"])
config = {n: v for n, v in SIZES.items() if n not in ("H", "W", "latents")}
labels, dropped = draws.below(K, B), torch.tensor([1, 0])
after_drop = torch.where(dropped == 1, K, labels)
data, noise, times = draws.normal(*STATE), draws.normal(*STATE), draws.uniform(B)


def case(name, compute, weights, inputs, scalars=None, own=None, **more):
    write_case(folder, name, {**config, **(own or {})}, compute, weights, inputs, scalars, **more)


def joint(e):
    """Errors of x and of z, each averaged over its own elements."""
    return e[:, :C].mean((1, 2, 3)), e[:, C:].mean((1, 2, 3))


def without_z(x):
    return torch.cat([x[:, :C], torch.zeros_like(x[:, C:])], 1)


def guided(w, kind, x, t, y, strength=CFG):
    t = torch.as_tensor(t, dtype=x.dtype).expand(B)
    v = sit(w, SIZES, x, t, y)
    if kind == "plain":
        return v
    if kind == "rg":
        bare = sit(w, SIZES, without_z(x), t, y)
        return bare + RG * (v - bare)
    null = sit(w, SIZES, x, t, torch.full_like(y, K))
    out = null + strength * (v - null)
    return out if kind == "cfg" else torch.cat([out[:, :C], v[:, C:]], 1)


def trainable(w):
    return {n: t.clone().requires_grad_(n != "pos_embed") for n, t in w.items()}


def gradients(loss, w, prefix):
    names = [n for n, t in w.items() if t.requires_grad]
    found = torch.autograd.grad(loss, [w[n] for n in names], retain_graph=True, allow_unused=True)
    return {
        f"{prefix}.{n}": torch.zeros_like(w[n]) if g is None else g for n, g in zip(names, found)
    }


def plain(tensors):
    return {n: t.detach() for n, t in tensors.items()}


# ---------------------------------------------------------------- networks


def forward(ws, i):
    w = ws[WEIGHTS]
    v, cond, states = sit_states(w, SIZES, i["in.x"], i["in.t"], i["in.y"])
    x, t, y = i["in.x"], i["in.t_guided"], i["in.y_guided"]
    null = sit(w, SIZES, x, t.expand(B), torch.full_like(y, K))
    made = {kind: guided(w, kind, x, t, y) for kind in GUIDANCES}
    second = torch.cat([made["cfg"][:, :C], null[:, C:]], 1)
    return {
        "out.t_freq": timestep_features(i["in.t"]),
        "out.c": cond,
        "out.tokens_in": states[0],
        "out.block0": states[1],
        "out.v": v,
        "out.cfg": torch.cat([made["cfg"], made["cfg"]]),
        "out.cfg_vae": torch.cat([made["cfg_vae"], second]),
        "out.rg": torch.cat([made["rg"], made["rg"]]),
    }


inputs = {
    "in.x": draws.normal(*STATE),
    "in.t": draws.uniform(B),
    "in.y": labels,
    "in.y_guided": draws.below(K, B),
    "in.t_guided": draws.uniform(1),
}
case("redi-forward", forward, {WEIGHTS: weights}, inputs, {"cfg_scale": CFG, "rg_scale": RG})

apart = sit_weights(draws, SIZES, C, 2)
add_conv(draws, apart, "z_embedder.proj", SIZES["hidden"], SIZES["rank"], SIZES["patch"])
add_linear(
    draws, apart, "final_layer.linear_z", SIZES["patch"] ** 2 * SIZES["rank"], SIZES["hidden"]
)
case(
    "separate-tokens",
    lambda ws, i: {
        "out.v": separate(ws["separate-weights"], SIZES, i["in.x"], i["in.t"], i["in.y"])
    },
    {"separate-weights": apart},
    {"in.x": draws.normal(*STATE), "in.t": draws.uniform(B), "in.y": labels},
)

# ---------------------------------------------------------------- losses and steps

LAM, REPA = 0.5, 0.75


def velocity_losses(ws, i):
    out, t = {}, i["noise.t"].view(-1, 1, 1, 1)
    for part, lam in (("nodrop", LAM), ("drop", 0.0)):
        w = trainable(ws[WEIGHTS])
        x1 = i["in.x1"] if part == "nodrop" else without_z(i["in.x1"])
        xt, ut = t * x1 + (1 - t) * i["noise.x0"], x1 - i["noise.x0"]
        pred = sit(w, SIZES, xt, i["noise.t"], i["in.y_after_drop"])
        x, z = joint((pred - ut) ** 2)
        loss = x + lam * z
        mean = loss.mean()
        found = dict(xt=xt, ut=ut, pred=pred, loss_vae=x, loss_dino=z, loss=loss, loss_mean=mean)
        out.update({f"out.{part}.{n}": v for n, v in found.items()})
        out.update(gradients(mean, w, f"grad.{part}"))
    return plain(out)


pair = {"in.x1": data, "noise.x0": noise, "noise.t": times}
case(
    "redi-loss-grad",
    velocity_losses,
    {WEIGHTS: weights},
    {**pair, "in.y_after_drop": after_drop},
    {"nodrop.lam": LAM, "drop.lam": 0.0},
)


def velocity_of(w, i):
    t = i["noise.t"].view(-1, 1, 1, 1)
    y = torch.where(i["in.label_drop"] == 1, K, i["in.y"])
    xt = t * i["in.x1"] + (1 - t) * i["noise.x0"]
    pred, _, states = sit_states(w, SIZES, xt, i["noise.t"], y)
    x, z = joint((pred - (i["in.x1"] - i["noise.x0"])) ** 2)
    return pred, x + z, states


def repa(ws, i):
    w, q = trainable(ws[WEIGHTS]), trainable(ws["projector-weights"])
    pred, loss, states = velocity_of(w, i)
    h = F.silu(linear(q, "projector.0", states[2]))
    z = linear(q, "projector.4", F.silu(linear(q, "projector.2", h)))
    cosine = (F.normalize(i["in.dino_feats"], dim=-1) * F.normalize(z, dim=-1)).sum(-1)
    total = loss.mean() - REPA * cosine.mean()
    out = {"out.pred": pred, "out.loss": loss, "out.proj_loss": -cosine.mean(), "out.total": total}
    return plain({**out, **gradients(total, {**w, **q}, "grad")})


projector, (M, FEATURES) = {}, (6, 5)
add_linear(draws, projector, "projector.0", M, SIZES["hidden"])
add_linear(draws, projector, "projector.2", M, M)
add_linear(draws, projector, "projector.4", FEATURES, M)
labelled = {**pair, "in.y": labels, "in.label_drop": dropped}
tokens = STATE[2] * STATE[3] // SIZES["patch"] ** 2
case(
    "repa",
    repa,
    {WEIGHTS: weights, "projector-weights": projector},
    {**labelled, "in.dino_feats": draws.normal(B, tokens, FEATURES)},
    {"repa_layer": 2, "repa_weight": REPA},
)


def optimise(ws, i):
    w, out = trainable(ws[WEIGHTS]), {}
    names = [n for n, t in w.items() if t.requires_grad]
    average = {n: w[n].detach().clone() for n in names}
    adamw = torch.optim.AdamW(
        [w[n] for n in names], lr=2e-3, betas=(0.8, 0.99), eps=1e-7, weight_decay=0.05
    )
    for step in (1, 2):
        adamw.zero_grad()
        velocity_of(w, i)[1].mean().backward()
        adamw.step()
        for n in names:
            average[n].mul_(0.7).add_(w[n].detach(), alpha=0.3)
            out[f"out.step{step}.param.{n}"] = w[n].detach().clone()
        if step == 2:
            out.update({f"out.step2.ema.{n}": average[n] for n in names})
    return out


case(
    "adamw-ema",
    optimise,
    {WEIGHTS: weights},
    labelled,
    description="2 steps of AdamW(lr 2e-3, betas .8/.99, eps 1e-7, weight_decay .05) on the same batch "
    "and same draws each step; EMA 0.7 starts as a copy.",
)

# ---------------------------------------------------------------- sampling

POINTS = 4


def ode(ws, i):
    out = {}
    for kind in GUIDANCES:
        f = lambda t, x: guided(ws[WEIGHTS], kind, x, t, i["in.y"])
        for method in ("euler", "heun2"):
            states = fixed_steps(method, f, i["in.noise"], POINTS)
            out[f"out.{method}_{kind}"] = states[-1]
            out[f"out.{method}_{kind}_traj"] = torch.stack(states)
        out[f"out.dopri5_{kind}"] = dopri5(f, i["in.noise"], 1e-3, 1e-6)
        exact = 1e-9 if i["in.noise"].dtype == torch.float64 else 1e-3
        out[f"out.exact_{kind}"] = dopri5(f, i["in.noise"], exact, exact)
    return out


start = {"in.noise": draws.normal(*STATE), "in.y": labels}
case(
    "redi-sample-ode",
    ode,
    {WEIGHTS: weights},
    {**start, "in.t_grid": rounded(torch.linspace(0, 1, POINTS, dtype=torch.float64))},
    {"cfg_scale": CFG, "rg_scale": RG},
    exact=[f"out.exact_{kind}" for kind in GUIDANCES],
)


def run(method, form, norm, last, size=0.1, steps=POINTS):
    return dict(
        sampling_method=method,
        diffusion_form=form,
        diffusion_norm=norm,
        last_step=last,
        last_step_size=size,
        num_steps=steps,
    )


RUNS = {
    "default_plain": run("Euler", "sigma", 1.0, "Mean"),
    "default_cfg": run("Euler", "sigma", 1.0, "Mean"),
    "default_cfg_vae": run("Euler", "sigma", 1.0, "Mean"),
    "default_rg": run("Euler", "sigma", 1.0, "Mean"),
    "linear_plain": run("Euler", "linear", 0.5, "Euler", size=0.25),
    "decreasing_plain": run("Heun", "decreasing", 0.7, "Tweedie"),
    "constant_cfg": run("Euler", "constant", 0.3, None, steps=3),
    "waves_rg": run("Euler", "inccreasing-decreasing", 0.8, "Tweedie", size=0.3, steps=2),
}


def sdes(ws, i):
    out = {}
    for name, args in RUNS.items():
        kind = next(g for g in reversed(GUIDANCES) if name.endswith(f"_{g}"))
        f = lambda t, x: guided(ws[WEIGHTS], kind, x, t, i["in.y"])
        draws_ = i["noise.plain" if kind == "plain" else "noise.guided"]
        states = sde(args, f, i["in.noise"], draws_)
        out[f"out.{name}"], out[f"out.{name}_traj"] = states[-1], torch.stack(states)
    return out


random = {
    "noise.plain": draws.normal(POINTS - 1, *STATE),
    "noise.guided": draws.normal(POINTS - 1, 2 * B, *STATE[1:]),
}
scalars = {f"args.{name}": args for name, args in RUNS.items()}
case(
    "redi-sample-sde",
    sdes,
    {WEIGHTS: weights},
    {**start, **random},
    {"cfg_scale": CFG, "rg_scale": RG, "last_step_size": 0.1, **scalars},
)

STEPS = {"ddpm": [0, 200, 400, 600, 800, 999], "ddim": [0, 333, 666]}
STRENGTH = 2.0


def ddpm(ws, i):
    out = {"out.betas": torch.tensor(BETAS), "out.alphas_cumprod": torch.tensor(KEPT)}
    w, real = trainable(ws[WEIGHTS]), i["in.x0"].dtype
    kept = torch.tensor(KEPT)[i["in.t"]].view(-1, 1, 1, 1)
    xt = kept.sqrt().to(real) * i["in.x0"] + (1 - kept).sqrt().to(real) * i["noise.eps"]
    y = torch.where(i["in.label_drop"] == 1, K, i["in.y"])
    eps = sit(w, SIZES, xt, i["in.t"].to(real), y)
    x, z = joint((eps - i["noise.eps"]) ** 2)
    out.update({"out.xt": xt, "out.eps": eps, "out.loss_x": x, "out.loss_z": z})
    for lam in (1, 0.25):
        loss = (x + lam * z).mean()
        out[f"out.loss_lambda{lam}"] = loss
    out.update(gradients(loss, w, "grad.lambda0.25"))

    def sample(kind, steps, eta=None):
        f = lambda t, x: guided(ws[WEIGHTS], kind, x, t, i["in.sample_y"], STRENGTH)
        return diffuse(f, i["in.sample_noise"], STEPS[steps], i["noise.steps"], eta)

    ancestral = sample("plain", "ddpm")
    out.update({"out.sample_ddpm": ancestral[-1], "out.ddpm_first_step": ancestral[0]})
    out["out.sample_ddpm_cfg_vae"] = sample("cfg_vae", "ddpm")[-1]
    for eta in (0, 0.3, 1):
        out[f"out.sample_ddim_eta{eta}"] = sample("plain", "ddim", eta)[-1]
    return plain(out)


case(
    "dit-ddpm",
    ddpm,
    {WEIGHTS: weights},
    {
        "in.x0": data,
        "noise.eps": noise,
        "in.t": torch.tensor([3, 987]),
        "in.y": labels,
        "in.label_drop": dropped,
        "in.sample_noise": draws.normal(*STATE),
        "in.sample_y": draws.below(K, B),
        "noise.steps": draws.normal(len(STEPS["ddpm"]), *STATE),
        "in.steps_ddpm": torch.tensor(STEPS["ddpm"]),
        "in.steps_ddim": torch.tensor(STEPS["ddim"]),
    },
    {"T": 1000, "cfg_scale": STRENGTH},
    exact=["out.betas", "out.alphas_cumprod"],
)

# ---------------------------------------------------------------- around the network

N, D, R, MAPS = 40, 6, 2, (2, 3, 5)


def pca(_, i):
    x = i["in.X"].double().numpy()
    s = (x - x.mean(0)) / x.std(0)
    centre = s.mean(0)
    values, rows = np.linalg.svd(s - centre, full_matrices=False)[1:]
    rows = rows * np.sign(rows[np.arange(D), np.abs(rows).argmax(1)])[:, None]
    all_, values = (s - centre) @ rows.T, values**2
    maps, h, w = MAPS
    grid = torch.tensor(all_[: maps * h * w, :R]).reshape(maps, h, w, R).permute(0, 3, 1, 2)
    pixels = i["in.raw_image"].double() / 255
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).double()
    pixels = (pixels - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)
    mu, sigma = i["in.moments"].double().chunk(2, 1)
    return {
        "out.mean": torch.tensor(x.mean(0)),
        "out.std": torch.tensor(x.std(0)),
        "out.pca_mean": torch.tensor(centre),
        "out.components": torch.tensor(rows),
        "out.components_sign_sklearn12": torch.tensor(
            np.sign(all_[np.abs(all_).argmax(0), np.arange(D)])
        ),
        "out.explained_variance": torch.tensor(values / (N - 1)),
        "out.explained_variance_ratio": torch.tensor(values / values.sum()),
        "out.z": torch.tensor(all_[:, :R]),
        "out.grid": grid,
        "out.resized": F.interpolate(grid, size=(7, 4), mode="bilinear", align_corners=False),
        "out.raw_image_9": F.interpolate(pixels, size=(9, 16), mode="bicubic", align_corners=False),
        "out.latent": (mu + sigma * i["noise.posterior"].double()) * 0.18215,
    }


moments = draws.normal(2, 6, 4, 3)
moments[:, 3:] = moments[:, 3:].abs()
inputs = {
    "in.X": rounded(draws.normal(N, D) @ draws.normal(D, D) + 3 * draws.normal(D)),
    "in.raw_image": draws.below(256, 2, 3, 12, 10),
    "in.moments": moments,
    "noise.posterior": draws.normal(2, 3, 4, 3),
}
write_case(folder, "pca", {"rank": R}, pca, {}, inputs, exact=list(pca({}, inputs)))

DINO = dict(d=8, depth=1, heads=2, native=3, patch=7, registers=2)


def features(ws, i):
    w, image, large = ws["dino-weights"], i["in.image"], i["in.pos_embed_large"]
    grid = large[:, 1:].reshape(1, 5, 5, DINO["d"]).permute(0, 3, 1, 2)
    size = (DINO["native"], DINO["native"])
    small = F.interpolate(grid, size=size, mode="bicubic", antialias=True, align_corners=False)
    pos = torch.cat([large[:, :1], small.flatten(2).transpose(1, 2)], 1)
    own, other = (dino(w, DINO["heads"], image, p) for p in (w["pos_embed"], pos))
    patches = 1 + DINO["registers"]
    return {
        "out.x_norm_clstoken": own[:, 0],
        "out.x_norm_patchtokens": own[:, patches:],
        "out.large.x_norm_patchtokens": other[:, patches:],
        "out.large.pos": pos,
    }


inputs = {
    "in.image": draws.normal(1, 3, 21, 21),
    "in.pos_embed_large": draws.normal(1, 26, 8, scale=0.1),
}
write_case(folder, "dino", DINO, features, {"dino-weights": dino_weights(draws, DINO)}, inputs)

VAE = dict(chans=[4, 8, 8], groups=2, layers=2, latents=3)


def pictures(ws, i):
    vae = Vae(ws["vae-weights"], VAE)
    mean, logvar = vae.encode(i["in.image"])
    std = (0.5 * logvar).exp()
    return {
        "out.mean": mean,
        "out.logvar": logvar,
        "out.std": std,
        "out.decoded": vae.decode(i["in.latent"]),
    }


inputs = {"in.image": draws.normal(2, 3, 8, 12), "in.latent": draws.normal(2, 3, 1, 2)}
write_case(folder, "vae", VAE, pictures, {"vae-weights": vae_weights(draws, VAE)}, inputs)
