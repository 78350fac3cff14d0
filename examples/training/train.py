"""A trainer after the contract of docs/training.md, with Python's standard library alone: logistic regression by gradient descent.

It goes on from its checkpoint, says how far it is, and writes its model as ONNX.
"""

import csv
import json
import math
import os
import struct
import sys

EPOCHS = 200
CANNOT_TRAIN = 65


def main():
    with open(os.environ["TENURE_TRAINING_REQUEST"]) as file:
        request = json.load(file)
    names = [field["name"] for field in request["inputs"]]
    if any(field["datatype"] != "FP32" or field["width"] != 1 for field in request["inputs"]):
        cannot("only inputs of FP32 and width 1 are understood here")
    rows, labels = read(request, names)
    if len(set(labels)) < 2:
        cannot(f"all {len(labels)} rows have the same label")

    checkpoint = os.path.join(request["checkpoints"], "state.json")
    weights, start = restore(checkpoint, len(names) + 1)
    for epoch in range(start, EPOCHS):
        weights = descend(weights, rows, labels)
        if (epoch + 1) % 20 == 0:
            save(checkpoint, json.dumps({"epoch": epoch + 1, "weights": weights}).encode())
            message = f"epoch {epoch + 1} of {EPOCHS}, loss {loss(weights, rows, labels):.4f}"
            print(json.dumps({"progress": (epoch + 1) / EPOCHS, "message": message}), flush=True)

    save(request["output"]["metrics"], json.dumps({"trainLoss": loss(weights, rows, labels)}).encode())
    save(request["output"]["model"], onnx(names, request["score"], weights[:-1], weights[-1]))


def cannot(why):
    print(why, file=sys.stderr)
    sys.exit(CANNOT_TRAIN)


def read(request, names):
    positive = str(request["classes"][1])
    with open(request["data"]["file"], newline="") as file:
        table = list(csv.DictReader(file))
    # An empty field is a missing value.
    rows = [[float(row[name]) if row[name] else 0.0 for name in names] for row in table]
    return rows, [1.0 if row[request["target"]] == positive else 0.0 for row in table]


def restore(path, size):
    try:
        with open(path) as file:
            state = json.load(file)
        print(f"Going on after epoch {state['epoch']}", flush=True)
        return state["weights"], state["epoch"]
    except FileNotFoundError:
        return [0.0] * size, 0


def save(path, content):
    """Whole or not at all: the training may be ended at any moment."""
    with open(path + ".new", "wb") as file:
        file.write(content)
    os.replace(path + ".new", path)


def score(weights, row):
    z = weights[-1] + sum(w * x for w, x in zip(weights, row))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def loss(weights, rows, labels):
    scores = [score(weights, row) for row in rows]
    return -sum(math.log(p if y else 1 - p) for p, y in zip(scores, labels)) / len(rows)


def descend(weights, rows, labels, rate=1.0):
    slope = [0.0] * len(weights)
    for row, y in zip(rows, labels):
        off = score(weights, row) - y
        for i, x in enumerate(row):
            slope[i] += off * x
        slope[-1] += off
    return [w - rate * s / len(rows) for w, s in zip(weights, slope)]


# ONNX is protobuf, whose fields are few here; the numbers are those of onnx.proto. A real trainer has a library for it.
def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def number(field, n):
    return varint(field << 3) + varint(n)


def part(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def node(op, inputs, output, attribute=b""):
    return part(1, b"".join(part(1, name) for name in inputs) + part(2, output) + part(4, op) + attribute)


def tensor(name, dims, values):
    data = struct.pack(f"<{len(values)}f", *values)
    return part(5, b"".join(number(1, size) for size in dims) + number(2, 1) + part(8, name) + part(9, data))


def column(field, name):
    shape = part(1, part(2, "N")) + part(1, number(1, 1))
    return part(field, part(1, name) + part(2, part(1, number(1, 1) + part(2, shape))))


def onnx(names, output, weights, bias):
    axis = part(5, part(1, "axis") + number(3, 1) + number(20, 2))
    graph = (
        node("Concat", names, "all", axis)
        + node("MatMul", ["all", "w"], "weighed")
        + node("Add", ["weighed", "b"], "z")
        + node("Sigmoid", ["z"], output)
        + part(2, "logistic-regression")
        + tensor("w", [len(weights), 1], weights)
        + tensor("b", [1], [bias])
        + b"".join(column(11, name) for name in names)
        + column(12, output)
    )
    return number(1, 8) + part(7, graph) + part(8, part(1, "") + number(2, 17))


main()
