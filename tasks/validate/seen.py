"""Which rows of a file repeat, contradict or speak for others, chunk by chunk: of all the rows before, three numbers each are kept."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import ROW_NUMBER, Contract, Speaks
from tasks.words.keys import code_hash, row_hash

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int64]

LONGEST = 1 << 21
"""Rows of a run that is not merged any further, and lies on the disk: so memory does not grow with the file."""
_DAYS = 20
"""Bits of a day since 1970 in a rank: those of three thousand years."""


@dataclass(frozen=True)
class Beside:
    """What the rows of a chunk are beside each other and those of the chunks before; all others just stay."""

    same: Mask
    """They repeat one word for word."""
    spoken_for: Mask
    """Another of their key speaks for them."""
    contradicting: Mask
    """They contradict the one that speaks."""
    late: Mask
    """They speak for one of an earlier chunk, which was accepted."""


class Seen:
    """The rows accepted so far."""

    def __init__(self, contract: Contract) -> None:
        self.is_kept = False
        """Whether there are further chunks, for which anything has to be kept."""
        self._contract = contract
        self._rows = _Rows()

    def beside_others(self, table: pa.Table) -> Beside:
        """What the rows of the next chunk are; those that stay count as accepted."""
        keys = code_hash([table[name] for name in self._contract.natural_key]).to_numpy()
        ranks = _ranks(table, self._contract.speaks)
        known, known_ranks, known_contents = self._rows.find(keys)
        again = pd.Series(keys).duplicated(keep=False).to_numpy()
        best = ranks.copy()
        best[again] = pd.Series(ranks[again]).groupby(keys[again]).transform("max").to_numpy()
        best[known] = np.maximum(best[known], known_ranks[known])
        spoken_for = ranks < best
        speaks = known & (known_ranks == best)
        late = known & ~speaks & ~spoken_for
        repeated = speaks & ~spoken_for
        repeated[~spoken_for] |= pd.Series(keys[~spoken_for]).duplicated().to_numpy()
        contents = row_hash(table.drop_columns(ROW_NUMBER)).to_numpy() if self.is_kept or repeated.any() else np.empty(0, np.int64)
        same = np.zeros(len(keys), np.bool_)
        if repeated.any():
            first = contents.copy()
            first[~spoken_for] = pd.Series(contents[~spoken_for]).groupby(keys[~spoken_for]).transform("first").to_numpy()
            first[speaks] = known_contents[speaks]
            same = repeated & (contents == first)
        if self.is_kept:
            stay = ~repeated & ~spoken_for
            self._rows.add(np.stack([keys[stay], ranks[stay], contents[stay]]))
        return Beside(same, spoken_for, repeated & ~same, late & ~repeated)


def _ranks(table: pa.Table, speaks: Speaks | None) -> Numbers:
    """Of rows of one key, that with the highest speaks."""
    ranks = np.zeros(table.num_rows, np.int64)
    if speaks is None:
        return ranks
    for column, values in speaks.first.items():
        ranks = ranks << 1 | pc.is_in(table[column], pa.array(values)).to_numpy()
    for column, values in speaks.last.items():
        ranks = ranks << 1 | ~pc.is_in(table[column], pa.array(values)).to_numpy()
    for column in speaks.latest:
        days = table[column].cast(pa.int32()).fill_null((1 << _DAYS) - 1).to_numpy()
        ranks = ranks << _DAYS | np.maximum(days, 0)
    return ranks


class _Rows:
    """Keys, ranks and contents in runs, each sorted by key: two that are about as long become one, as long as that is not too long.

    So adding a chunk costs what it holds and not what is there, and a key is looked for in few places.
    """

    def __init__(self) -> None:
        self._runs: list[Numbers] = []
        """Of each, three lines: keys, ranks, contents. Later ones are newer."""

    def find(self, keys: Numbers) -> tuple[Mask, Numbers, Numbers]:
        """Which keys are there, and of these the rank and content that were added last."""
        known = np.zeros(len(keys), np.bool_)
        ranks, contents = np.zeros((2, len(keys)), np.int64)
        order = np.argsort(keys, kind="stable")
        wanted = keys[order]  # in order, so that each search begins where the last one ended
        for run in self._runs:
            place = np.searchsorted(run[0], wanted, side="right") - 1
            found = (place >= 0) & (run[0][place] == wanted)
            at = order[found]
            known[at], ranks[at], contents[at] = True, run[1][place[found]], run[2][place[found]]
        return known, ranks, contents

    def add(self, rows: Numbers) -> None:
        """Adds rows of three lines; of a key that is there already they hold from now on."""
        if not rows.shape[1]:
            return
        run = _sorted(rows)
        while self._runs and self._runs[-1].shape[1] <= 2 * run.shape[1] and self._runs[-1].shape[1] + run.shape[1] <= LONGEST:
            run = _sorted(np.concatenate([self._runs.pop(), run], axis=1))
        self._runs.append(run if 2 * run.shape[1] < LONGEST else _on_disk(run))


def _sorted(rows: Numbers) -> Numbers:
    """Rows by their keys; of equal ones the later comes last."""
    in_order: Numbers = rows[:, np.argsort(rows[0], kind="stable")]
    return in_order


def _on_disk(run: Numbers) -> Numbers:
    with tempfile.TemporaryFile() as file:
        run.tofile(file)
        file.flush()
        return np.memmap(file, np.int64, "r", shape=run.shape)
