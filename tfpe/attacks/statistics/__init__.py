"""The parts of the ciphertext-only attack, in the order in which they run.

`moments` (what ciphertexts tell of neighbours), `growth` (a first key from them),
`prediction` and `refinement` (the key that neighbours predict best), `resolution`
(polarity and names of the channels).
"""
