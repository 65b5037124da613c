"""Reads and writes the fields of an ONNX file, which is a protobuf message. Pure.

Messages are taken apart where they are changed and stay bytes where they are not: onnx and protobuf
would be two large dependencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

# Numbers of fields: in ModelProto, GraphProto, NodeProto, ValueInfoProto, AttributeProto and
# TensorProto.
GRAPH, OPERATOR_SET = 7, 8
NODE, TENSOR, VALUE_INFO = 1, 5, 13
INPUT, OUTPUT, OPERATOR, ATTRIBUTE, DOMAIN = 1, 2, 4, 5, 7
VALUE_NAME = 1
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TYPE = 1, 3, 20
_DIMENSIONS, _DATA_TYPE, _TENSOR_NAME, _RAW_DATA = 1, 2, 8, 9

FLOAT, UINT8 = 1, 2

_INT_ATTRIBUTE = 2

Bytes = bytes | memoryview

Field = tuple[int, memoryview, memoryview]
"""Number, value if it is a length-delimited one, and the whole field; neither is a copy."""


def with_graph(
    model: bytes, changed: Callable[[memoryview], Sequence[Bytes]], *more: Bytes
) -> bytes:
    """A model whose graph has other fields.

    Args:
        model: The ONNX file.
        changed: Returns the fields of the new graph.
        more: Further fields of the model.
    """
    parts: list[Bytes] = []
    for number, value, whole in fields(memoryview(model)):
        if number == GRAPH:
            graph = changed(value)
            parts += (_head(GRAPH, sum(map(len, graph))), *graph)
        else:
            parts.append(whole)
    return b"".join((*parts, *more))


def fields(message: memoryview) -> Iterator[Field]:
    """The fields of a message; those of fixed size don't occur in these messages."""
    at = 0
    while at < len(message):
        key, value_at = _varint(message, at)
        size, end = _varint(message, value_at)
        begin = end
        if key & 7 == 2:
            end += size
        yield key >> 3, message[begin:end], message[at:end]
        at = end


def field(number: int, value: Bytes) -> bytes:
    """A length-delimited field."""
    return _head(number, len(value)) + value


def values(message: memoryview, number: int) -> list[memoryview]:
    """The values of all fields with a number."""
    return [value for each, value, _ in fields(message) if each == number]


def node(
    operator: bytes,
    inputs: Sequence[Bytes],
    output: Bytes,
    attributes: Sequence[bytes] = (),
    domain: bytes = b"",
) -> bytes:
    """The field of a node, in a graph."""
    parts = [field(INPUT, each) for each in inputs]
    parts += [field(OUTPUT, output), field(OPERATOR, operator)]
    parts += [field(ATTRIBUTE, each) for each in attributes]
    return field(NODE, b"".join((*parts, field(DOMAIN, domain) if domain else b"")))


def int_attribute(name: str, value: int) -> bytes:
    """An attribute of a node."""
    named = field(_ATTRIBUTE_NAME, name.encode())
    return named + _int(_ATTRIBUTE_INT, value) + _int(_ATTRIBUTE_TYPE, _INT_ATTRIBUTE)


def tensor(name: Bytes, dimensions: Sequence[int], data_type: int, raw: bytes) -> bytes:
    """The field of a tensor with initial values, in a graph."""
    parts = [_int(_DIMENSIONS, each) for each in dimensions]
    parts += (_int(_DATA_TYPE, data_type), field(_TENSOR_NAME, name), _head(_RAW_DATA, len(raw)))
    size = sum(map(len, parts)) + len(raw)
    return b"".join((_head(TENSOR, size), *parts, raw))  # one copy of the numbers


def operator_set(domain: bytes, version: int) -> bytes:
    """The field of a model that allows the operators of a domain."""
    return field(OPERATOR_SET, field(1, domain) + _int(2, version))


def tensor_data(message: memoryview) -> tuple[bytes, memoryview]:
    """The name of a tensor with initial values, and these."""
    [name], raw = values(message, _TENSOR_NAME), values(message, _RAW_DATA)
    return bytes(name), raw[0] if raw else memoryview(b"")


def _int(number: int, value: int) -> bytes:
    return _as_varint(number << 3) + _as_varint(value)


def _head(number: int, size: int) -> bytes:
    return _as_varint(number << 3 | 2) + _as_varint(size)


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
