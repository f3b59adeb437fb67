"""From the options of a run to the place of its trials."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ablation.cli.running.places import Place, ThisMachine
from ablation.errors import AblationError, InputError


@contextlib.contextmanager
def open_place(executor: str, address: str | None) -> Iterator[Place]:
    """Where the executor of this name runs trials; `address` is that of a Ray cluster.

    Raises:
        InputError: an address for this machine.
        AblationError: Ray is not installed, or no cluster answers at the address.
    """
    if executor != "ray":
        if address is not None:
            raise InputError("--address is that of a Ray cluster: give --executor ray with it.")
        yield ThisMachine()
        return
    try:
        from ablation.cli.running.cluster import Cluster, joined  # Ray, which takes half a second
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise AblationError('--executor ray needs Ray: pip install "ablation-harness[ray]"') from None
    with joined(address):
        yield Cluster()
