"""Trained models as files that stand alone: written, held against the trial that they come from, and opened again.

    from ablation.exporting import open_model

    predict = open_model("model.safetensors").load()
    probabilities = predict(images)          # uint8 array N x C x H x W to float32 N x K

Every format has the preprocessing inside, and says of itself what it is (`ablation.exporting.description`).
"""

from ablation.exporting.opening import open_model

__all__ = ["open_model"]
