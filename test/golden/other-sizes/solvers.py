"""The loops of sampling: fixed steps, torchdiffeq's dopri5, the SDE of SiT's transport, DDPM and DDIM.
Times, schedules and coefficients are Python's float64."""

import math
import numpy as np
import torch


def fixed_steps(method, f, y, points):
    """The states at every grid point of linspace(0, 1, points)."""
    dt, states = 1 / (points - 1), [y]
    for n in range(points - 1):
        y, t = states[-1], n * dt
        slope = f(t, y)
        if method == "heun2":
            slope = (slope + f(t + dt, y + dt * slope)) / 2
        states.append(y + dt * slope)
    return states


STAGES = [
    [1 / 5],
    [3 / 40, 9 / 40],
    [44 / 45, -56 / 15, 32 / 9],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
    [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
]
TIMES = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1]
ERROR = [
    35 / 384 - 1951 / 21600,
    0,
    500 / 1113 - 22642 / 50085,
    125 / 192 - 451 / 720,
    -2187 / 6784 + 12231 / 42400,
    11 / 84 - 649 / 6300,
    -1 / 60,
]
MIDDLE = [
    6025192743 / 30085553152 / 2,
    0,
    51252292925 / 65400821598 / 2,
    -2691868925 / 45128329728 / 2,
    187940372067 / 1594534317056 / 2,
    -1776094331 / 19743644256 / 2,
    11237099 / 235043384 / 2,
]


def rms(x):
    return float((x**2).mean().sqrt())


def weighted(coefficients, slopes):
    return sum(c * k for c, k in zip(coefficients, slopes))


def dopri5(f, y, rtol, atol):
    """From 0 to 1, the end from the dense output of the step that passes it."""
    t, slope, scale = 0.0, f(0.0, y), atol + y.abs() * rtol
    size, change = rms(y / scale), rms(slope / scale)
    trial = 1e-6 if min(size, change) < 1e-5 else 0.01 * size / change
    bend = rms((f(trial, y + trial * slope) - slope) / scale) / trial
    still = change <= 1e-15 and bend <= 1e-15
    h = max(1e-6, trial * 1e-3) if still else (0.01 / max(change, bend)) ** (1 / 5)
    h = min(100 * trial, h)
    while True:
        slopes = [slope]
        for stage, at in zip(STAGES, TIMES):
            end = y + h * weighted(stage, slopes)
            slopes.append(f(t + at * h, end))
        allowed = atol + rtol * torch.max(y.abs(), end.abs())
        ratio = rms(h * weighted(ERROR, slopes) / allowed)
        if ratio <= 1:
            if t + h >= 1:
                middle = y + h * weighted(MIDDLE, slopes)
                return dense(y, end, middle, slopes[0], slopes[-1], h, (1 - t) / h)
            t, y, slope = t + h, end, slopes[-1]
        h *= 10 if ratio == 0 else min(10, max(0.9 / ratio**0.2, 1 if ratio < 1 else 0.2))


def dense(y, end, middle, first, last, h, x):
    a = 2 * h * (last - first) - 8 * (end + y) + 16 * middle
    b = h * (5 * first - 3 * last) + 18 * y + 14 * end - 32 * middle
    c = h * (last - 4 * first) - 11 * y - 5 * end + 16 * middle
    return (((a * x + b) * x + c) * x + h * first) * x + y


FORMS = {
    "sigma": lambda n, t: n * (1 - t),
    "linear": lambda n, t: n * (1 - t),
    "decreasing": lambda n, t: 0.25 * (n * math.cos(math.pi * t) + 1) ** 2,
    "constant": lambda n, t: n,
    "inccreasing-decreasing": lambda n, t: n * math.sin(math.pi * t) ** 2,
}


def sde(args, f, x, noise):
    """The states after every step, the last one included."""
    last, size = args["last_step"], args["last_step_size"]
    steps, end = args["num_steps"] - 1, 1 - (0 if last is None else size)
    dt, states = end / steps, []

    def diffusion(t):
        return FORMS[args["diffusion_form"]](args["diffusion_norm"], t)

    def score(x, t, v):
        return (t * v - x) / (1 - t)

    def drift(x, t):
        v = f(t, x)
        return v + diffusion(t) * score(x, t, v)

    for n in range(steps):
        t = n * dt
        step = noise[n, : x.shape[0]] * math.sqrt(dt) * math.sqrt(2 * diffusion(t))
        if args["sampling_method"] == "Heun":
            x = x + step
            slope = drift(x, t)
            x = x + 0.5 * dt * (slope + drift(x + dt * slope, t + dt))
        else:
            x = x + drift(x, t) * dt + step
        states.append(x)
    if last == "Mean":
        x = x + drift(x, end) * size
    elif last == "Euler":
        x = x + f(end, x) * size
    elif last == "Tweedie":
        x = x / end + (1 - end) ** 2 / end * score(x, end, f(end, x))
    return [*states, x]


BETAS = np.linspace(1e-4, 0.02, 1000)
KEPT = np.cumprod(1 - BETAS)


def diffuse(eps, x, steps, noise, eta=None):
    """The states after every step, the largest first: DDIM with eta, else ancestral."""
    states = []
    for k in range(len(steps)):
        n = len(steps) - 1 - k
        kept, before = KEPT[steps[n]], KEPT[steps[n - 1]] if n > 0 else 1.0
        beta, e = 1 - kept / before, eps(steps[n], x)
        data = (x - math.sqrt(1 - kept) * e) / math.sqrt(kept)
        if eta is None:
            deviation = math.sqrt(beta * (1 - before) / (1 - kept))
            mean = beta * math.sqrt(before) / (1 - kept) * data
            mean = mean + (1 - before) * math.sqrt(1 - beta) / (1 - kept) * x
        else:
            deviation = eta * math.sqrt((1 - before) / (1 - kept)) * math.sqrt(beta)
            mean = math.sqrt(before) * data + math.sqrt(max(1 - before - deviation**2, 0)) * e
        x = mean + deviation * noise[k] if n > 0 else mean
        states.append(x)
    return states
