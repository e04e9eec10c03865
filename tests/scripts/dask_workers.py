"""Encrypts a data set on two Dask workers, of which one is killed on the way.

python dask_workers.py SOURCE OUT KEY_FILE CIPHER
"""

import os
import pathlib
import signal
import sys
import threading
import time


def kill_after_first_block(process, folder, killed):
    while not list(pathlib.Path(folder).rglob("*.block")):
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    killed.set()


def main(source, out, key_file, cipher):
    import distributed
    from apache_beam.options.pipeline_options import PipelineOptions

    import tfpe.dataset.beam

    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    first, killed = next(iter(cluster.workers.values())).pid, threading.Event()
    arguments = first, out, killed
    threading.Thread(target=kill_after_first_block, args=arguments, daemon=True).start()
    options = PipelineOptions(
        runner="apache_beam.runners.dask.dask_runner.DaskRunner",
        dask_client_address=cluster.scheduler_address,
        dask_npartitions=6,
    )
    summary = tfpe.dataset.beam.encrypt_dataset(
        source, out, key_file, cipher, pipeline_options=options
    )
    print(f"written {summary.written}, killed {killed.is_set()}", flush=True)
    # Workers that hold TensorFlow do not end in the time that Dask gives them; all of
    # them end with this process.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
