"""Commands that write key files, several processes at once; prints what was lost.

key_races.py FOLDER TRIALS PROCESSES [free | meet | mixed | kill]

free    all rotate one key, started at the same moment
meet    the same, and each has loaded the old key before any of them writes
mixed   half rotate; the others make or derive keys, all to one new file
kill    some are killed (SIGKILL) at a random moment, and one rotation comes after
"""

import contextlib
import io
import itertools
import json
import multiprocessing
import pathlib
import random
import re
import sys
import time

import tfpe.cli.keys
from tfpe import Key
from tfpe.cli import main

FORK = multiprocessing.get_context("fork")


def trial(folder, processes, kind, random):
    """Counts of one trial; all but `written` and `refused` should be 0."""
    folder.mkdir()
    file, first = folder / "owner.key", Key.generate()
    first.save(file)
    rotate = ["key", "rotate", "-k", str(file)]
    new = ["-o", str(folder / "new.key")]
    other = [["keygen", *new], ["key", "derive", "x", "-k", str(file), *new]]
    commands = [rotate] * processes
    if kind == "mixed":
        commands[::2] = itertools.islice(itertools.cycle(other), (processes + 1) // 2)
    start, loaded = FORK.Barrier(processes), FORK.Barrier(processes)
    running = []
    for command in commands:
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=run, args=(command, kind, start, loaded, there))
        process.start()
        there.close()
        running.append((process, here))
    if kind == "kill":
        time.sleep(random.uniform(0, 0.03))
        for process, _ in running[::2]:
            process.kill()
    told = []
    for process, here in running:
        with contextlib.suppress(EOFError):
            told.append(here.recv())
        process.join()
    if kind == "kill":
        told.append(call(rotate))
    return count(folder, told, first, kind)


def run(command, kind, start, loaded, there):
    if kind == "meet":
        load_key = tfpe.cli.keys.load_key

        def load_and_wait(options):
            key = load_key(options)
            loaded.wait(30)
            return key

        tfpe.cli.keys.load_key = load_and_wait
    if kind != "kill":
        start.wait(30)
    there.send(call(command))


def call(command):
    with contextlib.redirect_stderr(io.StringIO()) as told:
        code = main(command)
    return code, told.getvalue()


def count(folder, told, first, kind):
    keys = {}
    for file in folder.iterdir():
        key = Key.load(file)
        keys[file.name] = key.fingerprint
    there, kept = set(keys.values()), "owner.key."
    announced = [f for _, text in told for f in re.findall(r"Key (\w+) written", text)]
    named = r"another run may|Another run is writing|never overwritten|kept there"
    refused = [text for code, text in told if code == 1 and re.search(named, text)]
    misnamed = [n for n, f in keys.items() if n.startswith(kept) and n != kept + f]
    failed = sum(code != 0 for code, _ in told) - len(refused)
    more = len(keys) - len({*announced, first.fingerprint})
    return {
        "written": len(announced),
        "refused": len(refused),
        "lost": int(first.fingerprint not in there),
        "announced falsely": len(set(announced) - there),
        "litter": len(misnamed),
        # A killed one may have written its key and not come to say so.
        "unannounced": more if kind != "kill" else 0,
        "other errors": failed,
    }


if __name__ == "__main__":
    folder, trials, processes = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:4])
    kind, total, numbers = sys.argv[4], {}, random.Random(0)
    started = time.perf_counter()
    for number in range(trials):
        counts = trial(folder / f"{kind}-{number}", processes, kind, numbers)
        total = {name: total.get(name, 0) + n for name, n in counts.items()}
    total["seconds"] = round(time.perf_counter() - started, 1)
    print(json.dumps(total))
