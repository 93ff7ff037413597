"""An export that was submitted: its files lie in the artifact store, in `exports/<id>/files`, whole or absent (I8)."""

import errno
import shutil
from pathlib import Path

from safetensors import SafetensorError

from flow_grpo.artifacts import standing_manifest
from flow_grpo.base_model import UnknownModel
from flow_grpo.export.export import export
from flow_grpo.export.source import read_source
from flow_grpo.failures import Failure, FailureType
from flow_grpo.model_directory import ModelDirectoryError
from flow_grpo.policy import PolicyBroken, PolicyNotFound, file_sha256, parse_policy_name
from flow_grpo.trainer.contract import ExportedFile, ExportPolicyRequest
from flow_grpo.trainer.settings import Settings

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def export_files(settings: Settings, request: ExportPolicyRequest) -> list[ExportedFile]:
    """Write the files, unless they stand: whoever wrote them may have died before it was known.

    Raises Failure for what no retry mends, and what reading and writing raise besides.
    """
    directory = files_of(settings, request)
    name = parse_policy_name(request.policy)
    if name is None:
        raise Failure(FailureType.BadConfiguration, f"{request.policy!r} is not the name of a policy")
    if standing_manifest(directory) is None:
        remove_leftovers(directory)
        try:
            source = read_source(settings, name)
            export(source, directory, request.merged, source.policy.base_model)
        except (PolicyBroken, PolicyNotFound) as error:
            raise Failure(FailureType.PolicyUnusable, str(error)) from error
        except (ModelDirectoryError, UnknownModel) as error:
            raise Failure(FailureType.BadConfiguration, str(error)) from error
        except (OSError, SafetensorError) as error:
            if not _finds_no_room(error):
                raise
            raise Failure(FailureType.DiskFull, _no_room(request)) from error
    return [_file(path) for path in sorted(directory.iterdir())]


def files_of(settings: Settings, request: ExportPolicyRequest) -> Path:
    """The directory of an export's files."""
    return settings.artifacts / "exports" / request.export_id / "files"


def remove_leftovers(directory: Path, pid: int | None = None) -> None:
    """What killed attempts left, or what the one in this process did: as large as a model each."""
    writer = "*" if pid is None else f"{pid}-*"
    for leftover in directory.parent.glob(f".{directory.name}.tmp-{writer}"):
        shutil.rmtree(leftover, ignore_errors=True)


def _finds_no_room(error: OSError | SafetensorError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    # The library tells the number of the error in words only.
    return any(f"(os error {number})" in str(error) for number in _NO_ROOM)


def _no_room(request: ExportPolicyRequest) -> str:
    return (
        f"the disk of the artifact store has no room for the files of {request.policy}, and none of them is left: make "
        f"room, then `npx agentflow exports revive {request.export_id}`"
    )


def _file(path: Path) -> ExportedFile:
    return ExportedFile(name=path.name, bytes=path.stat().st_size, sha256=file_sha256(path))
