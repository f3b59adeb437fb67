import itertools

from ablation.seeding import seed_of


def test_streams_differ_by_block_purpose_and_key() -> None:
    seeds = [
        seed_of(block, purpose, *key)
        for block, purpose, key in itertools.product(
            range(50), ("order", "split", "augmentation flip"), ((), (1,), (2,))
        )
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seeds_are_the_same_on_every_machine_and_in_every_version() -> None:
    assert seed_of(0, "order", 1) == 2961819992523135983
    assert seed_of(7, "split") == 8888009000465178315
