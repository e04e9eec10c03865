"""Known pictures against the hybrid in the form of its paper, without a nonce."""

import dataclasses

import numpy as np

from tfpe.attacks.hybrid_form import HybridForm, checked_table, payload_of
from tfpe.errors import AttackError
from tfpe.hybrid.code_table import LONGEST
from tfpe.hybrid.pairing import arrange, to_symbols

# Masks of the first bits of a window, by their number.
FIRST = (2**LONGEST - 1) & ~(2 ** np.arange(LONGEST, -1, -1) - 1)
STEPS_A_SYMBOL = 20


def hybrid_known_plaintext(plain, containers, table):
    """Key stream and permutation of a hybrid with one key, from few known images.

    All images under one key stream: which pairs stand next must explain the same bits
    of it in all of them. Where one code word ends before that of another image, the
    next one is checked by bits that are known already, so that a search from the first
    pair on hardly ever branches.

    Threat model: known plaintext, one fixed key, public table of pairs, horizontal
    pairs that move as pairs, xor, no nonce. Complexity: O(N n^2) for N images of n
    pairs a plane; 6 pieces of photographs of 16 x 24 do (4: in 4 of 5 draws), 12
    of 64 x 64 (4 do not: what the longest code words tell is checked late).

    Args:
        plain: `uint8 (N, H, W, C)`, of even width.
        containers: the N containers, bytes.
        table: the public `CodeTable`.

    Returns:
        A `HybridForm`: the key stream as far as the longest image reaches. Pairs that
        are equal in all known images are listed as undetermined.

    Raises:
        AttackError: no key stream explains the pairs, or more than one does.

    Source: not published elsewhere.

    Example:

    >>> from tfpe import Key
    >>> from tfpe.hybrid import CodeTable, Hybrid
    >>> table = CodeTable.public([])
    >>> secret = Hybrid(Key(bytes(32)), table=table, nonce=False)
    >>> plain = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 3), np.uint8)
    >>> found = hybrid_known_plaintext(plain, list(map(secret, plain)), table)
    >>> bool((found.open(secret(plain[0]))[0] == plain[0]).all())
    True
    """
    shape = plain.shape[1:]
    pairs = checked_table(table, shape)
    if len(containers) != len(plain):
        raise AttackError(
            "There should be a container for each image. Received: "
            f"{len(plain)} images, {len(containers)} containers"
        )
    payloads = [payload_of(container, table, shape) for container in containers]
    symbols = np.stack(
        [to_symbols(arrange(image, "crt", "horizontal"), "crt") for image in plain]
    )
    search = _Search(payloads, _levels(symbols, table), pairs)
    solution = search.next_solution()
    if solution is None:
        raise AttackError(
            "The pairs should share one key stream and one permutation. Received: "
            "pairs that none explains"
        )
    chosen, stream = solution
    if search.next_solution() is not None:
        raise AttackError(
            "The pairs should leave one key stream. Received: too few, more than one "
            "explains them"
        )
    members = np.argsort(search.levels[-1].inverse, kind="stable")
    order = np.empty(pairs, np.int64)
    order[np.argsort(chosen[-pairs:], kind="stable")] = members
    shared = search.levels[-1].counts[chosen[-pairs:]] > 1
    return HybridForm(stream, order, shape, table, np.flatnonzero(shared))


@dataclasses.dataclass
class _Level:
    """Classes of places whose pairs are equal in all images, up to some plane.

    Attributes:
        words, lengths: code words `(N, classes)`, each at the top of `LONGEST` bits.
        inverse: the class of each place.
        counts: how many places each class has; `left`, how many of them are not used.
        children: of each class of the level before, those that it falls into.
    """

    words: np.ndarray
    lengths: np.ndarray
    inverse: np.ndarray
    counts: np.ndarray
    left: np.ndarray
    children: list


def _levels(symbols, table):
    """A `_Level` for each plane of symbols `(N, planes, n)`."""
    images, planes, _ = symbols.shape
    levels, before = [], np.zeros(symbols.shape[2], np.int64)
    for plane in range(planes):
        own = np.vstack([before, symbols[:, plane]])
        kinds, inverse, counts = np.unique(
            own, axis=1, return_inverse=True, return_counts=True
        )
        inverse, parents = inverse.reshape(-1), kinds[0]
        lengths = table.lengths[kinds[1:]].astype(np.int64)
        words = table.codes[kinds[1:]].astype(np.int64) << (LONGEST - lengths)
        children = np.split(
            np.arange(len(counts)), np.flatnonzero(np.diff(parents)) + 1
        )
        levels.append(_Level(words, lengths, inverse, counts, counts.copy(), children))
        before = inverse
    return levels


