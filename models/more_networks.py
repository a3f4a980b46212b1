"""More networks of the zoo: several inputs and methods, lists and dicts, loops on data, state, 8-bit
weights. BUILDERS: name -> a function that makes the network.

In a file of its own because line numbers of networks.py are in the files exported from it.
"""

from typing import Dict, List

import torch
from torch import nn


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward part, each normalised after its residual sum."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        parts = self.query_key_value(x).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = torch.matmul(query, key.transpose(-1, -2)) / (width // self.heads) ** 0.5
        scores = scores.masked_fill(mask[:, None, None, :] == 0, -1e4)
        mixed = torch.matmul(torch.softmax(scores, dim=-1), value)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        x = self.attention_norm(x + self.project(mixed))
        return self.norm(x + self.down(nn.functional.gelu(self.up(x))))


class TiedEncoder(nn.Module):
    """BERT's shape: an encoder whose output layer is its embedding table, transposed. Inputs token
    ids and attention mask [batch, length], output logits [batch, length, words]."""

    def __init__(self, words: int = 30522, width: int = 256, heads: int = 4, layers: int = 4,
                 length: int = 128):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.places = nn.Embedding(length, width)
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList([EncoderLayer(width, heads) for _ in range(layers)])
        self.bias = nn.Parameter(torch.zeros(words))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1])
        x = self.norm(self.words(ids) + self.places(places))
        for layer in self.layers:
            x = layer(x, mask)
        return nn.functional.linear(x, self.words.weight, self.bias)


class Tagger(nn.Module):
    """A tag per token: embedding, bidirectional LSTM, linear layer; small, to be quantised."""

    def __init__(self, words: int = 300, width: int = 32, tags: int = 9):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, bidirectional=True, batch_first=True)
        self.hidden = nn.Linear(2 * width, 2 * width)
        self.head = nn.Linear(2 * width, tags)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x, _ = self.lstm(self.words(ids))
        return self.head(torch.relu(self.hidden(x)))


