"""The study of `time_to_finding.py` as a loop of one's own: arms, seeds, and MLflow's fluent functions at each epoch.

Nothing of it is slowed down: it is the recipe of `plain_recipe.py`, with the transforms of the arm.

    python benchmarks/plain_study.py --arms baseline,no-crop --seeds 0 --epochs 6 --images 6000 --store sqlite:///m.db
"""

from __future__ import annotations

import argparse
from pathlib import Path

import mlflow
import numpy as np
import torch
from plain_recipe import MEAN, STD, WORKERS, Cifar10, evaluate, train_epoch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms

from ablation.datasets.cifar10 import build
from ablation.models import small
from ablation.sources.roots import find_data_root
from ablation.splits import LabelledImages

CROP = transforms.RandomCrop(32, padding=4)
FLIP = transforms.RandomHorizontalFlip()
BRIGHTNESS = transforms.ColorJitter(brightness=0.2)
ERASING = transforms.RandomErasing(p=1.0)
NORMALIZE = transforms.Normalize(MEAN, STD)
TENSOR = transforms.ToTensor()

ARMS = {
    "baseline": ([CROP, FLIP, TENSOR, NORMALIZE], [TENSOR, NORMALIZE]),
    "no-crop": ([FLIP, TENSOR, NORMALIZE], [TENSOR, NORMALIZE]),
    "no-flip": ([CROP, TENSOR, NORMALIZE], [TENSOR, NORMALIZE]),
    "no-normalize": ([CROP, FLIP, TENSOR], [TENSOR]),
    "brightness": ([CROP, FLIP, BRIGHTNESS, TENSOR, NORMALIZE], [TENSOR, NORMALIZE]),
    "cutout": ([CROP, FLIP, TENSOR, NORMALIZE, ERASING], [TENSOR, NORMALIZE]),
}
"""The transforms of training and of test."""


def loaders(arm: str, images: int, seed: int) -> dict[str, DataLoader[tuple[Tensor, int]]]:
    data = build(find_data_root(None), train_size=images, test_size=images // 3)
    kept = np.random.default_rng(seed).permutation(images)
    held, rest = kept[: images // 10], kept[images // 10 :]
    train, test = map(transforms.Compose, ARMS[arm])
    parts = {
        "train": Cifar10(LabelledImages(data.train.images[rest], data.train.labels[rest]), train),
        "validation": Cifar10(LabelledImages(data.train.images[held], data.train.labels[held]), test),
        "test": Cifar10(data.test, test),
    }
    return {
        name: DataLoader(part, batch_size=128, shuffle=name == "train", num_workers=WORKERS)
        for name, part in parts.items()
    }


def train(arm: str, seed: int, epochs: int, images: int) -> None:
    torch.manual_seed(seed)
    loader = loaders(arm, images, seed)
    model = small.build(10, 3)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    steps = epochs * len(loader["train"])
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    with mlflow.start_run(run_name=f"{arm} {seed}"):
        mlflow.log_params({"arm": arm, "seed": seed, "epochs": epochs, "batch_size": 128, "learning_rate": 0.1})
        for epoch in range(epochs):
            train_loss, train_accuracy = train_epoch(model, loader["train"], criterion, optimizer, scheduler)
            validation_loss, validation_accuracy = evaluate(model, loader["validation"])
            metrics = {
                "train_loss": train_loss,
                "train_accuracy": train_accuracy,
                "validation_loss": validation_loss,
                "validation_accuracy": validation_accuracy,
            }
            mlflow.log_metrics(metrics, step=epoch)
        test_loss, test_accuracy = evaluate(model, loader["test"])
        mlflow.log_metrics({"test_loss": test_loss, "test_accuracy": test_accuracy})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", default=",".join(ARMS))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--store", required=True)
    chosen = parser.parse_args()
    Path("mlartifacts").mkdir(exist_ok=True)
    mlflow.set_tracking_uri(chosen.store)
    mlflow.set_experiment("augmentation")
    for seed in map(int, chosen.seeds.split(",")):
        for arm in chosen.arms.split(","):
            train(arm, seed, chosen.epochs, chosen.images)


if __name__ == "__main__":
    main()