class _Search:
    """A search in depth for the classes that stand at each place, one after another."""

    def __init__(self, payloads, levels, pairs):
        self.levels, self._pairs = levels, pairs
        self._total, self._steps = pairs * len(levels), 0
        self._windows = [_windows(payload) for payload in payloads]
        self._bits = [8 * payload.size for payload in payloads]
        size = max(payload.size for payload in payloads)
        self._stream = np.zeros(8 * size + 2 * LONGEST, np.uint8)
        self._chosen = np.zeros(self._total, np.int64)
        # Of each depth: candidates not tried yet, where each image is, what is known.
        self._stack = [self._node(0, np.zeros(len(payloads), np.int64), 0)]

    def next_solution(self):
        """Chosen classes and key stream of the next solution; None of none."""
        while self._stack:
            candidates, places, known = self._stack[-1]
            depth = len(self._stack) - 1
            if depth == self._total:
                self._retreat()
                if (-(-places // 8) * 8 == self._bits).all():
                    return self._chosen.copy(), self._whole_stream(known)
                continue
            if not candidates:
                self._retreat()
                continue
            number = candidates.pop()
            self._steps += 1
            if self._steps > STEPS_A_SYMBOL * self._total:
                raise AttackError(
                    "The pairs should leave few key streams. Received: too few pairs, "
                    "which too many explain"
                )
            self._advance(depth, number, places, known)
        return None

    def _whole_stream(self, known):
        """The key stream in bytes; where the longest payload is padded it shows."""
        longest = int(np.argmax(self._bits))
        size = self._bits[longest]
        bits = self._windows[longest][known:size] >> (LONGEST - 1)
        return np.packbits(np.append(self._stream[:known], bits.astype(np.uint8)))

    def _advance(self, depth, number, places, known):
        level = self.levels[depth // self._pairs]
        lengths, words = level.lengths[:, number], level.words[:, number]
        ends = places + lengths
        for image, end in enumerate(ends):
            if end > known:
                # The words of all images agree on what they tell of the stream.
                bits = self._windows[image][places[image]] ^ words[image]
                new = np.arange(known - places[image], lengths[image])
                self._stream[known:end] = bits >> (LONGEST - 1 - new) & 1
                known = int(end)
        level.left[number] -= 1
        self._chosen[depth] = number
        self._stack.append(self._node(depth + 1, ends, known))

    def _retreat(self):
        """Takes the last choice back."""
        self._stack.pop()
        if depth := len(self._stack):
            level = self.levels[(depth - 1) // self._pairs]
            level.left[self._chosen[depth - 1]] += 1

    def _node(self, depth, places, known):
        """Candidates of a depth, with what they were found from."""
        if depth == self._total:
            return [], places, known
        level, before = self.levels[depth // self._pairs], depth - self._pairs
        own = level.children[self._chosen[before] if before >= 0 else 0]
        own = own[level.left[own] > 0]
        fits = np.ones(len(own), bool)
        ahead, length = np.zeros(len(own), np.int64), np.zeros(len(own), np.int64)
        for image, place in enumerate(places):
            if place >= self._bits[image]:
                return [], places, known
            lengths = level.lengths[image, own]
            bits = self._windows[image][place] ^ level.words[image, own]
            told = min(max(known - int(place), 0), LONGEST)
            stream = self._stream[place : place + LONGEST]
            stream = int("".join(map(str, stream)), 2)
            fits &= ((bits ^ stream) & FIRST[np.minimum(told, lengths)]) == 0
            # What reaches beyond what is known, beside that of the other images.
            more, beyond = lengths - told, bits << told & (2**LONGEST - 1)
            common = np.clip(np.minimum(more, length), 0, None)
            fits &= ((beyond ^ ahead) & FIRST[common]) == 0
            ahead = np.where(more > length, beyond, ahead)
            length = np.maximum(more, length)
            fits &= place + lengths <= self._bits[image]
        return own[fits].tolist(), places, known


def _windows(payload):
    """The `LONGEST` bits from each place of a payload on."""
    bits = np.unpackbits(np.append(payload, np.zeros(4, np.uint8))).astype(np.int64)
    found = np.zeros(8 * payload.size, np.int64)
    for place in range(LONGEST):
        found |= bits[place : place + found.size] << (LONGEST - 1 - place)
    return found
