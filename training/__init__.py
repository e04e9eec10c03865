"""Training on encrypted images; run from the checkout with `python -m training`."""
