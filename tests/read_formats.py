"""Reads the dumps that test_dump_page.c made, with nothing but Python's standard library: an
independent reader of safetensors, the csv module, and the json dump of the same values."""
import csv
import json
import math
import struct

LETTER = {"F32": "f", "I32": "i"}


def safetensors(path):
    with open(path, "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    assert (8 + n) % 8 == 0 and data[8:9] == b"{"
    meta = header.pop("__metadata__")
    assert all(type(v) is str for v in meta.values())
    body, at, tensors = data[8 + n :], 0, {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        count = math.prod(t["shape"])
        assert begin == at and end == begin + 4 * count, name
        tensors[name] = (t["shape"], struct.unpack(f"<{count}{LETTER[t['dtype']]}", body[begin:end]))
        at = end
    assert at == len(body)
    return meta, tensors


def flat(x):
    return [v for part in x for v in flat(part)] if type(x) is list else [x]


def same(a, b):
    return a == b or (b is None and not math.isfinite(a))


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


with open("f.json", encoding="utf-8") as f:
    dump = json.load(f)
meta, tensors = safetensors("f.safetensors")
assert meta["format"] == "gptscope" and json.loads(meta["token_str"]) == dump["token_str"]
assert list(tensors["tokens"][1]) == dump["tokens"]
assert [n for n in tensors if n != "tokens"] == list(dump["values"])
for name, v in dump["values"].items():
    shape, x = tensors[name]
    assert shape == v["shape"], name
    assert all(same(a, float32(b) if b is not None else b) for a, b in zip(x, flat(v["data"]))), name

rows = {}
tables = []
for suffix, dialect in (("csv", {}), ("tsv", {"delimiter": "\t", "quoting": csv.QUOTE_NONE})):
    with open("f." + suffix, encoding="utf-8", newline="") as f:
        tables.append(list(csv.DictReader(f, **dialect)))
for row in tables[0]:
    rows.setdefault(row["value"], []).append(row)
assert [r["number"] for r in tables[0]] == [r["number"] for r in tables[1]]
assert list(rows) == list(dump["values"])
for name, v in dump["values"].items():
    x = tensors[name][1]
    assert len(rows[name]) == len(x), name
    for i, row in enumerate(rows[name]):
        assert float32(float(row["number"])) == x[i], (name, i)
        if row["pos"]:
            assert row["token"] == dump["token_str"][int(row["pos"])]
        if row["key"]:
            assert row["key_token"] == dump["token_str"][int(row["key"])]
        index, rest = [], i
        for n in reversed(v["shape"]):
            index.insert(0, rest % n)
            rest //= n
        for axis, at in zip(v["axes"], index):
            column = axis.replace("kv_", "")
            column = column if column in ("head", "pos", "key") else "channel"
            assert axis == "1" or row[column] == str(at), (name, axis, row)
print(f"{len(tensors)} tensors, {len(tables[0])} lines: fine")
