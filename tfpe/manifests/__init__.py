"""What stands beside ciphertexts: manifests of folders and data sets, hidden names.

Files, data sets and receipts read and write them here, and need not know each other for
it. Each is sealed with the key of its owner.
"""
