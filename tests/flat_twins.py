"""What holds of every kind of Transform: it is the one that its permutation says."""

import numpy as np

from tfpe import Transform


def check_twins(f, g, flat, images):
    """Two transforms of one kind against `flat` of each, on three images."""
    expected = flat(f).definition(images)
    assert np.array_equal(f(images), expected)
    assert np.array_equal(f.definition(images), expected)
    assert np.array_equal(f.inverse(expected), images)
    assert f == flat(f) and flat(f) == f and (f == g) == (flat(f) == flat(g))
    assert f.refine(4) == flat(f) and f.refine(4).coarsen().bits == 8
    if f.batch_size is None:
        both = Transform.stack([f, g])
        assert np.array_equal(both(images[:2]), np.stack([f(images[0]), g(images[1])]))
        assert Transform.stack([f, flat(g)]) == both
        return
    each = [f.of_image(number) for number in range(3)]
    assert each == [flat(f).of_image(number) for number in range(3)]
    assert Transform.stack(one.packed() for one in each) == f
