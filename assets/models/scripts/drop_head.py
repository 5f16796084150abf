#!/usr/bin/env python3
"""Leave a repeated LM head out of a GGUF file: drop_head.py IN.gguf OUT.gguf

A GPT-2 file may hold the token embedding a second time as output.weight. When the two are equal
byte for byte, the head is dropped and the tensors behind it move up; all else stays as it is.
"""
import struct
import sys

SIZE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY, ALIGN = 8, 9, 32


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, fmt):
        v = struct.unpack_from('<' + fmt, self.data, self.at)
        self.at += struct.calcsize('<' + fmt)
        return v if len(v) > 1 else v[0]

    def string(self):
        n = self.take('Q')
        self.at += n
        return self.data[self.at - n:self.at]

    def skip(self, kind):
        if kind == STRING:
            self.string()
        elif kind == ARRAY:
            element, n = self.take('IQ')
            for _ in range(n):
                self.skip(element)
        else:
            self.at += SIZE[kind]


def main(source, target):
    data = open(source, 'rb').read()
    r = Reader(data)
    magic, version, n_tensors, n_kv = r.take('4sIQQ')
    assert magic == b'GGUF'
    kv_begin = r.at
    for _ in range(n_kv):
        r.string()
        r.skip(r.take('I'))
    kv = data[kv_begin:r.at]
    infos = []
    for _ in range(n_tensors):
        name = r.string()
        dims = [r.take('Q') for _ in range(r.take('I'))]
        kind, offset = r.take('IQ')
        infos.append((name, dims, kind, offset))
    begin = r.at + -r.at % ALIGN
    order = sorted(infos, key=lambda t: t[3])
    ends = [t[3] for t in order[1:]] + [len(data) - begin]
    blob = {t[0]: data[begin + t[3]:begin + e] for t, e in zip(order, ends)}
    embd, head = blob[b'token_embd.weight'], blob[b'output.weight']
    n = min(len(embd), len(head))
    assert embd[:n] == head[:n] and not (embd[n:] + head[n:]).strip(b'\0'), 'the head is not tied'

    keep = [t for t in infos if t[0] != b'output.weight']
    out = struct.pack('<4sIQQ', magic, version, len(keep), n_kv) + kv
    body = b''
    for name, dims, kind, _ in keep:
        out += struct.pack('<Q', len(name)) + name
        out += struct.pack('<I%dQ' % len(dims), len(dims), *dims)
        out += struct.pack('<IQ', kind, len(body))
        body += blob[name] + b'\0' * (-len(blob[name]) % ALIGN)
    out += b'\0' * (-len(out) % ALIGN)
    open(target, 'wb').write(out + body)


main(*sys.argv[1:])
