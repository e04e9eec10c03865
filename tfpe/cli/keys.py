"""`tfpe keygen` and `tfpe key show | rotate | derive`."""

import json

from tfpe.cli.common import (
    add_command,
    add_group,
    add_key,
    add_output,
    ask_passphrase,
    key_path,
    load_key,
)
from tfpe.cli.streams import note
from tfpe.errors import TfpeError

EXAMPLES = {
    "keygen": """\
examples:
  tfpe keygen -o owner.key
  tfpe keygen --passphrase -o owner.key     (the file then holds a salt and no secret)
  tfpe keygen --seal -o owner.key           (a random key that a passphrase opens)
""",
    "key": """\
examples:
  tfpe key show -k owner.key
  tfpe key derive hospital-7 -k owner.key -o hospital-7.key
  tfpe key rotate -k owner.key
""",
    "show": """\
examples:
  tfpe key show -k owner.key
  tfpe key show -k owner.key --json
""",
    "derive": """\
examples:
  tfpe key derive hospital-7 -k owner.key -o hospital-7.key
  tfpe key derive cifar10 2026 -k owner.key -o cifar10-2026.key

The same labels always give the same sub-key. It tells nothing of the key or of other
sub-keys.
""",
    "rotate": """\
examples:
  tfpe key rotate -k owner.key
      owner.key is then a new key, and the old one is kept as owner.key.FINGERPRINT
  tfpe dataset reencrypt cloud -k owner.key.FINGERPRINT --new-key owner.key --out next
""",
}


def register(commands):
    """Adds the commands of this file."""
    command = add_command(commands, keygen, EXAMPLES)
    add_output(command, "a new file")
    command.add_argument(
        "--passphrase",
        action="store_true",
        help="make the key from a passphrase of 12 characters or more, which is asked "
        "for, or read as a line of stdin",
    )
    _add_seal(command)

    group = add_group(commands, "key", "Shows, derives and rotates keys.", EXAMPLES)
    command = add_command(group, show, EXAMPLES)
    add_key(command)
    command.add_argument("--json", action="store_true", help="print JSON")

    command = add_command(group, derive, EXAMPLES)
    command.add_argument("labels", nargs="+", metavar="LABEL", help="what it is for")
    add_key(command)
    add_output(command, "a new file")
    _add_seal(command)

    command = add_command(group, rotate, EXAMPLES)
    add_key(command)
    _add_seal(command)


def keygen(options):
    """Makes a key file; the fingerprint goes to stderr."""
    from tfpe.keys import Key

    if options.passphrase:
        key = Key.from_passphrase(ask_passphrase(twice=True))
    else:
        key = Key.generate()
    _save(key, options.output, options.seal)
    note(f"Key {key.fingerprint} written to {options.output}")
    note("Keep it: without it nothing can be decrypted.")


def show(options):
    """Prints the fingerprint of a key, never the key."""
    key = load_key(options)
    sealed = _is_sealed(options)
    kind = "sealed" if sealed else "passphrase" if key.needs_passphrase else "random"
    if options.json:
        print(json.dumps({"fingerprint": key.fingerprint, "kind": kind}, indent=2))
    else:
        print(f"{key.fingerprint}  {kind}")


def derive(options):
    """Makes the sub-key of a data set or client; that of a sealed key is sealed."""
    if not all(options.labels):  # as of an unset variable of a shell
        raise TfpeError(
            "LABEL should tell whose key it is. Received: '', which is the same for all"
        )
    parent = load_key(options)
    seal = options.seal or _is_sealed(options)
    key = parent.derive(*options.labels)
    _save(key, options.output, seal)
    if parent.needs_passphrase and not seal:
        note(f"{options.output} holds this key itself: --seal would close it")
    note(f"Key {key.fingerprint} written to {options.output}")


def rotate(options):
    """Puts a new key of the same kind in the place of an old one, which is kept."""
    from tfpe.keys import Key
    from tfpe.keys.rotation import rotate_key

    old, path, passphrase = load_key(options), key_path(options), None
    # What a passphrase protected stays protected: a new one is asked for.
    seal = options.seal or _is_sealed(options)
    if old.needs_passphrase and not seal:
        note("The new passphrase:")
        key = Key.from_passphrase(ask_passphrase(twice=True))
    else:
        key = Key.generate()
    if seal:
        note(f"The passphrase that opens the new {path}:")
        passphrase = ask_passphrase(twice=True)
    kept = rotate_key(path, old, key, passphrase)
    note(f"Key {key.fingerprint} written to {path}")
    note(f"The old key is kept in {kept}")


def _is_sealed(options):
    from tfpe.keys.sealed import is_sealed

    return is_sealed(key_path(options))


def _add_seal(command):
    command.add_argument(
        "--seal",
        action="store_true",
        help="ask for a passphrase of 12 characters or more that opens the new file "
        "(needs tfpe[keys])",
    )


def _save(key, path, seal):
    if seal:
        from tfpe.keys.sealed import save_sealed

        note(f"The passphrase that opens {path}:")
        save_sealed(key, path, ask_passphrase(twice=True))
    else:
        key.save(path)
