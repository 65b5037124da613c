"""Keeps the sentence encoder's token table in 8 bits. Pure: it edits the bytes of the ONNX file.

The network converts the whole table to float32 and then takes the rows of a sentence's tokens.
onnxruntime does the conversion when it loads, and keeps 47 MB. Here the rows are taken first.
"""

from __future__ import annotations

from collections.abc import Iterator

# Numbers of fields, in ONNX's ModelProto, GraphProto and NodeProto.
_GRAPH = 7
_NODE = 1
_INPUT, _OUTPUT, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5

_TO_FLOAT = b"\n\x02to\x18\x01\xa0\x01\x02"  # an AttributeProto: to = FLOAT

_TABLE = b"inner.embeddings.word_embeddings.weight"

_Bytes = bytes | memoryview

_Field = tuple[int, memoryview, memoryview]
"""Number, value if it is a length-delimited one, and the whole field; neither is a copy."""


def rows_first(model: bytes) -> bytes:
    """A network with the same vectors, or the same network if it has no such table."""
    parts: list[_Bytes] = []
    for number, value, whole in _fields(memoryview(model)):
        if number == _GRAPH:
            graph = list(_graph(value))
            parts += (_head(_GRAPH, sum(map(len, graph))), *graph)
        else:
            parts.append(whole)
    return b"".join(parts)


def _graph(graph: memoryview) -> Iterator[_Bytes]:
    for number, value, whole in _fields(graph):
        yield _node(value) if number == _NODE else whole


def _node(node: memoryview) -> bytes:
    parts = list(_fields(node))
    inputs = [value for number, value, _ in parts if number == _INPUT]
    outputs = [value for number, value, _ in parts if number == _OUTPUT]
    if outputs[0] in (_TABLE, _TABLE + b"_f"):
        return b""  # the conversion of the whole table
    if inputs[:1] != [_TABLE]:
        return _field(_NODE, node)
    tokens, [gathered] = inputs[1], outputs
    return (
        _made(b"Gather", (_TABLE + b"_q", tokens), b"token_rows")
        + _made(b"Gather", (_TABLE + b"_scale", tokens), b"token_scales")
        + _made(b"Cast", (b"token_rows",), b"token_floats", _TO_FLOAT)
        + _made(b"Mul", (b"token_floats", b"token_scales"), gathered)
    )


def _made(
    operator: bytes, inputs: tuple[_Bytes, ...], output: _Bytes, attribute: bytes = b""
) -> bytes:
    node = b"".join(_field(_INPUT, each) for each in inputs)
    node += _field(_OUTPUT, output) + _field(_OPERATOR, operator)
    return _field(_NODE, node + (_field(_ATTRIBUTE, attribute) if attribute else b""))


def _fields(message: memoryview) -> Iterator[_Field]:
    """The fields of a protobuf message; those of fixed size don't occur in these messages."""
    at = 0
    while at < len(message):
        key, value_at = _varint(message, at)
        size, end = _varint(message, value_at)
        begin = end
        if key & 7 == 2:
            end += size
        yield key >> 3, message[begin:end], message[at:end]
        at = end


def _field(number: int, value: _Bytes) -> bytes:
    return _head(number, len(value)) + value


def _head(number: int, size: int) -> bytes:
    return bytes((number << 3 | 2,)) + _as_varint(size)


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _as_varint(value: int) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes((*digits, value))
