"""The algebra: transforms of words, and the programs that apply them."""
