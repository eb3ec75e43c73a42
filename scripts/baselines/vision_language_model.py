# SPDX-License-Identifier: Apache-2.0
"""A whole step of vision-language training for tests/objectives/vision_language_training_test.cpp:
.deps/peers/bin/python scripts/baselines/vision_language_model.py

timm's transformer, transformers' BERT as ALBEF splits it (bert.py), and the losses after the papers, pair by pair. What is drawn (hidden words,
noise for hard negatives) is fixed and stored with the inputs. Stored, in fp64: inputs, each loss, and of the sum's gradients each one's product
with a hash of its name, and its norm."""
from pathlib import Path

import torch
from bert import Albef, options
from cases import gradient_numbers
from hash_weights import fill_with_hash, hash_array
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional as F

OUT = Path(__file__).resolve().parents[2] / "tests/objectives/data/vision_language_model.safetensors"
SIZE, PATCH, DIM, TOKENS, DIMENSIONS, BATCH, IGNORED = 32, 8, 48, 9, 16, 4, -100
LENGTHS, MASK_ID = [9, 5, 7, 6], 4
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).double(), torch.tensor([0.229, 0.224, 0.225]).double()
WEIGHTS = dict(itc=1.0, itm=0.7, mlm=0.9, regions=0.5)
PHRASE_TEMPERATURE = 0.07


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = VisionTransformer(img_size=SIZE, patch_size=PATCH, embed_dim=DIM, depth=2, num_heads=3, num_classes=0, global_pool="token")
        albef = Albef(options(image_dim=DIM))
        self.text_encoder, self.mlm_head = albef.bert, albef.cls
        self.albef = [albef]  # not a child: its parts are
        self.itm_head = nn.Linear(24, 2)
        self.visual_projection = nn.Linear(DIM, DIMENSIONS, bias=False)
        self.text_projection = nn.Linear(24, DIMENSIONS, bias=False)
        self.logit_scale = nn.Parameter(torch.zeros(()))


def inputs():
    ids = torch.zeros(BATCH, TOKENS, dtype=torch.long)  # 0 is padding
    for i, length in enumerate(LENGTHS):
        ids[i, :length] = torch.tensor([2, *((torch.arange(length - 2) * 11 + 7 * i) % 50 + 8), 3])
    hidden = ids.clone()
    places = [(0, 2), (0, 3), (1, 1), (3, 4)]  # of text 2 no word is hidden
    hidden[0, 2], hidden[0, 3], hidden[1, 1] = MASK_ID, 17, MASK_ID  # and one of them stays as it is
    matches = torch.eye(BATCH, dtype=torch.bool)
    matches[0, 1] = matches[1, 0] = matches[3, :] = matches[:, 3] = True  # picture 3 and text 3 have no negative
    shares = torch.from_numpy(hash_array("regions", (5, 4, 4))).abs()
    return dict(image=torch.from_numpy(hash_array("pixels", (BATCH, SIZE, SIZE, 3))).add(1).mul(127).to(torch.uint8), ids=ids, hidden_ids=hidden,
                mask=torch.arange(TOKENS)[None] < torch.tensor(LENGTHS)[:, None], matches=matches, noise=torch.from_numpy(hash_array("noise", (BATCH, 2, BATCH))),
                word_places=torch.tensor([p for _, p in places]), word_offsets=torch.tensor([0, 2, 3, 3, 4]),
                word_labels=torch.tensor([ids[i, p] for i, p in places]), regions=shares, phrase_spans=torch.tensor([[1, 3], [4, 5], [2, 4], [1, 2], [3, 5]]),
                phrase_offsets=torch.tensor([0, 2, 3, 3, 5]), phrase_texts=torch.tensor([3, 1, 3, 5, 1]))


def cross_entropy(logits, label):
    return torch.logsumexp(logits, 0) - logits[label]


def one_way(similarity, fits):
    rows = []
    for row, fit in zip(similarity, fits):
        target = fit.double() / fit.sum()
        rows.append(-(target * F.log_softmax(row, 0)).sum())
    return torch.stack(rows).mean()


