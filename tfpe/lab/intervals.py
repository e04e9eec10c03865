"""How much of a measured share is chance."""


def accuracy_interval(right, images):
    """95 % interval of an accuracy on test images (Wilson's score interval).

    It holds the chance of which images were drawn for the test, not that of training:
    seeds show the latter.

    Args:
        right: number of test images that were classified rightly.
        images: number of test images.

    Returns:
        Two fractions, low and high.

    Example:

    >>> [round(end, 4) for end in accuracy_interval(9_000, 10_000)]
    [0.894, 0.9057]
    """
    from scipy.stats import binomtest

    interval = binomtest(right, images).proportion_ci(method="wilson")
    return [float(interval.low), float(interval.high)]
