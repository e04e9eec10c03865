"""What of a picture is no bijection: files, levels, padding, sizes, colours."""
