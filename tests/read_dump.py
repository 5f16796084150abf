"""Reads the dumps that test_tools.c made, as a user of numpy does."""
import numpy as np

z = np.load("p.npz")
names = [n for n in z.files if n.endswith("attn.pattern")]
assert z.files[:2] == ["tokens", "token_str"], z.files
assert z["tokens"].dtype == np.int32 and z["tokens"].shape == (10,)
assert list(z["token_str"][:3]) == ["T", "om", " gave"], z["token_str"]
assert z["logits"].shape == (10, 2048) and z["logits"].dtype == np.float32
for name in names:
    p = z[name]
    assert p.shape == (6, 10, 10) and p.dtype == np.float32, (name, p.shape)
    assert np.abs(p.sum(-1) - 1).max() < 1e-5, name
    upper = np.triu(np.ones((10, 10), bool), 1)
    assert (p[:, upper] == 0).all(), name
one = np.load("p.npy")
assert (one == z["blocks.1.attn.pattern"][2]).all()
assert (one == np.load("s.npz")["L1.H2.attn.pattern"]).all()
print(f"{len(names)} patterns, {len(z['tokens'])} tokens: fine")
