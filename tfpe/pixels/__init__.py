"""What happens to pictures outside of the ciphers: files, levels, padding, sizes."""
