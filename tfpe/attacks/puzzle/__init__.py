"""The parts of the jigsaw attack: `edges` (what fits what), `assembly`, `filling`."""
