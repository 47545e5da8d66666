"""Checks proofs of a transparency log with nothing but hashlib, straight from RFC 9162 section 2.1.

    python3 check_proofs.py EXPORT PROOFS ROOT

EXPORT  leaves as the server exported them, lines of JSON; those with "type": "leaf" count
PROOFS  lines of JSON: {"kind": "inclusion", "index", "size", "path"} or {"kind": "consistency", "from", "to", "path"}
ROOT    base64: what the signed checkpoint says of the tree over all leaves

Every root that a proof is held against is made here, from the leaves. Each proof must be accepted as it is, and refused
with one bit of it changed. Prints one line; exits with 1 when anything is wrong.
"""

import base64
import hashlib
import json
import sys

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(content):
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(n):
    """The largest power of two smaller than n."""
    return 1 << ((n - 1).bit_length() - 1)


def naive_root(leaves, start, end):
    """MTH(D[start:end]), section 2.1.1, word for word."""
    n = end - start
    if n == 0:
        return EMPTY
    if n == 1:
        return leaves[start]
    k = split(n)
    return node_hash(naive_root(leaves, start, start + k), naive_root(leaves, start + k, end))


class Tree:
    """The same, with the complete subtrees remembered, for the roots of many sizes."""

    def __init__(self, leaves):
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self, size, start=0):
        n = size - start
        if n == 0:
            return EMPTY
        if n & (n - 1) == 0:
            level = n.bit_length() - 1
            return self.levels[level][start >> level]
        k = split(n)
        return node_hash(self.root(start + k, start), self.root(size, start + k))


def includes(index, size, leaf, path, root):
    """Section 2.1.3.2."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == root


def consistent(first, second, first_root, second_root, path):
    """Section 2.1.4.2; the proofs from the empty tree and between equal trees are empty."""
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == EMPTY
    if not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root] + path
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr = node_hash(c, fr)
            sr = node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, c)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == first_root and sr == second_root


def read_leaves(name):
    leaves = []
    with open(name, encoding="utf-8", newline="\n") as lines:
        for line in lines:
            value = json.loads(line)
            if value["type"] != "leaf":
                continue
            if value["index"] != len(leaves):
                sys.exit(f"leaf {value['index']} stands where {len(leaves)} should")
            leaves.append(leaf_hash(value["content"].encode()))
    return leaves


def check(tree, leaves, proof, path):
    if proof["kind"] == "inclusion":
        index, size = proof["index"], proof["size"]
        return includes(index, size, leaves[index], path, tree.root(size))
    first, second = proof["from"], proof["to"]
    return consistent(first, second, tree.root(first), tree.root(second), path)


def flipped(path, bit):
    place = bit % len(path)
    changed = bytearray(path[place])
    changed[(bit // 8) % 32] ^= 1 << (bit % 8)
    return path[:place] + [bytes(changed)] + path[place + 1 :]


def main(export, proofs, root):
    leaves = read_leaves(export)
    tree = Tree(leaves)
    whole = naive_root(leaves, 0, len(leaves))
    wrong = []
    if whole != base64.b64decode(root, validate=True) or whole != tree.root(len(leaves)):
        wrong.append("the root of the checkpoint is not that of the tree")
    counts = {"inclusion": 0, "consistency": 0}
    refused = 0
    with open(proofs, encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            proof = json.loads(line)
            path = [base64.b64decode(text, validate=True) for text in proof["path"]]
            if check(tree, leaves, proof, path):
                counts[proof["kind"]] += 1
            else:
                wrong.append(f"refused: {line.strip()[:200]}")
            if path:
                refused += 1
                if check(tree, leaves, proof, flipped(path, number * 7919)):
                    wrong.append(f"accepted with a bit changed: {line.strip()[:200]}")
    for fault in wrong[:20]:
        print(f"  {fault}")
    print(
        f"{len(leaves)} leaves, root {'equal' if not wrong else 'or proofs WRONG'}; accepted {counts['inclusion']} proofs of "
        f"inclusion and {counts['consistency']} of consistency; {refused} of them tried with one bit changed"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
