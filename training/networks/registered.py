"""The layers of all networks: importing this lets Keras read the models they are in.

The table of networks itself imports no Keras, so that commands start at once.
"""

import importlib

from training.networks import NETWORKS

for _row in NETWORKS.values():
    for _module in (_row.builder.partition(":")[0], *_row.modules):
        importlib.import_module(_module)
