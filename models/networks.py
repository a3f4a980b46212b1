"""The networks of the zoo: name -> a module with seeded weights, in evaluation mode."""

import zlib

import torch
from torch import nn
import more_networks

class SpeechLstm(nn.Module):
    """Letters from mel frames: two convolutions that halve time, a stacked bidirectional LSTM and
    the per-frame log-probabilities that CTC decoding takes. Input [batch, frames, mels]."""

    def __init__(self, mels: int = 80, hidden: int = 320, layers: int = 3, letters: int = 29):
        super().__init__()
        self.front = nn.Sequential(
            nn.Conv2d(1, 32, (11, 41), stride=(2, 2), padding=(5, 20), bias=False),
            nn.BatchNorm2d(32),
            nn.Hardtanh(0.0, 20.0),
            nn.Conv2d(32, 32, (11, 21), stride=(1, 2), padding=(5, 10), bias=False),
            nn.BatchNorm2d(32),
            nn.Hardtanh(0.0, 20.0),
        )
        self.lstm = nn.LSTM(32 * (mels // 4), hidden, layers, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(2 * hidden)
        self.head = nn.Linear(2 * hidden, letters)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        x = self.front(frames.unsqueeze(1))
        x = x.permute(0, 2, 1, 3).flatten(2)
        x, _ = self.lstm(x)
        return torch.log_softmax(self.head(self.norm(x)), dim=-1)


class HealthCnnLstm(nn.Module):
    """Activity from a wearable's window: accelerometer and gyroscope, 128 samples at 50 Hz.
    Input [batch, 6, 128], output logits of walking, upstairs, downstairs, sitting, standing,
    lying."""

    def __init__(self, channels: int = 6, width: int = 40, hidden: int = 40, activities: int = 6):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(channels, width, 5, padding=2),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=2),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Conv1d(width, width, 3, padding=1),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(2),
            nn.Dropout(0.3),
        )
        self.lstm = nn.LSTM(width, hidden, 2, batch_first=True)
        self.head = nn.Linear(hidden, activities)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        x = self.features(window).transpose(1, 2)
        x, _ = self.lstm(x)
        return self.head(x[:, -1])


def build(name: str) -> nn.Module:
    """The network with the weights its own constructor draws from a seed made of its name."""
    torch.manual_seed(zlib.crc32(name.encode()))
    own = {"speech_lstm": SpeechLstm, "health_cnn_lstm": HealthCnnLstm, **more_networks.BUILDERS}
    if name in own:
        return own[name]()

    from torchvision import models

    if name == "squeezenet1_1_small":
        return models.squeezenet1_1(weights=None, num_classes=10)
    if name == "mobilenet_v2_w25":
        return models.mobilenet_v2(weights=None, width_mult=0.25, num_classes=10)
    if name == "deeplabv3_mobilenet_v3_large":
        return models.segmentation.deeplabv3_mobilenet_v3_large(
            weights=None, weights_backbone=None, aux_loss=True)
    if name in ("googlenet", "inception_v3"):
        # As the pretrained ones are: auxiliary heads present, input normalised inside the model.
        return getattr(models, name)(
            weights=None, aux_logits=True, transform_input=True, init_weights=False)
    return getattr(models, name)(weights=None)


def settle(model: nn.Module, example) -> nn.Module:
    """Gives the model the look of a trained one and puts it in evaluation mode.

    Fresh networks have BatchNorm statistics of 0 and 1 and some weights that are all zero, which
    would hide mistakes in both; and without matching statistics deep networks drift to zero or
    infinity. So: affine parameters are drawn, and the statistics come from a seeded batch.
    """
    norms = [m for m in model.modules() if hasattr(m, "running_mean") and torch.is_tensor(example)]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() > 0 and bool((parameter == 0).all()):
                parameter.normal_(0.0, 0.02)
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0.0, 0.1)
            norm.momentum, norm.old_momentum = 1.0, norm.momentum
        if norms:
            model.train()
            model(torch.randn((2,) + tuple(example.shape[1:])))
        for norm in norms:
            norm.momentum = norm.old_momentum
            del norm.old_momentum
            norm.num_batches_tracked.fill_(1000)
    return model.eval()


def save(name: str, form: str, examples: tuple, path: str) -> None:
    """Writes the network as a TorchScript file, form "traced" or "scripted"."""
    torch.set_num_threads(1)
    model = settle(build(name), examples[0])
    with torch.no_grad():
        if form == "scripted":
            module = torch.jit.script(model)
        else:
            # Not strict: segmentation models return a dictionary.
            module = torch.jit.trace(model, examples, strict=False, check_trace=False)
    module.save(path)