def matching(model, x, similarity, text, image_tokens):
    """text: [B, N, dim]"""
    rows = []
    pairs = [(i, i, 1) for i in range(BATCH)]
    for i in range(BATCH):
        allowed = [j for j in range(BATCH) if not x["matches"][i, j]]
        if allowed:
            pairs.append((i, max(allowed, key=lambda j: similarity[i, j] + x["noise"][i, 0, j]), 0))
    for j in range(BATCH):
        allowed = [i for i in range(BATCH) if not x["matches"][i, j]]
        if allowed:
            pairs.append((max(allowed, key=lambda i: similarity[i, j] + x["noise"][j, 1, i]), j, 0))
    for image, caption, label in pairs:
        fused = fuse(model, x["ids"][caption:caption + 1, :LENGTHS[caption]], image_tokens[image:image + 1])
        rows.append(cross_entropy(model.itm_head(fused[0, 0]), label))
    return torch.stack(rows).mean(), len(rows)


def fuse(model, ids, image_tokens):
    """One text, without padding."""
    return model.albef[0](ids, torch.ones_like(ids), image_tokens, None)[1]


def hidden_words(model, x, image_tokens):
    rows = []
    for i in range(BATCH):
        fused = fuse(model, x["hidden_ids"][i:i + 1, :LENGTHS[i]], image_tokens[i:i + 1])
        for k in range(x["word_offsets"][i], x["word_offsets"][i + 1]):
            rows.append(cross_entropy(model.mlm_head(fused)[0, x["word_places"][k]], x["word_labels"][k]))
    return torch.stack(rows).mean()


def phrases(model, x, text, grid):
    """grid: [B, 16, dim]"""
    regions, words = [], []
    for i in range(BATCH):
        for k in range(x["phrase_offsets"][i], x["phrase_offsets"][i + 1]):
            share = x["regions"][k].double().flatten()
            regions.append(F.normalize(model.visual_projection((share[:, None] * grid[i]).sum(0) / share.sum()), dim=0))
            begin, end = x["phrase_spans"][k]
            words.append(F.normalize(model.text_projection(text[i, begin:end].mean(0)), dim=0))
    r, p, texts, total = torch.stack(regions), torch.stack(words), x["phrase_texts"], 0
    for i in range(len(r)):
        kept = [j for j in range(len(r)) if j == i or texts[j] != texts[i]]
        total = total + cross_entropy(p[kept] @ r[i] / PHRASE_TEMPERATURE, kept.index(i)) + cross_entropy(r[kept] @ p[i] / PHRASE_TEMPERATURE, kept.index(i))
    return total / (2 * len(r))


def main():
    model = fill_with_hash(Model(), 0.3).double().eval()
    x = inputs()
    tokens = model.backbone.forward_features(((x["image"].double() / 255 - MEAN) / STD).permute(0, 3, 1, 2))  # [B, 1 + 16, dim]
    text = torch.zeros(BATCH, TOKENS, 24, dtype=torch.float64)
    for i, length in enumerate(LENGTHS):  # one text after the other: no padding
        text[i, :length] = model.albef[0](x["ids"][i:i + 1, :length], torch.ones(1, length).long(), tokens[i:i + 1], None)[0][0]
    images = F.normalize(model.visual_projection(tokens[:, 0]), dim=1)
    texts = F.normalize(model.text_projection(text[:, 0]), dim=1)
    similarity = model.logit_scale.exp() * images @ texts.T
    losses = dict(itc=(one_way(similarity, x["matches"]) + one_way(similarity.T, x["matches"].T)) / 2)
    losses["itm"], rows = matching(model, x, similarity.detach(), text, tokens)
    losses["mlm"] = hidden_words(model, x, tokens)
    losses["regions"] = phrases(model, x, text, tokens[:, 1:])
    sum(WEIGHTS[name] * loss for name, loss in losses.items()).backward()
    for p in model.parameters():
        p.grad = torch.zeros_like(p) if p.grad is None else p.grad  # of the second sentence, and positions that no text reaches
    values = {f"inputs.{name}": value.contiguous() for name, value in x.items()}
    values |= {f"losses.{name}": loss.detach() for name, loss in losses.items()} | {"itm_rows": torch.tensor(rows), "gradients": gradient_numbers(model)}
    save_file(values, OUT)
    print({name: loss.item() for name, loss in losses.items()}, rows)


if __name__ == "__main__":
    main()
