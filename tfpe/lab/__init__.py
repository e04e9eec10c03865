"""The laboratory: what is measured, recorded and rendered; the library needs none."""