class Classifier(nn.Module):
    """A few grouped convolutions between quantised ends; small, to be quantised statically."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.quantise = torch.ao.quantization.QuantStub()
        self.features = nn.Sequential(
            nn.Conv2d(8, 12, 3, stride=2, padding=1, groups=4), nn.ReLU(),
            nn.Conv2d(12, 16, 1), nn.ReLU())
        self.head = nn.Linear(16, classes)
        self.dequantise = torch.ao.quantization.DeQuantStub()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        x = self.features(self.quantise(image))
        return self.dequantise(self.head(x.mean([2, 3])))


class Detector(nn.Module):
    """The shape of a detection model: a list of images in, for each a dict of those boxes that are
    left after thresholding and non-maximum suppression, loops on data."""

    def __init__(self, width: int = 8, kept: int = 5):
        super().__init__()
        self.kept = kept
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=4, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, stride=4, padding=1), nn.ReLU())
        self.scores = nn.Conv2d(2 * width, 1, 1)
        self.boxes = nn.Conv2d(2 * width, 4, 1)

    def suppress(self, boxes: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        order = torch.argsort(scores, descending=True)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        kept: List[torch.Tensor] = []
        while order.numel() > 0 and len(kept) < self.kept:
            best = order[0]
            kept.append(best)
            low = torch.max(boxes[order, :2], boxes[best, :2])
            high = torch.min(boxes[order, 2:], boxes[best, 2:])
            overlap = (high - low).clamp(min=0.0).prod(1)
            shared = overlap / (areas[order] + areas[best] - overlap)
            order = order[torch.logical_and(shared < 0.3, order != best)]
        return torch.stack(kept) if len(kept) > 0 else torch.zeros([0], dtype=torch.int64)

    def forward(self, images: List[torch.Tensor]) -> List[Dict[str, torch.Tensor]]:
        results: List[Dict[str, torch.Tensor]] = []
        for image in images:
            features = self.features(image.unsqueeze(0))
            scores = torch.sigmoid(self.scores(features)).flatten()
            places = self.boxes(features).flatten(2).squeeze(0).t()
            boxes = torch.cat([places[:, :2], places[:, :2] + places[:, 2:].exp()], dim=1)
            above = torch.nonzero(scores > scores.mean()).squeeze(1)
            boxes, scores = boxes[above], scores[above]
            kept = self.suppress(boxes, scores)
            results.append({"boxes": boxes[kept], "scores": scores[kept]})
        return results


class Streamer(nn.Module):
    """Keyword spotting frame by frame: the last frames, a GRU's state and a count are kept from one
    call to the next. Input [1, mels], output [1, words]."""

    def __init__(self, mels: int = 20, width: int = 24, words: int = 6):
        super().__init__()
        self.mix = nn.Conv1d(mels, width, 4)
        self.cell = nn.GRUCell(width, width)
        self.head = nn.Linear(width, words)
        self.register_buffer("frames", torch.zeros(1, mels, 4))
        self.state = torch.zeros(1, width)
        self.count = 0

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        self.frames = torch.cat([self.frames[:, :, 1:], frame.unsqueeze(2)], dim=2)
        self.state = self.cell(torch.relu(self.mix(self.frames)).squeeze(2), self.state)
        self.count += 1
        logits = self.head(self.state)
        return logits if self.count > 3 else logits * 0.0


class Codec(nn.Module):
    """Several methods: encode, decode, and both after each other."""

    def __init__(self, channels: int = 3, width: int = 8):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 4, stride=2, padding=1))
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1), nn.Sigmoid())

    @torch.jit.export
    def encode(self, image: torch.Tensor) -> torch.Tensor:
        return self.encoder(image)

    @torch.jit.export
    def decode(self, code: torch.Tensor) -> torch.Tensor:
        return self.decoder(code)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(image))


def quantised(model: nn.Module, layers: set) -> nn.Module:
    """With 8-bit weights; activations are quantised while it runs."""
    return torch.ao.quantization.quantize_dynamic(model.eval(), layers, dtype=torch.qint8)


def small_tied_encoder() -> nn.Module:
    return TiedEncoder(words=600, width=48, layers=2, length=32)


def classifier_quantised() -> nn.Module:
    """Statically: activations too, calibrated on a random batch."""
    model = Classifier().eval()
    torch.ao.quantization.fuse_modules(model.features, [["0", "1"], ["2", "3"]], inplace=True)
    model.qconfig = torch.ao.quantization.get_default_qconfig("qnnpack")
    torch.ao.quantization.prepare(model, inplace=True)
    model(torch.randn(4, 8, 16, 16))
    return torch.ao.quantization.convert(model)


def tagger_quantised() -> nn.Module:
    return quantised(Tagger(), {nn.LSTM, nn.Linear})


def mobilenet_v2_quantised() -> nn.Module:
    """Statically: activations too, calibrated on a random batch."""
    from torchvision import models

    return models.quantization.mobilenet_v2(weights=None, quantize=True)


def vit_b_16_quantised() -> nn.Module:
    from torchvision import models

    return quantised(models.vit_b_16(weights=None), {nn.Linear})


def fasterrcnn() -> nn.Module:
    """Without training all scores are about 1 / 91, so the threshold is lower."""
    import networks
    from torchvision import models

    model = models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, box_score_thresh=0.005)
    networks.settle(model.backbone, torch.zeros(1, 3, 320, 320))
    return model


BUILDERS = {
    "tied_encoder": TiedEncoder,
    "tied_encoder_small": small_tied_encoder,
    "classifier_quantised": classifier_quantised,
    "tagger_quantised": tagger_quantised,
    "detector": Detector,
    "streamer": Streamer,
    "codec": Codec,
    "mobilenet_v2_quantised": mobilenet_v2_quantised,
    "vit_b_16_quantised": vit_b_16_quantised,
    "fasterrcnn_mobilenet_v3_large_320_fpn": fasterrcnn,
}
