"""SiT, DINOv2 and AutoencoderKL in plain PyTorch, under the names of the public state dicts."""

import math
import numpy as np
import torch
import torch.nn.functional as F


def add_linear(draws, weights, name, outputs, inputs):
    weights[f"{name}.weight"] = draws.normal(outputs, inputs, scale=inputs**-0.5)
    weights[f"{name}.bias"] = draws.normal(outputs, scale=0.1)


def add_conv(draws, weights, name, outputs, inputs, kernel):
    scale = (inputs * kernel * kernel) ** -0.5
    weights[f"{name}.weight"] = draws.normal(outputs, inputs, kernel, kernel, scale=scale)
    weights[f"{name}.bias"] = draws.normal(outputs, scale=0.1)


def add_norm(draws, weights, name, width):
    weights[f"{name}.weight"] = (1 + draws.normal(width, scale=0.1)).float().double()
    weights[f"{name}.bias"] = draws.normal(width, scale=0.1)


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def attention(w, name, x, heads):
    B, N, D = x.shape
    q, k, v = linear(w, f"{name}.qkv", x).reshape(B, N, 3, heads, D // heads).permute(2, 0, 3, 1, 4)
    a = (q @ k.transpose(-1, -2) * (D // heads) ** -0.5).softmax(-1)
    return linear(w, f"{name}.proj", (a @ v).transpose(1, 2).reshape(B, N, D))


def embed(w, name, x):
    kernel = w[f"{name}.proj.weight"]
    return (
        F.conv2d(x, kernel, w[f"{name}.proj.bias"], stride=kernel.shape[-1])
        .flatten(2)
        .transpose(1, 2)
    )


def depth(w):
    return 1 + max(int(n.split(".")[1]) for n in w if n.startswith("blocks."))


# ---------------------------------------------------------------- SiT


def positions(D, H, W):
    rate = 10000.0 ** (-np.arange(D // 4) / (D // 4))
    rows, columns = np.meshgrid(np.arange(H), np.arange(W), indexing="ij")
    parts = [f(np.outer(p.ravel(), rate)) for p in (columns, rows) for f in (np.sin, np.cos)]
    return torch.tensor(np.concatenate(parts, 1))[None].float().double()


def sit_weights(draws, c, channels, blocks):
    D, P, w = c["hidden"], c["patch"], {}
    w["pos_embed"] = positions(D, c["H"] // P, c["W"] // P)
    add_conv(draws, w, "x_embedder.proj", D, channels, P)
    add_linear(draws, w, "t_embedder.mlp.0", D, 256)
    add_linear(draws, w, "t_embedder.mlp.2", D, D)
    w["y_embedder.embedding_table.weight"] = draws.normal(c["classes"] + 1, D, scale=0.3)
    for b in range(blocks):
        add_linear(draws, w, f"blocks.{b}.attn.qkv", 3 * D, D)
        add_linear(draws, w, f"blocks.{b}.attn.proj", D, D)
        add_linear(draws, w, f"blocks.{b}.mlp.fc1", 4 * D, D)
        add_linear(draws, w, f"blocks.{b}.mlp.fc2", D, 4 * D)
        add_linear(draws, w, f"blocks.{b}.adaLN_modulation.1", 6 * D, D)
    add_linear(draws, w, "final_layer.linear", P * P * channels, D)
    add_linear(draws, w, "final_layer.adaLN_modulation.1", 2 * D, D)
    return w


def timestep_features(t):
    rate = torch.exp(-math.log(10000) * torch.arange(128, dtype=t.dtype) / 128)
    angle = t[:, None] * rate[None]
    return torch.cat([angle.cos(), angle.sin()], -1)


def condition(w, t, y):
    hidden = F.silu(linear(w, "t_embedder.mlp.0", timestep_features(t)))
    return linear(w, "t_embedder.mlp.2", hidden) + w["y_embedder.embedding_table.weight"][y]


def modulate(x, shift, scale):
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def block(w, b, x, c, heads):
    name = f"blocks.{b}"
    m = linear(w, f"{name}.adaLN_modulation.1", F.silu(c)).chunk(6, -1)
    x = x + m[2][:, None] * attention(w, f"{name}.attn", modulate(x, m[0], m[1]), heads)
    hidden = gelu_tanh(linear(w, f"{name}.mlp.fc1", modulate(x, m[3], m[4])))
    return x + m[5][:, None] * linear(w, f"{name}.mlp.fc2", hidden)


def last_modulated(w, x, c):
    shift, scale = linear(w, "final_layer.adaLN_modulation.1", F.silu(c)).chunk(2, -1)
    return modulate(x, shift, scale)


def unpatchify(x, channels, P, H, W):
    x = x.reshape(x.shape[0], H // P, W // P, P, P, channels)
    return torch.einsum("nhwpqc->nchpwq", x).reshape(x.shape[0], channels, H, W)


def sit_states(w, c, x, t, y):
    """The velocity, the conditioning, and the tokens before the first block and after each."""
    cond = condition(w, t, y)
    states = [embed(w, "x_embedder", x) + w["pos_embed"]]
    for b in range(depth(w)):
        states.append(block(w, b, states[-1], cond, c["heads"]))
    out = linear(w, "final_layer.linear", last_modulated(w, states[-1], cond))
    return unpatchify(out, x.shape[1], c["patch"], *x.shape[2:]), cond, states


def sit(w, c, x, t, y):
    return sit_states(w, c, x, t, y)[0]


def separate(w, c, x, t, y):
    cond, C = condition(w, t, y), c["latents"]
    parts = [("x_embedder", x[:, :C]), ("z_embedder", x[:, C:])]
    h = torch.cat([embed(w, n, part) + w["pos_embed"] for n, part in parts], 1)
    for b in range(depth(w)):
        h = block(w, b, h, cond, c["heads"])
    own = last_modulated(w, h, cond).chunk(2, 1)
    names = ["final_layer.linear", "final_layer.linear_z"]
    return torch.cat(
        [
            unpatchify(linear(w, n, part), channels, c["patch"], *x.shape[2:])
            for n, part, channels in zip(names, own, (C, x.shape[1] - C))
        ],
        1,
    )


# ---------------------------------------------------------------- DINOv2


def dino_weights(draws, p):
    D, w = p["d"], {}
    w["cls_token"] = draws.normal(1, 1, D)
    w["pos_embed"] = draws.normal(1, 1 + p["native"] ** 2, D, scale=0.1)
    w["register_tokens"] = draws.normal(1, p["registers"], D)
    w["mask_token"] = draws.normal(1, D)
    add_conv(draws, w, "patch_embed.proj", D, 3, p["patch"])
    for b in range(p["depth"]):
        name = f"blocks.{b}"
        add_norm(draws, w, f"{name}.norm1", D)
        add_linear(draws, w, f"{name}.attn.qkv", 3 * D, D)
        add_linear(draws, w, f"{name}.attn.proj", D, D)
        w[f"{name}.ls1.gamma"] = draws.normal(D, scale=0.5)
        add_norm(draws, w, f"{name}.norm2", D)
        add_linear(draws, w, f"{name}.mlp.fc1", 4 * D, D)
        add_linear(draws, w, f"{name}.mlp.fc2", D, 4 * D)
        w[f"{name}.ls2.gamma"] = draws.normal(D, scale=0.5)
    add_norm(draws, w, "norm", D)
    return w


def dino(w, heads, image, pos):
    """Every token after the last norm: class, registers, patches."""

    def norm(name, x):
        return F.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-6)

    B = image.shape[0]
    h = torch.cat([w["cls_token"].expand(B, -1, -1), embed(w, "patch_embed", image)], 1) + pos
    h = torch.cat([h[:, :1], w["register_tokens"].expand(B, -1, -1), h[:, 1:]], 1)
    for b in range(depth(w)):
        name = f"blocks.{b}"
        h = h + w[f"{name}.ls1.gamma"] * attention(
            w, f"{name}.attn", norm(f"{name}.norm1", h), heads
        )
        hidden = F.gelu(linear(w, f"{name}.mlp.fc1", norm(f"{name}.norm2", h)))
        h = h + w[f"{name}.ls2.gamma"] * linear(w, f"{name}.mlp.fc2", hidden)
    return norm("norm", h)


# ---------------------------------------------------------------- AutoencoderKL


def vae_weights(draws, p):
    chans, layers, C, w = p["chans"], p["layers"], p["latents"], {}
    top = chans[-1]

    def add_resnet(name, i, o):
        add_norm(draws, w, f"{name}.norm1", i)
        add_conv(draws, w, f"{name}.conv1", o, i, 3)
        add_norm(draws, w, f"{name}.norm2", o)
        add_conv(draws, w, f"{name}.conv2", o, o, 3)
        if i != o:
            add_conv(draws, w, f"{name}.conv_shortcut", o, i, 1)

    def add_levels(name, widths, first, blocks, sampler):
        for level, o in enumerate(widths):
            for b in range(blocks):
                add_resnet(f"{name}.{level}.resnets.{b}", first, o)
                first = o
            if level < len(widths) - 1:
                add_conv(draws, w, f"{name}.{level}.{sampler}.0.conv", o, o, 3)

    def add_mid(name):
        add_norm(draws, w, f"{name}.attentions.0.group_norm", top)
        for map_ in ("to_q", "to_k", "to_v", "to_out.0"):
            add_linear(draws, w, f"{name}.attentions.0.{map_}", top, top)
        add_resnet(f"{name}.resnets.0", top, top)
        add_resnet(f"{name}.resnets.1", top, top)

    add_conv(draws, w, "encoder.conv_in", chans[0], 3, 3)
    add_levels("encoder.down_blocks", chans, chans[0], layers, "downsamplers")
    add_mid("encoder.mid_block")
    add_norm(draws, w, "encoder.conv_norm_out", top)
    add_conv(draws, w, "encoder.conv_out", 2 * C, top, 3)
    add_conv(draws, w, "quant_conv", 2 * C, 2 * C, 1)
    add_conv(draws, w, "post_quant_conv", C, C, 1)
    add_conv(draws, w, "decoder.conv_in", top, C, 3)
    add_mid("decoder.mid_block")
    add_levels("decoder.up_blocks", chans[::-1], top, layers + 1, "upsamplers")
    add_norm(draws, w, "decoder.conv_norm_out", chans[0])
    add_conv(draws, w, "decoder.conv_out", 3, chans[0], 3)
    return w


class Vae:
    def __init__(self, w, p):
        self.w, self.p = w, p

    def conv(self, name, x, **more):
        return F.conv2d(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"], **more)

    def norm(self, name, x):
        return F.group_norm(
            x, self.p["groups"], self.w[f"{name}.weight"], self.w[f"{name}.bias"], 1e-6
        )

    def half(self, norm, conv, x):
        return self.conv(conv, F.silu(self.norm(norm, x)), padding=1)

    def resnet(self, name, x):
        h = self.half(f"{name}.norm1", f"{name}.conv1", x)
        h = self.half(f"{name}.norm2", f"{name}.conv2", h)
        shortcut = f"{name}.conv_shortcut"
        return h + (self.conv(shortcut, x) if f"{shortcut}.weight" in self.w else x)

    def mid(self, name, x):
        x = self.resnet(f"{name}.resnets.0", x)
        maps = f"{name}.attentions.0"
        t = self.norm(f"{maps}.group_norm", x).flatten(2).transpose(1, 2)
        q, k, v = (linear(self.w, f"{maps}.{m}", t) for m in ("to_q", "to_k", "to_v"))
        a = (q @ k.transpose(1, 2) / math.sqrt(t.shape[2])).softmax(-1) @ v
        x = x + linear(self.w, f"{maps}.to_out.0", a).transpose(1, 2).reshape(x.shape)
        return self.resnet(f"{name}.resnets.1", x)

    def levels(self, name, blocks, x, resample):
        for level in range(len(self.p["chans"])):
            for b in range(blocks):
                x = self.resnet(f"{name}.{level}.resnets.{b}", x)
            if level < len(self.p["chans"]) - 1:
                x = resample(f"{name}.{level}", x)
        return x

    def encode(self, x):
        def down(name, x):
            return self.conv(f"{name}.downsamplers.0.conv", F.pad(x, (0, 1, 0, 1)), stride=2)

        h = self.conv("encoder.conv_in", x, padding=1)
        h = self.mid(
            "encoder.mid_block", self.levels("encoder.down_blocks", self.p["layers"], h, down)
        )
        h = self.half("encoder.conv_norm_out", "encoder.conv_out", h)
        mean, logvar = self.conv("quant_conv", h).chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        def up(name, x):
            return self.conv(
                f"{name}.upsamplers.0.conv", F.interpolate(x, scale_factor=2.0), padding=1
            )

        h = self.conv("decoder.conv_in", self.conv("post_quant_conv", z), padding=1)
        h = self.levels(
            "decoder.up_blocks", self.p["layers"] + 1, self.mid("decoder.mid_block", h), up
        )
        return self.half("decoder.conv_norm_out", "decoder.conv_out", h)
