# SPDX-License-Identifier: Apache-2.0
"""Vision-language training: a step of contrast, matching, hidden words and regions on batches that lie in memory, beside the same in PyTorch,
eager and compiled, for 64 pixels and for ViT-S/16 at 224 with a text encoder of six layers; retrieval among 5,000 x 25,000 features."""
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

from peers.masked import median_seconds
from peers.train import Freeatm

VOCABULARY = 787
MODELS = {"nano": dict(model=0, side=64, patch=8, dim=128, depth=6, heads=4, text=(128, 4, 4, 512, 2), dimensions=64, batch=64, tokens=20),
          "ViT-S/16 + 6 layers": dict(model=1, side=224, patch=16, dim=384, depth=12, heads=6, text=(384, 6, 6, 1536, 3), dimensions=256, batch=16, tokens=20)}


class Attention(nn.Module):
    def __init__(self, dim, seen, heads):
        super().__init__()
        self.heads, self.query, self.key, self.value = heads, nn.Linear(dim, dim), nn.Linear(seen, dim), nn.Linear(seen, dim)
        self.dense, self.norm = nn.Linear(dim, dim), nn.LayerNorm(dim, eps=1e-12)

    def forward(self, x, seen, mask=None):
        q, k, v = (y.unflatten(2, (self.heads, -1)).transpose(1, 2) for y in (self.query(x), self.key(seen), self.value(seen)))
        return self.norm(x + self.dense(F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)))


class Layer(nn.Module):
    def __init__(self, dim, heads, mlp, image_dim=0):
        super().__init__()
        self.own, self.cross = Attention(dim, dim, heads), Attention(dim, image_dim, heads) if image_dim else None
        self.up, self.down, self.norm = nn.Linear(dim, mlp), nn.Linear(mlp, dim), nn.LayerNorm(dim, eps=1e-12)

    def forward(self, x, mask, image=None):
        x = self.own(x, x, mask)
        if self.cross is not None:
            x = self.cross(x, image)
        return self.norm(x + self.down(F.gelu(self.up(x))))


class Albef(nn.Module):
    """As ALBEF's authors write it, without momentum: matching in one pass of three times the batch, hidden words in another."""

    def __init__(self, side, patch, dim, depth, heads, text, dimensions, batch, tokens, **_):
        super().__init__()
        width, layers, text_heads, mlp, fusion = text
        self.vit = VisionTransformer(img_size=side, patch_size=patch, embed_dim=dim, depth=depth, num_heads=heads, num_classes=0)
        self.words, self.places, self.norm = nn.Embedding(VOCABULARY, width), nn.Embedding(48, width), nn.LayerNorm(width, eps=1e-12)
        self.text = nn.ModuleList([Layer(width, text_heads, mlp) for _ in range(layers - fusion)])
        self.fusion = nn.ModuleList([Layer(width, text_heads, mlp, dim) for _ in range(fusion)])
        self.visual, self.textual = nn.Linear(dim, dimensions, bias=False), nn.Linear(width, dimensions, bias=False)
        self.match, self.transform, self.bias = nn.Linear(width, 2), nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width)), nn.Parameter(torch.zeros(VOCABULARY))
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]) * 255)
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]) * 255)

    def encode(self, ids, mask):
        x = self.norm(self.words(ids) + self.places.weight[: ids.shape[1]])
        for layer in self.text:
            x = layer(x, mask)
        return x

    def fuse(self, x, mask, image):
        for layer in self.fusion:
            x = layer(x, mask, image)
        return x

    def forward(self, b):
        image = self.vit.forward_features(((b["pixels"].float() - self.mean) / self.deviation).permute(0, 3, 1, 2))
        mask = b["mask"][:, None, None]
        text = self.encode(b["ids"], mask)
        x, t = F.normalize(self.visual(image[:, 0]), dim=1), F.normalize(self.textual(text[:, 0]), dim=1)
        logits = self.logit_scale.exp() * x @ t.T
        labels = torch.arange(len(x))
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
        with torch.no_grad():
            weights = logits.softmax(1).fill_diagonal_(0), logits.T.softmax(1).fill_diagonal_(0)
            texts, images = (torch.multinomial(w + 1e-9, 1)[:, 0] for w in weights)
        fused = self.fuse(torch.cat([text, text[texts], text]), torch.cat([mask, mask[texts], mask]), torch.cat([image, image, image[images]]))
        target = torch.cat([torch.ones(len(x), dtype=torch.long), torch.zeros(2 * len(x), dtype=torch.long)])
        loss = loss + F.cross_entropy(self.match(fused[:, 0]), target)
        hidden = self.fuse(self.encode(b["hidden"], mask), mask, image).flatten(0, 1)[b["places"]]
        loss = loss + F.cross_entropy(F.linear(self.transform(hidden), self.words.weight, self.bias), b["labels"])
        grid, owner, shares = image[:, 1:], b["owner"], b["shares"].flatten(1)
        regions = F.normalize(self.visual(torch.einsum("rn,rnc->rc", shares, grid[owner]) / shares.sum(1, keepdim=True)), dim=1)
        phrases = F.normalize(self.textual(torch.einsum("rn,rnc->rc", b["spans"], text[owner]) / b["spans"].sum(1, keepdim=True)), dim=1)
        logits = (regions @ phrases.T / 0.07).masked_fill(b["same"], float("-inf"))
        labels = torch.arange(len(regions))
        return loss + 0.5 * (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def batch_of(side, patch, batch, tokens, **_):
    grid = (side // patch) ** 2
    places = (torch.arange(batch)[:, None] * tokens + torch.tensor([2, 5, 9])).flatten()
    spans = torch.zeros(2, tokens)
    spans[0, 2:4], spans[1, 6:7] = 1, 1
    texts = torch.randint(40, (2 * batch,))
    same = (texts[:, None] == texts[None]).fill_diagonal_(False)
    return dict(pixels=torch.randint(256, (batch, side, side, 3), dtype=torch.uint8), ids=torch.randint(700, (batch, tokens)), hidden=torch.randint(700, (batch, tokens)),
                mask=torch.ones(batch, tokens, dtype=torch.bool), places=places, labels=torch.randint(700, (3 * batch,)), owner=torch.arange(batch).repeat_interleave(2),
                shares=torch.rand(2 * batch, grid), spans=spans.repeat(batch, 1), same=same)


class Peer:
    def __init__(self, options, compiled):
        torch.manual_seed(0)
        model = Albef(**options)
        self.optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.05, fused=True)
        self.batch = batch_of(**options)
        self.loss = torch.compile(model) if compiled else model

    def step(self):
        loss = self.loss(self.batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()

    def seconds_a_step(self):
        return median_seconds(self.step)


def run(options, compare):
    torch.set_num_threads(options.threads)
    ours = Freeatm(options, None)
    for name, model in MODELS.items():
        contestants = {"freeatm": lambda number=model["model"]: ours.bench(f"vl_step/model:{number}/real_time")["real_time"] / 1000,
                       "PyTorch, eager": Peer(model, False).seconds_a_step}
        if not options.no_compile:
            contestants["PyTorch, torch.compile"] = Peer(model, True).seconds_a_step
        compare(f"vision-language step, {name}, {model['batch']} pairs", "s", contestants, options.rounds)
    ranks = ours.bench("retrieval_ranks/real_time", peak="ranks")["real_time"] / 1000
    print(f"\nranks among 5,000 x 25,000 features, both ways: {ranks:.2f} s, peak memory {ours.peak['ranks']:.0f} MiB", flush=True)
