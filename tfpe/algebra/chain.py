"""Chains of unlike siblings: what no single map of one kind can say."""

import functools

from tfpe.algebra.keyed import Keyed, Program


class Chain(Keyed):
    """Maps of several kinds, one after the other; `@` makes it.

    Args:
        parts: of which each takes what the one before it gives, the first one first.

    Example:

    >>> import tfpe
    >>> key, shape = tfpe.Key.generate(), (8, 8, 3)
    >>> both = tfpe.ciphers.ffx(key, shape) @ tfpe.ciphers.le(key, shape)
    >>> type(both).__name__, len(both.parts)
    ('Chain', 2)
    >>> both.inverse @ both == tfpe.Transform.identity(shape)
    True
    """

    _fixed = ("parts", "input_shape", "output_shape")
    parts = ()

    def __init__(self, parts):
        self.parts = tuple(parts)
        first, last = self.parts[0], self.parts[-1]
        self.input_shape, self.output_shape = first.input_shape, last.output_shape
        self.input_dtype, self.output_dtype = first.input_dtype, last.output_dtype
        self.lossless = all(part.lossless for part in self.parts)
        sizes = {part.batch_size for part in self.parts} - {None}
        self.batch_size = sizes.pop() if sizes else None

    @functools.cached_property
    def inverse(self):
        """The inverses, the last one first."""
        return chained([part.inverse for part in reversed(self.parts)])

    def definition(self, images):
        for part in self.parts:
            images = part.definition(images)
        return images

    def packed(self):
        return Chain(part.packed() for part in self.parts)

    def _stacked(self, maps):
        if len({len(one.parts) for one in maps}) > 1:
            return None
        return Chain(
            Keyed.stack(column)
            for column in zip(*(one.parts for one in maps), strict=True)
        )

    def _choose(self):
        return Sequence(self.parts)

    def _same(self, other):
        return isinstance(other, Chain) and self.parts == other.parts

    @property
    def _shown(self):
        kinds = ", ".join(part._name for part in self.parts)
        return f"{kinds}, "


class Sequence(Program):
    """The programs of a chain."""

    one_pass = True

    def __init__(self, parts):
        self.parts = [part.prepare() for part in parts]

    def run(self, images, channels, backend):
        for part in self.parts:
            images = backend.run(part.program, images, part.input_shape[-1])
        return images


def chained(parts):
    """`parts` one after the other: a `Chain`, or one map where they join to one."""
    joined = []
    for part in parts:
        while joined and (both := part._after(joined[-1])) is not None:
            joined.pop()
            part = both
        if joined and _is_nothing(part):
            continue
        if joined and _is_nothing(joined[-1]):  # it was the first
            joined.pop()
        joined.append(part)
    return joined[0] if len(joined) == 1 else Chain(joined)


def _is_nothing(part):
    return part.is_identity and part.batch_size is None
