"""The ranks that make a step together, and what they tell each other about tensors.

Calls are collective: every rank makes the same ones in the same order. Sums are taken in an order that the number of
ranks decides, so that with as many ranks the bits of a step are the same again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ranks:
    """One rank's view of them all. Of a single rank, nothing here communicates or copies."""

    rank: int = 0
    count: int = 1
    device: torch.device = CPU
    """Where tensors must lie to be communicated."""

    def deal(self, items: int) -> list[int | None]:
        """Which of so many items are this rank's, one a round; None in a round for which there is none left."""
        rounds = -(-items // self.count)
        return [item if item < items else None for item in range(self.rank, rounds * self.count, self.count)]

    def add(self, mine: torch.Tensor) -> torch.Tensor:
        """The sum over all ranks, on each of them."""
        if self.count == 1:
            return mine
        total = mine.to(self.device, copy=True)
        dist.all_reduce(total)
        return total.to(mine.device)

    def norm(self, mine: torch.Tensor) -> torch.Tensor:
        """The L2 norm, (), of something that lies in shards, from the norm of this rank's shard."""
        return mine if self.count == 1 else self.add(mine.double().square()).sqrt().to(mine.dtype)

    def everywhere(self, sizes: Sequence[int], mine: Mapping[int, torch.Tensor], like: torch.Tensor) -> torch.Tensor:
        """Values (..., sum of sizes) of all items on every rank, from this rank's, each (..., size), by item.

        `like`: has the dtype, the device and the leading dimensions, for a rank without an item.
        """
        whole = like.new_zeros(*like.shape[:-1], sum(sizes))
        parts = whole.split(list(sizes), dim=-1)
        for item, values in mine.items():
            parts[item].copy_(values)
        return self.add(whole)

    def shard(self, whole: torch.Tensor | None, rows: int, like: torch.Tensor) -> torch.Tensor:
        """This rank's rows of a tensor of so many rows that rank 0 has, in the shape, dtype and place of `like`."""
        if self.count == 1:
            assert whole is not None
            return whole.to(like.device, copy=True)
        mine = self._padded(like, rows)
        parts = None
        if self.rank == 0:
            assert whole is not None
            sent = whole.to(self.device, like.dtype)
            parts = [self._filled(mine, sent[start:stop]) for start, stop in self.bounds(rows)]
        dist.scatter(mine, parts)
        return mine[: len(like)].to(like.device)

    def whole(self, mine: torch.Tensor, rows: int) -> torch.Tensor | None:
        """A tensor of so many rows, on the CPU of rank 0, from every rank's rows; None on the other ranks."""
        if self.count == 1:
            return mine.to("cpu", copy=True)
        padded = self._filled(self._padded(mine, rows), mine)
        if self.rank > 0:
            dist.gather(padded)
            return None
        parts = [torch.empty_like(padded) for _ in range(self.count)]
        dist.gather(padded, parts)
        bounds = zip(parts, self.bounds(rows), strict=True)
        return torch.cat([part[: stop - start].cpu() for part, (start, stop) in bounds])

    def bring_together(self, mine: torch.Tensor, whole: torch.Tensor) -> None:
        """Write every rank's rows of a tensor that each of them holds whole into `whole`."""
        parts = [self._padded(mine, len(whole)) for _ in range(self.count)]
        dist.all_gather(parts, self._filled(parts[self.rank], mine))
        for part, (start, stop) in zip(parts, self.bounds(len(whole)), strict=True):
            whole[start:stop] = part[: stop - start]

    def bounds(self, rows: int) -> list[tuple[int, int]]:
        """Where the ranks' rows begin and end. FSDP shards in the same way."""
        size = -(-rows // self.count)
        return [(min(rank * size, rows), min((rank + 1) * size, rows)) for rank in range(self.count)]

    def _padded(self, like: torch.Tensor, rows: int) -> torch.Tensor:
        """Room for as many rows as any rank has."""
        return like.new_zeros(-(-rows // self.count), *like.shape[1:], device=self.device)

    def _filled(self, room: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        filled = torch.zeros_like(room)
        filled[: len(rows)] = rows
        return filled
