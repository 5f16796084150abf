"""GPT-2 in numpy, as somebody writes it who debugs an implementation of their own: reads a
folder's model.safetensors by hand, computes a pass in float32 and saves what it computed.

    own_gpt2.py FOLDER OUT.npz [FAULT]      FAULT: mask, scale, transposed, gelu, heads, eps
"""
import json
import math
import struct
import sys

import numpy as np


def read_weights(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    types = {"F32": np.float32, "F16": np.float16}
    return {
        name.removeprefix("transformer."): np.frombuffer(
            data[slice(*t["data_offsets"])], types[t["dtype"]]
        ).reshape(t["shape"]).astype(np.float32)
        for name, t in header.items() if name != "__metadata__" and t["dtype"] in types
    }


def norm(x, w, name, eps):
    x = x - x.mean(-1, keepdims=True)
    scale = np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(eps))
    return x / scale * w[name + ".weight"] + w[name + ".bias"]


def gelu(x, exact):
    if exact:
        return (0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))).astype(np.float32)
    return np.float32(0.5) * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x**3)))


def forward(w, config, ids, fault):
    n, heads, eps = len(ids), config["n_head"], config["layer_norm_epsilon"]
    out = {"tokens": np.array([ids])}
    x = w["wte.weight"][ids] + w["wpe.weight"][:n]
    for i in range(config["n_layer"]):
        at = f"h.{i}."
        out[f"blocks.{i}.hook_resid_pre"] = x[None]
        a = norm(x, w, at + "ln_1", 1e-3 if fault == "eps" else eps)
        out[f"transformer.h.{i}.ln_1"] = a[None]
        qkv = a @ w[at + "attn.c_attn.weight"] + w[at + "attn.c_attn.bias"]
        out[f"transformer.h.{i}.attn.c_attn"] = qkv[None]
        q, k, v = (p.reshape(n, heads, -1).transpose(1, 0, 2) for p in np.split(qkv, 3, -1))
        s = q @ k.transpose(0, 2, 1)
        if fault != "scale":
            s = s / np.float32(math.sqrt(q.shape[-1]))
        s = np.where(np.tri(n, k=1 if fault == "mask" else 0, dtype=bool), s, np.float32(-1e4))
        out[f"blocks.{i}.attn.hook_attn_scores"] = s[None]
        p = np.exp(s - s.max(-1, keepdims=True))
        p = p / p.sum(-1, keepdims=True)
        out[f"attentions.{i}"] = p[None]
        z = (p @ v).transpose(1, 0, 2)
        if fault == "heads" and i == 1:
            z = z[:, ::-1]
        z = np.ascontiguousarray(z).reshape(n, -1)
        out[f"blocks.{i}.attn.hook_z"] = z.reshape(1, n, heads, -1)
        o = w[at + "attn.c_proj.weight"]
        a = z @ (o.T if fault == "transposed" else o) + w[at + "attn.c_proj.bias"]
        out[f"transformer.h.{i}.attn.c_proj"] = a[None]
        x = x + a
        out[f"blocks.{i}.hook_resid_mid"] = x[None]
        m = norm(x, w, at + "ln_2", eps) @ w[at + "mlp.c_fc.weight"] + w[at + "mlp.c_fc.bias"]
        out[f"transformer.h.{i}.mlp.c_fc"] = m[None]
        m = gelu(m, fault == "gelu")
        out[f"blocks.{i}.mlp.hook_post"] = m[None]
        x = x + m @ w[at + "mlp.c_proj.weight"] + w[at + "mlp.c_proj.bias"]
        out[f"hidden_states.{i + 1}"] = x[None]
    x = norm(x, w, "ln_f", eps)
    out[f"hidden_states.{config['n_layer']}"] = x[None]
    out["logits"] = np.asfortranarray(x @ w["wte.weight"].T)[None]
    return out


folder, path, fault = sys.argv[1], sys.argv[2], (sys.argv + [""])[3]
with open(folder + "/config.json") as f:
    config = json.load(f)
weights = read_weights(folder + "/model.safetensors")
np.savez_compressed(path, **forward(weights, config, [5, 70, 200, 9, 9, 131, 70, 200, 42], fault))
