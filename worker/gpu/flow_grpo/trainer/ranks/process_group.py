"""Joining and leaving the process group of a machine's ranks."""

import os
import socket
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

from flow_grpo.trainer.placement import compute_device
from flow_grpo.trainer.ranks.group import Ranks

HOST = "127.0.0.1"

# Ranks that are ready find each other at once, if the machine is not busy.
MEET = timedelta(seconds=100)
# A rank may wait long for one that has more to do. That all of them advance is watched elsewhere (crew.py).
COLLECTIVE = timedelta(hours=1)


def open_store() -> TCPStore:
    """Where the ranks meet: on a free port of this machine, which no other machine can reach."""
    listener = socket.create_server((HOST, 0))
    port = listener.getsockname()[1]
    return TCPStore(
        HOST, port, is_master=True, wait_for_workers=False, timeout=MEET, master_listen_fd=listener.detach()
    )


def find_store(port: int) -> TCPStore:
    """The store that rank 0 opened."""
    return TCPStore(HOST, port, is_master=False, wait_for_workers=False, timeout=MEET)


def join_group(store: TCPStore, rank: int, count: int) -> Ranks:
    """Join the other ranks; every rank has a GPU of its own where there are any. Returns when all have joined."""
    device = compute_device()
    if device.type == "cuda":
        torch.cuda.set_device(rank)
    else:
        # By the name of the machine gloo might find an address that others reach, or none.
        os.environ["GLOO_SOCKET_IFNAME"] = _loopback()
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=COLLECTIVE)
    return Ranks(rank, count, device)


def abort_group() -> None:
    """Make what this rank computes with ranks that are gone fail."""
    # Over gloo it fails by itself, because their connections are closed. A GPU would wait for them.
    if dist.is_initialized() and dist.get_backend() == "nccl":
        dist.distributed_c10d._abort_process_group()


def leave_group() -> None:
    """Leave the group, when nothing is computed with it any more."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _loopback() -> str:
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
