"""The frontier: how much accuracy each setting keeps, and how much it leaks.

For each setting a network is trained as for a comparison, and its ciphertexts of test
images are attacked with all that this project has: exact attacks from pairs where one
key serves all images, attacks on single ciphertexts and learned ones where each image
has its own. What is recovered is scored beside two baselines.
"""

import dataclasses
import functools
import pathlib
import time

import numpy as np

from tfpe.ciphers import find_cipher
from tfpe.errors import TfpeError
from tfpe.lab.evaluation.learned_attacks import attack_file
from tfpe.lab.records import different_names, read_record, write_record
from tfpe.lab.records.frontier_records import FrontierResults
from tfpe.storage.atomic import output_errors
from training.frontier_attacks import attacks_on, baselines, recognised_share, scores
from training.frontier_settings import SETTINGS
from training.recipes import find_recipe
from training.run import Run
from training.saved_models import load_model

SCORED = 1000
# Pictures that a learned attack may have seen, as its file names them.
TRAINED = (", those that are trained on", ", train")


class FrontierError(TfpeError):
    """A frontier cannot be measured as asked."""


@dataclasses.dataclass(frozen=True, repr=False)
class Frontier:
    """Measures settings on a data set; what is in `out` already is kept.

    Attributes:
        image_set: a `training.images.ImageSet`.
        seed: of everything.
        out: folder of the records.
        runs: folder of checkpoints, models and learned attacks.
        recipe_changes: fields of the recipes, such as `epochs`, for all settings.
        attack_steps: of the training of a learned attack; None as usual for its kind.
        scored: number of test images that are attacked.
        say: called with a line of progress.
    """

    image_set: object
    seed: int
    out: pathlib.Path
    runs: pathlib.Path
    recipe_changes: dict
    attack_steps: int | None = None
    scored: int = SCORED
    say: object = print

    def measure(self, names, max_seconds=None):
        """Measures settings, plain images first.

        Args:
            names: in `SETTINGS`.
            max_seconds: for all of them together; the same call goes on later.

        Returns:
            `(records, unfinished)`, as `training.compare.compare`.
        """
        if unknown := [name for name in names if name not in SETTINGS]:
            raise FrontierError(
                f"`settings` should be among {list(SETTINGS)}. Received: {unknown}"
            )
        with output_errors(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        ends = None if max_seconds is None else time.monotonic() + max_seconds
        done = {name: self._there(SETTINGS[name]) for name in names}
        unfinished = []
        if any(record is None for record in done.values()) and not self._train(
            SETTINGS["plain"], ends
        ):
            return [], [("plain", "time was up")]
        for name in names:
            if done[name] is not None:
                self.say(f"{name}: the record is there already")
                continue
            self.say(f"{name}: begins")
            done[name] = self._measured(SETTINGS[name], ends)
            if done[name] is None:
                unfinished.append((name, "time was up"))
        return [record for record in done.values() if record is not None], unfinished

    def _measured(self, setting, ends):
        """The record of a setting, or None where time was up."""
        trained = self._train(setting, ends)
        learned = trained and self._learned(setting, ends)
        if not trained or learned is False:
            return None
        gallery, labels = self.image_set.x_test, self.image_set.y_test
        rng = np.random.default_rng([self.seed, 17])
        places = np.sort(rng.permutation(len(gallery))[: self.scored])
        score = functools.partial(
            scores,
            plain=gallery[places],
            labels=labels[places],
            gallery=gallery,
            places=places,
            classifier=self._classifier,
        )
        run = self._run(setting)
        results, best = trained["results"], trained["results"]["best_validation"]
        plain = self._run(SETTINGS["plain"]).finished_record()["results"]
        found = FrontierResults(
            accuracy=best["test_accuracy"],
            accuracy_interval=best["test_interval"],
            plain_accuracy=plain["best_validation"]["test_accuracy"],
            chance=1 / len(self.image_set.class_names),
            network=trained["settings"]["network_words"],
            recognised=recognised_share(
                setting, run.encryption, self.image_set, places
            ),
            attacks=attacks_on(
                setting, run.encryption, self.image_set, places, learned, score
            ),
            baselines=baselines(self.image_set, places, score),
            scored=len(places),
            gallery=len(gallery),
            parameters=results["parameters"],
            train_images=results["train_images"],
            epochs=results["epochs"],
        )
        record = {
            "kind": "frontier",
            "settings": self._settings(setting),
            "results": dataclasses.asdict(found),
        }
        return write_record(self._path(setting), record)

    def _train(self, setting, ends):
        """The training record of a setting; None where time was up."""
        run = self._run(setting)
        left = None if ends is None else ends - time.monotonic()
        if (record := run.finished_record()) is not None:
            return record
        if left is not None and left <= 0:
            return None

        def tell(epoch, logs=None):
            self.say(f"{run.name}: {epoch} of {run.recipe.epochs} epochs")

        return run.execute(left, tell)

    def _learned(self, setting, ends):
        """The learned attack: None where there is none, False where time was up."""
        from tfpe.attacks.learned.forms import form_of, has_network
        from tfpe.attacks.learned.inverse import InverseNetwork
        from tfpe.attacks.learned.learning import learn

        shape = self.image_set.x_test.shape[1:]
        if not setting.per_image:
            return None
        if not has_network(find_cipher(setting.cipher).traits(**setting.options)):
            return None
        folder = self.runs / "attacks"
        path = attack_file(folder, setting.cipher, shape, **setting.options)
        if path.exists():  # trained by the frontier before, or apart and put there
            found = InverseNetwork.load(path)
            self._check_attack(path, found, setting)
            return found
        if ends is not None and ends <= time.monotonic():
            return False
        steps = {} if self.attack_steps is None else {"steps": self.attack_steps}
        trained = learn(
            form_of(setting.cipher, shape, **setting.options),
            self.image_set.x_train,
            path,
            name=self.image_set.name + TRAINED[0],
            seed=self.seed,
            minutes=None if ends is None else (ends - time.monotonic()) / 60,
            progress=lambda done, total, loss: self.say(
                f"{path.name}: {done} of {total} steps, loss {loss:.3f}"
            ),
            **steps,
        )
        return False if trained is None else trained

    def _check_attack(self, path, found, setting):
        """Refuses another attack than that of the printed command."""
        from tfpe.attacks.learned.forms import STEPS

        options = find_cipher(setting.cipher).options(**setting.options)
        found.check(self.image_set.x_test.shape[1:], setting.cipher, options)
        told, steps = found.settings, self.attack_steps
        if steps is None:
            steps = STEPS[found.form.family]
        wanted = {"seed": self.seed, "steps": steps, "network": {}}
        different = [
            f"{n} {told[n]}" for n, value in wanted.items() if told[n] != value
        ]
        if told["pictures"] not in [self.image_set.name + split for split in TRAINED]:
            different.append(f"pictures {told['pictures']}")
        if different:
            raise FrontierError(
                f"{path} should be an attack trained on pictures of "
                f"{self.image_set.name} that train, of {wanted}. Received: one of "
                f"{', '.join(different)}; move it away, or use another --runs"
            )

    @functools.cached_property
    def _classifier(self):
        run = self._run(SETTINGS["plain"])
        return load_model(run.runs / run.name / "best.keras", None)

    def _run(self, setting):
        recipe = find_recipe(setting.recipe, **self.recipe_changes)
        return Run(
            self.image_set,
            recipe,
            setting.trained_as,
            self.seed,
            None,
            self.out,
            self.runs,
            dict(setting.options),
        )

    def _path(self, setting):
        return self.out / (
            f"frontier-{self.image_set.name}-{setting.name}-seed{self.seed}.json"
        )

    def _settings(self, setting):
        changes = {name: value for name, value in sorted(self.recipe_changes.items())}
        flags = [f"--{n.replace('_', '-')} {v}" for n, v in changes.items()]
        if self.attack_steps is not None:
            flags.append(f"--attack-steps {self.attack_steps}")
        command = (
            f"python -m training frontier --dataset {self.image_set.name} --settings "
            f"{setting.name} --seed {self.seed} --scored {self.scored}"
        )
        cipher = {}
        if setting.cipher != "plain":
            options = find_cipher(setting.cipher).options(**setting.options)
            cipher = {"cipher_options": options, "per_image": setting.per_image}
        return {
            "dataset": self.image_set.name,
            "data_checksum": self.image_set.checksum,
            "name": setting.name,
            "cipher": setting.cipher,
            **cipher,
            "seed": self.seed,
            "recipe": setting.recipe,
            "recipe_changes": changes,
            "attack_steps": self.attack_steps,
            "scored": self.scored,
            "command": " ".join([command, *flags]),
        }

    def _there(self, setting):
        """The record, or None; an error where it has other settings."""
        path = self._path(setting)
        if not path.exists():
            return None
        record = read_record(path)
        if different := different_names(record["settings"], self._settings(setting)):
            raise FrontierError(
                f"{path} should be a record of these settings. Received: one that "
                f"differs in {different}; move it away, or use another --out"
            )
        return record
