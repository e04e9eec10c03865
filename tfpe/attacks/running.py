"""One way to run an attack: evidence in; a key or pictures, counted and timed, out."""

import dataclasses
import time

import numpy as np

from tfpe.attacks.attack import Attack
from tfpe.attacks.oracles import CountingOracle
from tfpe.ciphers import find_cipher
from tfpe.errors import AttackError, ImageError


@dataclasses.dataclass(frozen=True, repr=False)
class Finding:
    """What an attack gave, and what it took.

    Attributes:
        attack: the row of `ATTACKS`.
        options: the attack's, those that follow from the cipher among them.
        key: the recovered `Keyed`, such as a `Transform`; None where the attack gives
            pictures.
        pictures: `uint8 (N, H, W, C)`, what each ciphertext shows; None with a key.
        changes: what a key check found, else None.
        keys: of attacks that open each picture alone, what opened each.
        kind, count: of the evidence: "queries", "pairs", "ciphertexts" or "keys", and
            how many, without those that verify.
        verifying: queries that only confirmed the key.
        seconds: of the attack, without those of the oracle.
        error: the `AttackError` or `ImageError` in place of a result, else None.
    """

    attack: Attack
    options: dict
    kind: str
    count: int
    verifying: int
    seconds: float
    key: object = None
    pictures: np.ndarray | None = None
    changes: object = None
    keys: tuple = ()
    error: Exception | None = None

    @property
    def undetermined(self):
        """Words or values of the key that stay a guess; None where none are told."""
        found = getattr(self.key, "undetermined", None)
        return None if found is None else len(found)

    @property
    def evidence(self):
        """Kind, count and verifying, a dict for records."""
        names = ("kind", "count", "verifying")
        return {name: getattr(self, name) for name in names}


def run(attack, evidence, **options):
    """Runs an attack on evidence.

    Args:
        attack: a row of `ATTACKS`.
        evidence: an `Evidence` with the fields that the attack takes.
        **options: of the attack; word and block size follow from the cipher that the
            evidence names.

    Returns:
        A `Finding`, with a key or with pictures as the row says.

    Raises:
        AttackError: evidence is missing, or does not give what the attack is after.
        ImageError: images of other dtypes or shapes.

    Example:

    >>> from tfpe import Key, ciphers
    >>> from tfpe.attacks import ATTACKS, Evidence
    >>> secret = ciphers.ele(Key(bytes(32)), (32, 32, 3))
    >>> evidence = Evidence(oracle=secret, shape=(32, 32, 3), cipher="ele")
    >>> found = run(ATTACKS["chosen_plaintext"], evidence)
    >>> found.key == secret, found.count, found.verifying
    (True, 5, 1)
    """
    finding = attempt(attack, evidence, **options)
    if finding.error is not None:
        raise finding.error
    return finding


def attempt(attack, evidence, **options):
    """The same as `run`, but an attack that fails gives a `Finding` with its error.

    Args:
        attack, evidence: of `run`.
        **options: of the attack.

    Returns:
        A `Finding`; where it has an `error`, it has no key and no pictures.

    Example:

    >>> from tfpe.attacks import ATTACKS, Evidence
    >>> found = attempt(ATTACKS["mode_filter"], Evidence())
    >>> str(found.error)
    '`evidence` should have `ciphertexts`, encrypted images. Received: none'
    """
    kind, count = attack.unit, evidence.count(attack.takes)
    chosen = attack.options_for(evidence.cipher, **evidence.options) | options
    asked = "packer" if "packer" in attack.takes else "oracle"
    oracle = getattr(evidence, asked)
    if callable(oracle):
        oracle = CountingOracle(oracle)
        evidence = dataclasses.replace(evidence, **{asked: oracle})
    result, error, start = {}, None, time.perf_counter()
    try:
        result = _result(attack, evidence, chosen)
    except (AttackError, ImageError) as raised:
        error = raised
    seconds, verifying = time.perf_counter() - start, 0
    if kind == "queries" and oracle is not None:
        seconds -= oracle.seconds
        verifying = oracle.verifying
        count = oracle.queries - verifying
    return Finding(
        attack, chosen, kind, count, verifying, seconds, error=error, **result
    )


def _result(attack, evidence, options):
    """The fields of a `Finding` that hold what came out."""
    missing = [name for name in attack.required if name not in options]
    if missing:
        raise AttackError(
            f"{attack.name} is for ciphers that have `{missing[0]}`, such as "
            f"{', '.join(attack.ciphers)}. Received: {evidence.cipher or 'no cipher'}"
        )
    arguments, named = evidence.arguments(attack.takes)
    kind, count = attack.unit, evidence.count(attack.takes)
    if kind != "queries" and count < attack.least:
        raise AttackError(
            f"{attack.name} should have at least {attack.least} {kind}. "
            f"Received: {count}"
        )
    if attack.per_picture:
        return _each_picture(attack, evidence, options)
    found = attack(*arguments, **named, **options)
    return {attack.returns: found}


def _each_picture(attack, evidence, options):
    """Opens each ciphertext alone, in the view of the attack."""
    ciphertexts, back = evidence.ciphertexts, None
    if attack.view:
        shape = ciphertexts.shape[1:]
        ciphertexts = attack.view(evidence.cipher, shape)(ciphertexts)
        if evidence.cipher is not None:
            cipher = find_cipher(evidence.cipher)
            shape = cipher.plain_shape(shape, **evidence.options)
        back = attack.view(evidence.cipher, shape).inverse
    evidence = dataclasses.replace(evidence, ciphertexts=ciphertexts)
    keys, pictures = [], []
    for number, ciphertext in enumerate(ciphertexts):
        arguments, named = evidence.arguments(attack.takes, number)
        found = attack(*arguments, **named, **options)
        if not isinstance(found, np.ndarray):
            keys.append(found)
            found = found.inverse(ciphertext)
        pictures.append(back(found) if back else found)
    return {"pictures": np.stack(pictures), "keys": tuple(keys)}
