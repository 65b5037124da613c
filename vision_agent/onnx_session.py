"""How the package loads its ONNX networks: one thread each, and no memory kept between two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vision_agent.malloc_trim import trim
from vision_agent.weights_file import WeightsError


def onnx_session(path: Path, model: bytes | None = None) -> Any:
    """A session of onnxruntime; safe to use from several threads.

    Args:
        path: The network's file.
        model: What is loaded in its place, if it was changed.

    Raises:
        WeightsError: It can't be loaded.
    """
    # Imported here: the import takes 0.1 s and 30 MB, and it starts a thread, while processes are
    # forked after their imports.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena would keep the memory of the largest input so far.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path) if model is None else model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common class but this one
        raise WeightsError(f"{path} can't be loaded: {error}.") from error
    # Loading frees up to 60 MB, which glibc would keep.
    trim()
    return session
