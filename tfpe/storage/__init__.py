"""Files that are whole or not there, locks, and JSON under a keyed tag."""
