"""The training loop that people copy: what the trainer of trials is measured against. Nothing of it is slowed down.

A map-style `Dataset` that gives PIL images through torchvision's transforms, a `DataLoader` with two workers, float32,
channels first, loss and accuracy read with `.item()` at each step, an evaluation after each epoch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from ablation.splits import LabelledImages

WORKERS = 2
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)

TRAIN = transforms.Compose(
    [
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
)
TEST = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])


class Cifar10(Dataset[tuple[Tensor, int]]):
    """As torchvision's: images are kept as one array and made into PIL images one by one."""

    def __init__(self, part: LabelledImages, transform: Callable[[Image.Image], Tensor]) -> None:
        self.images: NDArray[np.uint8] = np.ascontiguousarray(part.images.transpose(0, 2, 3, 1))
        self.labels: list[int] = part.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def train_plainly(
    model: nn.Module, train: LabelledImages, validation: LabelledImages, *, epochs: int, batch_size: int
) -> None:
    """Train with SGD at a peak rate of 0.1 under one cycle, and look at the validation images after each epoch."""
    loader = DataLoader(Cifar10(train, TRAIN), batch_size=batch_size, shuffle=True, num_workers=WORKERS)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=epochs * len(loader), cycle_momentum=False
    )
    for epoch in range(epochs):
        loss, accuracy = train_epoch(model, loader, criterion, optimizer, scheduler)
        held_out = accuracy_of(model, validation, batch_size)
        print(f"epoch {epoch + 1}: loss {loss:.4f}, train {accuracy:.4f}, validation {held_out:.4f}")


def train_epoch(
    model: nn.Module,
    loader: DataLoader[tuple[Tensor, int]],
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: torch.optim.lr_scheduler.LRScheduler,
) -> tuple[float, float]:
    """One epoch; its mean loss and accuracy, over the images as they came."""
    model.train()
    loss_sum, correct, seen = 0.0, 0, 0
    device = next(model.parameters()).device
    for batch in loader:
        images, labels = (part.to(device) for part in batch)
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        loss_sum += loss.item() * labels.size(0)
        correct += (outputs.argmax(1) == labels).sum().item()
        seen += labels.size(0)
    return loss_sum / seen, correct / seen


def accuracy_of(model: nn.Module, part: LabelledImages, batch_size: int) -> float:
    """The share of images whose class the model names."""
    return evaluate(model, DataLoader(Cifar10(part, TEST), batch_size=batch_size, num_workers=WORKERS))[1]


def evaluate(model: nn.Module, loader: DataLoader[tuple[Tensor, int]]) -> tuple[float, float]:
    """Mean loss and accuracy over a loader's images."""
    model.eval()
    loss, correct, seen = 0.0, 0, 0
    device = next(model.parameters()).device
    with torch.no_grad():
        for batch in loader:
            images, labels = (part.to(device) for part in batch)
            outputs = model(images)
            loss += nn.functional.cross_entropy(outputs, labels).item() * labels.size(0)
            correct += (outputs.argmax(1) == labels).sum().item()
            seen += labels.size(0)
    return loss / seen, correct / seen
