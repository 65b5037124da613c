import numpy as np

from vision_agent.local.engine.language.integer_products import in_8_bits
from vision_agent.local.engine.weights import SENTENCE_ENCODER
from vision_agent.onnx_session import onnx_session


def test_the_encoder_whose_products_are_in_8_bits_gives_nearly_the_same_vectors() -> None:
    path = SENTENCE_ENCODER.path()
    changed = in_8_bits(path.read_bytes())
    assert b"MatMulNBits" in changed
    ids = np.random.default_rng(1).integers(1997, 9000, (16, 12))
    inputs = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    vectors = []
    for model in (None, changed):
        (hidden,) = onnx_session(path, model).run(None, inputs)
        summed = hidden.sum(1)
        vectors.append(summed / np.linalg.norm(summed, axis=1, keepdims=True))
    cosines = (vectors[0] * vectors[1]).sum(1)
    assert cosines.min() > 0.999
    assert cosines.min() < 1


def test_a_network_without_matrices_in_8_bits_stays_as_it_is() -> None:
    other = b"\x08\x0a\x12\x07pytorch\x3a\x0a\x0a\x08\x0a\x01a\x12\x03bcd"
    assert in_8_bits(other) == other
