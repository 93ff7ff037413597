"""Writing tensors to safetensors files."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write a file from where the tensors lie, without a copy of them.

    Raises OSError if the system does not take it. The library says so in the text of an error of its own, in which
    nobody would find the full disk: it would count as a defect.
    """
    try:
        save_file(dict(tensors), path, metadata={"format": "pt"})
    except SafetensorError as error:
        if (number := _SYSTEM_ERROR.search(str(error))) is None:
            raise
        code = int(number[1])
        raise OSError(code, os.strerror(code), str(path)) from error
