"""Attacks that train: networks on pairs made under fresh random keys.

Public pictures give as many pairs as wanted, and nothing of a victim is needed: a
network that has seen a cipher under a million keys knows what it leaves of a picture
under the next one. `forms` tells which network is for which cipher, `learning` trains
it, `inverse` runs it. Keras is imported where a network is built, and not before.
"""
