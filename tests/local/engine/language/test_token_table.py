import numpy as np

from vision_agent.local.engine.language.token_table import rows_first
from vision_agent.local.engine.weights import SENTENCE_ENCODER
from vision_agent.onnx_session import onnx_session


def test_the_encoder_whose_table_stays_in_8_bits_gives_the_same_vectors() -> None:
    path = SENTENCE_ENCODER.path()
    changed = rows_first(path.read_bytes())
    assert changed != path.read_bytes()
    ids = np.array([[101, 2073, 2003, 1996, 2452, 102], [101, 7592, 102, 0, 0, 0]], np.int64)
    inputs = {
        "input_ids": ids,
        "attention_mask": (ids > 0).astype(np.int64),
        "token_type_ids": np.zeros_like(ids),
    }
    (as_shipped,) = onnx_session(path).run(None, inputs)
    (found,) = onnx_session(path, changed).run(None, inputs)
    np.testing.assert_array_equal(found, as_shipped)


def test_a_network_without_the_table_stays_as_it_is() -> None:
    other = b"\x08\x0a\x12\x07pytorch\x3a\x0a\x0a\x08\x0a\x01a\x12\x03bcd"
    assert rows_first(other) == other
