"""Does a tracker that fails slow training down? One study without tracking and in front of a broken store.

The two of a pair run side by side, one trial at a time each, so that whatever else the machine does meets both. Prints
for each pair the seconds from the first trial's launch to the last one's outcome, without and with the fault, and then
the ratio over all pairs with its standard error. Takes about a minute a pair on two cores:
`python benchmarks/tracker_faults.py [hang|refuse|500|503|slow|cut] [pairs]`. The store is a real MLflow server
behind the proxy of the tests: slow answers take half a second more each, cut ones end in the middle.
"""

from __future__ import annotations

import contextlib
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tracking"))

from fault_proxy import FAULTS, Fault, FaultProxy
from mlflow_server import MlflowServer

STUDY = """\
question: Does a broken tracker slow training down?
dataset: {name: synthetic, train_size: 2000, test_size: 200}
model: {name: small, width: 16}
recipe: {epochs: 10, batch_size: 64, precision: float32}
factors:
  crop: {none: {}, shifted: {augmentations.crop: {padding: 2}}}
  flip: {none: {}, flipped: {augmentations.flip: {}}}
design: one-factor
seeds: 2
margin: 0.01
"""


@contextlib.contextmanager
def broken_store(fault: Fault) -> Iterator[str]:
    """The address of a real MLflow server behind a proxy that fails in this way."""
    with tempfile.TemporaryDirectory() as folder:
        server = MlflowServer(Path(folder))
        server.start()
        try:
            with FaultProxy(server.address, delay=0.5) as proxy:
                proxy.switch(fault)
                yield proxy.address
        finally:
            server.kill()


def training_seconds(store: str | None, slow: bool = False) -> float:
    """Run the study in a folder of its own; the seconds between the first launch and the last outcome."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study.yaml"
        study.write_text(STUDY)
        command = [sys.executable, "-m", "ablation", "run", "study.yaml", "--scale", "full", "--slots", "1"]
        command += [] if store else ["--no-tracking"]
        environment = {**os.environ, "MLFLOW_TRACKING_URI": store or ""}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ("ablate sync" in done.stderr) == (bool(store) and not slow), done.stderr
        trials = Path(folder) / "runs" / "study" / "trials"
        launches = [file.stat().st_mtime for file in trials.glob("*/trial.json")]
        ends = [file.stat().st_mtime for file in trials.glob("*/outcome.json")]
        assert len(ends) == 6
        return max(ends) - min(launches)


def main(fault: Fault = "hang", pairs: str = "4") -> None:
    """Run the pairs, which of the two is started first alternating, and print their ratios."""
    assert fault in FAULTS, fault
    logs = []
    with broken_store(fault) as store, ThreadPoolExecutor(2) as pool:
        for pair in range(int(pairs)):
            order = (None, store) if pair % 2 else (store, None)
            running = {address: pool.submit(training_seconds, address, fault == "slow") for address in order}
            plain, faulty = running[None].result(), running[store].result()
            logs.append(math.log(faulty / plain))
            print(f"pair {pair + 1}: {plain:.2f} s without, {faulty:.2f} s with {fault}", flush=True)
    error = statistics.stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.nan
    print(f"ratio {math.exp(statistics.mean(logs)):.4f}, standard error {error:.4f}, {len(logs)} pairs")


if __name__ == "__main__":
    main(*sys.argv[1:])
