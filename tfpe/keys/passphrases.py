"""What a new passphrase must have, since nobody slows down who guesses it.

A key file can be copied and guessed at for years: NIST SP 800-63B asks for 8 characters
where a server counts wrong guesses, and for 15 (revision 4) where nothing else
protects; age has no rule and offers ten random words of its own. Here scrypt makes a
guess cost a third of a second and 128 MiB, so that 12 letters by chance (56 bits)
hold against who has thousands of machines. What is long and yet one key pressed, or
counted up, is refused too. No rule sees that a phrase is famous: take several words by
chance, or a random key that is kept by other means (`tfpe keygen`).
"""

from tfpe.errors import WeakPassphraseError

SCRYPT = {"n": 2**17, "r": 8, "p": 1}
LEAST_CHARACTERS, LEAST_DIFFERENT, LEAST_STEPS = 12, 6, 4


def check_strength(passphrase):
    """Raises `WeakPassphraseError` where a new passphrase is easily guessed.

    Args:
        passphrase: a string. Existing ones are never checked: they open what they
            opened before.

    Example:

    >>> check_strength("a few words by chance")
    >>> check_strength("abcdefghijklmnop")
    Traceback (most recent call last):
        ...
    tfpe.errors.WeakPassphraseError: A new passphrase should have 12 characters or \
more, 6 of them different and no mere repetition or sequence, since whoever copies the \
file can guess without an end: take several words. Received: an easier one
    """
    codes = [ord(character) for character in passphrase]
    steps = {after - before for before, after in zip(codes, codes[1:], strict=False)}
    if (
        len(codes) < LEAST_CHARACTERS
        or len(set(codes)) < LEAST_DIFFERENT
        or len(steps) < LEAST_STEPS
    ):
        # Of the passphrase itself nothing is told, not even its length.
        raise WeakPassphraseError(
            f"A new passphrase should have {LEAST_CHARACTERS} characters or more, "
            f"{LEAST_DIFFERENT} of them different and no mere repetition or sequence, "
            "since whoever copies the file can guess without an end: take several "
            "words. Received: an easier one"
        )
