import torch

from ablation.sending import send


def test_what_is_there_already_is_not_copied() -> None:
    tensor = torch.ones(2)
    assert send(tensor, "cpu") is tensor
    assert send(tensor, torch.device("cpu", 0)) is tensor


def test_what_goes_elsewhere_keeps_shape_and_kind() -> None:
    sent = send(torch.ones(2, 3, dtype=torch.int64), "meta")
    assert (sent.device.type, sent.shape, sent.dtype) == ("meta", (2, 3), torch.int64)
