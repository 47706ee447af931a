#!/usr/bin/env python3
"""Compares random graphs of fuzz_graphs with PyTorch: values and gradients of orders 1 to 3.

  torch_oracle.py PROGRAM FIRST COUNT ORDER [float32|float64]
  torch_oracle.py --golden FILE...     writes what PyTorch finds for the graphs of these files into them

A difference counts if it is larger than what rounding can explain: the gradients are taken once more of numbers that are
changed in their last digits, and what that changes is allowed many times over.
"""
import math
import subprocess
import sys

import numpy
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
MASK = (1 << 64) - 1


def values(shape, low, high, seed):
    """The same numbers as `values` in graph.cpp has."""
    count = math.prod(shape)
    with numpy.errstate(over="ignore"):
        z = numpy.arange(count, dtype=numpy.uint64) + numpy.uint64(((seed << 32) + 0x9E3779B97F4A7C15) & MASK)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    unit = (z >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53
    return torch.from_numpy(low + (high - low) * unit).reshape(shape)


def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


def axes_of(n):
    return tuple(int(k) for k in n)


def ints(n):
    return [int(k) for k in n]


def reduced(losses, n):
    return losses if n[0] == 0 else losses.mean() if n[0] == 1 else losses.sum()


def diag_embed(x, offset):
    return torch.diag_embed(x, offset)


def signs(x):
    return x.to(torch.float64) * 2 - 1


def absolute(x):
    """Not torch.abs: the second derivative of that is a tensor without memory, on which PyTorch 1.13 may fail."""
    return torch.where(x >= 0, x, -x)


def power(x, p):
    return torch.ones_like(x) if p == 0 else x**p


def negative_log_likelihood(log_p, targets, weights, reduction):
    rows = log_p.reshape(-1, log_p.shape[-1])
    flat = targets.reshape(-1)
    w = weights[flat]
    losses = -w * rows[torch.arange(rows.shape[0]), flat]
    if reduction == 0:
        return losses.reshape(targets.shape)
    return losses.sum() / w.sum() if reduction == 1 else losses.sum()


def cross_entropy(x, targets, weights, n):
    log_p = torch.log_softmax(x, -1)
    smoothing = n[1]
    rows = log_p.reshape(-1, log_p.shape[-1])
    flat = targets.reshape(-1)
    w = weights[flat]
    losses = -(1 - smoothing) * w * rows[torch.arange(rows.shape[0]), flat]
    losses = losses - smoothing / rows.shape[-1] * (rows * weights).sum(-1)
    if n[0] == 0:
        return losses.reshape(targets.shape)
    return losses.sum() / w.sum() if n[0] == 1 else losses.sum()


def complex_product(x, y):
    """Of [B,2,...], real and imaginary parts along the axis of 2."""
    (a, b), (c, d) = x.unbind(1), y.unbind(1)
    return torch.stack([a * c - b * d, a * d + b * c], 1)


def linear_scan(x, n, product):
    """h_t = a_t h_{t-1} + b_t along the first axis, one step after the other."""
    a, b, *others = x
    reverse, *there = [k != 0 for k in n]
    start, restart, lengths, resets = [others.pop(0) if given else None for given in there]
    steps, zeros = b.shape[0], torch.zeros(b.shape[1:], dtype=b.dtype)
    a = a.broadcast_to(b.shape)
    if lengths is None:
        lengths = torch.full((b.shape[1],), steps)

    def each(condition, chosen, other):  # a condition for each sequence
        return torch.where(condition.reshape([-1] + [1] * (b.dim() - 2)), chosen, other)

    h, states = zeros if start is None else start, [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        boundary = t + 1 if reverse else t  # the step behind the boundary that is crossed before step t
        before = h
        if resets is not None and boundary < steps:
            before = each((resets[boundary] != 0) & (boundary < lengths), zeros if restart is None else restart, h)
        h = states[t] = each(t < lengths, product(a[t], before) + b[t], h)
    return torch.stack(states) if steps else b + a


def ctc(x, targets, n):
    log_p = torch.log_softmax(x, -1)
    steps, batch, _ = log_p.shape
    labels = targets + 1
    length = labels.shape[1]
    losses = []
    for b in range(batch):  # by the forward algorithm, so that every order of derivative is there
        spelled = [0]
        for k in range(length):
            spelled += [int(labels[b, k]), 0]
        alpha = [log_p[0, b, spelled[0]], log_p[0, b, spelled[1]]] + [None] * (len(spelled) - 2)
        for t in range(1, steps):
            after = []
            for s in range(len(spelled)):
                ways = [alpha[s]]
                if s > 0:
                    ways.append(alpha[s - 1])
                if s > 1 and spelled[s] != 0 and spelled[s] != spelled[s - 2]:
                    ways.append(alpha[s - 2])
                ways = [w for w in ways if w is not None]
                after.append(torch.logsumexp(torch.stack(ways), 0) + log_p[t, b, spelled[s]] if ways else None)
            alpha = after
        ends = [a for a in alpha[-2:] if a is not None]
        losses.append(-torch.logsumexp(torch.stack(ends), 0) if ends else log_p.sum() * 0 + math.inf)
    losses = torch.stack(losses)
    return (losses / length).mean() if n[0] == 1 else losses.sum() if n[0] == 2 else losses


def huber(x, t):
    d = absolute(x - t)
    return torch.where(d <= 1, d * d / 2, d - 0.5)


def pad(x, n):
    axis, before, after = ints(n[:3])
    def part(size):
        shape = list(x.shape)
        shape[axis] = size
        return torch.full(shape, n[3], dtype=x.dtype)
    return torch.cat([part(before), x, part(after)], axis)


def sum_to(x, shape):
    while x.dim() > len(shape):
        x = x.sum(0)
    for axis, size in enumerate(shape):
        if size == 1 and x.shape[axis] != 1:
            x = x.sum(axis, keepdim=True)
    return x


def repeat(x, count, axis):
    return torch.repeat_interleave(x, count, axis)


def unfold(x, n):
    axis, size, stride, dilation = ints(n)
    return x.unfold(axis, dilation * (size - 1) + 1, stride)[..., ::dilation]


def tile(x, n):
    counts = ints(n)
    return x.repeat([1] * (x.dim() - len(counts)) + counts)


def flat_reduction(f):
    """f(x, axes, keep) for `name`, `name/axis` and `name/axes`."""
    return (lambda x, n: [f(x[0], tuple(range(x[0].dim())), False)],
            lambda x, n: [f(x[0], (int(n[0]),), False)],
            lambda x, n: [f(x[0], axes_of(n), True)])


def over(x, axes, f):
    """For reductions that PyTorch has along one axis alone."""
    if not axes:
        return f(x.reshape(1))
    rest = [k for k in range(x.dim()) if k not in axes]
    return f(x.permute(rest + list(axes)).reshape([x.shape[k] for k in rest] + [math.prod(x.shape[k] for k in axes)]))


def kept(x, axes, keep, y):
    return y.reshape([1 if k in axes else s for k, s in enumerate(x.shape)]) if keep else y


def by_rows(f):
    return flat_reduction(lambda x, axes, keep: kept(x, axes, keep, over(x, axes, f)))


def norm(x, p, axis=None):
    y = absolute(x)**p
    return (y.sum() if axis is None else y.sum(axis))**(1 / p)


OPS = {
    "hard_sigmoid": lambda x, n: [torch.where(x[0] <= -3, 0 * x[0], torch.where(x[0] >= 3, 0 * x[0] + 1, x[0] / 6 + 0.5))],
    "hard_tanh": lambda x, n: [torch.clamp(x[0], -0.7, 0.6)],
    "clamp": lambda x, n: [torch.clamp(x[0], -0.8, 0.5)],
    "gelu": lambda x, n: [x[0] * 0.5 * torch.erfc(-x[0] / math.sqrt(2))],
    "gelu/tanh": lambda x, n: [0.5 * x[0] * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x[0] + 0.044715 * x[0]**3)))],
    "negative": lambda x, n: [-x[0]],
    "leaky_relu": lambda x, n: [torch.where(x[0] > 0, x[0], n[0] * x[0])],
    "elu": lambda x, n: [torch.where(x[0] > 0, x[0], n[0] * torch.expm1(x[0]))],
    "celu": lambda x, n: [torch.where(x[0] > 0, x[0], n[0] * torch.expm1(x[0] / n[0]))],
    "pow": lambda x, n: [power(x[0], n[0])],
    "pow/whole": lambda x, n: [power(x[0], n[0])],
    "pow/exponents": lambda x, n: [x[0]**x[1]],
    "pow/base": lambda x, n: [n[0]**x[0]],
    "add/number": lambda x, n: [x[0] + n[0]],
    "add/number_first": lambda x, n: [n[0] + x[0]],
    "subtract/number": lambda x, n: [x[0] - n[0]],
    "subtract/number_first": lambda x, n: [n[0] - x[0]],
    "multiply/number": lambda x, n: [x[0] * n[0]],
    "multiply/number_first": lambda x, n: [n[0] * x[0]],
    "divide/number": lambda x, n: [x[0] / n[0]],
    "divide/number_first": lambda x, n: [n[0] / x[0]],
    "add": lambda x, n: [x[0] + x[1]],
    "subtract": lambda x, n: [x[0] - x[1]],
    "multiply": lambda x, n: [x[0] * x[1]],
    "divide": lambda x, n: [x[0] / x[1]],
    "atan2": lambda x, n: [torch.atan2(x[0], x[1])],
    "hypot": lambda x, n: [torch.sqrt(x[0] * x[0] + x[1] * x[1])],
    "prelu": lambda x, n: [torch.where(x[0] > 0, x[0], x[1] * x[0])],
    "maximum": lambda x, n: [torch.where(x[0] > x[1], x[0], x[1])],
    "minimum": lambda x, n: [torch.where(x[0] < x[1], x[0], x[1])],
    "fmod": lambda x, n: [x[0] - torch.trunc(x[0] / x[1]).detach() * x[1]],
    "lerp": lambda x, n: [x[0] + x[2] * (x[1] - x[0])],
    "lerp/number": lambda x, n: [x[0] + n[0] * (x[1] - x[0])],
    "where": lambda x, n: [torch.where(x[0] != 0, x[1], x[2])],
    "masked_fill": lambda x, n: [torch.where(x[1] != 0, torch.full_like(x[0], n[0]), x[0])],
    "pointwise": lambda x, n: (lambda s: [s * x[2], s])(torch.sigmoid(x[0]) * x[1] * x[2] + torch.tanh(x[2]) * 0.5 * x[1]),
    "reshape": lambda x, n: [x[0].reshape(ints(n))],
    "transpose": lambda x, n: [x[0].transpose(int(n[0]), int(n[1]))],
    "permute": lambda x, n: [x[0].permute(ints(n))],
    "unsqueeze": lambda x, n: [x[0].unsqueeze(int(n[0]))],
    "squeeze": lambda x, n: [x[0].squeeze(int(n[0]))],
    "broadcast_to": lambda x, n: [x[0].broadcast_to(ints(n))],
    "sum_to": lambda x, n: [sum_to(x[0], ints(n))],
    "slice": lambda x, n: [x[0].narrow(int(n[0]), int(n[1]), int(n[2] - n[1]))[
        tuple([slice(None)] * int(n[0]) + [slice(None, None, int(n[3]))])]],
    "select": lambda x, n: [x[0].select(int(n[0]), int(n[1]))],
    "split": lambda x, n: list(torch.split(x[0], ints(n[1:]), int(n[0]))),
    "split/halves": lambda x, n: list(torch.split(x[0], [x[0].shape[int(n[0])] // 2] * 2, int(n[0]))),
    "chunk": lambda x, n: list(torch.chunk(x[0], int(n[0]), int(n[1]))),
    "concat": lambda x, n: [torch.cat(x, int(n[0]))],
    "stack": lambda x, n: [torch.stack(x, int(n[0]))],
    "flip": lambda x, n: [x[0].flip(int(n[0]))],
    "roll": lambda x, n: [torch.roll(x[0], int(n[0]), int(n[1]))],
    "pad": lambda x, n: [pad(x[0], n)],
    "tile": lambda x, n: [tile(x[0], n)],
    "repeat": lambda x, n: [repeat(x[0], int(n[0]), int(n[1]))],
    "unfold": lambda x, n: [unfold(x[0], n)],
    "diagonal": lambda x, n: [torch.diagonal(x[0], int(n[0]), -2, -1)],
    "diag_embed": lambda x, n: [torch.diag_embed(x[0], int(n[0]))],
    "diag": lambda x, n: [torch.diag_embed(x[0], int(n[0])) if x[0].dim() == 1 else torch.diagonal(x[0], int(n[0]))],
    "tril": lambda x, n: [torch.tril(x[0], int(n[0]))],
    "triu": lambda x, n: [torch.triu(x[0], int(n[0]))],
    "embedding": lambda x, n: [x[0][x[1]]],
    "gather": lambda x, n: [torch.gather(x[0], int(n[0]), x[1])],
    "scatter_add": lambda x, n: [x[0].scatter_add(int(n[0]), x[1], x[2])],
    "index_select": lambda x, n: [torch.index_select(x[0], int(n[0]), x[1])],
    "take": lambda x, n: [x[0].reshape(-1)[x[1]]],
    "matmul": lambda x, n: [torch.matmul(x[0], x[1])],
    "matmul/transposed": lambda x, n: [torch.matmul(x[0], x[0].mT)],
    "linear": lambda x, n: [x[0] @ x[1].mT + (x[2] if len(x) > 2 else 0)],
    "outer": lambda x, n: [x[0][:, None] * x[1]],
    "dot": lambda x, n: [(x[0] * x[1]).sum()],
    "bilinear": lambda x, n: [torch.einsum("oij,...i,...j->...o", x[2], x[0], x[1]) + x[3]],
    "conv1d": lambda x, n: [F.conv1d(x[0], x[1], x[2], *ints(n))],
    "inverse": lambda x, n: [torch.linalg.inv(x[0])],
    "det": lambda x, n: [torch.linalg.det(x[0])],
    "logdet": lambda x, n: [torch.linalg.slogdet(x[0])[1]],
    "slogdet": lambda x, n: [torch.linalg.slogdet(x[0])[1]],
    "cholesky": lambda x, n: [torch.linalg.cholesky((x[0] + x[0].mT) / 2)],
    "svd/values": lambda x, n: [torch.linalg.svd(x[0], full_matrices=False)[1]],
    "svd/product": lambda x, n: (lambda s: [s[0]**2 @ s[2]**2])(torch.linalg.svd(x[0], full_matrices=False)),
    "eigh/values": lambda x, n: [torch.linalg.eigh((x[0] + x[0].mT) / 2)[0]],
    "eigh/vectors": lambda x, n: [torch.linalg.eigh((x[0] + x[0].mT) / 2)[1]**2],
    "solve": lambda x, n: [torch.linalg.solve(x[0], x[1])],
    "norm/1": lambda x, n: [absolute(x[0]).sum()],
    "norm/3": lambda x, n: [norm(x[0], n[0], int(n[1]))],
    "cumsum": lambda x, n: [torch.cumsum(x[0], int(n[0]))],
    "cumprod": lambda x, n: [torch.cumprod(x[0], int(n[0]))],
    "cummax": lambda x, n: [torch.cummax(x[0], int(n[0]))[0]],
    "linear_scan": lambda x, n: [linear_scan(x, n, torch.mul)],
    "complex_linear_scan": lambda x, n: [linear_scan(x, n, complex_product)],
    "softmax": lambda x, n: [torch.softmax(x[0], int(n[0]))],
    "log_softmax": lambda x, n: [torch.log_softmax(x[0], int(n[0]))],
    "sort": lambda x, n: [torch.sort(x[0], int(n[0]))[0]],
    "sort/descending": lambda x, n: [torch.sort(x[0], int(n[0]), True)[0]],
    "topk": lambda x, n: [torch.topk(x[0], 1, int(n[0]))[0]],
    "layer_norm": lambda x, n: [(x[0] - x[0].mean(-1, keepdim=True)) / torch.sqrt(
        x[0].var(-1, unbiased=False, keepdim=True) + 1e-5) * x[1] + x[2]],
    "rms_norm": lambda x, n: [x[0] / torch.sqrt((x[0]**2).mean(-1, keepdim=True) + 1e-5) * x[1]],
    "dropout": lambda x, n: [x[0] * 1.0],
    "mse_loss": lambda x, n: [reduced((x[0] - x[1])**2, n)],
    "l1_loss": lambda x, n: [reduced(absolute(x[0] - x[1]), n)],
    "huber_loss": lambda x, n: [reduced(huber(x[0], x[1]), n)],
    "binary_cross_entropy_with_logits": lambda x, n: [reduced(softplus(x[0]) - x[0] * x[1], n)],
    "binary_cross_entropy": lambda x, n: [reduced(softplus(x[0]) - x[0] * torch.sigmoid(x[1]), n)],
    "kl_div": lambda x, n: [reduced(x[1] * (torch.log(x[1]) - x[0]), n)],
    "nll_loss": lambda x, n: [negative_log_likelihood(x[0], x[1], x[2], n[0])],
    "cross_entropy": lambda x, n: [cross_entropy(x[0], x[1], x[2], n)],
    "hinge_loss": lambda x, n: [reduced(torch.relu(1 - signs(x[1]) * x[0]), n)],
    "cosine_similarity": lambda x, n: [(x[0] * x[1]).sum(int(n[0])) / torch.sqrt(
        (x[0]**2).sum(int(n[0])) * (x[1]**2).sum(int(n[0])))],
    "cosine_embedding_loss": lambda x, n: (lambda c: [reduced(torch.where(x[2] != 0, 1 - c, torch.relu(c)), n)])(
        (x[0] * x[1]).sum(-1) / torch.sqrt((x[0]**2).sum(-1) * (x[1]**2).sum(-1))),
    "ctc_loss": lambda x, n: [ctc(x[0], x[1], n)],
}
for name, f in {
        "softplus": softplus, "square": lambda x: x * x, "cbrt": lambda x: torch.sign(x) * absolute(x)**(1 / 3),
        "exp2": lambda x: torch.exp(x * math.log(2)), "log2": lambda x: torch.log(x) / math.log(2),
        "log10": lambda x: torch.log(x) / math.log(10), "log_sigmoid": lambda x: -softplus(-x),
        "softsign": lambda x: x / (1 + absolute(x)), "silu": lambda x: x * torch.sigmoid(x),
        "selu": lambda x: 1.0507009873554804934 * torch.where(x > 0, x, 1.6732632423543772848 * torch.expm1(x)),
        "mish": lambda x: x * torch.tanh(softplus(x)), "reciprocal": lambda x: 1 / x,
        "rsqrt": lambda x: 1 / torch.sqrt(x)}.items():
    OPS[name] = lambda x, n, f=f: [f(x[0])]
for name in ("sqrt exp expm1 log log1p sin cos tanh sigmoid relu tan asin acos atan sinh cosh asinh acosh atanh erf erfc "
             "sign clone floor ceil round").split():
    OPS[name] = lambda x, n, f=getattr(torch, name): [f(x[0])]
for name, forms in {
        "sum": by_rows(lambda r: r.sum(-1)), "mean": by_rows(lambda r: r.mean(-1)), "prod": by_rows(lambda r: r.prod(-1)),
        "max": by_rows(lambda r: r.max(-1)[0]), "min": by_rows(lambda r: r.min(-1)[0]),
        "variance": by_rows(lambda r: r.var(-1)), "standard_deviation": by_rows(lambda r: r.std(-1)),
        "logsumexp": by_rows(lambda r: torch.logsumexp(r, -1)),
        "norm": by_rows(lambda r: torch.sqrt((r * r).sum(-1)))}.items():
    for suffix, form in zip(("", "/axis", "/axes"), forms):
        OPS[name + suffix] = form
class Lgamma(torch.autograd.Function):
    """lgamma whose second derivative is that of a series: PyTorch's own trigamma is off by 1e-9."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.lgamma(x)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * digamma(x)


def digamma(x):
    steps = sum(1 / (x + k) for k in range(16))
    y = 1 / (x + 16)**2
    return torch.log(x + 16) - 0.5 / (x + 16) - y * (1 / 12 - y * (1 / 120 - y * (1 / 252 - y / 240))) - steps


OPS["abs"] = lambda x, n: [absolute(x[0])]
OPS["lgamma"] = lambda x, n: [Lgamma.apply(x[0])]
for equation in ("bij,bjk->bik", "ii->i", "ij,kj,k->i", "abc->ca"):
    OPS["einsum/" + equation] = lambda x, n, e=equation: [torch.einsum(e, *x)]


def shape_of(text):
    return [] if text == "-" else [int(k) for k in text.split("x")]


def evaluate(lines, nudge=0.0):
    """The loss and the gradients of the last order, as arrays."""
    order = int(lines[0].split()[1])
    nodes, leaves, loss = [], [], torch.zeros((), dtype=torch.float64)
    for line in lines[1:]:
        words = line.split()
        if words[0] == "whole":
            shape, below, seed = shape_of(words[1]), float(words[2]), int(words[3])
            nodes.append(values(shape, 0.0, below, seed).to(torch.int64))
        elif words[0] == "loss":
            value = nodes[int(words[1])]
            loss = loss + (value * values(list(value.shape), -1.0, 1.0, int(words[2]))).sum()
        elif words[0] != "call":
            shape, low, high, seed = shape_of(words[1]), float(words[2]), float(words[3]), int(words[4])
            value = values(shape, low, high, seed)
            if nudge:
                value = value * (1 + nudge * values(shape, -1.0, 1.0, seed + 1000))
            if words[0] != "constant":
                value.requires_grad_()
                leaves.append(value)
            nodes.append(value)
        else:
            colon = words.index(":")
            inputs = [nodes[int(k)] for k in words[3:colon]]
            numbers = [float(k) for k in words[colon + 1:]]
            op = OPS[words[1]]
            if words[2] != "gradient":
                nodes += op(inputs, numbers)
                continue
            place = next(k for k, x in enumerate(inputs) if x.is_floating_point())
            first = inputs[place].view_as(inputs[place])
            if not first.requires_grad:
                first = first.detach().requires_grad_()
            inputs[place] = first
            results = op(inputs, numbers)
            total = sum((y * values(list(y.shape), 0.5, 1.5, 1)).sum() for y in results)
            nodes.append(gradients_of(total, [first])[0])
    first_loss = loss.item()
    gradients = gradients_of(loss, leaves)
    for _ in range(1, order):
        loss = torch.zeros((), dtype=torch.float64)
        for j, g in enumerate(gradients):
            loss = loss + (g * values(list(g.shape), -1.0, 1.0, 100 + j)).sum()
        gradients = gradients_of(loss, leaves)
    # The sum makes an array of PyTorch's zeros without memory, whose numpy() is not defined.
    return first_loss, [(g.detach() + torch.zeros(g.shape, dtype=g.dtype)).reshape(-1).numpy() for g in gradients]


def gradients_of(loss, leaves):
    if not loss.requires_grad or not leaves:
        return [torch.zeros_like(x) for x in leaves]
    found = torch.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found)]


def blocks(stream):
    block = []
    for line in stream:
        line = line.rstrip("\n")
        if line:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def difference(block, dtype):
    """None, or what is wrong with the results of a graph."""
    graph = [l for l in block if not l.startswith(("result", "gradient", "error"))]
    if block[-1].startswith("error"):
        return block[-1]
    loss, gradients = evaluate(graph)
    got = [numpy.array([float(v) for v in l.split()[1:]]) for l in block if l.startswith("gradient")]
    got_loss = float(next(l for l in block if l.startswith("result")).split()[1])
    step, allowed, factor = (1e-14, 1e-11, 1e3) if dtype == "float64" else (6e-8, 2e-6, 1e3)
    expected = [numpy.array([loss])] + gradients
    nudged = None
    largest = max([1.0] + [numpy.abs(e).max() for e in expected if e.size and numpy.isfinite(e).all()])
    for k, (ours, theirs) in enumerate(zip([numpy.array([got_loss])] + got, expected)):
        if ours.shape != theirs.shape:
            return "gradient %d has %d elements, PyTorch's %d" % (k - 1, ours.size, theirs.size)
        if not theirs.size or numpy.array_equal(ours, theirs, equal_nan=True):
            continue
        off = numpy.abs(ours - theirs)
        if (off <= allowed * largest).all():
            continue
        if nudged is None:
            runs = [evaluate(graph, step), evaluate(graph, -2 * step)]
            nudged = [[numpy.array([r[0]])] + r[1] for r in runs]
        moved = sum(numpy.abs(n[k] - theirs).max() for n in nudged)
        if not (off <= allowed * largest + factor * moved).all():
            name = "the loss" if k == 0 else "gradient %d" % (k - 1)
            return "%s: ours %s, PyTorch %s, off by %.3g where rounding moves %.3g" % (
                name, ours[:8], theirs[:8], numpy.nanmax(off), moved)
    return None


def compare(program, first, count, order, dtype):
    process = subprocess.Popen([program, str(first), str(count), str(order), dtype], stdout=subprocess.PIPE, text=True)
    compared, wrong = 0, 0
    for block in blocks(process.stdout):
        try:
            found = difference(block, dtype)
        except RuntimeError as error:
            found = "PyTorch says: %s" % error
        compared += 1
        if found:
            wrong += 1
            print("seed %d: %s\n%s\n" % (first + compared - 1, found, "\n".join(block[:60])), flush=True)
    if process.wait() or compared != count:
        sys.exit("torch_oracle: fuzz_graphs ended after %d of %d graphs" % (compared, count))
    print("order %d, %s: %d graphs from seed %d compared, %d differ" % (order, dtype, compared, first, wrong), flush=True)
    return wrong


def golden(paths):
    for path in paths:
        with open(path) as file:
            graph = [l.rstrip("\n") for l in file if not l.startswith(("result", "gradient")) and l.strip()]
        loss, gradients = evaluate([l for l in graph if not l.startswith("#")])
        with open(path, "w") as file:
            file.write("\n".join(graph) + "\nresult %.17g\n" % loss)
            for g in gradients:
                file.write("gradient" + "".join(" %.17g" % v for v in g) + "\n")


if __name__ == "__main__":
    if len(sys.argv) >= 3 and sys.argv[1] == "--golden":
        golden(sys.argv[2:])
    elif len(sys.argv) in (5, 6):
        sys.exit(1 if compare(sys.argv[1], *map(int, sys.argv[2:5]), (sys.argv[5:] or ["float64"])[0]) else 0)
    else:
        sys.exit(__doc__)
