"""Keeps the sentence encoder's token table in 8 bits. Pure: it edits the bytes of the ONNX file.

The network converts the whole table to float32 and then takes the rows of a sentence's tokens.
onnxruntime does the conversion when it loads, and keeps 47 MB. Here the rows are taken first.
"""

from __future__ import annotations

from collections.abc import Iterator

from vision_agent.local.engine.language.onnx_fields import (
    INPUT,
    NODE,
    OUTPUT,
    Bytes,
    fields,
    node,
    values,
    with_graph,
)

_TO_FLOAT = b"\n\x02to\x18\x01\xa0\x01\x02"  # an AttributeProto: to = FLOAT

_TABLE = b"inner.embeddings.word_embeddings.weight"


def rows_first(model: bytes) -> bytes:
    """A network with the same vectors, or the same network if it has no such table."""
    return with_graph(model, lambda graph: list(_graph(graph)))


def _graph(graph: memoryview) -> Iterator[Bytes]:
    for number, value, whole in fields(graph):
        yield _node(value, whole) if number == NODE else whole


def _node(value: memoryview, whole: memoryview) -> Bytes:
    inputs, outputs = values(value, INPUT), values(value, OUTPUT)
    if outputs[0] in (_TABLE, _TABLE + b"_f"):
        return b""  # the conversion of the whole table
    if inputs[:1] != [_TABLE]:
        return whole
    tokens, [gathered] = inputs[1], outputs
    return (
        node(b"Gather", (_TABLE + b"_q", tokens), b"token_rows")
        + node(b"Gather", (_TABLE + b"_scale", tokens), b"token_scales")
        + node(b"Cast", (b"token_rows",), b"token_floats", (_TO_FLOAT,))
        + node(b"Mul", (b"token_floats", b"token_scales"), gathered)
    )
